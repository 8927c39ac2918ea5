"""What every reading of a column gives: entries, what is odd about them, and why none came."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml.html import HtmlElement

_SPACE = re.compile(r"[\s\u3000\u00a0]+")
_UNKEPT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

NOWHERE = ("#", "javascript:", "mailto:", "tel:", "data:")

LONGEST_TITLE = 300


class ColumnError(ValueError):
    """The column could not be read; the message is one Chinese line that says where."""


@dataclass(frozen=True)
class Entry:
    """One line of a column. `date` is YYYY-MM-DD of Beijing or empty; all text is plain."""

    url: str
    title: str
    date: str
    summary: str = field(default="", compare=False)


@dataclass(frozen=True)
class Reading:
    """What a column holds. `problems` are Chinese lines; `more` further pages, nearest first."""

    kind: str
    entries: tuple[Entry, ...]
    problems: tuple[str, ...] = ()
    more: tuple[str, ...] = ()


@dataclass
class Faults:
    """What was left out, counted."""

    without_link: int = 0
    without_title: int = 0
    repeated: int = 0

    def lines(self, entries: Sequence[Entry]) -> Iterator[str]:
        if self.without_link:
            yield f"{self.without_link} 个条目没有可用的链接，已略去"
        if self.without_title:
            yield f"{self.without_title} 个条目没有标题，标题以文章页为准"
        if self.repeated:
            yield f"{self.repeated} 个条目的网址重复，只取一次"
        undated = sum(not entry.date for entry in entries)
        if undated:
            yield f"{undated} 个条目没有日期，日期以文章页为准"
        same = Counter(entry.title for entry in entries if entry.title).most_common(1)
        if same and same[0][1] > 1:
            yield f"标题“{same[0][0][:30]}”出现了 {same[0][1]} 次"


def web_address(base_url: str, target: str) -> str:
    """The whole address, or empty when it is no web address (one bad link stops no column)."""
    try:
        url = urljoin(base_url, target)
        good = urlsplit(url).scheme in ("http", "https") and bool(urlsplit(url).hostname)
    except ValueError:
        return ""
    return url.partition("#")[0] if good and not re.search(r"[\s<>\"\x00-\x1f]", url) else ""


def text_of(node: HtmlElement) -> str:
    """What a reader sees of an element, in one line."""
    parts = (str(part) for part in node.xpath(".//text()[not(parent::script or parent::style)]"))
    return one_line(" ".join(parts))


def keepable(found: dict[str, Any]) -> dict[str, Any]:
    """Each object of a JSON text, without what it can escape and no database or page can hold."""
    return {
        name: _UNKEPT.sub("\ufffd", value) if isinstance(value, str) else value
        for name, value in found.items()
    }


def one_line(text: str | None) -> str:
    """Text without needless space."""
    return _SPACE.sub(" ", text or "").strip()
