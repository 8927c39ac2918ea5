"""A window for each kind of act, kept on the contact and honoured by the sender, over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.contract import Inbound, State
from bot.models import Contact, Delivery
from config.clock import now
from storage.database import new_id
from tests.bot.conftest import parts
from tests.bot.test_callbacks import SECRETS, House, _citizen, house, patience

__all__ = ["house", "patience"]
WX = SECRETS["appid"]


@pytest.fixture(autouse=True)
def nothing_is_answered(house: House) -> None:
    """An answer that a busy machine gives too late for its call would use up the window too."""

    async def silent(inbound: Inbound) -> None:
        return None

    house.answer = silent


async def tap(house: House, event: str) -> None:
    citizen = await _citizen(house, WX)
    await house.platforms.control("tap", account=WX, citizen=citizen, event=event)


async def say(house: House, words: str) -> None:
    citizen = await _citizen(house, WX)
    await house.platforms.control("say", account=WX, citizen=citizen, text=words)


async def met_long_ago(house: House) -> None:
    """Somebody we know, and may not write to now."""
    await say(house, "在吗")
    async with house.office.db.session() as session:
        await session.execute(update(Contact).values(last_inbound_at=now() - timedelta(days=3)))


async def contact_of(house: House) -> Contact:
    async with house.office.db.session() as session:
        return (await session.scalars(select(Contact))).one()


async def got(house: House) -> list[str]:
    """What reached the phone outside of calls."""
    answer = await house.platforms.seen("messages", account=WX, citizen=await _citizen(house, WX))
    return [one["text"] for one in answer["messages"] if not one.get("passive")]


async def queue(house: House, *words: str) -> list[Any]:
    """Messages to the one contact, sent one after the other."""
    contact = await contact_of(house)
    found = []
    for one in words:
        reply = parts(contact.account_id, contact.id, one)
        found.append(await house.sender.reply_now(reply, new_id()))
    return [one.state for one in found]


@pytest.mark.parametrize("event", ["follow", "scan"])
async def test_an_act_that_is_no_message_gives_three_in_a_minute(house: House, event: str) -> None:
    await met_long_ago(house)
    await tap(house, event)
    sent = await queue(house, "一", "二", "三", "四")
    assert sent == [State.PUBLISHED] * 3 + [State.HELD]
    assert await got(house) == ["一", "二", "三"]
    assert (await contact_of(house)).brief_used == 3


@pytest.mark.parametrize("event", ["view", "location"])
async def test_an_act_that_opens_nothing_frees_nothing(house: House, event: str) -> None:
    await met_long_ago(house)
    assert await queue(house, "等着的") == [State.HELD]
    await tap(house, event)
    assert await house.sender.deliver_due() == 0
    assert await got(house) == []
    # No call was made that the platform would have refused.
    calls = await house.platforms.seen("requests", method="message/custom/send", account=WX)
    assert calls["count"] == 0
    await say(house, "在吗")
    assert await house.sender.deliver_due() == 1
    assert await got(house) == ["等着的"]


async def test_a_press_after_a_message_neither_ends_its_window_nor_uses_it_up(house: House) -> None:
    await say(house, "在吗")
    await tap(house, "scan")
    assert await queue(house, *"12345678") == [State.PUBLISHED] * 8  # three, and five
    assert await queue(house, "9") == [State.HELD]
    contact = await contact_of(house)
    assert (contact.brief_used, contact.window_used) == (3, 5)


async def test_a_window_that_the_platform_calls_closed_is_closed(house: House) -> None:
    await say(house, "在吗")
    await house.platforms.control(
        "faults", platform="wechat", kind="refuse", method="message/custom/send", code=45047
    )
    assert await queue(house, "一", "二") == [State.HELD, State.HELD]
    calls = await house.platforms.seen("requests", method="message/custom/send", account=WX)
    assert calls["count"] == 1
    await say(house, "再问")
    assert await house.sender.deliver_due() == 2
    # Both are called at once: which comes first is the network's.
    assert sorted(await got(house)) == ["一", "二"]


async def test_an_act_while_a_message_is_refused_for_its_window_frees_that_message_too(
    house: House,
) -> None:
    await met_long_ago(house)
    contact = await contact_of(house)
    [key] = [await _queued(house, contact, "赶上了")]
    slow = {"platform": "wechat", "kind": "refuse", "method": "message/custom/send", "code": 45015}
    await house.platforms.control("faults", **slow)
    async with house.office.db.session() as session:
        # Open by our count when it is claimed, closed on the platform, opened anew on the way.
        (await session.get_one(Contact, contact.id)).brief_at = now()
    meanwhile = house.channels["wechat"].reply

    async def reply(*given: Any) -> Any:
        outcome = await meanwhile(*given)
        await say(house, "在吗")
        return outcome

    house.channels["wechat"].reply = reply
    assert await house.sender.deliver_due() == 1
    house.channels["wechat"].reply = meanwhile
    assert (await house.office.row(Delivery, key)).state == State.CREATED
    assert await house.sender.deliver_due() == 1
    assert await got(house) == ["赶上了"]


async def _queued(house: House, contact: Contact, words: str) -> str:
    row = Delivery(
        id=new_id(),
        content_key=new_id(),
        account_id=contact.account_id,
        contact_id=contact.id,
        reply=parts(contact.account_id, contact.id, words).kept(),
        state=State.CREATED,
        created_at=now(),
    )
    async with house.office.db.session() as session:
        session.add(row)
    return row.id
