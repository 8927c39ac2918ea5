"""A WeChat draft: every picture uploaded first, then the articles with the addresses they got.

The bytes that were reviewed are the bytes that are uploaded: nothing is made smaller here.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.contract import AccountView, LoadMedia
from bot.wechat.client import AioWeChatClient, WeChatRefused
from bot.wechat.codes import BLOCKS, MEDIA, hinted
from bot.wechat.newspic import COMMENTS, NEWSPIC, cover_info, is_newspic
from bot.wechat.refused import article_refused, place_refused
from bot.wechat.rendering import CROP_FIELDS, DEFAULT_COVER, IMAGE, PLACED
from documents.normalise_picture import MOST_BYTES, TEXT_BYTES, normalise
from documents.sniff import kind_of
from storage.cache import Cache

COVER_FILE = Path(__file__).with_name("default_cover.png")
_DAY = 86_400.0
_PICTURES = re.compile(r"<img\b")


NOT_KEPT = "封面图片重新上传后平台仍说没有（{code}）：请登录微信公众平台核对素材库"


class DraftFault(Exception):
    """The platform did not take the article as it was approved; the words are for staff.

    `lost`: pictures of it were dropped, which may be because they were deleted there meanwhile.
    """

    def __init__(self, words: str, *, lost: bool = False) -> None:
        """Keep the words."""
        super().__init__(words)
        self.lost = lost


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
    articles: Sequence[Mapping[str, Any]],
    media: LoadMedia,
    cache: Cache,
) -> str:
    """The draft's media id. May be made again: a draft nobody submits is seen by nobody.

    What was uploaded before may have been deleted in the back office meanwhile: then it is
    forgotten and uploaded once more, for this same draft.
    """
    try:
        return await _made(client, account, articles, media, cache)
    except DraftFault as fault:
        if not fault.lost:
            raise
    except WeChatRefused as refused:
        if hinted(refused.code) != MEDIA:
            raise
    for article in articles:
        await _forget(account, article, cache)
    try:
        return await _made(client, account, articles, media, cache)
    except WeChatRefused as refused:
        if hinted(refused.code) != MEDIA:
            raise
        raise DraftFault(NOT_KEPT.format(code=refused.code)) from refused


async def _forget(account: AccountView, article: Mapping[str, Any], cache: Cache) -> None:
    """Every name the platform gave to a picture of this article."""
    if is_newspic(article):
        uploads = [_Upload("media_id", marker) for marker in article["pictures"]]
    else:
        uploads = [_Upload("url", marker) for marker in PLACED.findall(article["content"])]
        uploads.append(_Upload("media_id", article["thumb"]))
    for one in uploads:
        await cache.delete(_key(account, one))


async def _made(
    client: AioWeChatClient,
    account: AccountView,
    articles: Sequence[Mapping[str, Any]],
    media: LoadMedia,
    cache: Cache,
) -> str:
    if is_newspic(articles[0]):  # by itself: no edition holds one (bot/wechat/edition.py)
        return await _picture_draft(client, account, articles[0], media, cache)
    sent = [await _uploaded(client, account, one, media, cache) for one in articles]
    try:
        answer = await client.post("draft/add", data={"articles": sent})
    except WeChatRefused as refused:
        if hinted(refused.code) != BLOCKS:
            raise
        raise DraftFault(await _blamed(client, sent, refused.code)) from refused
    await _all_there(client, str(answer["media_id"]), sent)
    return str(answer["media_id"])


async def _blamed(client: AioWeChatClient, sent: Sequence[Mapping[str, Any]], code: int) -> str:
    """Which place of which article the platform does not take; it says neither."""
    at = await article_refused(client, sent)
    article = sent[at] if at is not None else None
    place = await place_refused(client, article, article["content"]) if article else ""
    words = f"从“{place}”开始的一段" if place else "正文里的内容"
    title = f"《{article['title']}》" if article and len(sent) > 1 else ""
    return f"平台不接受{title}{words}（{code}）：请改写后重新送审"


async def _uploaded(
    client: AioWeChatClient,
    account: AccountView,
    article: Mapping[str, Any],
    media: LoadMedia,
    cache: Cache,
) -> dict[str, Any]:
    """One article as it is sent, with the platform's names for its pictures."""
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
    return {
        **fields,
        "content": content,
        "content_source_url": article["content_source_url"],
        "thumb_media_id": thumb,
        COMMENTS: article.get(COMMENTS, 0),
    }


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
        COMMENTS: article.get(COMMENTS, 0),
        **cover_info(article),
    }
    try:
        answer = await client.post("draft/add", data={"articles": [sent]})
    except WeChatRefused as refused:
        if hinted(refused.code) != BLOCKS:
            raise
        words = f"平台不接受图片消息的文字（{refused.code}）：请改写后重新送审"
        raise DraftFault(words) from refused
    draft = str(answer["media_id"])
    kept = (await client.post("draft/get", data={"media_id": draft}))["news_item"]
    if [_placed(one) for one in kept] != [names]:
        words = f"图片消息有 {len(names)} 张图片，平台的草稿里不是这些图片或不是这个顺序，没有发布"
        raise DraftFault(f"{words}：请核对图片后重新送审", lost=True)
    return draft


