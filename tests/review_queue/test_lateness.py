"""When each level is late, worked out from entries: quorum, levels side by side, departments."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledger.verify import Entry
from review_queue.lateness import rightly_late, waiting_at
from review_queue.workflow import GATES, Workflow, read_workflow

BEGAN = datetime(2026, 3, 2, 8, tzinfo=UTC)


def entry(seq: int, kind: str, hours: float, **body: Any) -> Entry:
    at = (BEGAN + timedelta(hours=hours)).isoformat()
    return Entry(seq, kind, "item:x", "p", at, body, "", "", "s")


def approval(seq: int, level: int, hours: float) -> Entry:
    return entry(seq, "decision", hours, level=level, verdict="approve", retrospective=False)


SUBMIT = entry(1, "item.submitted", 0)


def flow(*, parallel: bool = False, quorum: int = 1) -> Workflow:
    first = {"name": "初审", "roles": ["reviewer_1"], "gates": list(GATES), "hours": 24}
    levels = [
        {**first, "quorum": quorum},
        {**first, "name": "终审", "roles": ["reviewer_3"], "hours": 8},
    ]
    klass = "应急" if parallel else "日常"
    return read_workflow(klass, 1, {"levels": levels, "parallel": parallel})


def due(told: list[Entry], levels: Workflow) -> dict[int, float]:
    found = waiting_at([SUBMIT, *told], SUBMIT, levels).due
    return {level: (at - BEGAN) / timedelta(hours=1) for level, at in found.items()}


@pytest.mark.parametrize(
    ("told", "levels", "wanted"),
    [
        ([], flow(), {0: 24}),
        ([approval(2, 0, 5)], flow(), {1: 13}),
        ([approval(2, 0, 5)], flow(quorum=2), {0: 24}),
        ([approval(2, 0, 5), approval(3, 0, 6)], flow(quorum=2), {1: 14}),
        ([entry(2, "referral.answered", 30, level=0)], flow(), {0: 54}),
        ([entry(2, "level.overdue", 25, level=0)], flow(), {0: 49}),
        ([entry(2, "level.overdue", 25, level=1)], flow(), {0: 24}),
        ([approval(2, 7, 5)], flow(), {0: 24}),
        ([entry(2, "decision", 5, level=0, verdict="refer")], flow(), {0: 24}),
        ([], flow(parallel=True), {0: 8, 1: 8}),
        ([approval(2, 1, 5)], flow(parallel=True), {0: 8}),
        ([approval(2, 0, 5), approval(3, 1, 6)], flow(), {}),
    ],
)
def test_a_level_has_its_hours_from_the_entry_that_set_it_waiting(
    told: list[Entry], levels: Workflow, wanted: dict[int, float]
) -> None:
    assert due(told, levels) == pytest.approx(wanted)


def test_levels_side_by_side_are_late_together() -> None:
    told = [entry(2, "level.overdue", 8, level=0), entry(3, "level.overdue", 8, level=1)]
    side = flow(parallel=True)
    assert [rightly_late([SUBMIT, *told], SUBMIT, side, one) for one in told] == [True, True]


def called_late(hours: float, level: int) -> bool:
    late = entry(2, "level.overdue", hours, level=level)
    return rightly_late([SUBMIT, late], SUBMIT, flow(), late)


def test_a_level_is_rightly_late_when_it_waited_its_hours() -> None:
    assert called_late(24, 0)
    assert not called_late(23.9, 0)
    assert not called_late(30, 1), "that level had not opened"
