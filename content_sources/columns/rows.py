"""One row of a list page: its title, its day, its address. Pure."""

import re

from lxml.html import HtmlElement

from config.clock import now
from content_sources.columns.entries import (
    LONGEST_TITLE,
    NOWHERE,
    Entry,
    one_line,
    text_of,
    web_address,
)
from documents.pages.dates import find_day, read_day

_IN_URL = re.compile(
    r"/(?:t|content_|c_)?((?:19|20)\d\d)[-/_]?(\d\d)[-/_]?(\d\d)(?=[/_.]|\d{0,6}_)"
)
_LAST_DAY = re.compile(
    r"[\[(（【]?\s*(?:(?:19|20)\d{2}[-/.年])?\d{1,2}[-/.月]\d{1,2}日?\s*[\])）】]?\s*$"
)

_TITLE_FIELD = re.compile(r"标\s*题\s*[:：]\s*([^\n\r]+)")
SHORTEST_TITLE = 5


def entry_of(anchor: HtmlElement, row: HtmlElement, base_url: str) -> Entry | None:
    """What a link in its row says; None for a link that leads nowhere or is too short a title."""
    target = (anchor.get("href") or "").strip()
    if not target or target.lower().startswith(NOWHERE):
        return None
    title, url = _title(anchor), web_address(base_url, target)
    if len(title) < SHORTEST_TITLE or not url:
        return None
    return Entry(url, title[:LONGEST_TITLE], _row_day(row, anchor, url, title))


def _title(anchor: HtmlElement) -> str:
    """The title attribute when the text is cut short; without a date at its end."""
    text, given = text_of(anchor), anchor.get("title") or ""
    labelled = _TITLE_FIELD.search(given)
    given = one_line(labelled[1] if labelled else given)
    cut = text.endswith(("…", "...", "..")) or len(text) < SHORTEST_TITLE
    best = given if given and (cut or len(given) >= len(text)) else text
    best = _LAST_DAY.sub("", best).strip() or best
    return re.sub(r"^[·•●▪■◆*>»\-\s]+", "", best)


def _row_day(row: HtmlElement, anchor: HtmlElement, url: str, title: str) -> str:
    """The date beside the link; a date within the title is the last choice."""
    whole = text_of(row)
    beside = whole.replace(text_of(anchor), " ", 1) if anchor is not row else ""
    if day := read_day(beside, now()) if beside.strip() else "":
        return day
    inside = _LAST_DAY.search(text_of(anchor))
    if inside and (day := read_day(inside[0], now())):
        return day
    if match := _IN_URL.search(url):
        return find_day("-".join(match.groups()))
    return find_day(whole.replace(title, " ", 1)) or find_day(whole)
