"""An act that waited for its turn: what was done meanwhile counts, and who is gone stays gone."""

import asyncio

import pytest
from sqlalchemy import select, update

from bot.contract import Inbound
from bot.models import Contact, InboundMessage
from tests.bot.test_callbacks import House, _citizen, _received, _say, house, patience
from tests.waiting import until

__all__ = ["house", "patience"]


async def test_every_act_is_asked_whether_a_later_one_was_acted_on(house: House) -> None:
    """Words that look like no choice may be one: only who answers them knows."""
    await house.platforms.control("limits", telegram=False)
    await _say(house, "7", "退订")
    await _received(house, "7", 1)
    async with house.office.db.session() as session:
        await session.execute(update(InboundMessage).values(position=2**40))
    await _say(house, "7", "就要那个")
    await _received(house, "7", 2)
    assert [one.late for one in house.heard] == [False, True]


@pytest.mark.parametrize(
    ("events", "left"),
    [(["block"], ["ended"]), (["block", "unblock"], ["ended"]), ([], ["ended", "active"])],
)
async def test_whoever_was_forgotten_comes_as_somebody_new_only_by_what_they_say(
    house: House, events: list[str], left: list[str]
) -> None:
    """Their act is stored, and waits behind the one that has them forgotten."""
    forgotten = asyncio.Event()

    async def slow(inbound: Inbound) -> str | None:
        if inbound.text == "忘记我":
            await forgotten.wait()
        return None

    house.answer = slow
    citizen = await _citizen(house, "7")
    await _say(house, "7", "忘记我")
    for event in events:
        await house.platforms.control("tap", account="7", citizen=citizen, event=event)
    if not events:
        await _say(house, "7", "你好")

    async def waits() -> bool:
        return len(await house.stored()) == 1 + (len(events) or 1)

    await until(waits)
    async with house.office.db.session() as session:
        [own] = await session.scalars(select(Contact.id))
        await house.office.contacts.erase(session, own)
    forgotten.set()

    async def heard() -> bool:
        return len(house.heard) == 1 + (len(events) or 1)

    await until(heard)
    assert sorted(await house.contacts(), reverse=True) == sorted(left, reverse=True)
