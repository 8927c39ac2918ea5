"""A late answer and a late review after 应急 are signed once, by signed deadlines alone."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from config import clock
from ledger.models import Incident
from ledger.verify import Entry
from review_queue import emergencies, recalling, referrals
from review_queue.deadlines import Deadlines
from review_queue.models import Emergency, Item, Referral
from review_queue.quarantine import quarantine
from tests.made import taken_by_sql

HOUR = timedelta(hours=1)
LONG_AGO = clock.now() - timedelta(days=9)


@pytest.fixture
def later(tmp_path: Path) -> Iterator[Any]:
    """Set the clock forward by hours."""
    file = tmp_path / "clock"

    def go(hours: float) -> None:
        file.write_text(str(hours * 3600))
        clock.use_clock_file(file)

    yield go
    clock.use_clock_file(None)


@pytest.fixture
def told() -> list[tuple[list[str], str]]:
    return []


@pytest.fixture
def jobs(office: Any, told: Any) -> Deadlines:
    async def notify(people: Any, words: str) -> None:
        told.append((list(people), words))

    return Deadlines(office.queue, notify)


async def asked(office: Any) -> tuple[Item, str]:
    """An item whose department has three days; with the question's id."""
    item = await office.submitted()
    item = await office.decide(item, "reviewer1", "refer", note="数字对吗", department="统计局")
    async with office.queue.db.session() as session:
        rows = (await session.scalars(select(Referral).where(Referral.item_id == item.id))).all()
    return item, rows[-1].id


async def released(office: Any) -> tuple[Item, str]:
    """An emergency that is out; its further level has 24 hours. With its row's id."""
    item = await office.item()
    item = await emergencies.submit_emergency(
        office.queue, item.id, office.people["editor"], item.version, "暴雨红色预警"
    )
    for who in ("reviewer3", "reviewer1"):
        item = await office.decide(item, who)
    async with office.queue.db.session() as session:
        query = select(Emergency.id).where(Emergency.item_id == item.id)
        return item, str((await session.scalars(query)).one())


async def written(office: Any, table: Any, row_id: str, values: Mapping[str, Any]) -> None:
    """Somebody writes to a row past this program."""
    async with office.queue.db.session() as session:
        await session.execute(update(table).where(table.id == row_id).values(**values))


async def read(office: Any, table: Any, row_id: str) -> Any:
    async with office.queue.db.session() as session:
        return await session.get_one(table, row_id)


async def signed(office: Any, item: Item, kind: str) -> list[Entry]:
    return list((await office.releases.chain(item.id)).of(kind))


async def incidents(office: Any) -> list[tuple[str, str]]:
    async with office.queue.db.session() as session:
        rows = (await session.scalars(select(Incident).order_by(Incident.id))).all()
    return [(row.kind, row.subject) for row in rows]


# --- questions to departments -----------------------------------------------------------------


async def test_a_late_answer_is_told_once(
    office: Any, jobs: Deadlines, told: Any, later: Any
) -> None:
    item, _ = await asked(office)
    later(71)
    assert await jobs.remind_referrals() == 0
    later(73)
    assert [await jobs.remind_referrals(), await jobs.remind_referrals()] == [1, 0]
    assert told == [
        (
            [office.people["reviewer1"], office.people["supervisor"]],
            f"《{item.title}》转统计局的问题逾期未复，请催办",
        )
    ]
    assert len(await signed(office, item, "referral.overdue")) == 1
    assert await incidents(office) == []


