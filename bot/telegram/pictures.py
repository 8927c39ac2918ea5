"""How a picture is posted on Telegram, told by its bytes: as a photo, an animation or a file.

Nothing about the bytes changes here. A long picture goes as a file: the platform refuses it as a
photo beyond its limits, and below them makes it so narrow that no word of it can be read.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

from PIL import Image
from telegram import Bot, InputMediaDocument, InputMediaPhoto
from telegram import MessageEntity as Entity

from bot.telegram.article import MOST_PICTURES
from bot.telegram.client import BotCall
from documents.pictures import DAMAGED, FORMATS

PHOTO_SIDES, PHOTO_RATIO = 10_000, 20  # sides together, one to the other (T7)
_LONG = 3

_WORDLESS: Mapping[str, Any] = {"text": "", "entities": ()}
_AS_FILE: Mapping[str, Any] = {"disable_content_type_detection": True}
"""Else the platform looks at the bytes and makes a photo of it after all."""

Way = Literal["photo", "animation", "document"]


def way_of(content: bytes) -> Way:
    """How these bytes are posted; whatever cannot be opened is left to the platform's judgement."""
    try:
        picture = Image.open(io.BytesIO(content), formats=FORMATS)
    except DAMAGED:
        return "photo"
    if picture.format == "GIF":
        return "animation"
    short, long = sorted(picture.size)
    small_enough = short + long <= PHOTO_SIDES and long <= PHOTO_RATIO * short
    return "photo" if small_enough and long <= _LONG * short else "document"


def pictures_calls(chat: str, contents: Sequence[bytes], part: Mapping[str, Any]) -> list[BotCall]:
    """The calls that post pictures in order, `part` being the caption below the last of them.

    Below the first of them where it leads (图片消息).

    Neighbours of one way are one message, for which the platform takes photos or files; animations
    stand alone.
    """
    ways = [(way_of(content), content) for content in contents]
    groups = [
        (way, batch)
        for way, members in groupby(ways, key=lambda one: one[0])
        for batch in _batches(way, [content for _, content in members])
    ]
    told = 1 if part.get("lead") else len(groups)
    return [
        _call_of(chat, way, batch, part if number == told else _WORDLESS)
        for number, (way, batch) in enumerate(groups, 1)
    ]


def _batches(way: Way, contents: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    size = 1 if way == "animation" else MOST_PICTURES
    return (contents[at : at + size] for at in range(0, len(contents), size))


def _call_of(chat: str, way: Way, contents: Sequence[bytes], part: Mapping[str, Any]) -> BotCall:
    entities = [Entity(**entity) for entity in part["entities"]]
    told: dict[str, Any] = {"caption": part["text"] or None, "caption_entities": entities}
    if len(contents) > 1:
        return _group_call(chat, way, contents, told)
    [content] = contents

    async def call(bot: Bot) -> Any:
        if way == "animation":
            return await bot.send_animation(chat, content, filename="picture.gif", **told)
        if way == "document":
            return await bot.send_document(
                chat, content, filename=_name(content), **_AS_FILE, **told
            )
        return await bot.send_photo(chat, content, filename="photo.jpg", **told)

    return call


def _group_call(chat: str, way: Way, contents: Sequence[bytes], told: Mapping[str, Any]) -> BotCall:
    def item(number: int, content: bytes) -> InputMediaPhoto | InputMediaDocument:
        # Phones show the caption of a group when one of its pictures has one.
        words = told if number == 0 else {}
        if way == "document":
            return InputMediaDocument(content, filename=_name(content), **_AS_FILE, **words)
        return InputMediaPhoto(content, filename="photo.jpg", **words)

    async def call(bot: Bot) -> Any:
        return await bot.send_media_group(chat, [item(*one) for one in enumerate(contents)])

    return call


def _name(content: bytes) -> str:
    return "picture.png" if content.startswith(b"\x89PNG") else "picture.jpg"
