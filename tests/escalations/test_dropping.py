"""A reply that the gates stopped: written anew or thrown away, and never let go afterwards."""

import pytest
from sqlalchemy import select, update

from escalations import replying, tickets
from escalations.dropping import drop
from escalations.models import TicketReply
from staff.refusal import Refused

WORDS = "请联系李四 13812345678"


async def stopped(duty) -> TicketReply:
    ticket = await duty.ask()
    await tickets.claim(duty.tickets, ticket.id, "jia")
    return await replying.reply(duty.tickets, ticket.id, "jia", WORDS)


async def row(duty, reply_id: str) -> TicketReply:
    async with duty.db.session() as session:
        return await session.get_one(TicketReply, reply_id)


async def test_what_was_thrown_away_keeps_no_words_and_no_second_person_lets_it_go(duty) -> None:
    reply = await stopped(duty)
    await drop(duty.tickets, reply.id, "jia")
    gone = await row(duty, reply.id)
    assert (gone.state, gone.text, gone.findings) == ("dropped", "", [])
    assert (await duty.entries())[-1].kind == "ticket.reply_dropped"
    # Put back by SQL as it was: the signed entry stands.
    async with duty.db.session() as session:
        old = {"state": "stopped", "text": WORDS, "findings": reply.findings}
        await session.execute(update(TicketReply).values(old))
    with pytest.raises(Refused) as refused:
        await replying.approve_reply(duty.tickets, reply.id, "zhang")
    assert refused.value.status == 409
    assert duty.sent == []


async def test_an_edited_reply_stands_in_the_place_of_the_stopped_one(duty) -> None:
    reply = await stopped(duty)
    again = await replying.reply(duty.tickets, reply.ticket_id, "jia", f"{WORDS}。", reply.id)
    assert (again.state, (await row(duty, reply.id)).state) == ("stopped", "dropped")
    sent = await replying.reply(duty.tickets, reply.ticket_id, "jia", "请联系住建局。", again.id)
    assert sent.state == "sent"
    async with duty.db.session() as session:
        query = select(TicketReply.state).where(TicketReply.state == "stopped")
        assert (await session.scalars(query)).all() == []
    assert len(duty.sent) == 1


@pytest.mark.parametrize(("who", "status"), [("yi", 403), ("bian", 403), ("zhang", 403)])
async def test_nobody_else_throws_it_away(duty, who: str, status: int) -> None:
    reply = await stopped(duty)
    with pytest.raises(Refused) as refused:
        await drop(duty.tickets, reply.id, who)
    assert refused.value.status == status
    assert (await row(duty, reply.id)).state == "stopped"


async def test_a_reply_of_another_ticket_or_one_that_is_out_is_not_replaced(duty) -> None:
    reply = await stopped(duty)
    for other in ("nothing", (await replying.reply(
        duty.tickets, reply.ticket_id, "jia", "请联系住建局。"
    )).id):  # fmt: skip
        with pytest.raises(Refused):
            await drop(duty.tickets, other, "jia")
