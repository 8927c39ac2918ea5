"""A WeChat draft: every picture uploaded first, then the article with the addresses it got.

The bytes that were reviewed are the bytes that are uploaded: nothing is made smaller here.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.contract import AccountView, LoadMedia
from bot.wechat.client import AioWeChatClient, WeChatRefused
from bot.wechat.newspic import NEWSPIC, cover_info, is_newspic
from bot.wechat.refused import BAD_CONTENT, place_refused
from bot.wechat.rendering import CROP_FIELDS, DEFAULT_COVER, IMAGE, PLACED
from documents.normalise_picture import MOST_BYTES, TEXT_BYTES, normalise
from documents.sniff import kind_of
from storage.cache import Cache

_COVER_FILE = Path(__file__).with_name("default_cover.png")
_DAY = 86_400.0
_PICTURES = re.compile(r"<img\b")


class DraftFault(Exception):
    """The platform did not take the article as it was approved; the words are for staff."""


@dataclass(frozen=True)
class _Upload:
    """One picture on its way, and the field of the answer that names it there."""

    answered: str
    marker: str

    def endpoint(self, content: bytes) -> str:
        """Where to: the text takes jpg and png below 1 MB; all else lies among the materials."""
        small = kind_of(content) in ("jpeg", "png") and len(content) < TEXT_BYTES
        inside = self.answered == "url" and small
        return "media/uploadimg" if inside else "material/add_material"


async def make_draft(
    client: AioWeChatClient,
    account: AccountView,
    article: Mapping[str, Any],
    media: LoadMedia,
    cache: Cache,
) -> str:
    """The draft's media id. May be made again: a draft nobody submits is seen by nobody."""
    if is_newspic(article):
        return await _picture_draft(client, account, article, media, cache)
    content = article["content"]
    # The platform filters pictures of other places out of an article (W18).
    for marker in sorted(set(PLACED.findall(content))):
        inside = _Upload("url", marker)
        known = await _upload(client, account, inside, media, cache)
        content = content.replace(f'{IMAGE}{marker}"', f'{IMAGE}{known}"')
    cover = _Upload("media_id", article["thumb"])
    thumb = await _upload(client, account, cover, media, cache)
    wanted = ("title", "author", "digest", *CROP_FIELDS.values())
    fields = {name: article[name] for name in wanted if name in article}
    sent = {
        **fields,
        "content": content,
        "content_source_url": article["content_source_url"],
        "thumb_media_id": thumb,
        "need_open_comment": 0,
    }
    try:
        answer = await client.post("draft/add", data={"articles": [sent]})
    except WeChatRefused as refused:
        if refused.code != BAD_CONTENT:
            raise
        place = await place_refused(client, sent, content)
        words = f"从“{place}”开始的一段" if place else "正文里的内容"
        raise DraftFault(f"平台不接受{words}（{BAD_CONTENT}）：请改写后重新送审") from refused
    await _all_there(client, str(answer["media_id"]), content)
    return str(answer["media_id"])


async def _picture_draft(
    client: AioWeChatClient,
    account: AccountView,
    article: Mapping[str, Any],
    media: LoadMedia,
    cache: Cache,
) -> str:
    """The draft of a picture message, its pictures permanent materials in their order (W41)."""
    names = [
        await _upload(client, account, _Upload("media_id", marker), media, cache)
        for marker in article["pictures"]
    ]
    sent = {
        "article_type": NEWSPIC,
        "title": article["title"],
        "content": article["content"],
        "image_info": {"image_list": [{"image_media_id": name} for name in names]},
        "need_open_comment": 0,
        **cover_info(article),
    }
    try:
        answer = await client.post("draft/add", data={"articles": [sent]})
    except WeChatRefused as refused:
        if refused.code != BAD_CONTENT:
            raise
        words = f"平台不接受图片消息的文字（{BAD_CONTENT}）：请改写后重新送审"
        raise DraftFault(words) from refused
    draft = str(answer["media_id"])
    kept = (await client.post("draft/get", data={"media_id": draft}))["news_item"]
    if [_placed(one) for one in kept] != [names]:
        words = f"图片消息有 {len(names)} 张图片，平台的草稿里不是这些图片或不是这个顺序，没有发布"
        raise DraftFault(f"{words}：请核对图片后重新送审")
    return draft


def _placed(kept: Mapping[str, Any]) -> list[str]:
    """The pictures of a kept message in their order; none of what is kept as something else."""
    if not is_newspic(kept):
        return []
    listed = (kept.get("image_info") or {}).get("image_list") or []
    return [str(one.get("image_media_id", "")) for one in listed]


async def _all_there(client: AioWeChatClient, draft: str, content: str) -> None:
    """Read the draft back: pictures the platform does not like are dropped without a word (W18)."""
    sent = len(_PICTURES.findall(content))
    if not sent:
        return
    kept = await client.post("draft/get", data={"media_id": draft})
    left = sum(len(_PICTURES.findall(str(one.get("content", "")))) for one in kept["news_item"])
    if left != sent:
        raise DraftFault(f"正文有 {sent} 张图片，平台的草稿里只有 {left} 张，没有发布：请核对图片")


async def _upload(
    client: AioWeChatClient,
    account: AccountView,
    wanted: _Upload,
    media: LoadMedia,
    cache: Cache,
) -> str:
    """Upload one marker's bytes, once a day; returns the platform's name for it."""
    # A publication that is tried again would else use up the day's uploads (W35).
    key = f"wechat:media:{account.id}:{wanted.answered}:{wanted.marker}"
    known = await cache.get(key)
    if known:
        return known
    if wanted.marker == DEFAULT_COVER:
        raw = await asyncio.to_thread(_COVER_FILE.read_bytes)
    else:
        raw, _ = await media(wanted.marker)
    content = await asyncio.to_thread(_accepted, raw)
    kind = kind_of(content)
    file = (f"picture.{kind.replace('jpeg', 'jpg')}", content, f"image/{kind}")
    endpoint = wanted.endpoint(content)
    answer = await client.post(endpoint, params={"type": "image"}, files={"media": file})
    await cache.set(key, str(answer[wanted.answered]), _DAY)
    return str(answer[wanted.answered])


def _accepted(raw: bytes) -> bytes:
    """The bytes as they are; ValueError when they are no picture.

    Only what was kept before pictures were brought into form at their coming in is so now.
    """
    if kind_of(raw) in ("jpeg", "png", "gif") and len(raw) <= MOST_BYTES:
        return raw
    return normalise(raw).data
