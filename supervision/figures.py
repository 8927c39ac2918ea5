"""What is reported, counted from signed entries alone: pure, and the same over an export.

A figure is a number and the numbers of the ledger entries it is made of. `Counting` reads a chain
from its first entry, because what an item is was said before the time that is reported.
"""

from bisect import insort
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

from facets.remit import Concern
from ledger.verify import Entry
from supervision.concerns import Concerns
from supervision.promises import UrgentClock

BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Without summer time since 1991; an offline check needs no table of zones for it."""
CHECK, ANNUAL = "self-check", "annual"
REPOST, CORRECTION = "转载", "更正"
COUNTED = "day.counted"
GIVEN = "report.given"


@dataclass(frozen=True)
class Span:
    """Beijing days from `first` to before `end`."""

    first: date
    end: date

    def holds(self, at: str) -> bool:
        """Whether a moment of an entry lies in it."""
        return self.first <= datetime.fromisoformat(at).astimezone(BEIJING).date() < self.end

    def reaches(self, at: str) -> bool:
        """Whether a moment lies before its end."""
        return datetime.fromisoformat(at).astimezone(BEIJING).date() < self.end

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """Its beginning and end."""
        begin, end = (datetime.combine(day, time(), BEIJING) for day in (self.first, self.end))
        return begin, end


def read_day(text: str) -> date:
    """A day of a page's address; ValueError for none, and for one that no office ever had."""
    day = date.fromisoformat(text)
    # Days and moments beside it must be such too.
    if not 1970 <= day.year < 2200:
        raise ValueError(text)
    return day


