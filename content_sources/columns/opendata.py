"""Another office's open data (docs/open-data.md) to records. Pure.

Whatever a record says is a stranger's word: each field is checked for its form and its length, and
a record that is not of this form is left out and counted.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from content_sources.columns.entries import (
    LONGEST_TITLE,
    ColumnError,
    keepable,
    one_line,
    web_address,
)

MOST_RECORDS = 200
MOST_CLAUSES = 500
LONGEST_TEXT = 200_000
_CURSOR = re.compile(r"[\w.~=-]{1,200}", re.ASCII)
_ID = re.compile(r"[\w.~-]{1,64}", re.ASCII)
_DAYS = ("issued_on", "effective_from", "effective_to", "repealed_on")
_CLAUSE_DAYS = ("effective_from", "repealed_on", "replaced_on")
_WORDS = {"doc_number": 60, "issuer": 120}


@dataclass(frozen=True)
class Record:
    """One record. `kind` is policy or item; `said` is what it says of itself beyond its text."""

    kind: str
    id: str
    url: str
    title: str
    text: str
    modified: str
    said: Mapping[str, Any]

    @property
    def state(self) -> str:
        """`open`, or what kind of tombstone it is."""
        return str(self.said["state"])


@dataclass(frozen=True)
class Page:
    """The records of one page, where it ends, whether more follow, and how many were left out."""

    records: tuple[Record, ...]
    cursor: str
    more: bool
    left_out: int = 0


def read_records(body: bytes, base_url: str) -> Page:
    """One page of policies or items; ColumnError when it is none."""
    wrong = ColumnError(f"栏目 {base_url} 不是审发的开放数据（/api/v1/open/policies 或 items）")
    try:
        data = json.loads(body, object_hook=keepable)
        rows, place = data["items"], data["_shenfa"]
        cursor, more = place["cursor"], place.get("more")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise wrong from error
    if not isinstance(rows, list) or not isinstance(cursor, str) or not _CURSOR.fullmatch(cursor):
        raise wrong
    found = [_record(row, base_url) for row in rows[:MOST_RECORDS]]
    records = tuple(one for one in found if one is not None)
    return Page(records, cursor, more is True, len(rows) - len(records))


def _record(row: Any, base_url: str) -> Record | None:
    """A record in its form, or None for what has another."""
    try:
        kind = "policy" if "_policy" in row else "item"
        said = row[f"_{kind}"]
        key, text = str(row["id"]), str(row["content_text"])
        modified = datetime.fromisoformat(row["date_modified"]).isoformat()
        if not _ID.fullmatch(key) or len(text) > LONGEST_TEXT or not isinstance(said, Mapping):
            return None
        title = one_line(str(row["title"]))[:LONGEST_TITLE]
        url = web_address(base_url, str(row["url"]))[:500]
        checked = _policy(said) if kind == "policy" else _item(said)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    checked["state"] = str(said.get("state"))[:20]
    return Record(kind, key, url, title, text, modified, checked) if title else None


def _policy(said: Mapping[str, Any]) -> dict[str, Any]:
    words = {name: one_line(str(said.get(name) or ""))[:most] for name, most in _WORDS.items()}
    days = {name: _day(said.get(name)) for name in _DAYS}
    url = web_address("", str(said.get("source_url") or ""))[:500]
    clauses = said.get("clauses") or []
    if not isinstance(clauses, list) or len(clauses) > MOST_CLAUSES:
        raise ValueError("clauses")
    return {**words, **days, "url": url, "clauses": list(_clauses(clauses))}


def _clauses(rows: list[Any]) -> Iterator[dict[str, Any]]:
    for row in rows:
        number, place = row["number"], row.get("place")
        if type(number) is not int or not (place is None or type(place) is int):
            raise ValueError("number")
        label, text = one_line(str(row["label"]))[:60], str(row["text"])
        days = {name: _day(row.get(name)) for name in _CLAUSE_DAYS}
        yield {"number": number, "place": place, "label": label, "text": text, **days}


def _item(said: Mapping[str, Any]) -> dict[str, Any]:
    source = said.get("attribution")
    given = source if isinstance(source, Mapping) else {}
    names = ("source", "original_author", "original_title")
    words = {name: one_line(str(given.get(name) or ""))[:300] for name in names}
    return {**words, "kind": one_line(str(said.get("kind") or ""))[:20]}


def _day(value: Any) -> str | None:
    return None if value in (None, "") else date.fromisoformat(str(value)).isoformat()
