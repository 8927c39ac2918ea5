"""What is late, from signed entries alone: a deadline written into a row opens no level.

Levels of a run, the levels that follow an emergency, and questions to departments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.verify import Entry
from review_queue.workflow import Workflow, WorkflowError, after_emergency, read_workflow

LATE = "level.overdue"
LATE_AFTER = "retrospective.overdue"
LATE_ANSWER = "referral.overdue"
QUARANTINED = "item.quarantined"
REFERRAL = timedelta(days=3)
"""How long a department has when nobody says how long."""
BETWEEN = timedelta(minutes=1)
"""At most so much lies between a moment in a row and the one of the entry written with it."""
_ENDS = frozenset({"revision.created", "item.submitted", "item.recalled", QUARANTINED})
"""What ends a run and all that waits in it."""


@dataclass(frozen=True)
class Waiting:
    """The levels that wait for a decision, and the moment at which each of them is late."""

    due: dict[int, datetime]

    @property
    def until(self) -> datetime | None:
        """The nearest of these moments; None when nothing waits."""
        return min(self.due.values(), default=None)


def run_of(entries: Sequence[Entry]) -> tuple[Entry, Workflow] | None:
    """The last submission among an item's entries, with the levels that were frozen into it."""
    submits = [one for one in entries if one.kind == "item.submitted"]
    kinds = [one.body.get("kind") for one in entries if one.kind == "revision.created"]
    if not submits or not kinds:
        return None
    frozen = submits[-1].body["workflow"]
    try:
        flow = read_workflow(frozen["klass"], frozen["version"], frozen)
    # Of an older form, or damaged: such a run releases nothing, so no level of it is late.
    except (WorkflowError, KeyError, TypeError):
        return None
    return submits[-1], flow.for_kind(str(kinds[-1] or ""))


def waiting_at(
    entries: Sequence[Entry], submit: Entry, flow: Workflow, before: int | None = None
) -> Waiting:
    """What waited in the run of `submit` when entry `before` was written (None: now).

    A level has its hours from when it opened, from the answer of a department that was asked at
    it, and once more from each time it was called late.
    """
    counts = [0] * len(flow.levels)
    due = dict.fromkeys(_open(flow, counts), _moment(submit) + _hours(flow, _open(flow, counts)))
    for entry in entries:
        if entry.seq <= submit.seq or (before is not None and entry.seq >= before):
            continue
        level = entry.body.get("level")
        if not isinstance(level, int) or not 0 <= level < len(flow.levels):
            continue
        if entry.kind == "decision" and _approves(entry):
            counts[level] += 1
            opened = _open(flow, counts)
            # Levels side by side keep the deadline they began with.
            if not flow.parallel and set(opened) != set(due):
                due = dict.fromkeys(opened, _moment(entry) + _hours(flow, opened))
            due = {index: due[index] for index in opened}
        elif entry.kind == "referral.answered":
            due = dict.fromkeys(due, _moment(entry) + _hours(flow, (level,)))
        elif entry.kind == LATE and level in due:
            due[level] = _moment(entry) + _hours(flow, tuple(due))
    return Waiting(due)


def rightly_late(entries: Sequence[Entry], submit: Entry, flow: Workflow, late: Entry) -> bool:
    """Whether the level that `late` names was open then, and had had its hours."""
    due = waiting_at(entries, submit, flow, late.seq).due.get(late.body["level"])
    return due is not None and _moment(late) >= due


@dataclass(frozen=True)
class Following:
    """The level that waits after an emergency was released."""

    run: int  # number of the submission
    levels: Workflow  # of the normal class, all of them
    level: int  # index into those that follow
    digest: str
    due: datetime
    told: bool  # it was called late already, and rightly


def following_at(entries: Sequence[Entry]) -> Following | None:
    """What waits after the emergency among an item's entries; None when nothing does."""
    run = _emergency_of(entries)
    if run is None:
        return None
    submit, levels = run
    after = [one for one in entries if one.seq > submit.seq]
    released = next((one for one in after if one.kind == "release.created"), None)
    if released is None or any(_ends_follow_up(one) for one in after if one.seq > released.seq):
        return None
    flow, opened = after_emergency(levels), released
    counts = [0] * len(flow.levels)
    for entry in after:
        if entry.kind != "decision" or not entry.body.get("retrospective"):
            continue
        index, before = entry.body["level"], _open(flow, counts)
        if isinstance(index, int) and 0 <= index < len(counts):
            counts[index] += 1
        opened = entry if _open(flow, counts) != before else opened
    waits = _open(flow, counts)
    if not waits:
        return None
    due = _moment(opened) + _hours(flow, waits)
    late = [one for one in after if one.seq > opened.seq and one.kind == LATE_AFTER]
    mine = [one for one in late if one.body.get("level") == waits[0]]
    told = any(rightly(one, due) for one in mine)
    return Following(submit.seq, levels, waits[0], submit.body["digest"], due, told)