def span_of(period: str) -> Span:
    """2026 is a year, 2026Q3 a quarter, 2026-09 a month; ValueError otherwise."""
    # int() takes more than a year is written with: ２０２６, +202 and 1_00.
    if not (period.isascii() and period[:4].isdigit()):
        raise ValueError(period)
    year, months, first = int(period[:4]), 12, 1
    if len(period) == 6 and period[4] == "Q" and period[5] in "1234":
        months, first = 3, 3 * int(period[5]) - 2
    elif len(period) == 7 and period[4] == "-" and 1 <= int(period[5:]) <= 12:
        months, first = 1, int(period[5:])
    elif len(period) != 4:
        raise ValueError(period)
    after = year * 12 + first - 1 + months
    return Span(date(year, first, 1), date(after // 12, after % 12 + 1, 1))


@dataclass
class Figure:
    """One number of a report, and the entries it is counted from."""

    value: int = 0
    rows: list[int] = field(default_factory=list)

    def add(self, seq: int, count: int = 1) -> None:
        """One more entry of it."""
        if count:
            self.value += count
            insort(self.rows, seq)

    def drop(self, seq: int) -> None:
        """One entry less of it."""
        self.value -= 1
        self.rows.remove(seq)


Kinds = Mapping[str, str]
Count = Callable[[Entry, Kinds], int]


def _every(_entry: Entry, _kinds: Kinds) -> int:
    return 1


def _is(name: str, *values: Any) -> Count:
    return lambda entry, _kinds: int(entry.body.get(name) in values)


def _emergency(entry: Entry, _kinds: Kinds) -> int:
    return int(bool(entry.body.get("emergency")))


def _out(entry: Entry, _kinds: Kinds) -> int:
    """Whether this entry says, for the first time, that something is out."""
    return int(entry.body.get("result") == "published" or entry.body.get("sent") is True)


def _out_as(*wanted: str) -> Count:
    def count(entry: Entry, kinds: Kinds) -> int:
        return _out(entry, kinds) * (kinds.get(entry.subject, "") in wanted)

    return count


def _own(entry: Entry, kinds: Kinds) -> int:
    return _out(entry, kinds) * (kinds.get(entry.subject, "") not in (REPOST, CORRECTION))


def _number(name: str, *path: str) -> Count:
    def count(entry: Entry, _kinds: Kinds) -> int:
        found: Any = entry.body.get(name, 0)
        for step in path:
            found = found.get(step, 0) if isinstance(found, dict) else 0
        return found if isinstance(found, int) else 0

    return count


def _silent(entry: Entry, _kinds: Kinds) -> int:
    return len(entry.body.get("silent", ()))


def _reminded(entry: Entry, _kinds: Kinds) -> int:
    return len(entry.body.get("accounts", ()))


URGENT, URGENT_IN_TIME = "urgent", "urgent_in_time"
"""Counted by UrgentClock: how long it took is said by several entries together."""
CONCERNS = {one: f"concern_{one}" for one in Concern}
"""Counted by Concerns: what a post is to the body's work may be said by a mark that comes later."""
_OUT = ("publication.finished", "publication.settled")
LINES: tuple[tuple[str, str, str, tuple[str, ...], Count], ...] = (
    ("published", "发布", "发布篇次（每个账号一次）", _OUT, _out),
    ("own", "发布", "其中原创、解读等自有内容", _OUT, _own),
    ("reposts", "发布", "其中转载", _OUT, _out_as(REPOST)),
    ("corrections", "发布", "其中更正", _OUT, _out_as(CORRECTION)),
    (CONCERNS[Concern.OURS], "发布", "其中与本单位业务有关（主题经审核或审核人标明）", (), _every),
    (CONCERNS[Concern.OTHER], "发布", "其中与本单位业务无关", (), _every),
    (CONCERNS[Concern.UNSAID], "发布", "其中说不清是否有关（没有主题、职责或标记）", (), _every),
    ("taken_down", "发布", "从平台撤下", ("takedown.finished", "takedown.settled"), _every),
    ("recalled", "发布", "撤回的稿件", ("item.recalled",), _every),
    (URGENT, "发布", "应急稿件交给平台（篇次）", (), _every),
    (URGENT_IN_TIME, "发布", "其中 10 秒内交给平台", (), _every),
    ("submitted", "审核", "提交审核", ("item.submitted",), _every),
    ("emergencies", "审核", "其中应急", ("item.submitted",), _emergency),
    ("approvals", "审核", "审核人批准", ("decision",), _is("verdict", "approve")),
    ("returns", "审核", "审核人退回", ("decision",), _is("verdict", "return")),
    ("released", "审核", "终审放行", ("release.created",), _every),
    ("waivers", "审核", "放行提示（另一人写明理由）", ("waiver.granted",), _every),
    ("pushes", "推送", "推送场次", ("push.finished",), _every),
    ("pushed", "推送", "送达人次", ("push.finished",), _number("counts", "published")),
    ("messages", "互动", "收到群众来信", (COUNTED,), _number("messages")),
    ("replies", "互动", "自动应答", (COUNTED,), _number("promises", "replies")),
    ("in_time", "互动", "其中 5 秒内应答", (COUNTED,), _number("promises", "in_time")),
    ("questions", "互动", "群众提问", (COUNTED,), _number("promises", "questions")),
    ("answered", "互动", "其中当场答复", (COUNTED,), _number("promises", "answered")),
    ("then_answered", "互动", "其中反问后答复", (COUNTED,), _number("promises", "then_answered")),
    ("tickets", "互动", "转人工的咨询单", ("ticket.opened",), _every),
    ("answers", "互动", "人工答复", ("ticket.answered",), _every),
    ("silent", "互动", "互动自测没有通过（账号次）", ("accounts.probed",), _silent),
    ("reminded", "更新", "临近时限的提醒（账号次）", ("accounts.reminded",), _reminded),
    ("incidents", "安全", "发生的事件", ("incident.opened",), _every),
    ("closed", "安全", "处理完的事件", ("incident.closed",), _every),
    ("policies", "政策库", "政策入库、变更或废止", ("policy.set",), _every),
    ("sources", "稿源", "批准的稿源变更", ("source.approved", "source.revoked"), _every),
    ("changes", "管理", "两人办理的变更", ("proposal.approved",), _every),
    ("looks", "管理", "审计查看", (COUNTED,), _number("looks")),
)
"""Name, group, label, kinds of entries, and how many one entry counts."""
_BY_KIND: dict[str, list[tuple[str, Count]]] = {}
for _name, _, _, _kinds_of, _count in LINES:
    for _kind in _kinds_of:
        _BY_KIND.setdefault(_kind, []).append((_name, _count))
COUNTED_LATER = frozenset(name for name, _, _, kinds, _ in LINES if COUNTED in kinds)
"""Figures a day adds to when it is over and its counts are signed."""
LABELS = {name: label for name, _, label, _, _ in LINES}
KINDS = frozenset(_BY_KIND) | UrgentClock.KINDS | Concerns.KINDS | {"revision.created", GIVEN}
"""All that has to be read."""


class Counting:
    """Reads entries in order; `figures` are those of the span."""

    def __init__(self, span: Span) -> None:
        """Nothing was read yet."""
        self.span = span
        self.figures = {name: Figure() for name in LABELS}
        self.people: dict[str, dict[str, list[int]]] = {}
        """Who decided: staff id, verdict, numbers of the entries."""
        self.given: dict[str, Any] = {}
        self.texts: dict[str, str] = {}
        """The written parts of the annual report, by the names in supervision/annual.py."""
        self.counted_to: date | None = None
        """The last day whose counts are signed."""
        self._kinds: dict[str, str] = {}
        self._out: set[str] = set()
        self._urgent = UrgentClock()
        self._concerns = Concerns()

    def take(self, entry: Entry) -> None:
        """The next entry."""
        self._clock(entry)
        self._moved(entry)
        if entry.kind == "revision.created":
            self._kinds[entry.subject] = str(entry.body.get("kind", ""))
            return
        if entry.kind == GIVEN and entry.body.get("year") == str(self.span.first.year):
            self.given = {**entry.body["cells"], "seq": entry.seq}
            self.texts = dict(entry.body.get("texts", {}))
        if entry.kind == COUNTED:
            self.counted_to = date.fromisoformat(entry.body["day"])
        lines = _BY_KIND.get(entry.kind)
        if lines is None or self._again(entry) or not self.span.holds(entry.at):
            return
        for name, count in lines:
            self.figures[name].add(entry.seq, count(entry, self._kinds))
        if entry.kind in _OUT and _out(entry, self._kinds):
            self.figures[CONCERNS[self._concerns.post(entry)]].add(entry.seq)
        if entry.kind == "decision":
            of = self.people.setdefault(entry.actor, {})
            of.setdefault(str(entry.body.get("verdict")), []).append(entry.seq)

    def _clock(self, entry: Entry) -> None:
        if entry.kind not in UrgentClock.KINDS:
            return
        handed = self._urgent.take(entry)
        if handed is not None and self.span.holds(entry.at):
            self.figures[URGENT].add(entry.seq)
            self.figures[URGENT_IN_TIME].add(entry.seq, int(handed.in_time))

    def _moved(self, entry: Entry) -> None:
        """A mark of after the span says nothing of it."""
        if entry.kind in Concerns.KINDS and self.span.reaches(entry.at):
            for seq, old, new in self._concerns.take(entry):
                self.figures[CONCERNS[old]].drop(seq)
                self.figures[CONCERNS[new]].add(seq)

    def _again(self, entry: Entry) -> bool:
        """Whether it says once more that a publication is out: an event may come twice."""
        if entry.kind not in _OUT or not _out(entry, self._kinds):
            return False
        key = str(entry.body.get("publication", entry.seq))
        said = key in self._out
        self._out.add(key)
        return said


def count(entries: Iterable[Entry], span: Span) -> Counting:
    """The figures of a span over the entries of a whole chain."""
    counting = Counting(span)
    for entry in entries:
        counting.take(entry)
    return counting


VERDICTS = {"approve": "批准", "return": "退回", "refer": "转部门"}


def as_json(period: str, counting: Counting) -> dict[str, Any]:
    """The report as a file that `shenfa report recompute` checks."""
    return {
        "period": period,
        "figures": {
            name: {"label": LABELS[name], "value": one.value, "rows": one.rows}
            for name, one in counting.figures.items()
        },
        "people": counting.people,
        "given": counting.given,
        "texts": counting.texts,
    }


def differences(report: Mapping[str, Any], counting: Counting) -> list[str]:
    """What a report says otherwise than the chain does; empty when every figure is equal."""
    found, said = [], report.get("figures", {})
    for name, one in counting.figures.items():
        its = said.get(name, {})
        if (its.get("value"), its.get("rows")) != (one.value, one.rows):
            found.append(f"{LABELS[name]}：报表写 {its.get('value')}，台账算得 {one.value}")
    if unknown := sorted(set(said) - set(LABELS)):
        found.append(f"报表里有不认识的数字：{'、'.join(unknown)}")
    if report.get("people") != counting.people:
        found.append("审核人的批准与退回，与台账不同")
    if (report.get("given"), report.get("texts", {})) != (counting.given, counting.texts):
        found.append("由本单位填报的数，与台账不同")
    return found
