"""What a platform refuses goes back to its editor; what is only too late has a word of its own."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.contract import NotReleased, State
from bot.models import Publication
from config.clock import now
from ledger.models import Incident
from review_queue import drafting, publishing
from review_queue.models import Item
from review_queue.neighbours import collisions_of
from review_queue.searching import Wanted, items_wanted
from review_queue.states import is_stopped, state_name
from staff.refusal import Refused
from tests.review_queue.conftest import Office


async def _planned(office: Office) -> tuple[Item, list[Publication]]:
    item = await office.approved()
    item = await publishing.schedule(office.queue, item.id, office.people["editor"])
    async with office.queue.db.session() as session:
        query = select(Publication).where(Publication.item_id == item.id)
        return item, list((await session.scalars(query.order_by(Publication.id))).all())


async def _now(office: Office, item: Item) -> Item:
    async with office.queue.db.session() as session:
        return await session.get_one(Item, item.id)


async def _set(office: Office, row: Publication, state: State) -> None:
    async with office.queue.db.writing() as session:
        (await session.get_one(Publication, row.id)).state = state


async def test_a_refused_text_goes_back_and_what_still_waited_ends(office: Office) -> None:
    item, rows = await _planned(office)
    await _set(office, rows[0], State.FAILED)
    assert await publishing.refused_by_platform(office.queue, rows[0].id, "平台认为涉嫌版权")
    back = await _now(office, item)
    assert (back.state, back.return_reason, back.release_id) == (
        "draft",
        "平台认为涉嫌版权",
        None,
    )
    async with office.queue.db.session() as session:
        states = set(await session.scalars(select(Publication.state)))
    assert states == {State.FAILED, State.ENDED}
    changed = await drafting.edit(
        office.queue, item.id, office.people["editor"], back.version, {"body": "改好的一段"}
    )
    assert changed.state == "draft"


@pytest.mark.parametrize("state", [State.PUBLISHED, State.SENDING, State.SUBMITTED, State.UNKNOWN])
async def test_what_may_be_out_elsewhere_stays_where_it_is(office: Office, state: State) -> None:
    item, rows = await _planned(office)
    await _set(office, rows[0], State.FAILED)
    await _set(office, rows[1], state)
    assert not await publishing.refused_by_platform(office.queue, rows[0].id, "平台认为涉嫌版权")
    assert (await _now(office, item)).state == "scheduled"


async def test_a_window_that_ended_is_no_incident_and_says_so(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = await office.approved()
    late = now() + timedelta(days=400)
    monkeypatch.setattr("review_queue.release.now", lambda: late)
    with pytest.raises(NotReleased) as refused:
        await office.releases.verify(str(item.release_id))
    assert refused.value.over
    async with office.queue.db.session() as session:
        assert (await session.scalars(select(Incident))).all() == []


@pytest.mark.parametrize("state", [State.HELD, State.FAILED, State.ENDED])
async def test_what_was_stopped_says_so_is_in_nobodys_way_and_plans_no_more(
    office: Office, state: State
) -> None:
    item, rows = await _planned(office)
    other = await office.approved()
    me = office.people["editor"]
    assert state_name(await _now(office, item)) == "已安排发布"
    assert any(item.id == one.key for one in await collisions_of(office.queue.db, other.id, me))
    await _set(office, rows[0], state)
    # One of two accounts is still to come.
    assert not is_stopped(await _now(office, item))
    await _set(office, rows[1], state)
    stopped = await _now(office, item)
    assert (stopped.state, state_name(stopped)) == ("scheduled", "没有发出，等人处理")
    assert item.id not in {one.key for one in await collisions_of(office.queue.db, other.id, me)}
    with pytest.raises(Refused, match="改时间不会再发"):
        await publishing.schedule(office.queue, item.id, me)
    async with office.queue.db.session() as session:
        for wanted, found in (("scheduled", []), ("stopped", [item.id])):
            query = items_wanted(Wanted(state=wanted))
            assert [row.id for row in await session.scalars(query)] == found
    await _set(office, rows[1], State.CREATED)
    assert state_name(await _now(office, item)) == "已安排发布"