@pytest.mark.parametrize(
    "values",
    [{"due_at": LONG_AGO}, {"due_at": LONG_AGO + timedelta(days=900)}, {"reminded": True}],
    ids=["brought forward", "put off", "said to be told"],
)
async def test_a_question_is_late_by_its_signed_day_whatever_the_row_says(
    office: Any, jobs: Deadlines, told: Any, later: Any, values: dict[str, Any]
) -> None:
    item, question = await asked(office)
    other, _ = await asked(office)
    await written(office, Referral, question, values)
    later(71)
    assert [await jobs.remind_referrals(), await jobs.remind_referrals()] == [0, 0]
    assert (await signed(office, item, "referral.overdue"), told) == ([], [])
    assert await incidents(office) == [("row_changed", f"referral:{question}")]
    row = await read(office, Referral, question)
    assert not row.reminded
    assert timedelta(hours=70) < row.due_at - (clock.now() - 71 * HOUR) < timedelta(hours=73)
    later(73)
    assert await jobs.remind_referrals() == 2
    for one in (item, other):
        assert len(await signed(office, one, "referral.overdue")) == 1


HIDDEN = {
    "answered": "UPDATE referral SET answered_at = asked_at WHERE id = :row",
    "void": "UPDATE referral SET voided_at = asked_at WHERE id = :row",
    "of another item": "UPDATE referral SET item_id = 'x' WHERE id = :row",
    "deleted": "DELETE FROM referral WHERE id = :row",
    "no moment": "UPDATE referral SET due_at = 'x' WHERE id = :row",
    "a number for a moment": "UPDATE referral SET due_at = 5 WHERE id = :row",
    "bytes for a moment": "UPDATE referral SET asked_at = x'ff' WHERE id = :row",
    "broken text": "UPDATE referral SET question = CAST(x'ff' AS TEXT) WHERE id = :row",
}


@pytest.mark.parametrize("how", HIDDEN)
async def test_a_question_whose_row_is_gone_or_unreadable_is_late_all_the_same(
    office: Any, jobs: Deadlines, told: Any, later: Any, how: str
) -> None:
    item, question = await asked(office)
    other, _ = await asked(office)
    broken = how == "broken text" and not office.queue.db.is_sqlite  # there it is other words
    if broken or not await taken_by_sql(office.queue.db, HIDDEN[how], row=question):
        return
    later(71)
    assert [await jobs.remind_referrals(), await jobs.remind_referrals()] == [0, 0]
    assert (await signed(office, item, "referral.overdue"), told) == ([], [])
    assert await incidents(office) == [("row_changed", f"referral:{question}")]
    row = await read(office, Referral, question)
    assert (row.item_id, row.answered_at, row.voided_at) == (item.id, None, None)
    later(73)
    assert [await jobs.remind_referrals(), await jobs.remind_referrals()] == [2, 0]
    for one in (item, other):
        assert len(await signed(office, one, "referral.overdue")) == 1


@pytest.mark.parametrize(
    "said",
    [
        *("due_at = 'x'", "due_at = 5", "workflow = '{'", "at = x'ff'"),
        *("state = 'closed'", "state = 'void'", "item_id = 'x'", "run_seq = 1"),
    ],
)
async def test_an_emergency_that_is_hidden_or_unreadable_is_late_and_stops_no_other(
    office: Any, jobs: Deadlines, later: Any, said: str
) -> None:
    item, wrong = await released(office)
    other, _ = await released(office)
    written = f"UPDATE emergency SET {said} WHERE id = :row"
    if not await taken_by_sql(office.queue.db, written, row=wrong):
        return
    later(25)
    for _ in range(2):
        await jobs.watch_retrospectives()
    for one in (item, other):
        assert len(await signed(office, one, "retrospective.overdue")) == 1
    told = await incidents(office)
    assert [kind for kind, _ in told].count("retrospective_overdue") == 2
    assert ("row_changed", f"emergency:{wrong}") in told or said.startswith(("item_id", "run_seq"))
    assert "row_changed" in {kind for kind, _ in told}


async def test_a_deleted_emergency_is_put_back_and_late(
    office: Any, jobs: Deadlines, later: Any
) -> None:
    item, _ = await released(office)
    async with office.queue.db.session() as session:
        await session.execute(text("DELETE FROM emergency"))
    later(25)
    for _ in range(2):
        await jobs.watch_retrospectives()
    assert len(await signed(office, item, "retrospective.overdue")) == 1
    assert {kind for kind, _ in await incidents(office)} == {"row_changed", "retrospective_overdue"}


