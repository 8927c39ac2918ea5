"""好差评: asked once after an answer, said once, by the one who was answered."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.contract import InboundKind
from bot.replies import Parts
from config.clock import now
from escalations.models import Ticket
from escalations.paging import REASON
from escalations.ratings import ratings


async def answered(citizen: Any, **values: Any) -> str:
    """A question of this citizen that a person answered a while ago; its id."""
    office = citizen.office
    await citizen.say("我家门口的井盖坏了谁来修")
    await citizen.say("转人工")
    async with office.db.session() as session:
        ticket = (await session.scalars(select(Ticket.id))).one()
        given = {"state": "answered", "answered_at": now() - timedelta(minutes=11)} | values
        await session.execute(update(Ticket).values(**given))
        citizen.contact.last_inbound_at = now()
        await session.merge(citizen.contact)
    async with office.ledger.transaction() as tx:
        body = {"reply": "r", "result": "published"}
        await tx.append("ticket.reply_sent", subject=f"ticket:{ticket}", actor="system", body=body)
    await citizen.office.cache.delete(f"said:{citizen.contact.id}")
    return str(ticket)


async def hear(citizen: Any) -> str:
    """The question as the phone shows it."""
    parts: Parts = citizen.office.queued[-1][0]
    citizen.last = await citizen.office.answers.build(parts, citizen.platform)
    return citizen.last.text


async def stars(citizen: Any) -> list[int]:
    return [one.stars for one in (await ratings(citizen.office.tickets, 0.0)).rated.values()]


async def test_it_is_asked_once_and_said_once_by_number_or_button(citizen: Any) -> None:
    await answered(citizen)
    ask = citizen.office.dispatcher.ask_ratings
    await citizen.say("订阅")
    assert await ask() == 0  # a number would mean two things
    await citizen.office.dispatcher._conversations.end(citizen.contact.id)
    assert await ask() == 1
    assert await ask() == 0
    assert "只问这一次" in await hear(citizen)
    assert "谢谢" in await citizen.tap("满意")
    assert "已经评价过" in await citizen.say("非常满意")
    assert await stars(citizen) == [4]
    counts = (await ratings(citizen.office.tickets, 0.0)).counts(now() - timedelta(days=1))
    assert counts == {5: 0, 4: 1, 3: 0, 2: 0, 1: 0}


async def test_a_bad_one_is_told_the_way_to_a_person_and_may_be_said_in_words(
    citizen: Any,
) -> None:
    await answered(citizen)
    await citizen.office.dispatcher._conversations.end(citizen.contact.id)
    await citizen.office.dispatcher.ask_ratings()
    assert "12345" in await citizen.say("非常不满意。")
    assert await stars(citizen) == [1]


async def test_nobody_rates_for_somebody_else_or_unasked(citizen: Any) -> None:
    ticket = await answered(citizen)
    await citizen.office.dispatcher._conversations.end(citizen.contact.id)
    await citizen.act(InboundKind.BUTTON, key=f"rate:{ticket}:5")
    assert await stars(citizen) == []  # it was never asked
    await citizen.office.dispatcher.ask_ratings()
    other = await citizen.office.citizen(citizen.platform)
    for key in (f"rate:{ticket}:5", "rate:x:5", f"rate:{ticket}:9", f"rate:{ticket}:²"):
        reply = await other.act(InboundKind.BUTTON, key=key)
        assert "已失效" in reply.text
    assert await stars(citizen) == []


@pytest.mark.parametrize("values", [{"reason": REASON}, {"state": "closed", "answered_at": None}])
async def test_who_was_in_danger_or_had_no_answer_is_not_asked(citizen: Any, values: Any) -> None:
    await answered(citizen, **values)
    await citizen.office.dispatcher._conversations.end(citizen.contact.id)
    assert await citizen.office.dispatcher.ask_ratings() == 0
