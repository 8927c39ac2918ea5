"""When a level is late, from signed entries alone: a deadline written into a row opens no level."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.verify import Entry
from review_queue.workflow import Workflow, WorkflowError, read_workflow

LATE = "level.overdue"


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


def _approves(entry: Entry) -> bool:
    return entry.body["verdict"] == "approve" and not entry.body.get("retrospective")


def _open(flow: Workflow, counts: Sequence[int]) -> tuple[int, ...]:
    short = [index for index, level in enumerate(flow.levels) if counts[index] < level.quorum]
    return tuple(short if flow.parallel else short[:1])


def _hours(flow: Workflow, levels: Sequence[int]) -> timedelta:
    return timedelta(hours=min((flow.levels[index].hours for index in levels), default=0))


def _moment(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry.at)
