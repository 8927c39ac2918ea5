"""Where an item stands level by level, and where one person would decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from console.items.facts import ItemFacts
from review_queue.models import Decision, Emergency, Item
from review_queue.rounds import Round, Seat, follow_up, who_may
from review_queue.workflow import Level, Workflow, read_workflow
from staff.people import names
from staff.refusal import Reason

CLOCKS = (
    (timedelta(hours=5), "发布权威信息"),
    (timedelta(hours=24), "举行新闻发布会"),
    (timedelta(hours=48), "回应其他关切"),
)
"""Counted from the emergency submission (国办发〔2016〕80号 and the notice of August 2016)."""
_TOLD = 3
OPEN = ("running", "review", "overdue", "rejected")


@dataclass(frozen=True)
class Step:
    """One level of the progress bar."""

    name: str
    words: str
    tone: str


@dataclass(frozen=True)
class Progress:
    """The level this person would decide at (None: nothing waits), and the progress bar.

    `faults` are why they may not sit there; `place` says in whose place they would.
    """

    level: Level | None
    steps: Sequence[Step]
    faults: Sequence[Reason] = ()
    place: str = ""
    afterwards: bool = False
    due: datetime | None = None

    @property
    def waiting(self) -> str:
        """The names of the levels that wait now."""
        return "、".join(step.name for step in self.steps if step.tone == "now")


def progress_of(item: Item, round_: Round | None, seat: Seat) -> Progress:
    """What waits on this item, as seen by one person."""
    steps = _steps(item, round_)
    if round_ is None or not round_.open:
        return Progress(None, steps)
    level = round_.flow.levels[seat.level]
    late = round_.emergency
    due = late.due_at if late else item.level_due_at
    return Progress(level, steps, seat.reasons, seat.place, late is not None, due)


async def names_of_deciders(session: AsyncSession, item: Item) -> str:
    """Who may decide on this item now, by name: at most three of them, then how many."""
    ids = await who_may(session, item)
    people = await names(session, ids)
    told = sorted(people[one] for one in ids)
    more = f"等 {len(told)} 人" if len(told) > _TOLD else ""
    return "、".join(told[:_TOLD]) + more


def _steps(item: Item, round_: Round | None) -> list[Step]:
    if item.workflow is None:
        return []
    flow = read_workflow(item.workflow["klass"], item.workflow["version"], item.workflow)
    if round_ is not None and round_.emergency is None:
        return _counted(flow, round_)
    whole = item.state in ("approved", "scheduled", "published", "shelved")
    steps = [
        Step(level.name, "已通过", "passed")
        if whole or index < item.level
        else Step(level.name, "等部门答复" if index == item.level else "未到", "")
        for index, level in enumerate(flow.levels)
    ]
    return steps + (_counted(round_.flow, round_) if round_ is not None else [])


def _counted(flow: Workflow, round_: Round) -> list[Step]:
    steps = []
    for index, level in enumerate(flow.levels):
        done, name = round_.counts[index], level.name
        if round_.emergency is not None:
            name = f"补{level.name}"
        if done >= level.quorum:
            steps.append(Step(name, "已通过", "passed"))
        elif index in round_.open:
            share = f"（{done}/{level.quorum} 人）" if level.quorum > 1 else ""
            steps.append(Step(name, f"正等待{share}", "now"))
        else:
            steps.append(Step(name, "未到", ""))
    return steps


@dataclass(frozen=True)
class Lane:
    """An emergency with its clocks: (what, until when)."""

    row: Emergency
    clocks: Sequence[tuple[str, datetime]]
    levels: str


def lane(row: Emergency) -> Lane:
    """The clocks of one emergency, and the levels that follow."""
    clocks = [(words, row.at + span) for span, words in CLOCKS]
    return Lane(row, clocks, "、".join(level.name for level in follow_up(row).levels))


def open_lane(rows: Sequence[Emergency]) -> Lane | None:
    """The emergency that is still open, if any."""
    still = [row for row in rows if row.state in OPEN]
    return lane(still[-1]) if still else None


@dataclass(frozen=True)
class Returned:
    """The last return: by whom, why, at which gate, and the marked passage in its surroundings."""

    decision: Decision
    before: str = ""
    text: str = ""
    after: str = ""
    here: Mapping[str, Any] | None = None  # the span, when the present text is the returned one


def returned(facts: ItemFacts, texts: Mapping[str, tuple[str, str]]) -> Returned | None:
    """The last return of an item that is not through yet. `texts`: digest -> (title, body)."""
    rows = [row for row in facts.decisions if row.verdict == "return"]
    if not rows or facts.item.state not in ("draft", "review", "referred"):
        return None
    row = rows[-1]
    if not row.span or row.digest not in texts:
        return Returned(row)
    title, body = texts[row.digest]
    whole = title if row.span["field"] == "title" else body
    start, end = int(row.span["start"]), int(row.span["end"])
    here = row.span if row.digest == facts.revision.digest else None
    left = whole[:start].rpartition("\n")[2][-40:]
    right = whole[end:].partition("\n")[0][:40]
    return Returned(row, left, whole[start:end], right, here)
