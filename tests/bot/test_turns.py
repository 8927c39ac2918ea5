"""One contact, one turn at a time, whatever process takes it; on SQLite and on PostgreSQL."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from bot.contract import InboundKind
from bot.models import Contact, InboundMessage
from bot.turns import LEASE, Act, Turns, take
from config.clock import now
from storage.database import Database, id_at, new_id
from tests.made import SEALS


async def person(db: Database) -> str:
    contact = Contact(
        id=new_id(), account_id="a", subject_ref=new_id(), address="x", address_hash=new_id(),
        created_at=now(), brief_used=0, window_used=0,
    )  # fmt: skip
    async with db.session() as session:
        session.add(contact)
    return contact.id


async def stored(db: Database, who: str, position: int, place: int = 0, row: str = "") -> Act:
    act = Act(row or new_id(), who, position, place)
    async with db.session() as session:
        session.add(
            InboundMessage(
                id=act.row, account_id="a", contact_id=who, dedupe=act.row, kind=InboundKind.TEXT,
                at=now(), position=position, place=place,
            )
        )  # fmt: skip
    return act


async def changed(db: Database, model: Any, **values: Any) -> None:
    async with db.session() as session:
        await session.execute(update(model).values(**values))


async def test_two_processes_act_one_after_the_other_in_the_platforms_order(db: Database) -> None:
    other = Database(db.url, SEALS)
    who, done, inside = await person(db), [], 0
    acts = [await stored(db, who, 100 - number) for number in range(20)]

    async def act_on(turns: Turns, act: Act) -> None:
        nonlocal inside
        async with turns.turn(act, taken=False):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0.002)
            done.append(act.position)
            inside -= 1

    both = (Turns(db), Turns(other))
    await asyncio.gather(*(act_on(both[n % 2], one) for n, one in enumerate(acts)))
    await other.close()
    assert done == sorted(done)
    assert len(done) == 20


async def test_messages_of_one_second_go_by_their_number_and_events_before_them(
    db: Database,
) -> None:
    who, done = await person(db), []
    places = (7, 6, 0)
    acts = [await stored(db, who, 50, place) for place in places]
    turns = Turns(db)

    async def act_on(act: Act) -> None:
        async with turns.turn(act, taken=False):
            done.append(act.place)

    await asyncio.gather(*(act_on(one) for one in acts))
    assert done == [0, 6, 7]


async def test_the_turn_of_a_process_that_died_is_free_after_its_time(db: Database) -> None:
    who = await person(db)
    dead, next_ = await stored(db, who, 1), await stored(db, who, 2)
    async with db.session() as session:
        assert await take(session, dead)
        assert not await take(session, next_)
    await changed(db, InboundMessage, handled_at=now())
    await changed(db, Contact, turn_until=now() - timedelta(seconds=1))
    async with db.session() as session:
        assert await take(session, await stored(db, who, 3))


async def test_a_turn_written_into_the_table_for_ever_keeps_nobody_silent(db: Database) -> None:
    who = await person(db)
    await changed(db, Contact, turn="nobody", turn_until=now() + timedelta(days=900))
    async with db.session() as session:
        assert await take(session, await stored(db, who, 1))


async def test_an_earlier_act_that_nobody_acts_on_is_waited_for_a_while_only(db: Database) -> None:
    who = await person(db)
    await stored(db, who, 1, row=id_at(time.time() - LEASE - 1))
    act = await stored(db, who, 2)
    young = await stored(db, who, 0)
    async with db.session() as session:
        assert not await take(session, act)
        assert await take(session, young)


async def test_another_persons_act_is_not_waited_for(db: Database) -> None:
    one, other = await person(db), await person(db)
    await stored(db, one, 1)
    async with db.session() as session:
        assert await take(session, await stored(db, other, 2))


@pytest.mark.parametrize(
    ("position", "place", "overtaken"),
    [(4, 0, True), (5, 8, True), (5, 9, False), (5, 0, False), (6, 1, False)],
)
async def test_an_act_is_overtaken_by_a_later_one_that_was_acted_on(
    db: Database, position: int, place: int, *, overtaken: bool
) -> None:
    who, turns = await person(db), Turns(db)
    late = await stored(db, who, position, place)
    assert not await turns.overtaken(late)
    done = await stored(db, who, 5, 9)
    async with turns.turn(done, taken=True):
        pass
    assert await turns.overtaken(late) is overtaken
    await changed(db, InboundMessage, handled_at=now() - timedelta(days=2))
    assert not await turns.overtaken(late)  # numbers may have begun anew since