def _emergency_of(entries: Sequence[Entry]) -> tuple[Entry, Workflow] | None:
    """The last submission, when it was one of 应急, with the levels of the normal class."""
    submits = [one for one in entries if one.kind == "item.submitted"]
    kinds = [one.body.get("kind") for one in entries if one.kind == "revision.created"]
    if not submits or not kinds or not submits[-1].body.get("emergency"):
        return None
    try:
        frozen = submits[-1].body["emergency"]["workflow"]
        flow = read_workflow(frozen["klass"], frozen["version"], frozen)
    # As in `run_of`: nothing of such a run was ever released.
    except (WorkflowError, KeyError, TypeError):
        return None
    return submits[-1], flow.for_kind(str(kinds[-1] or ""))


def _ends_follow_up(entry: Entry) -> bool:
    returned = entry.kind == "decision" and entry.body["verdict"] == "return"
    return returned or entry.kind == "retrospective.closed" or entry.kind in _ENDS


class OpenEmergencies:
    """The items whose last run was one of 应急 that nothing signed has ended."""

    def __init__(self) -> None:
        """A ledger tells each entry once."""
        self.items: dict[str, None] = {}

    def take(self, entry: Entry) -> None:
        """The next signed entry of the chain."""
        item_id = entry.subject.partition(":")[2]
        if entry.kind == "item.submitted" and entry.body.get("emergency"):
            self.items[item_id] = None
        elif item_id in self.items and _ends_follow_up(entry):
            del self.items[item_id]


@dataclass(frozen=True)
class Asked:
    """A question that a department has not answered."""

    department: str
    by: str
    due: datetime
    told: bool  # it was called late already, and rightly
    entry: Entry

    @property
    def item_id(self) -> str:
        """Whose question it is."""
        return self.entry.subject.partition(":")[2]


class OpenQuestions:
    """The questions that signed entries asked and none answered or ended, with their items."""

    def __init__(self) -> None:
        """A ledger tells each entry once."""
        self.items: dict[str, str] = {}  # id of the question to that of its item
        self._of: dict[str, set[str]] = {}

    def take(self, entry: Entry) -> None:
        """The next signed entry of the chain."""
        item_id, question = entry.subject.partition(":")[2], str(entry.body.get("referral", ""))
        if entry.kind == "item.referred" and question:
            self.items[question] = item_id
            self._of.setdefault(item_id, set()).add(question)
        elif entry.kind == "referral.answered":
            self.items.pop(question, None)
            self._of.get(item_id, set()).discard(question)
        elif entry.kind in _ENDS:
            for one in self._of.pop(item_id, ()):
                self.items.pop(one, None)


def asked_at(entries: Sequence[Entry], referral: str) -> Asked | None:
    """The question among an item's entries; None when it was not asked, or waits no longer."""
    asked: Entry | None = None
    late: list[Entry] = []
    for entry in entries:
        mine = entry.body.get("referral") == referral
        if entry.kind == "item.referred" and mine:
            asked = entry
        elif entry.kind in _ENDS or (entry.kind == "referral.answered" and mine):
            asked = None
        elif entry.kind == LATE_ANSWER and mine:
            late.append(entry)
    if asked is None:
        return None
    said = asked.body.get("due_at")
    due = datetime.fromisoformat(said) if said else _moment(asked) + REFERRAL
    told = any(rightly(one, due) for one in late)
    return Asked(str(asked.body.get("department", "")), asked.actor, due, told, asked)


def rightly(late: Entry, due: datetime) -> bool:
    """Whether an entry that calls something late was written when it was."""
    return _moment(late) >= due - BETWEEN


def _approves(entry: Entry) -> bool:
    return entry.body["verdict"] == "approve" and not entry.body.get("retrospective")


def _open(flow: Workflow, counts: Sequence[int]) -> tuple[int, ...]:
    short = [index for index, level in enumerate(flow.levels) if counts[index] < level.quorum]
    return tuple(short if flow.parallel else short[:1])


def _hours(flow: Workflow, levels: Sequence[int]) -> timedelta:
    return timedelta(hours=min((flow.levels[index].hours for index in levels), default=0))


def _moment(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry.at)
