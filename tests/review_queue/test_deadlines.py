"""Nobody's absence and no missed deadline stops an item; nobody fills two levels all the same."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from config import clock
from ledger.models import Incident
from review_queue import drafting, rounds, submitting
from review_queue.deadlines import Deadlines
from review_queue.models import Decision, Item
from staff.absence import Away
from staff.refusal import Refused
from staff.since import DEADLINES, RULES


def rules(caught: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {reason.rule for reason in caught.value.reasons}


@pytest.fixture
def later(tmp_path: Path) -> Any:
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
    async def notify(people: Any, text: str) -> None:
        told.append((list(people), text))

    return Deadlines(office.queue, notify)


def away(office: Any, who: str, substitute: str) -> Away:
    start = clock.now() - timedelta(minutes=1)
    return Away(office.people[who], start, start + timedelta(days=2), office.people[substitute])


async def test_one_reminder_before_the_deadline_then_the_next_in_line(
    office: Any, jobs: Deadlines, told: Any, later: Any
) -> None:
    item = await office.submitted()
    assert await jobs.run_due() == 0
    with pytest.raises(Refused):
        await office.decide(item, "reviewer2")
    later(21)
    assert [await jobs.run_due(), await jobs.run_due()] == [1, 0]
    assert office.people["reviewer1"] in told[0][0]
    assert office.people["reviewer2"] not in told[0][0]
    later(25)
    await jobs.run_due()
    assert office.people["reviewer2"] in told[1][0]
    chain = await office.releases.chain(item.id)
    assert len(chain.of("level.reminded")) == len(chain.of("level.overdue")) == 1
    item = await office.decide(item, "reviewer2")
    with pytest.raises(Refused) as caught:
        await office.decide(item, "reviewer2")
    assert "two_levels" in rules(caught)
    for who in ("everything", "reviewer3"):
        item = await office.decide(item, who)
    await office.releases.verify(item.release_id)
    assert (await office.releases.chain(item.id)).of("decision")[0].body["in_place_of"] == "overdue"


async def test_a_second_missed_deadline_tells_the_supervisor(
    office: Any, jobs: Deadlines, told: Any, later: Any
) -> None:
    await office.submitted()
    for hours in (25, 50):
        later(hours)
        await jobs.run_due()
    assert any(office.people["supervisor"] in people for people, _ in told)


async def test_the_substitute_of_an_absent_person_decides_in_their_place(
    office: Any, jobs: Deadlines, told: Any
) -> None:
    item = await office.submitted()
    item = await office.decide(item, "reviewer1")
    await jobs.set_absent(away(office, "reviewer2", "editor2"), office.people["reviewer2"])
    assert told[0][0] == [office.people["editor2"]]
    waiting = await rounds.waiting_for(office.queue.db, office.people["editor2"])
    assert [row.id for row in waiting] == [item.id]
    item = await office.decide(item, "editor2")
    item = await office.decide(item, "reviewer3")
    await office.releases.verify(item.release_id)
    entry = (await office.releases.chain(item.id)).of("decision")[1]
    assert entry.body["in_place_of"] == office.people["reviewer2"]


async def test_a_substitute_who_decided_already_cannot_decide_again(
    office: Any, jobs: Deadlines
) -> None:
    item = await office.submitted()
    item = await office.decide(item, "editor2")
    await jobs.set_absent(away(office, "reviewer2", "editor2"), office.people["reviewer2"])
    with pytest.raises(Refused) as caught:
        await office.decide(item, "editor2")
    assert "two_levels" in rules(caught)


async def test_an_author_who_is_away_lends_nobody_a_level(office: Any, jobs: Deadlines) -> None:
    item = await office.item("日常")
    item = await drafting.edit(
        office.queue, item.id, office.people["editor2"], item.version, {"body": "改过"}
    )
    item = await submitting.submit(office.queue, item.id, office.people["editor2"], item.version)
    await jobs.set_absent(away(office, "editor2", "reviewer2"), office.people["editor2"])
    with pytest.raises(Refused) as caught:
        await office.decide(item, "reviewer2")
    assert rules(caught) == {"role"}


@pytest.mark.parametrize(
    ("who", "substitute", "by", "rule"),
    [
        ("reviewer1", "reviewer2", "editor", "role"),
        ("reviewer1", "reviewer1", "reviewer1", "substitute"),
        ("reviewer1", "reviewer2", "everything", "role"),
        ("reviewer3", "reviewer2", "reviewer3", "secrecy_role"),
        ("editor", "reviewer2", "editor", "staff"),
    ],
)
async def test_an_absence_is_refused(
    office: Any, jobs: Deadlines, who: str, substitute: str, by: str, rule: str
) -> None:
    with pytest.raises(Refused) as caught:
        await jobs.set_absent(away(office, who, substitute), office.people[by])
    assert rule in rules(caught)


async def test_an_absence_that_was_never_signed_makes_no_substitute(office: Any) -> None:
    """Somebody writes the absence into the table; nobody sits in for it."""
    item = await office.submitted("日常")
    async with office.queue.db.session() as session:
        await session.execute(
            text(
                "INSERT INTO absence (id, staff_id, starts_at, ends_at, substitute_id, set_by, at)"
                f" VALUES ('x', '{office.people['reviewer1']}', '2020-01-01 00:00:00',"
                f" '2090-01-01 00:00:00', '{office.people['reviewer2']}', 'x',"
                " '2020-01-01 00:00:00')"
            )
        )
    with pytest.raises(Refused) as caught:
        await office.decide(item, "reviewer2")
    assert rules(caught) == {"role"}


async def written(office: Any, item: Any, **values: Any) -> None:
    """Somebody writes to the item's row past this program."""
    async with office.queue.db.session() as session:
        await session.execute(update(Item).where(Item.id == item.id).values(**values))


