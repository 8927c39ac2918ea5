"""A WeChat draft: every picture uploaded first, then the article with the addresses it got."""

import asyncio
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from bot.contract import AccountView, LoadMedia
from bot.render import MARKER
from bot.wechat.client import AioWeChatClient
from bot.wechat.rendering import DEFAULT_COVER
from storage.cache import Cache

IMAGE_BYTES = 1024 * 1024  # uploadimg takes jpg and png below 1 MB (docs/platforms.md#W37)
_COVER_FILE = Path(__file__).with_name("default_cover.png")
_DAY = 86_400.0


@dataclass(frozen=True)
class _Upload:
    """One picture on its way: where to, and the field of the answer that names it there."""

    endpoint: str
    answered: str
    marker: str


async def make_draft(
    client: AioWeChatClient,
    account: AccountView,
    article: Mapping[str, str],
    media: LoadMedia,
    cache: Cache,
) -> str:
    """The draft's media id. May be made again: a draft nobody submits is seen by nobody."""
    content = article["content"]
    for marker in sorted(set(MARKER.findall(content))):
        # The platform filters pictures of other places out of an article (W18).
        inside = _Upload("media/uploadimg", "url", marker)
        content = content.replace(marker, await _upload(client, account, inside, media, cache))
    cover = _Upload("material/add_material", "media_id", article["thumb"])
    thumb = await _upload(client, account, cover, media, cache)
    fields = {name: article[name] for name in ("title", "author", "digest")}
    answer = await client.post(
        "draft/add",
        data={
            "articles": [
                {
                    **fields,
                    "content": content,
                    "content_source_url": article["content_source_url"],
                    "thumb_media_id": thumb,
                    "need_open_comment": 0,
                }
            ]
        },
    )
    return str(answer["media_id"])


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
    content, mime = await asyncio.to_thread(_as_picture, raw)
    name = "picture." + mime.removeprefix("image/").replace("jpeg", "jpg")
    answer = await client.post(
        wanted.endpoint, params={"type": "image"}, files={"media": (name, content, mime)}
    )
    await cache.set(key, str(answer[wanted.answered]), _DAY)
    return str(answer[wanted.answered])


def _as_picture(raw: bytes) -> tuple[bytes, str]:
    """The bytes as jpg or png below 1 MB; OSError or ValueError when they are no picture."""
    picture = Image.open(io.BytesIO(raw))
    if picture.format in ("JPEG", "PNG") and len(raw) < IMAGE_BYTES:
        return raw, "image/jpeg" if picture.format == "JPEG" else "image/png"
    plain = picture.convert("RGB")  # JPEG knows no transparency
    for width in (1600, 1080, 720, 480):
        small = plain.copy()
        small.thumbnail((width, width * 4))  # posters are long: width is what is read by
        out = io.BytesIO()
        small.save(out, "JPEG", quality=85)
        if out.tell() < IMAGE_BYTES:
            return out.getvalue(), "image/jpeg"
    raise ValueError("图片太大")
