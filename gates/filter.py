"""The `check` filter, one record in and one out, and policy facts from library lines."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import date
from functools import partial
from typing import Any, cast, get_args

from config.clock import beijing, now
from gates.engine import run_gates
from gates.finding import Facts, GateText, PolicyFact, Status
from gates.policies import Entry, PolicyIndex, deadlines
from gates.rules import RuleSet
from gates.spelling import Speller

_STATUS = {
    "有效": "in_force",
    "现行有效": "in_force",
    "已修改": "amended",
    "失效": "expired",
    "废止": "repealed",
    "已废止": "repealed",
    "尚未施行": "not_yet",
}


def check_record(
    record: Mapping[str, Any],
    ruleset: RuleSet,
    facts: Facts,
    *,
    include_hints: bool = False,
    speller: Speller | None = None,
) -> Mapping[str, Any]:
    """Check `{id, text, title?, kind?, as_of?}`; gives `{id, findings}`.

    ValueError, in one Chinese line, for a record that cannot be read.
    """
    if "id" not in record:
        raise ValueError("缺少字段 id")
    if record.get("text") is None:
        raise ValueError("缺少字段 text")
    # Today in Beijing: a machine in another zone must not judge by yesterday's law.
    as_of = _day(record, "as_of") or beijing(now()).date()
    draft = GateText(_text(record, "title"), _text(record, "text"), _text(record, "kind"), as_of)
    found = run_gates(draft, ruleset, facts, include_hints=include_hints, speller=speller)
    rows = [asdict(one) for one in found]
    for row in rows:
        row["suggestions"] = list(row["suggestions"])
        del row["box"]  # of pictures
        del row["waivable"]  # a matter of the review queue, not of the text
    return {"id": record["id"], "findings": rows}


def _text(record: Mapping[str, Any], field: str) -> str:
    value = record.get(field)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"字段 {field} 应当是文字")
    return value or ""


def _day(record: Mapping[str, Any], field: str) -> date | None:
    value = record.get(field)
    if value is None or value == "":
        return None
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"字段 {field} 应当是 YYYY-MM-DD 的日期") from error


def library_facts(lines: Iterable[Mapping[str, Any]]) -> PolicyIndex:
    """Facts from library lines: title, doc_number, status, effective_from, effective_to, successor.

    All optional; a line without status and dates is in force. ValueError names a line that is bad.
    """
    entries = []
    for number, line in enumerate(lines, 1):
        try:
            entries.append(_entry(line))
        except ValueError as error:
            raise ValueError(f"政策库第 {number} 行：{error}") from error
    return PolicyIndex(entries)


def _entry(line: Mapping[str, Any]) -> Entry:
    given = _text(line, "status")
    status = _STATUS.get(given, given)
    if status and status not in get_args(Status):
        raise ValueError(f"字段 status 不认识“{given}”，可用 {'、'.join(get_args(Status))}")
    fact = PolicyFact(
        title=_text(line, "title"),
        doc_number=_text(line, "doc_number"),
        status=cast(Status, status or "in_force"),
        successor=_text(line, "successor"),
        starts=_day(line, "effective_from"),
        ends=_day(line, "effective_to"),
        apply_by=tuple(day for _, _, day in deadlines(_text(line, "text"))),
    )
    return Entry(fact.title, fact.doc_number, partial(_on, fact))


def _on(fact: PolicyFact, day: date) -> PolicyFact:
    """The fact with the status of that day: a stated end is believed, dates decide the rest."""
    if fact.status in ("in_force", "amended"):
        # The last day itself still counts.
        if fact.ends and fact.ends < day:
            return replace(fact, status="expired")
        if fact.starts and day < fact.starts:
            return replace(fact, status="not_yet")
    return fact
