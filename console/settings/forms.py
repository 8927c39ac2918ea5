"""The forms of levels and rules: fields to the payload of a proposal, and a row back to fields."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from aiohttp import web

from review_queue.workflow import GATES
from staff.refusal import Reason, Refused

LEVEL_SLOTS = 6
LISTS = ("terms", "unless", "must", "must_not")
_TEXTS = ("pattern", "reason", "basis", "suggestion")
_SHOWN = {"id", "gate", "severity", "pairs", *LISTS, *_TEXTS}


Form = Mapping[str, Sequence[str]]
"""The text fields of a posted form; a name may come several times."""


async def posted(request: web.Request) -> Form:
    """The form as names to their values, files left out."""
    data = await request.post()
    return {name: [value for value in data.getall(name) if isinstance(value, str)] for name in data}


def text(form: Form, name: str) -> str:
    """One field, trimmed; empty when it is missing."""
    return next(iter(form.get(name, ())), "").strip()


def _lines(form: Form, name: str) -> list[str]:
    return [line.strip() for line in text(form, name).splitlines() if line.strip()]


def read_levels(form: Form, now: Mapping[str, Any] | None, klass: str) -> dict[str, object]:
    """The whole definition of a class: the edited group of levels, the other groups as they are.

    A level without a name is left out.
    """
    kind = text(form, "group")
    levels = [
        _level(form, f"l{index}_") for index in range(LEVEL_SLOTS) if text(form, f"l{index}_name")
    ]
    kept = {name: value for name, value in (now or {}).items() if name != "version"}
    if kind:
        kinds = {**kept.get("kinds", {}), kind: {"levels": levels}}
        if not levels:
            del kinds[kind]
        return {**kept, "klass": klass, "kinds": kinds}
    return {**kept, "klass": klass, "levels": levels}


def _level(form: Form, prefix: str) -> dict[str, object]:
    level: dict[str, object] = {
        "name": text(form, f"{prefix}name"),
        "roles": list(form.get(f"{prefix}roles", ())),
        "gates": [gate for gate in GATES if gate in form.get(f"{prefix}gates", ())],
        "hours": _number(form, f"{prefix}hours", "时限"),
    }
    if (quorum := int(_number(form, f"{prefix}quorum", "人数"))) != 1:
        level["quorum"] = quorum
    if substitutes := list(form.get(f"{prefix}substitutes", ())):
        level["substitutes"] = substitutes
    return level | {name: True for name in ("proof", "passkey") if text(form, f"{prefix}{name}")}


def _number(form: Form, name: str, label: str) -> float:
    try:
        return float(text(form, name) or "1")
    except ValueError as error:
        raise Refused(422, [Reason(name, f"{label}要写数字")]) from error


def read_rule(form: Form) -> dict[str, object]:
    """A rule's row from its form; empty fields are left out."""
    row: dict[str, object] = {
        name: text(form, name) for name in ("id", "gate", "severity", *_TEXTS)
    }
    row |= {name: _lines(form, name) for name in LISTS}
    row["pairs"] = dict(_pair(line) for line in _lines(form, "pairs"))
    return {name: value for name, value in row.items() if value} | _more(text(form, "more"))


def _pair(line: str) -> tuple[str, str]:
    wrong, separator, right = line.replace("＝", "=").partition("=")
    if not separator or not wrong.strip():
        raise Refused(422, [Reason("pairs", f"“{line[:40]}”要写成 错的=对的，一行一对")])
    return wrong.strip(), right.strip()


def _more(words: str) -> dict[str, object]:
    try:
        data = yaml.safe_load(words) if words else {}
    except yaml.YAMLError as error:
        raise Refused(422, [Reason("more", "“其他条件”要一行写一个 字段: 值")]) from error
    if not isinstance(data, dict) or not all(isinstance(name, str) for name in data):
        raise Refused(422, [Reason("more", "“其他条件”要一行写一个 字段: 值")])
    if known := _SHOWN & set(data):
        raise Refused(422, [Reason("more", f"{'、'.join(sorted(known))} 请填在上面的表格里")])
    return {name: _plain(value) for name, value in data.items()}


def _plain(value: Any) -> Any:
    """A YAML date as text, as JSON keeps it."""
    return value.isoformat() if hasattr(value, "isoformat") else value


def rule_fields(row: Mapping[str, Any] | None) -> dict[str, str]:
    """A row as the form shows it."""
    row = row or {}
    fields = {name: str(row.get(name, "")) for name in ("id", "gate", "severity", *_TEXTS)}
    fields |= {name: "\n".join(row.get(name, ())) for name in LISTS}
    fields["pairs"] = "\n".join(f"{wrong}={right}" for wrong, right in row.get("pairs", {}).items())
    more = {name: value for name, value in row.items() if name not in _SHOWN}
    fields["more"] = yaml.safe_dump(more, allow_unicode=True, sort_keys=False) if more else ""
    return fields


def level_slots(levels: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The levels of a group, with empty ones to fill in."""
    empty: Mapping[str, Any] = {"name": "", "roles": (), "gates": (), "hours": 24}
    return [*levels, *[empty] * (LEVEL_SLOTS - len(levels))][:LEVEL_SLOTS]


def matches(row: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    """Whether a rule belongs in the list: gate, severity, and words anywhere in its row."""
    if wanted["gate"] and row["gate"] != wanted["gate"]:
        return False
    if wanted["severity"] and row["severity"] != wanted["severity"]:
        return False
    if not wanted["q"]:
        return True
    parts = [row["id"], row["reason"], row["basis"], row.get("pattern", "")]
    parts += [*row.get("terms", ()), *row.get("pairs", {}), *row.get("pairs", {}).values()]
    return any(wanted["q"] in part for part in parts)
