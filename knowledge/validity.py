"""Validity in time: what a policy's status is on a given day. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

import yaml

from config.texts import FieldFault

Status = Literal["in_force", "amended", "expired", "repealed", "not_yet"]
STATUSES: tuple[Status, ...] = ("in_force", "amended", "expired", "repealed", "not_yet")
_NAMES: Mapping[Status, str] = {
    "in_force": "现行有效",
    "amended": "已修改",
    "expired": "已失效",
    "repealed": "已废止",
    "not_yet": "尚未施行",
}
STATUS_NAMES: Mapping[str, str] = {str(status): words for status, words in _NAMES.items()}
_STATED: Mapping[str, Status] = {
    **dict(zip(STATUSES, STATUSES, strict=True)),
    **dict(zip(_NAMES.values(), _NAMES, strict=True)),
    "有效": "in_force",
    "失效": "expired",
    "继续有效": "in_force",
    **dict.fromkeys(("宣布失效", "自行失效", "自然失效"), "expired"),
    **dict.fromkeys(("废止", "作废", "已作废", "宣布废止"), "repealed"),
    **dict.fromkeys(("尚未生效", "未生效", "未施行", "尚未实施"), "not_yet"),
}
"""How a source may write its status: as government sites do, or as this program does."""
_REMEDIES: Mapping[str, str] = {
    **dict.fromkeys(
        ("部分失效", "部分废止", "部分有效"),
        "；只有一部分不再有效的，请写 有效，入库后在政策页对失效的条文提出废止",
    ),
    **dict.fromkeys(
        ("暂停执行", "暂停施行", "停止执行", "暂停实施"),
        "；停止执行的请写 废止 并在 repealed_on 写停止的那一天，暂停的请等恢复后再录入",
    ),
}
"""What to do about words that the library has no status for."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}[0-9:.Z+-]*)?")
CITABLE = frozenset({"in_force", "amended"})  # what a citizen may be answered from
STARTING_FILE = Path(__file__).parent.parent / "config" / "library.yaml"


@dataclass(frozen=True)
class Defaults:
    """Years in force when the document is silent; trial words shorten it (domain I1)."""

    default_years: int = 5
    trial_years: int = 2
    trial_words: tuple[str, ...] = ("暂行", "试行")


@dataclass(frozen=True)
class Life:
    """The dated facts of one policy. Dates are calendar days in Beijing; None = unknown."""

    title: str = ""
    issued_on: date | None = None
    effective_from: date | None = None
    effective_to: date | None = None  # the last day in force
    repealed_on: date | None = None  # the first day no longer in force
    amended_on: date | None = None
    stated: Status | None = None  # what the source itself says, believed when no date decides
    statute: bool = field(default=False)  # laws and regulations do not lapse by themselves


class Dated(Protocol):
    """What the validity of a policy rests on, whether a row says it or a signed entry."""

    @property
    def title(self) -> str:
        """The title, of which trial words shorten the period."""
        ...

    @property
    def issued_on(self) -> str | None:
        """The day on the document."""
        ...

    @property
    def effective_from(self) -> str | None:
        """The first day in force."""
        ...

    @property
    def effective_to(self) -> str | None:
        """The last day in force."""
        ...

    @property
    def repealed_on(self) -> str | None:
        """The first day no longer in force."""
        ...

    @property
    def amended_on(self) -> str | None:
        """The day of the first change."""
        ...

    @property
    def stated(self) -> str | None:
        """What its source said when it came in; a status."""
        ...


class Worded(Protocol):
    """The days of one wording of a clause."""

    @property
    def effective_from(self) -> str | None:
        """The first day of a wording that came later than the document."""
        ...

    @property
    def replaced_on(self) -> str | None:
        """The first day of the wording after it."""
        ...

    @property
    def repealed_on(self) -> str | None:
        """The first day without the clause."""
        ...


@dataclass(frozen=True)
class End:
    """The first day on which words are no longer in force, and how they ended."""

    on: date
    how: Literal["repealed", "expired", "replaced"]


@cache
def starting_defaults() -> Defaults:
    """The defaults a new office starts with (`config/library.yaml`)."""
    return parse_defaults(yaml.safe_load(STARTING_FILE.read_text(encoding="utf-8")))


def parse_defaults(data: Any) -> Defaults:
    """Check the parsed YAML of the setting `library`; FieldFault names the field."""
    if not isinstance(data, Mapping):
        raise FieldFault("应写成字段和值")
    for name in ("default_years", "trial_years"):
        years = data.get(name)
        if not isinstance(years, int) or not 0 < years <= 100:
            raise FieldFault(f"{name} 应为 1 至 100 的整数（年）", name)
    words = data.get("trial_words")
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        raise FieldFault("trial_words 应为词的列表", "trial_words")
    return Defaults(data["default_years"], data["trial_years"], tuple(words))