async def incidents(office: Any) -> list[tuple[str, str]]:
    async with office.queue.db.session() as session:
        rows = (await session.scalars(select(Incident))).all()
    return [(row.kind, row.subject) for row in rows]


async def test_a_deadline_brought_forward_in_the_row_lets_no_substitute_decide(
    office: Any, jobs: Deadlines, told: Any, later: Any
) -> None:
    item = await office.submitted()
    await written(office, item, level_due_at=clock.now() - timedelta(hours=1))
    assert [await jobs.run_due(), await jobs.run_due()] == [0, 0]
    assert told == []
    assert await incidents(office) == [("row_changed", f"item:{item.id}")]
    assert (await office.releases.chain(item.id)).of("level.overdue") == []
    with pytest.raises(Refused):
        await office.decide(item, "reviewer2")
    async with office.queue.db.session() as session:
        row = await session.get_one(Item, item.id)
    assert abs(row.level_due_at - item.level_due_at) < timedelta(minutes=1)
    later(25)
    assert await jobs.run_due() == 1
    await office.decide(item, "reviewer2")


async def test_each_level_has_its_hours_from_the_decision_that_opened_it(
    office: Any, jobs: Deadlines, later: Any
) -> None:
    item = await office.submitted()
    later(23)
    item = await office.decide(item, "reviewer1")
    later(25)
    await written(office, item, level_due_at=clock.now())
    assert await jobs.run_due() == 0
    assert len(await incidents(office)) == 1
    later(48)
    assert await jobs.run_due() >= 1
    late = (await office.releases.chain(item.id)).of("level.overdue")
    assert [one.body["level"] for one in late] == [1]


async def test_a_decision_written_into_the_table_makes_no_other_level_late(
    office: Any, jobs: Deadlines, later: Any
) -> None:
    item = await office.submitted()
    async with office.queue.db.session() as session:
        session.add(
            Decision(
                id="x", item_id=item.id, digest="d", level=0, level_name="初审", gates={},
                staff_id=office.people["reviewer1"], verdict="approve", note="", attachments={},
                proof=True, gate="", in_place_of="", at=clock.now(), ledger_seq=item.run_seq + 1,
            )
        )  # fmt: skip
    later(25)
    assert await jobs.run_due() == 0
    assert await incidents(office) == [("row_changed", f"item:{item.id}")]


async def test_a_level_called_late_before_its_hours_were_over_releases_nothing(
    office: Any,
) -> None:
    """As an earlier version would have signed it; what it released by then stays released."""
    item = await office.submitted()
    async with office.queue.ledger.transaction() as tx:
        body = {"level": 0}
        await tx.append("level.overdue", subject=f"item:{item.id}", actor="system", body=body)
    await written(office, item, level_overdue=True)
    for who in ("reviewer2", "everything", "reviewer3"):
        item = await office.decide(item, who)
    reasons = await office.releases.faults(item.id, item.updated_at)
    assert [one.message for one in reasons if "初审" in one.message]
    async with office.queue.ledger.transaction() as tx:
        await tx.append(RULES, subject="office", actor="system", body={"rules": [DEADLINES]})
    assert await office.releases.faults(item.id, item.updated_at) == []
    await office.releases.verify(item.release_id)
