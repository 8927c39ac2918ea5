"""An answer written at night goes out in the morning, sooner, or not at all."""

from typing import Any

import pytest
from sqlalchemy import select, update

from bot.contract import State
from bot.models import Delivery
from bot.replies import Unsayable
from config.clock import beijing
from escalations import planning, replying, tickets
from escalations.commitments import Commitments
from escalations.outcomes import Came, settle_replies
from escalations.tickets import Question
from staff.refusal import Refused
from tests.escalations.conftest import at


async def asked_at(duty: Any, asked: str, held: str) -> Any:
    """A ticket of this moment, held by jia at a later one."""
    duty.moment = at(asked)
    ticket = await duty.ask()
    await duty.set_contact(last_inbound_at=duty.moment)
    duty.moment = at(held)
    await tickets.claim(duty.tickets, ticket.id, "jia")
    return ticket


async def delivery(duty: Any, reply: Any) -> Delivery:
    async with duty.db.session() as session:
        return await session.get_one(Delivery, reply.delivery_id)


async def test_a_reply_of_the_night_waits_for_the_morning_and_then_answers(duty: Any) -> None:
    ticket = await asked_at(duty, "2026-11-24 17:00", "2026-11-24 22:40")
    reply = await replying.plan(duty.tickets, ticket.id, "jia", "已报修。")
    row = await delivery(duty, reply)
    assert row.next_at is not None
    assert (row.state, beijing(row.next_at).isoformat()[:16]) == ("created", "2026-11-25T08:30")
    assert (reply.state, reply.why) == (Came.PLANNED, "定于 11月25日（周三）08:30 发出")
    assert await settle_replies(duty.tickets) == 0
    duty.moment = at("2026-11-25 08:31")
    duty.came = {"state": State.PUBLISHED}
    await duty.send(reply.delivery_id)
    assert await settle_replies(duty.tickets) == 1
    assert (await duty.reload(ticket)).state == "answered"


async def test_it_can_go_out_sooner_or_be_taken_back_by_who_holds_the_question(duty: Any) -> None:
    ticket = await asked_at(duty, "2026-11-24 17:00", "2026-11-24 22:40")
    first = await replying.plan(duty.tickets, ticket.id, "jia", "已报修。")
    for act in (planning.unplan, planning.send_planned):
        with pytest.raises(Refused, match="其他同事"):
            await act(duty.tickets, first.id, "yi")
    assert await planning.unplan(duty.tickets, first.id, "jia") == "已报修。"
    assert (await delivery(duty, first)).state == State.ENDED
    assert (await duty.reload(ticket)).state == "claimed"
    with pytest.raises(Refused, match="刷新"):
        await planning.unplan(duty.tickets, first.id, "jia")
    again = await replying.plan(duty.tickets, ticket.id, "jia", "明天有人来修。")
    duty.came = {"state": State.PUBLISHED}
    sent = await planning.send_planned(duty.tickets, again.id, "jia")
    assert (sent.state, (await duty.reload(ticket)).state) == (Came.SENT, "answered")
    kinds = [one.kind for one in await duty.entries()]
    assert kinds.count(planning.PLANNED) == 2
    assert kinds[-1] == planning.SOONER


@pytest.mark.parametrize("end", ["taken back", "closed"])
async def test_an_older_copy_of_its_row_does_not_send_what_was_taken_back(
    duty: Any, end: str
) -> None:
    await duty.sworn()
    ticket = await asked_at(duty, "2026-11-24 17:00", "2026-11-24 22:40")
    reply = await replying.plan(duty.tickets, ticket.id, "jia", "已报修。")
    parts = duty.sent[-1][0]
    commitments = Commitments(duty.ledger)
    assert (await commitments.words(parts, parts.pieces[0])).endswith("已报修。")
    async with duty.db.session() as session:
        sealed = await session.scalar(select(Delivery.seal).where(Delivery.id == reply.delivery_id))
    if end == "closed":
        await tickets.close(duty.tickets, ticket.id, "jia")
    else:
        await planning.unplan(duty.tickets, reply.id, "jia")
    async with duty.db.session() as session:
        old = update(Delivery).where(Delivery.id == reply.delivery_id)
        await session.execute(old.values(state=State.CREATED, seal=sealed, next_at=None))
    assert (await delivery(duty, reply)).whole
    with pytest.raises(Unsayable, match="已收回"):
        await commitments.words(parts, parts.pieces[0])


@pytest.mark.parametrize(
    ("asked", "held", "why"),
    [
        ("2026-11-24 09:00", "2026-11-24 10:00", "at work"),
        ("2026-11-20 16:00", "2026-11-21 10:00", "the window of Friday closes on Sunday"),
    ],
)
async def test_it_is_not_planned_at_work_or_beyond_the_window(
    duty: Any, asked: str, held: str, why: str
) -> None:
    ticket = await asked_at(duty, asked, held)
    with pytest.raises(Refused, match="请直接发送"):
        await replying.plan(duty.tickets, ticket.id, "jia", "已报修。")
    async with duty.db.session() as session:
        assert (await session.scalars(select(Delivery))).all() == [], why


async def test_nobody_in_danger_waits_for_the_morning(duty: Any) -> None:
    duty.moment = at("2026-11-24 22:40")
    await duty.set_contact(last_inbound_at=duty.moment)
    ticket = await tickets.open_ticket(
        duty.tickets, duty.contact, Question("我不想活了", "emergency")
    )
    await tickets.claim(duty.tickets, ticket.id, "jia")
    with pytest.raises(Refused, match="遇险"):
        await replying.plan(duty.tickets, ticket.id, "jia", "我们马上联系您。")
    assert (await replying.reply(duty.tickets, ticket.id, "jia", "我们马上联系您。")).delivery_id
