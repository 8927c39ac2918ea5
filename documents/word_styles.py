"""Styles and automatic numbers of a Word document, computed as a reader sees them."""

import re
from dataclasses import dataclass, field, replace
from typing import Any

from blocks.numbers import number_words, point_of, says_digits
from blocks.taken import Point
from documents.parts import attribute, local, named
from documents.word_parts import WordParts

_OFF = ("0", "false", "off", "none")
_HEADING = re.compile(r"(?:heading|标题)\s*(\d)")
_MOST_BASES = 12


@dataclass(frozen=True)
class Style:
    """What a paragraph style says; `depth` of a heading from 1, 0 the title, None no heading."""

    name: str = ""
    based: str = ""
    depth: int | None = None
    number: tuple[str, int] | None = None
    bold: bool = False
    hidden: bool = False


def is_on(node: Any) -> bool:
    """Whether a switch such as `w:b` is set."""
    return attribute(node, "val") not in _OFF


def child(node: Any, name: str) -> Any:
    """The first child of this name, or None."""
    return next((one for one in node if local(one) == name), None) if node is not None else None


def value(node: Any, name: str) -> str:
    """The `val` of the first child of this name, or empty."""
    found = child(node, name)
    return "" if found is None else attribute(found, "val")


def number_of(properties: Any) -> tuple[str, int] | None:
    """List and level that paragraph properties name."""
    found = child(properties, "numPr")
    if found is None:
        return None
    return value(found, "numId") or "", whole(value(found, "ilvl"), 0)


def whole(text: str, otherwise: int) -> int:
    """A number of the file, or `otherwise`."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else otherwise


def depth_of(properties: Any) -> int | None:
    """The depth of a heading that paragraph properties name; 10 for none."""
    level = value(properties, "outlineLvl")
    return whole(level, 9) + 1 if level else None


class Styles:
    """The styles by their id, with what they are based on."""

    def __init__(self, parts: WordParts) -> None:
        """Read them all."""
        root = parts.xml("styles")
        self._own: dict[str, Style] = {}
        for node in root if root is not None else ():
            if local(node) == "style":
                self._own[attribute(node, "styleId")] = _style(node)

    def of(self, key: str) -> Style:
        """A style with what it takes from its bases."""
        found = base = self._own.get(key, Style())
        for _ in range(_MOST_BASES):
            if not base.based:
                break
            base = self._own.get(base.based, Style())
            found = replace(
                found,
                depth=base.depth if found.depth is None else found.depth,
                number=_number(found, base),
                bold=found.bold or base.bold,
                hidden=found.hidden or base.hidden,
            )
        return found


def _number(own: Style, base: Style) -> tuple[str, int] | None:
    """The numbering of a style; one that names a level alone counts in the list of its base."""
    if own.number is None or base.number is None:
        return own.number or base.number
    return own.number[0] or base.number[0], own.number[1]


def _style(node: Any) -> Style:
    name = value(node, "name").lower()
    paragraph, look = child(node, "pPr"), child(node, "rPr")
    depth = depth_of(paragraph)
    if heading := _HEADING.match(name):
        depth = int(heading[1])
    elif name in ("title", "标题"):
        depth = 0
    elif name in ("subtitle", "副标题"):
        depth = 2
    bold, hidden = child(look, "b"), child(look, "vanish")
    return Style(
        name=name,
        based=value(node, "basedOn"),
        depth=depth,
        number=number_of(paragraph),
        bold=bold is not None and is_on(bold),
        hidden=hidden is not None and is_on(hidden),
    )


@dataclass(frozen=True)
class _Level:
    kind: str = "decimal"
    text: str = ""
    start: int = 1
    legal: bool = False  # every number in it is written in digits: 1.1 below 第一章
    restart: int = -1  # begins anew after a level above this one; 0 never, -1 after any


@dataclass
class Numbers:
    """Counts the points of every list in the order of the text."""

    parts: WordParts
    _levels: dict[str, dict[int, _Level]] = field(default_factory=dict)
    _lists: dict[str, str] = field(default_factory=dict)
    _own: dict[str, dict[int, _Level]] = field(default_factory=dict)
    _starts: dict[str, dict[int, int]] = field(default_factory=dict)
    _counts: dict[str, dict[int, int]] = field(default_factory=dict)
    _used: set[tuple[str, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Read what the file says of its lists."""
        root = self.parts.xml("numbering")
        styled: dict[str, str] = {}
        told: dict[str, str] = {}
        for node in root if root is not None else ():
            key = attribute(node, "abstractNumId")
            if local(node) == "abstractNum":
                self._levels[key] = _levels(node)
                styled[value(node, "styleLink")] = key
                told[key] = value(node, "numStyleLink")
            elif local(node) == "num":
                self._num(node)
        # A list that only names a style counts as the list of that style.
        for key, abstract in self._lists.items():
            if told.get(abstract):
                self._lists[key] = styled.get(told[abstract], abstract)

    def _num(self, node: Any) -> None:
        key = attribute(node, "numId")
        self._lists[key] = value(node, "abstractNumId")
        for override in named(node, "lvlOverride"):
            level, start = whole(attribute(override, "ilvl"), 0), value(override, "startOverride")
            if start:
                self._starts.setdefault(key, {})[level] = whole(start, 1)
            self._own.setdefault(key, {}).update(_levels(override))

    def point(self, key: str, at: int) -> Point | None:
        """The next point of a list at a level, with its number; None when it is no list."""
        abstract = self._lists.get(key)
        levels = self._levels.get(abstract or "", {}) | self._own.get(key, {})
        if abstract is None or at not in levels:
            return None
        counts = self._counts.setdefault(abstract, {})
        fresh = (key, at) not in self._used
        self._used.add((key, at))
        given = self._starts.get(key, {}).get(at)
        if (fresh and given is not None) or at not in counts:
            counts[at] = levels[at].start if given is None else given
        else:
            counts[at] += 1
        for deeper in [one for one in counts if one > at]:
            restart = levels.get(deeper, _Level()).restart
            if restart < 0 or at < restart:
                del counts[deeper]
        return self._said(levels, counts, at)

    def _said(self, levels: dict[int, _Level], counts: dict[int, int], at: int) -> Point | None:
        level = levels[at]
        if level.kind == "none":
            return None
        if level.kind == "bullet":
            return Point(at, ())

        def put(match: re.Match[str]) -> str:
            which = int(match[1]) - 1
            one = levels.get(which, _Level())
            kind = "decimal" if level.legal else one.kind
            return number_words(counts.get(which, one.start), kind)

        mark = re.sub(r"%([1-9])", put, level.text)
        if says_digits(level.kind) and not mark.strip():
            return None
        return point_of(at, mark)


def counted(properties: Any, style: Style, numbers: Numbers) -> Point | None:
    """The point that a paragraph is, by its own properties or its style; None when it is none."""
    given = number_of(properties)
    key, at = given if given is not None else style.number or ("", 0)
    return numbers.point(key or (style.number or ("",))[0], at)


def _levels(node: Any) -> dict[int, _Level]:
    """The levels that a list, or a change of one, describes."""
    return {whole(attribute(one, "ilvl"), 0): _level(one) for one in named(node, "lvl")}


def _level(node: Any) -> _Level:
    legal = child(node, "isLgl")
    return _Level(
        kind=value(node, "numFmt") or "decimal",
        text=value(node, "lvlText"),
        start=whole(value(node, "start"), 1),
        legal=legal is not None and is_on(legal),
        restart=whole(value(node, "lvlRestart"), -1),
    )
