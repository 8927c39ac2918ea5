"""The forms of 值班安排: rows of people into a roster, fields into the text of the calendar."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import zip_longest
from typing import Any

import yaml

from console.settings.duty_days import spans_of
from console.settings.forms import Form, text
from staff.refusal import Reason, Refused

PERIODS = 4
"""Periods of a day that the form offers."""
FREE_LINES, FREE_DAYS = 3, 6
"""Empty rows below those there are."""
_LONGEST = 31
"""Days from the first to the last of one row; more is a slip of the year."""
_HEAD = """# Working time of the duty office (值班工作时间), as two people approved it.
# Public holidays and make-up workdays (调休) are known as they were published.
version: 1
"""
_NUMBERS = {"acknowledge_minutes": "接手时限", "answer_minutes": "答复时限"}


def read_lines(form: Form) -> list[dict[str, Any]]:
    """The rows of the roster, those without a person left out; tiers are counted from one there."""
    found = []
    names = ("login", "tier", "topic")
    for row in zip(*(form.get(name, []) for name in names), strict=False):
        login, tier, topic = (one.strip() for one in row)
        if not login:
            continue
        if not tier.isdecimal() or int(tier) < 1:
            words = f"{login} 的梯次要写 1、2 这样的数字"
            raise Refused(422, [Reason("tier", words)])
        found.append({"login": login, "tier": int(tier) - 1, "topic": topic})
    return found


def hours_text(form: Form) -> str:
    """The text of the setting `calendar` for these fields; what is wrong in it its loader says."""
    begins, ends = form.get("begin", []), form.get("end", [])
    periods = [[a, b] for a, b in zip(begins, ends, strict=False) if a.strip() or b.strip()]
    data: dict[str, Any] = {
        "weekdays": sorted(int(day) for day in form.get("weekday", ()) if day.isdecimal()),
        "periods": periods,
    }
    for name, label in _NUMBERS.items():
        if not (value := text(form, name)).isdecimal():
            raise Refused(422, [Reason(name, f"{label}要写分钟数")])
        data[name] = int(value)
    data["hotline"] = text(form, "hotline")
    if days := _days(form):
        data["days"] = days
    if years := sorted({int(year) for year in form.get("arranged", ()) if year.isdecimal()}):
        data["arranged"] = years
    return _HEAD + yaml.safe_dump(
        data, allow_unicode=True, sort_keys=False, default_flow_style=None
    )


def _days(form: Form) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for first, last, working, note in _rows(form):
        for day in _each(first, last):
            if day in found:
                raise Refused(422, [Reason("day", f"{day} 写了两次：请只留一行")])
            found[day] = {"working": working, "note": note}
    return dict(sorted(found.items()))


def _rows(form: Form) -> Iterator[tuple[str, str, bool, str]]:
    """The rows with a day: first, last ("" for one day), whether people work, why."""
    lists = (form.get(name, []) for name in ("day", "until", "working", "note"))
    for row in zip_longest(*lists, fillvalue=""):
        first, last, working, note = (one.strip() for one in row)
        if first:
            yield first, last, working == "yes", note


def _each(first: str, last: str) -> list[str]:
    """Every day of a row; a single one as it was typed: what is wrong in it its loader says."""
    if not last:
        return [first]
    try:
        start, end = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError as error:
        raise Refused(422, [Reason("day", f"{first} 至 {last} 不是日期")]) from error
    if not 0 <= (end - start).days < _LONGEST:
        words = f"{first} 至 {last}：一行从早到晚，最多 {_LONGEST} 天"
        raise Refused(422, [Reason("day", words)])
    return [str(start + timedelta(days=n)) for n in range((end - start).days + 1)]


def hours_fields(held: str, form: Form) -> Mapping[str, Any]:
    """What the form shows: what was typed, else what is in force."""
    if form:
        return _typed(form)
    data = yaml.safe_load(held) if held else {}
    days = {
        str(day): (bool(one["working"]), str(one["note"]))
        for day, one in (data.get("days") or {}).items()
    }
    return {
        "weekdays": set(data.get("weekdays", ())),
        "periods": [(str(a), str(b)) for a, b in data.get("periods", ())],
        "days": spans_of(days),
        "arranged": set(data.get("arranged") or ()),
        **{name: str(data.get(name, "")) for name in (*_NUMBERS, "hotline")},
    }


def _typed(form: Form) -> Mapping[str, Any]:
    return {
        "weekdays": {int(day) for day in form.get("weekday", ()) if day.isdecimal()},
        "periods": [*zip(form.get("begin", []), form.get("end", []), strict=False)],
        "days": [*_rows(form)],
        "arranged": {int(year) for year in form.get("arranged", ()) if year.isdecimal()},
        **{name: text(form, name) for name in (*_NUMBERS, "hotline")},
    }
