"""A question in other hands: passed on, noted, handed to 12345, taken up again."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot.contract import State
from bot.models import Delivery
from config.clock import beijing
from escalations import ladder, notes, passing, replying, tickets
from escalations.commitments import holder_of
from escalations.models import Ticket
from staff.refusal import Refused
from tests.escalations.conftest import at


async def held(duty: Any) -> Ticket:
    ticket: Ticket = await duty.ask()
    return await tickets.claim(duty.tickets, ticket.id, "jia")


async def kinds(duty: Any) -> list[str]:
    return [one.kind for one in await duty.entries()]


async def test_a_colleague_is_called_first_and_then_whoever_is_next(duty: Any) -> None:
    ticket = await held(duty)
    for by, to, words in (
        ("yi", "bing", "其他同事"),
        ("jia", "jia", "另一位"),
        ("jia", "bian", "另一位"),
    ):
        with pytest.raises(Refused, match=words):
            await passing.transfer(duty.tickets, ticket.id, by, to)
    await passing.transfer(duty.tickets, ticket.id, "jia", "bing")
    assert duty.told() == ["jia", "bing"]
    found = await duty.reload(ticket)
    assert (found.state, found.claimed_by) == ("open", None)
    assert holder_of(await duty.ledger.facts(f"ticket:{ticket.id}")) == ""
    with pytest.raises(Refused):
        await replying.reply(duty.tickets, ticket.id, "jia", "已报修。")
    assert await ladder.escalate_due(duty.tickets) == 0
    duty.moment += timedelta(minutes=16)
    assert await ladder.escalate_due(duty.tickets) == 1
    assert duty.told() == ["jia", "bing", "yi"]
    await tickets.claim(duty.tickets, ticket.id, "yi")
    duty.came = {"state": State.PUBLISHED}
    reply = await replying.reply(duty.tickets, ticket.id, "yi", "已报修。")
    assert reply.state == "sent"
    assert "incident.opened" not in await kinds(duty)


async def test_what_was_answered_is_taken_up_again_with_its_own_lateness(duty: Any) -> None:
    ticket = await held(duty)
    duty.came = {"state": State.PUBLISHED}
    await replying.reply(duty.tickets, ticket.id, "jia", "已报修。")
    await tickets.close(duty.tickets, ticket.id, "jia")
    duty.moment = at("2026-11-26 09:00")
    await passing.reopen(duty.tickets, ticket.id, "yi")
    found = await duty.reload(ticket)
    assert (found.state, found.claimed_by) == ("claimed", "yi")
    assert beijing(found.due_at).strftime("%m-%d %H:%M") == "11-26 15:30"
    with pytest.raises(Refused, match="不用重开"):
        await passing.reopen(duty.tickets, ticket.id, "yi")
    assert await ladder.escalate_due(duty.tickets) == 0
    duty.moment = at("2026-11-26 15:31")
    await ladder.escalate_due(duty.tickets)
    assert (await kinds(duty))[-2:] == ["ticket.overdue", "incident.opened"]
    assert (await replying.reply(duty.tickets, ticket.id, "yi", "已修好。")).state == "sent"


async def test_who_asked_to_be_forgotten_is_not_taken_up_again_and_notes_go_with_them(
    duty: Any,
) -> None:
    ticket = await held(duty)
    await notes.add_note(duty.tickets, ticket.id, "yi", "已联系城管。")
    with pytest.raises(Refused, match="个人信息"):
        await notes.add_note(duty.tickets, ticket.id, "yi", "电话 13812345678")
    async with duty.ledger.transaction() as tx:
        await tickets.erase(tx, duty.contact.id)
    async with duty.db.session() as session:
        assert await notes.notes_of(session, [ticket.id]) == []
    with pytest.raises(Refused, match="已删除信息"):
        await passing.reopen(duty.tickets, ticket.id, "jia")


async def test_a_question_that_12345_has_ends_and_its_citizen_is_told(duty: Any) -> None:
    ticket = await held(duty)
    with pytest.raises(Refused, match="工单号"):
        await passing.hand_over(duty.tickets, ticket.id, "jia", " ")
    await passing.hand_over(duty.tickets, ticket.id, "jia", "NM20261124001")
    (parts, key), *_ = duty.sent
    assert (parts.pieces[0].name, key) == ("handed_over", f"handed:{ticket.id}")
    assert (await duty.reload(ticket)).state == "closed"
    assert (await kinds(duty))[-2:] == ["ticket.handed_over", "ticket.closed"]


async def test_a_question_of_somebody_who_left_is_anybodys_to_take(duty: Any) -> None:
    await duty.sworn()
    ticket = await held(duty)
    with pytest.raises(Refused, match="已由 值班jia 认领"):
        await tickets.claim(duty.tickets, ticket.id, "yi")
    await duty.sworn(jia=[])
    found = await tickets.claim(duty.tickets, ticket.id, "yi")
    assert found.claimed_by == "yi"
    assert (await replying.reply(duty.tickets, ticket.id, "yi", "已报修。")).state == "sent"


async def test_each_time_12345_takes_it_over_its_citizen_is_told(duty: Any) -> None:
    ticket = await held(duty)
    for number in ("A1", "A2"):
        await passing.hand_over(duty.tickets, ticket.id, "jia", number)
        await passing.reopen(duty.tickets, ticket.id, "jia")
    async with duty.db.session() as session:
        assert len((await session.scalars(select(Delivery))).all()) == 2
