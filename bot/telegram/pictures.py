"""How a picture is posted on Telegram, told by its bytes: as a photo, an animation or a file.

Nothing about the bytes changes here. A long picture goes as a file: the platform refuses it as a
photo beyond its limits, and below them makes it so narrow that no word of it can be read.
"""

import io
from collections.abc import Mapping
from typing import Any, Literal

from PIL import Image
from telegram import Bot
from telegram import MessageEntity as Entity

from bot.telegram.client import BotCall
from documents.pictures import DAMAGED, FORMATS

PHOTO_SIDES, PHOTO_RATIO = 10_000, 20  # sides together, one to the other (T7)
_LONG = 3

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


def picture_call(chat: str, content: bytes, part: Mapping[str, Any]) -> BotCall:
    """The call that posts the picture, `part` being its caption with its entities."""
    way = way_of(content)
    entities = [Entity(**entity) for entity in part["entities"]]

    async def call(bot: Bot) -> Any:
        told: dict[str, Any] = {"caption": part["text"], "caption_entities": entities}
        if way == "animation":
            return await bot.send_animation(chat, content, filename="picture.gif", **told)
        if way == "document":
            # Else the platform looks at the bytes and makes a photo of it after all.
            told["disable_content_type_detection"] = True
            return await bot.send_document(chat, content, filename=_name(content), **told)
        return await bot.send_photo(chat, content, filename="photo.jpg", **told)

    return call


def _name(content: bytes) -> str:
    return "picture.png" if content.startswith(b"\x89PNG") else "picture.jpg"
