"""The day an article was published. The date a page says of today is no date."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from config.clock import beijing
from documents.pages.dates import find_day
from documents.pages.sheet import Sheet

TODAY = re.compile(
    r"(?:今天|今日|现在)(?:是|为|：|:)?[^。]{0,6}?(?:19|20)\d{2}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}"
)
_PUBLISHED = re.compile(r"(?:发布|发表|发稿|刊发|公开|上网)\s*(?:时间|日期)\s*[:：]?\s*")
_UPDATED = re.compile(r"(?:更新|录入|添加|编辑)\s*(?:时间|日期)\s*[:：]?\s*")
_LABELLED = re.compile(r"(?<![\u4e00-\u9fff])(?:时\s*间|日\s*期)\s*[:：]\s*")
_IN_URL = re.compile(
    r"/(?:t|content_|c_)?((?:19|20)\d\d)[-/_]?(\d\d)[-/_]?(\d\d)(?=[/_.]|\d{0,6}_)"
)
_IN_ART = re.compile(r"/art/((?:19|20)\d\d)/(\d{1,2})/(\d{1,2})/")
_STAMP = re.compile(r"""\b(?:ct|oriCreateTime|createTime)\s*=\s*["'](1\d{9})["']""")
_LD_DAY = re.compile(r""""(?:datePublished|pubDate)"\s*:\s*"([^"]{8,40})\"""")


def day_of(sheet: Sheet, title: str) -> str:
    """The day of publication. The date a page says of today is no date."""
    for text in _day_hints(sheet, title):
        if found := find_day(text):
            return found
    return ""


def _day_hints(sheet: Sheet, title: str) -> Iterator[str]:
    tags = (
        ":date", "pubdate", "publishdate", "article:published_time", "og:published_time",
        "datepublished", "og:release_date", "weibo: article:create_at", "date",
    )  # fmt: skip
    yield from (sheet.meta[name] for name in tags if name in sheet.meta)
    if stamp := _STAMP.search(sheet.html):
        yield beijing(datetime.fromtimestamp(int(stamp[1]), UTC)).date().isoformat()
    yield from (match[1] for match in [_LD_DAY.search(sheet.html)] if match)
    head = TODAY.sub(" ", sheet.head)
    start = max(head.find(title), 0)
    near = head[start : start + 600]
    yield from _after(_PUBLISHED, near)
    yield from _after(_PUBLISHED, head)
    yield sheet.info.published_on
    for pattern in (_IN_URL, _IN_ART):
        yield from ("-".join(match.groups()) for match in [pattern.search(sheet.url)] if match)
    yield from (one.get("datetime") or "" for one in sheet.tree.iter("time"))
    yield from _after(_UPDATED, near)
    yield from _after(_LABELLED, near)
    yield near
    yield str(sheet.guess.get("publish_time", ""))
    yield head


def _after(label: re.Pattern[str], text: str) -> Iterator[str]:
    """What follows each label, as far as a date reaches."""
    return (text[match.end() : match.end() + 24] for match in label.finditer(text))