def parse_day(value: object, name: str) -> date | None:
    """`YYYY-MM-DD`, None or "" to a date; a time of day behind it says nothing.

    Raises ValueError naming the field (Chinese).
    """
    if value is None or value == "":
        return None
    try:
        return date.fromisoformat(str(value)[:10] if _DAY.fullmatch(str(value)) else "")
    except ValueError as error:
        raise ValueError(f"{name}：日期应写成 YYYY-MM-DD，现在是“{value}”") from error


def parse_status(value: object, name: str = "status") -> Status | None:
    """A status as its source writes it. Raises ValueError naming the field and what it may be."""
    if value is None or value == "":
        return None
    found = _STATED.get(value.strip()) if isinstance(value, str) else None
    if found is None:
        accepted = "有效、已修改、失效、废止、尚未施行"
        words = f"{name}：应当是 {accepted} 之一（或 {'、'.join(STATUSES)}），现在是“{value}”"
        raise ValueError(words + _REMEDIES.get(str(value).strip(), ""))
    return found


def day_after(day: date) -> date | None:
    """The next day; None after the last one there is, which some write for "without end"."""
    return day + timedelta(days=1) if day < date.max else None


def add_years(day: date, years: int) -> date:
    """The same day `years` later; 29 February becomes 28 February, and no year is past 9999."""
    if day.year + years > date.max.year:
        return date.max
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def last_day(life: Life, defaults: Defaults | None = None) -> date | None:
    """The last day in force: the stated one, else counted from the start by the defaults."""
    if life.effective_to is not None:
        return life.effective_to
    start = life.effective_from
    if start is None or life.statute:
        return None
    defaults = defaults or starting_defaults()
    trial = any(word in life.title for word in defaults.trial_words)
    end = add_years(start, defaults.trial_years if trial else defaults.default_years)
    return date.fromordinal(end.toordinal() - 1)


def status_at(life: Life, as_of: date, defaults: Defaults | None = None) -> Status:
    """The status on the day `as_of`. A repeal beats an expiry, both beat an amendment."""
    if life.repealed_on is not None and as_of >= life.repealed_on:
        return "repealed"
    if life.effective_from is not None and as_of < life.effective_from:
        return "not_yet"
    end = last_day(life, defaults)
    if end is not None and as_of > end:
        return "expired"
    stated = life.stated if life.stated is not None and _undated(life, life.stated) else None
    # Words that changed once do not bring back what its source calls ended, or not begun.
    if stated is not None and stated not in CITABLE:
        return stated
    if life.amended_on is not None and as_of >= life.amended_on:
        return "amended"
    if stated is not None:
        return stated
    return "in_force"


def _undated(life: Life, stated: Status) -> bool:
    """Whether no date of its own decides about the stated status."""
    deciding = {
        "in_force": None,
        "amended": life.amended_on,
        "expired": life.effective_to,
        "repealed": life.repealed_on,
        "not_yet": life.effective_from,
    }
    return deciding[stated] is None


def life_of(policy: Dated) -> Life:
    """The dated facts of a stored policy; its last day was fixed when it was proposed."""
    return Life(
        title=policy.title,
        issued_on=parse_day(policy.issued_on, "issued_on"),
        effective_from=parse_day(policy.effective_from, "effective_from"),
        effective_to=parse_day(policy.effective_to, "effective_to"),
        repealed_on=parse_day(policy.repealed_on, "repealed_on"),
        amended_on=parse_day(policy.amended_on, "amended_on"),
        stated=parse_status(policy.stated, "stated"),
        statute=True,
    )


def policy_status(policy: Dated, as_of: date) -> Status:
    """The validity of a stored policy on a day."""
    return status_at(life_of(policy), as_of)


def clause_status(policy: Dated, repealed_on: str | None, as_of: date) -> Status:
    """The validity of one clause: its own repeal, else its policy's."""
    ended = parse_day(repealed_on, "repealed_on")
    return "repealed" if ended is not None and as_of >= ended else policy_status(policy, as_of)


def is_worded(clause: Worded, day: date) -> bool:
    """Whether the clause says this on that day, and not an earlier or a later wording."""
    first = parse_day(clause.effective_from, "effective_from")
    next_one = parse_day(clause.replaced_on, "replaced_on")
    return (first is None or day >= first) and (next_one is None or day < next_one)


def end_of(policy: Dated, clause: Worded, day: date) -> End | None:
    """How the words of a clause end, seen from a day: as they did, else as they will."""
    life = life_of(policy)
    repeals = [parse_day(one.repealed_on, "repealed_on") for one in (clause, policy)]
    ends = [End(one, "repealed") for one in repeals if one is not None]
    # A repeal beats an expiry, as in `status_at`.
    if gone := [one for one in ends if one.on <= day]:
        return min(gone, key=lambda one: one.on)
    lapsed = day_after(life.effective_to) if life.effective_to is not None else None
    if lapsed is not None:
        ends.append(End(lapsed, "expired"))
    replaced = parse_day(clause.replaced_on, "replaced_on")
    if replaced is not None:
        ends.append(End(replaced, "replaced"))
    return min(ends, key=lambda one: one.on, default=None)
