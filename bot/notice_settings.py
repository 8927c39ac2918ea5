"""`notices` of an account's settings: its notice templates, read and checked. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from bot.noticing import Template

NOTICES = "notices"
TITLE, REASON, DATE, NAME = "title", "reason", "date", "account"
SOURCES = {TITLE: "标题", REASON: "订阅了什么", DATE: "日期", NAME: "账号名称"}
"""What of ours a field of a notice may be filled with."""
HOW = (
    "通知模板的列表，每个写 template（模板 ID）、long_term（长期 true，一次性 false）、"
    "fields（字段: 用什么填，"
    + "、".join(f"{key} {label}" for key, label in SOURCES.items())
    + "）；只用来告诉人有答复的，再写 answers（居民点开同意的网页 https 地址）"
    "，例如 [{template: abc, long_term: true, fields: {thing1: title, thing2: reason}}]"
)
_FIELD = re.compile(r"(thing|phrase|name|character_string|date|time)[0-9]{1,2}")
_ID = re.compile(r"[\w-]{1,64}")
_KEYS = frozenset({"template", "long_term", "fields"})
ANSWERS = "answers"
_PAGE = re.compile(r"https://[^\s/]+\S{0,300}")


def read_notices(settings: Mapping[str, Any]) -> tuple[Template, ...]:
    """The templates of an account, in its own order; none of what is not in the form."""
    rows = settings.get(NOTICES)
    if not rows or not notices_fit(rows):
        return ()
    return tuple(
        Template(row["template"], row["long_term"], row["fields"], row.get(ANSWERS, ""))
        for row in rows
    )


def notices_fit(rows: Any) -> bool:
    """Whether these are templates, each once."""
    if not isinstance(rows, list) or not all(map(_fits, rows)):
        return False
    return len({row["template"] for row in rows}) == len(rows)


def _fits(row: Any) -> bool:
    if not isinstance(row, dict) or set(row) - {ANSWERS} != _KEYS:
        return False
    page = row.get(ANSWERS)
    if page is not None and not (isinstance(page, str) and _PAGE.fullmatch(page)):
        return False
    fields = row["fields"]
    return (
        isinstance(row["long_term"], bool)
        and isinstance(row["template"], str)
        and _ID.fullmatch(row["template"]) is not None
        and isinstance(fields, dict)
        and bool(fields)
        and all(isinstance(key, str) and _FIELD.fullmatch(key) for key in fields)
        and all(isinstance(value, str) and value in SOURCES for value in fields.values())
    )
