"""Marks of a Word document that are no plain characters: symbols, boxes to tick, readings."""

import re
from collections.abc import Iterator
from typing import Any

from blocks.taken import LeftOut
from documents.parts import attribute, local, named
from documents.word_parts import WordParts
from documents.word_styles import child, is_on

_UNKNOWN = "{} 个符号字体里的符号换成了“•”，请核对"
_RUNNING = "{} 处页眉、页脚的文字没有带过来（“%s”）：需要的请抄到正文"
_CODES = {
    "wingdings": {
        0x28: "☎", 0x29: "✆", 0x2A: "✉", 0x46: "☞", 0x6C: "●", 0x6E: "■", 0x6F: "□", 0x70: "□",
        0x71: "❑", 0x72: "❒", 0x75: "◆", 0x76: "❖", 0x9E: "·", 0x9F: "•", 0xA1: "○", 0xA3: "◯",
        0xA7: "▪", 0xA8: "□", 0xAB: "★", 0xB2: "☆", 0xD8: "➢", 0xDF: "←", 0xE0: "→", 0xE1: "↑",
        0xE2: "↓", 0xE8: "➔", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑",
        **{0x80 + number: chr(0x2460 + number - 1) for number in range(1, 11)},
        **{0x8B + number: chr(0x2776 + number - 1) for number in range(1, 11)},
    },
    "wingdings 2": {
        0x4F: "✗", 0x50: "✓", 0x51: "☒", 0x52: "☑", 0x53: "☒", 0x54: "☒", 0xA3: "□", 0x97: "●",
        **{0x6A + number: chr(0x2460 + number - 1) for number in range(1, 11)},
    },
    "symbol": {
        0xA3: "≤", 0xB0: "°", 0xB1: "±", 0xB3: "≥", 0xB4: "×", 0xB7: "•", 0xB8: "÷", 0xB9: "≠",
        0xAC: "←", 0xAD: "↑", 0xAE: "→", 0xAF: "↓", 0xD6: "√", 0xD7: "·",
    },
}  # fmt: skip
_PRIVATE = re.compile("[\uf020-\uf0ff]")
_PAGE = re.compile(r"第|页|共|page|of|[\W\d_]", re.IGNORECASE)
_SAID = 20


def characters(node: Any, left_out: LeftOut) -> str:
    """What one part of a run says; empty when it is no character."""
    name = local(node)
    if name == "t":
        return node.text or ""
    if name in ("br", "cr"):
        return "\n" if attribute(node, "type") in ("", "textWrapping") else ""
    if name == "sym":
        return _symbol(node, left_out)
    if name == "ruby":
        return _with_reading(node)
    return {"tab": "\t", "noBreakHyphen": "-"}.get(name, "")


def _symbol(node: Any, left_out: LeftOut) -> str:
    """The character of a `w:sym`; told when its font has none that a phone shows."""
    code = attribute(node, "char")
    number = int(code, 16) & 0xFF if re.fullmatch("[0-9A-Fa-f]{1,4}", code) else 0
    return _said(number, attribute(node, "font"), left_out)


def readable(text: str, properties: Any, left_out: LeftOut) -> str:
    """The text of a run with characters that only a symbol font shows as characters."""
    fonts = child(properties, "rFonts")
    font = "" if fonts is None else attribute(fonts, "hAnsi") or attribute(fonts, "ascii")
    return _PRIVATE.sub(lambda one: _said(ord(one[0]) & 0xFF, font, left_out), text)


def _said(number: int, font: str, left_out: LeftOut) -> str:
    codes = _CODES.get(font.strip().lower(), _CODES["wingdings"])
    if number not in codes:
        left_out.add(_UNKNOWN)
    return codes.get(number, "•")


def box(field: Any) -> str:
    """The box of a form field that can be ticked, as it stands; empty for another field."""
    boxes = child(child(field, "ffData"), "checkBox")
    if boxes is None:
        return ""
    state = child(boxes, "checked")
    state = child(boxes, "default") if state is None else state
    return "☑" if state is not None and is_on(state) else "☐"


def _with_reading(ruby: Any) -> str:
    """Characters with the reading that stands above them: 沔（miǎn）阳."""
    base, above = ("".join(_texts(ruby, name)) for name in ("rubyBase", "rt"))
    return f"{base}（{above}）" if above.strip() else base


def _texts(node: Any, name: str) -> Iterator[str]:
    for part in named(node, name):
        yield from (each.text or "" for each in named(part, "t"))


def tell_running(parts: WordParts, left_out: LeftOut) -> None:
    """Tell the words at the head and foot of the pages; a page number alone is not told."""
    told = []
    for kind in ("header", "footer"):
        for name in parts.names(kind):
            words = " ".join("".join(_lines(parts.archive.xml(name))).split())
            if len(_PAGE.sub("", words)) > 1 and words not in told:
                told.append(words)
    if told:
        left_out.add(_RUNNING % told[0][:_SAID], len(told))


def _lines(root: Any) -> Iterator[str]:
    for paragraph in named(root, "p"):
        yield from (each.text or "" for each in named(paragraph, "t"))
        yield " "
