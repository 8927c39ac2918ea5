"""应急: two levels at once by two other people, then the further levels, or an alarm."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.contract import NotReleased
from config import clock
from ledger.models import Incident
from review_queue import drafting, emergencies, submitting
from review_queue.deadlines import Deadlines, emergency_clocks
from review_queue.models import Emergency
from staff.refusal import Refused
from tests.made import a_finding

BLOCK = a_finding()


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


async def emergency(office: Any, klass: str = "重要") -> Any:
    item = await office.item(klass)
    return await emergencies.submit_emergency(
        office.queue, item.id, office.people["editor"], item.version, "暴雨红色预警"
    )


async def released(office: Any, klass: str = "重要") -> Any:
    item = await emergency(office, klass)
    for who in ("reviewer3", "reviewer1"):
        item = await office.decide(item, who)
    return item


async def test_an_emergency_needs_a_reason(office: Any) -> None:
    item = await office.item()
    with pytest.raises(Refused) as caught:
        await emergencies.submit_emergency(
            office.queue, item.id, office.people["editor"], item.version, " "
        )
    assert rules(caught) == {"reason"}


async def test_two_people_in_any_order_release_it_and_one_does_not(office: Any) -> None:
    item = await emergency(office)
    assert item.klass == "应急"
    item = await office.decide(item, "reviewer3")
    assert (item.state, item.release_id) == ("review", None)
    with pytest.raises(Refused) as caught:
        await office.decide(item, "reviewer3")
    assert "two_levels" in rules(caught)
    item = await office.decide(item, "reviewer1")
    assert (item.state, item.retrospective) == ("approved", "review")
    await office.releases.verify(item.release_id)


async def test_neither_author_nor_who_asked_for_it_decides(office: Any) -> None:
    item = await office.item()
    item = await emergencies.submit_emergency(
        office.queue, item.id, office.people["everything"], item.version, "暴雨红色预警"
    )
    with pytest.raises(Refused) as caught:
        await office.decide(item, "everything")
    assert rules(caught) == {"asker"}


async def test_the_editor_cannot_launder_the_last_edit_through_a_colleague(office: Any) -> None:
    item = await office.item()
    editor2 = office.people["editor2"]
    item = await drafting.edit(office.queue, item.id, editor2, item.version, {"body": "改过的正文"})
    item = await emergencies.submit_emergency(
        office.queue, item.id, office.people["editor"], item.version, "暴雨红色预警"
    )
    with pytest.raises(Refused) as caught:
        await office.decide(item, "editor2")
    assert rules(caught) == {"last_editor"}


async def test_a_blocking_finding_holds_an_emergency_too(office: Any) -> None:
    item = await emergency(office)
    office.blocking.append(BLOCK)
    with pytest.raises(Refused) as caught:
        await office.decide(item, "reviewer1")
    assert "finding" in rules(caught)


async def test_the_plain_submission_of_an_emergency_is_refused(office: Any) -> None:
    item = await office.item("应急")
    with pytest.raises(Refused) as caught:
        await submitting.submit(office.queue, item.id, office.people["editor"], item.version)
    assert rules(caught) == {"emergency"}


async def test_the_further_level_follows_by_somebody_who_has_not_decided(office: Any) -> None:
    item = await released(office)
    with pytest.raises(Refused) as caught:
        await office.decide(item, "reviewer3")
    assert rules(caught) == {"two_levels"}
    item = await office.decide(item, "everything")
    assert item.retrospective == ""
    async with office.queue.db.session() as session:
        row = (await session.scalars(select(Emergency))).one()
    assert (row.state, row.klass, row.reason) == ("closed", "重要", "暴雨红色预警")
    await office.releases.verify(item.release_id)


async def test_a_rejection_afterwards_stops_the_rest_and_opens_an_incident(office: Any) -> None:
    item = await released(office)
    item = await office.decide(item, "everything", "return", note="数字不实")
    assert item.retrospective == "rejected"
    async with office.queue.db.session() as session:
        incidents = (await session.scalars(select(Incident))).all()
    assert [row.kind for row in incidents] == ["retrospective_rejected"]
    assert "更正" in incidents[0].message
    with pytest.raises(NotReleased, match="复审没有通过"):
        await office.releases.verify(item.release_id)


async def test_a_missed_deadline_alarms_the_supervisor_once(office: Any, later: Any) -> None:
    told: list[tuple[list[str], str]] = []

    async def notify(people: Any, text: str) -> None:
        told.append((list(people), text))

    item = await released(office)
    jobs = Deadlines(office.queue, notify)
    assert await jobs.watch_retrospectives() == 0
    later(30)
    await jobs.watch_retrospectives()
    await jobs.watch_retrospectives()
    assert office.people["supervisor"] in told[0][0]
    assert len([one for one in told if office.people["supervisor"] in one[0]]) == 1
    async with office.queue.db.session() as session:
        incidents = (await session.scalars(select(Incident))).all()
    assert [row.kind for row in incidents] == ["retrospective_overdue"]
    item = await office.decide(item, "everything")
    assert item.retrospective == ""
    await office.releases.verify(item.release_id)


async def test_an_edit_after_an_emergency_asks_for_a_new_class(office: Any) -> None:
    item = await released(office)
    editor = office.people["editor"]
    item = await drafting.edit(office.queue, item.id, editor, item.version, {"body": "改了"})
    with pytest.raises(Refused) as caught:
        await submitting.submit(office.queue, item.id, editor, item.version)
    assert "emergency" in rules(caught)
    with pytest.raises(Refused) as caught:
        await drafting.edit(office.queue, item.id, editor, item.version, {"klass": "日常"})
    assert rules(caught) == {"class_lowered"}
    item = await drafting.edit(office.queue, item.id, editor, item.version, {"klass": "重要"})
    item = await submitting.submit(office.queue, item.id, editor, item.version)
    assert item.klass == "重要"


def test_three_clocks_run_from_the_submission() -> None:
    began = clock.now()
    assert [one.hours for one in emergency_clocks(began)] == [5, 24, 48]
    assert emergency_clocks(began)[0].due_at == began + timedelta(hours=5)