async def test_a_flag_taken_from_a_late_question_repeats_nothing(
    office: Any, jobs: Deadlines, later: Any
) -> None:
    item, question = await asked(office)
    later(73)
    assert await jobs.remind_referrals() == 1
    await written(office, Referral, question, {"reminded": False})
    assert await jobs.remind_referrals() == 0
    assert len(await signed(office, item, "referral.overdue")) == 1
    assert await incidents(office) == [("row_changed", f"referral:{question}")]


async def test_a_question_that_was_answered_is_not_late_when_its_row_is_opened_again(
    office: Any, jobs: Deadlines, told: Any, later: Any
) -> None:
    item, question = await asked(office)
    await referrals.answer_referral(office.queue, item.id, office.people["reviewer2"], "对")
    gone, void = await asked(office)
    await recalling.recall(office.queue, gone.id, office.people["reviewer2"], "发错了")
    later(73)
    assert await jobs.remind_referrals() == 0
    for one, values in ((question, {"answered_at": None}), (void, {"voided_at": None})):
        await written(office, Referral, one, values)
    assert (await jobs.remind_referrals(), told) == (0, [])
    assert await signed(office, item, "referral.overdue") == []
    assert await signed(office, gone, "referral.overdue") == []
    assert set(await incidents(office)) == {
        ("row_changed", f"referral:{question}"),
        ("row_changed", f"referral:{void}"),
    }


async def test_a_question_nobody_asked_is_not_late_and_stops_no_other(
    office: Any, jobs: Deadlines, told: Any, later: Any
) -> None:
    item, _ = await asked(office)
    async with office.queue.db.session() as session:
        session.add(
            Referral(
                id="0", item_id=item.id, digest="d", level=0, department="某局", question="",
                due_at=LONG_AGO, asked_by="x", asked_at=LONG_AGO, ledger_seq=1,
            )
        )  # fmt: skip
    later(73)
    assert await jobs.remind_referrals() == 1
    assert "统计局" in told[0][1]
    assert len(await signed(office, item, "referral.overdue")) == 1
    assert await incidents(office) == [("row_changed", "referral:0")]


# --- after an emergency -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"due_at": LONG_AGO},
        {"due_at": LONG_AGO + timedelta(days=900)},
        {"due_at": None},
        {"state": "overdue"},
        {"level": 3},
        {"workflow": {"klass": "重要"}},
    ],
    ids=["brought forward", "put off", "without a deadline", "said to be told", "level", "levels"],
)
async def test_the_review_after_an_emergency_is_late_by_its_signed_hours(
    office: Any, jobs: Deadlines, told: Any, later: Any, values: dict[str, Any]
) -> None:
    item, row_id = await released(office)
    other, _ = await released(office)
    before = await read(office, Emergency, row_id)
    await written(office, Emergency, row_id, values)
    later(23)
    assert [await jobs.watch_retrospectives(), await jobs.watch_retrospectives()] == [0, 0]
    assert (await signed(office, item, "retrospective.overdue"), told) == ([], [])
    assert await incidents(office) == [("row_changed", f"emergency:{row_id}")]
    row = await read(office, Emergency, row_id)
    assert (row.state, row.level, row.workflow) == ("review", 0, before.workflow)
    assert abs(row.due_at - before.due_at) < timedelta(minutes=1)
    later(25)
    assert await jobs.watch_retrospectives() == 4
    assert await jobs.watch_retrospectives() == 0
    for one in (item, other):
        (late,) = await signed(office, one, "retrospective.overdue")
        assert late.body["level"] == 0
    assert len([1 for people, _ in told if office.people["supervisor"] in people]) == 2