def _placed(kept: Mapping[str, Any]) -> list[str]:
    """The pictures of a kept message in their order; none of what is kept as something else."""
    if not is_newspic(kept):
        return []
    listed = (kept.get("image_info") or {}).get("image_list") or []
    return [str(one.get("image_media_id", "")) for one in listed]


async def _all_there(
    client: AioWeChatClient, draft: str, articles: Sequence[Mapping[str, Any]]
) -> None:
    """Read the draft back: pictures the platform does not like are dropped without a word (W18)."""
    given = [len(_PICTURES.findall(one["content"])) for one in articles]
    if not any(given) and len(articles) == 1:
        return
    kept = (await client.post("draft/get", data={"media_id": draft}))["news_item"]
    if len(kept) != len(articles):
        words = (
            f"组版有 {len(articles)} 篇，平台的草稿里只有 {len(kept)} 篇，没有发布：请到平台核对"
        )
        raise DraftFault(words)
    for article, there, sent in zip(articles, kept, given, strict=True):
        left = len(_PICTURES.findall(str(there.get("content", ""))))
        if left != sent:
            title = f"《{article['title']}》" if len(articles) > 1 else ""
            raise DraftFault(
                f"{title}正文有 {sent} 张图片，平台的草稿里只有 {left} 张，没有发布：请核对图片",
                lost=True,
            )


async def _upload(
    client: AioWeChatClient,
    account: AccountView,
    wanted: _Upload,
    media: LoadMedia,
    cache: Cache,
) -> str:
    """Upload one marker's bytes, once a day; returns the platform's name for it."""
    # A publication that is tried again would else use up the day's uploads (W35).
    key = _key(account, wanted)
    known = await cache.get(key)
    if known:
        return known
    if wanted.marker == DEFAULT_COVER:
        raw = await asyncio.to_thread(COVER_FILE.read_bytes)
    else:
        raw, _ = await media(wanted.marker)
    content = await asyncio.to_thread(_accepted, raw)
    kind = kind_of(content)
    file = (f"picture.{kind.replace('jpeg', 'jpg')}", content, f"image/{kind}")
    endpoint = wanted.endpoint(content)
    answer = await client.post(endpoint, params={"type": "image"}, files={"media": file})
    await cache.set(key, str(answer[wanted.answered]), _DAY)
    return str(answer[wanted.answered])


def _key(account: AccountView, wanted: _Upload) -> str:
    return f"wechat:media:{account.id}:{wanted.answered}:{wanted.marker}"


def _accepted(raw: bytes) -> bytes:
    """The bytes as they are; ValueError when they are no picture.

    Only what was kept before pictures were brought into form at their coming in is so now.
    """
    if kind_of(raw) in ("jpeg", "png", "gif") and len(raw) <= MOST_BYTES:
        return raw
    return normalise(raw).data
