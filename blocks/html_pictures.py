"""Pictures of HTML: those in it are kept, those elsewhere are told."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from blocks.document import Picture
from blocks.markup import points
from blocks.taken import Keep, LeftOut

_DATA = re.compile(r"data:image/([\w.+-]{1,40})((?:;[\w=-]{1,40}){0,4}),([A-Za-z0-9+/=%\s_-]*)")
_ASIDE = "x-shenfa-picture:"
_SOURCES = ("data-src", "data-original", "oldsrc", "src")
_SMALLEST = 3.0  # points; smaller ones count visits
_NO_WORDS = frozenset({"图片", "image", "img", "picture", "图像"})
_LONGEST = 300
_ORIGIN = re.compile(r"(.*)（图片来源：([^（）]+)）", re.DOTALL)
_STAND_IN = 200  # characters of base64
_PLACE = 12  # characters that say after which words a picture stood


@dataclass
class Pictures:
    """Takes the pictures of one paste."""

    keep: Keep
    left_out: LeftOut
    _inside: list[tuple[str, str, str]] = field(default_factory=list)
    _elsewhere: list[str] = field(default_factory=list)
    _local: list[str] = field(default_factory=list)

    def aside(self, html: str) -> str:
        """The HTML with short names in place of the bytes of its pictures."""

        def put(match: re.Match[str]) -> str:
            self._inside.append((match[1], match[2], match[3]))
            return f"{_ASIDE}{len(self._inside) - 1};"

        return _DATA.sub(put, html)

    def picture(self, node: Any, style: dict[str, str], before: str) -> Picture | None:
        """The picture of an img when its bytes are there; told by its place when they are not."""
        sides = (style.get("width") or node.get("width"), style.get("height") or node.get("height"))
        if any(side and points(side.strip(), 99) <= _SMALLEST for side in sides):
            return None
        given = [(node.get(name) or "").strip() for name in _SOURCES]
        # A page that loads its pictures late has a small stand-in for each of them.
        source = next((one for one in given if self._is_whole(one)), "") or next(
            (one for one in given if one), ""
        )
        if source.startswith(_ASIDE):
            return self._kept(source, _alt(node))
        place = "".join(before.split())[-_PLACE:]
        remote = source.startswith(("http:", "https:", "//"))
        (self._elsewhere if remote else self._local).append(place)
        return None

    def _is_whole(self, source: str) -> bool:
        number = source.removeprefix(_ASIDE).partition(";")[0]
        known = source.startswith(_ASIDE) and number.isdigit() and int(number) < len(self._inside)
        return known and len(self._inside[int(number)][2]) > _STAND_IN

    def _kept(self, source: str, alt: str) -> Picture | None:
        number = source.removeprefix(_ASIDE).partition(";")[0]
        if not number.isdigit() or int(number) >= len(self._inside):
            return None
        kind, parameters, text = self._inside[int(number)]
        if kind.lower().startswith("svg"):
            self.left_out.add("{} 张矢量图（SVG）没有带过来：请换成 PNG 或 JPG 图片")
            return None
        marker = self.keep(_bytes(parameters, text), f"图片{int(number) + 1}.{kind.lower()}")
        if marker is None:
            self.left_out.add("{} 张图片没有带过来：打不开，请另存为 PNG 或 JPG 后拖进来")
            return None
        return Picture(media=marker, alt=alt)

    def said(self) -> tuple[str, ...]:
        """What is told of the pictures whose bytes are not there."""
        lines = []
        for places, why in ((self._local, ""), (self._elsewhere, "在别的网站上的 ")):
            if places:
                after = next((one for one in places if one), "")
                where = f"（在“{after}”之后{'等处' if len(places) > 1 else ''}）" if after else ""
                remedy = "请把图片文件拖进来" if not why else "请先存下图片，确认可以用，再拖进来"
                lines.append(f"{why}{len(places)} 张图片没有带过来{where}：{remedy}")
        return tuple(lines)


def with_caption(picture: Picture, words: str) -> Picture | None:
    """The picture with the words below it, where they say its origin too; None for no caption."""
    if picture.caption or len(words) > _LONGEST:
        return None
    told = _ORIGIN.fullmatch(words)
    if told is None:
        return picture.model_copy(update={"caption": words})
    return picture.model_copy(update={"caption": told[1], "origin": told[2]})


def _bytes(parameters: str, text: str) -> bytes:
    try:
        raw = unquote_to_bytes(text)
        return base64.b64decode(raw, validate=False) if "base64" in parameters else raw
    except (binascii.Error, ValueError):
        return b""


def _alt(node: Any) -> str:
    words = " ".join((node.get("alt") or node.get("title") or "").split())
    return "" if words.lower() in _NO_WORDS else words[:_LONGEST]