async def test_a_state_set_back_repeats_no_alarm(
    office: Any, jobs: Deadlines, told: Any, later: Any
) -> None:
    item, row_id = await released(office)
    later(25)
    await jobs.watch_retrospectives()
    many = len(told)
    await written(office, Emergency, row_id, {"state": "review"})
    await written(office, Item, item.id, {"retrospective": "review"})
    assert (await jobs.watch_retrospectives(), len(told)) == (0, many)
    assert len(await signed(office, item, "retrospective.overdue")) == 1
    assert ("row_changed", f"emergency:{row_id}") in await incidents(office)
    assert (await read(office, Item, item.id)).retrospective == "overdue"


async def test_what_was_closed_is_not_late_when_its_row_is_opened_again(
    office: Any, jobs: Deadlines, told: Any, later: Any
) -> None:
    item, row_id = await released(office)
    await office.decide(item, "everything")
    running = await office.item()
    running = await emergencies.submit_emergency(
        office.queue, running.id, office.people["editor"], running.version, "暴雨红色预警"
    )
    opened = {"state": "review", "closed_at": None, "due_at": LONG_AGO}
    for one in (item, running):
        query = update(Emergency).where(Emergency.item_id == one.id).values(**opened)
        async with office.queue.db.session() as session:
            await session.execute(query)
    later(25)
    assert (await jobs.watch_retrospectives(), told) == (0, [])
    for one in (item, running):
        assert await signed(office, one, "retrospective.overdue") == []
    kinds = await incidents(office)
    assert [kind for kind, _ in kinds] == ["row_changed"] * 2
    assert ("row_changed", f"emergency:{row_id}") in kinds


async def test_an_entry_signed_too_early_does_not_stand_for_the_true_one(
    office: Any, jobs: Deadlines, told: Any, later: Any
) -> None:
    """As an earlier version would have signed it from a row that somebody had written."""
    item, row_id = await released(office)
    async with office.queue.ledger.transaction() as tx:
        body = {"level": 0, "digest": "d"}
        subject = f"item:{item.id}"
        await tx.append("retrospective.overdue", subject=subject, actor="system", body=body)
    await written(office, Emergency, row_id, {"state": "overdue"})
    assert await jobs.watch_retrospectives() == 0
    assert await incidents(office) == [("row_changed", f"emergency:{row_id}")]
    later(25)
    assert await jobs.watch_retrospectives() == 2
    assert len(await signed(office, item, "retrospective.overdue")) == 2


async def test_what_was_quarantined_is_followed_by_no_review(
    office: Any, jobs: Deadlines, told: Any, later: Any
) -> None:
    item, row_id = await released(office)
    async with office.queue.ledger.transaction() as tx:
        await quarantine(tx, await tx.session.get_one(Item, item.id), "稿源已撤销")
    row = await read(office, Emergency, row_id)
    assert (row.state, (await read(office, Item, item.id)).retrospective) == ("void", "")
    # Left open by a version that did not close it: no fault of anybody, and not late.
    await written(office, Emergency, row_id, {"state": "review", "closed_at": None})
    later(25)
    assert (await jobs.watch_retrospectives(), told, await incidents(office)) == (0, [], [])
    assert (await read(office, Emergency, row_id)).state == "void"


# --- levels of a run --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    ["'2099-01-01 00:00:00.000000'", "NULL", "'x'", "5", "x'ff'"],
    ids=["put off", "taken away", "no moment", "a number", "bytes"],
)
async def test_a_level_is_late_by_its_signed_hours_whatever_its_row_says(
    office: Any, jobs: Deadlines, later: Any, said: str
) -> None:
    item, other = await office.submitted(), await office.submitted()
    hidden = f"UPDATE item SET level_due_at = {said}, level_reminded = true WHERE id = :row"
    if not await taken_by_sql(office.queue.db, hidden, row=item.id):
        return
    later(500)
    for _ in range(2):
        await jobs.remind_due()
    for one in (item, other):
        assert len(await signed(office, one, "level.overdue")) == 1
    assert await incidents(office) == [("row_changed", f"item:{item.id}")]
