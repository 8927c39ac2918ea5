"""Text that is there and not seen: white on white, without size, outside the page. Pure."""

import re
from typing import Any

from lxml.cssselect import SelectorError

from documents.parts import attribute, local
from documents.word_styles import child, value

_HIDES = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*0(?:\.0+)?\s*(?:px|pt|em|rem|%|;|!|$)"
    r"|font-size\s*:\s*1px|opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$)|text-indent\s*:\s*-\d{3,}"
    r"|(?:left|top|right)\s*:\s*-\d{3,}px",
    re.IGNORECASE,
)
_WHITE = re.compile(
    r"(?<![-a-z])color\s*:\s*(?:white\b|#f{3}(?:f{3})?\b|rgba?\(\s*255\s*,\s*255\s*,\s*255)"
    r"|(?<![-a-z])color\s*:\s*transparent",
    re.IGNORECASE,
)
_GROUND = re.compile(
    r"background(?:-color|-image)?\s*:\s*(?!none|transparent|white|#f{3}(?:f{3})?\b)"
)
_RULE = re.compile(r"([^{}@]{1,200})\{([^{}]{1,2000})\}")
_AT_RULE = re.compile(r"@[^{};]*(?:;|\{(?:[^{}]*\{[^{}]*\})*[^{}]*\})")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_MOST_RULES = 400
_BRIGHT = 0xF0  # each of red, green and blue from here on is white to the eye
_TINY = 4  # half points of a run nobody can read
_CODE = re.compile("[0-9A-Fa-f]{6}")


def _hides(style: str) -> bool:
    """Whether a style of a web page shows nothing of what it is set to."""
    return bool(_HIDES.search(style))


def unseen_nodes(root: Any) -> list[Any]:
    """The elements of a page whose text nobody sees, by their own style or by a style sheet."""
    looks = {node: str(node.get("style")) for node in root.xpath("//*[@style]")}
    for selector, style in _rules(root):
        for node in _selected(root, selector):
            looks[node] = f"{style};{looks.get(node, '')}"
    white = [node for node, style in looks.items() if _WHITE.search(style)]
    white += root.xpath("//font[@color='white' or @color='#ffffff' or @color='#FFFFFF']")
    found = [node for node, style in looks.items() if _hides(style)]
    found += [node for node in white if not _on_ground(node, looks)]
    return [*root.xpath("//*[@hidden]"), *found]


def _rules(root: Any) -> list[tuple[str, str]]:
    """Rules of the page's style sheets that hide or whiten; those of a medium are left out."""
    sheet = "\n".join(str(text) for text in root.xpath("//style/text()"))
    sheet = _AT_RULE.sub(" ", _COMMENT.sub(" ", sheet))
    rules = [(one[1].strip(), one[2]) for one in _RULE.finditer(sheet)]
    told = [
        one for one in rules if _hides(one[1]) or _WHITE.search(one[1]) or _GROUND.search(one[1])
    ]
    return told[:_MOST_RULES]


def _selected(root: Any, selector: str) -> list[Any]:
    """What a selector means; nothing for one of a state (:hover) or one that is not read."""
    if ":" in selector:
        return []
    try:
        return list(root.cssselect(selector))
    except (SelectorError, ValueError):
        return []


def _on_ground(node: Any, looks: dict[Any, str]) -> bool:
    """Whether it stands on a colour or a picture: there white can be read."""
    for one in (node, *node.iterancestors()):
        if one.get("bgcolor") or one.get("background") or _GROUND.search(looks.get(one, "")):
            return True
    return False


def run_unseen(properties: Any, *, on_ground: bool) -> bool:
    """Whether the properties of a run make its text white or too small to be read.

    `on_ground`: it stands where a shade may lie under it, and white can be read there.
    """
    if properties is None:
        return False
    size = value(properties, "sz")
    if size.isdigit() and int(size) <= _TINY:
        return True
    colour = child(properties, "color")
    return colour is not None and _is_white(colour) and not (on_ground or shaded(properties))


def shaded(node: Any) -> bool:
    """Whether a paragraph or a table lays a shade under its text, or has a style that may."""
    return any(_is_shade(one) for one in node.iter())


def _is_shade(node: Any) -> bool:
    name = local(node)
    if name == "shd":
        plain = attribute(node, "val") in ("clear", "nil", "")
        return not plain or attribute(node, "fill").lower() not in ("auto", "ffffff", "")
    return name == "tblStyle" or (name == "highlight" and attribute(node, "val") != "white")


def _is_white(colour: Any) -> bool:
    if attribute(colour, "themeColor") in ("background1", "light1"):
        return True
    code = attribute(colour, "val")
    if not _CODE.fullmatch(code):
        return False
    return all(int(code[at : at + 2], 16) >= _BRIGHT for at in (0, 2, 4))
