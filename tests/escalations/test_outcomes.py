"""A ticket is answered when its answer went out, and hears what became of one that did not."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bot.consents import heard
from bot.contract import ReplyBasis, State
from bot.models import Account, Contact
from bot.noticing import Consent, Did
from config.clock import now
from escalations import ladder, replying, tickets
from escalations.announcing import TOLD, announce_due, announced
from escalations.calling_back import keep_number
from escalations.models import TicketReply
from escalations.outcomes import Came, settle_replies
from staff.refusal import Refused

WORDS = "已报修。"


async def answer(duty: Any, **came: str) -> tuple[Any, TicketReply]:
    """A ticket that was answered, and its answer's delivery in this state."""
    ticket = await duty.ask()
    await tickets.claim(duty.tickets, ticket.id, "jia")
    duty.came = came
    return ticket, await replying.reply(duty.tickets, ticket.id, "jia", WORDS)


async def kinds(duty: Any) -> list[str]:
    return [one.kind for one in await duty.entries()]


async def test_an_answer_that_went_out_answers_its_ticket(duty: Any) -> None:
    ticket, reply = await answer(duty, state=State.PUBLISHED)
    found = await duty.reload(ticket)
    assert (reply.state, found.state, found.answered_at) == ("sent", "answered", duty.moment)


async def test_with_the_answer_the_number_for_a_call_back_goes(duty: Any) -> None:
    ticket = await duty.ask()
    assert await keep_number(duty.tickets, ticket.id, duty.contact, "打我电话 13812345678")
    assert (await duty.reload(ticket)).phone
    await tickets.claim(duty.tickets, ticket.id, "jia")
    await replying.reply(duty.tickets, ticket.id, "jia", WORDS)
    found = await duty.reload(ticket)
    assert (found.state, found.phone) == ("answered", "")


@pytest.mark.parametrize("hold", ["window", "account"])
async def test_an_answer_that_waits_leaves_its_ticket_unanswered_until_it_goes_out(
    duty: Any, hold: str
) -> None:
    ticket, reply = await answer(duty, state=State.HELD, hold=hold, why="等对方下次来信")
    assert (reply.state, reply.why) == (Came.HELD, "等对方下次来信")
    found = await duty.reload(ticket)
    assert (found.state, found.answered_at) == ("replied", None)
    with pytest.raises(Refused, match="还没有送达"):
        await replying.reply(duty.tickets, ticket.id, "jia", "再说一遍")
    duty.moment += timedelta(hours=30)
    assert await ladder.escalate_due(duty.tickets) == 0  # nobody is called for what was answered
    duty.came = {"state": State.PUBLISHED, "hold": "", "why": ""}
    await duty.send(reply.delivery_id)
    assert await settle_replies(duty.tickets) == 1
    assert await settle_replies(duty.tickets) == 0
    found = await duty.reload(ticket)
    assert (found.state, found.answered_at) == ("answered", duty.moment)


@pytest.mark.parametrize(
    ("came", "state", "why"),
    [
        ({"state": State.FAILED, "why": "平台拒收（40130）：x"}, Came.FAILED, "40130"),
        ({"state": State.ENDED, "why": "对方没有关注本账号"}, Came.FAILED, "没有关注"),
        ({"state": State.HELD, "hold": "parts", "why": "答复人已不在岗"}, Came.FAILED, "不在岗"),
        ({"state": State.UNKNOWN, "why": "平台没有应答"}, Came.UNKNOWN, "没有应答"),
    ],
)
async def test_an_answer_that_does_not_go_out_gives_its_ticket_back_with_the_reason(
    duty: Any, came: dict[str, str], state: Came, why: str
) -> None:
    ticket, reply = await answer(duty, **came)
    assert reply.state == state
    assert why in reply.why
    found = await duty.reload(ticket)
    assert (found.state, found.claimed_by, found.answered_at) == ("claimed", "jia", None)
    assert (await kinds(duty))[-1] == "ticket.reply_failed"
    assert duty.told()[-1] == "jia"
    duty.came = {"state": State.PUBLISHED}
    again = await replying.reply(duty.tickets, ticket.id, "jia", "已修好。")
    assert (again.state, (await duty.reload(ticket)).state) == ("sent", "answered")


async def test_a_question_given_back_is_late_at_its_hour_as_one_nobody_answered(duty: Any) -> None:
    ticket, _ = await answer(duty, state=State.FAILED, why="平台拒收")
    duty.moment += timedelta(hours=30)
    await ladder.escalate_due(duty.tickets)
    assert "ticket.overdue" in await kinds(duty)
    assert (await duty.reload(ticket)).state == "claimed"


async def test_an_answer_on_its_way_is_neither_sent_nor_failed(duty: Any) -> None:
    ticket, reply = await answer(duty, state=State.RETRYING, why="微信系统繁忙")
    assert (reply.state, reply.why) == (Came.SENDING, "微信系统繁忙")
    assert (await duty.reload(ticket)).state == "replied"


async def test_a_row_written_past_the_program_answers_no_ticket(duty: Any) -> None:
    ticket, reply = await answer(duty, state=State.HELD, hold="window", why="等")
    async with duty.db.session() as session:
        await session.execute(text("UPDATE delivery SET state = 'published', hold = ''"))
    await settle_replies(duty.tickets)
    assert (await duty.reload(ticket)).state == "claimed"
    assert "绕过本系统" in (await duty.reload(reply)).why


async def test_a_state_that_is_none_answers_no_ticket_and_keeps_no_other_from_its_answer(
    duty: Any,
) -> None:
    """Its seal still holds: it says only whether the row has ended."""
    wrong, _ = await answer(duty, state=State.HELD, hold="window", why="等")
    other, sent = await answer(duty, state=State.HELD, hold="window", why="等")
    forged = "UPDATE delivery SET state = 'x' WHERE id <> :id"
    async with duty.db.session() as session:
        await session.execute(text(forged), {"id": sent.delivery_id})
    duty.came = {"state": State.PUBLISHED, "hold": "", "why": ""}
    await duty.send(sent.delivery_id)
    assert await settle_replies(duty.tickets) == 2
    assert (await duty.reload(wrong)).state == "claimed"
    assert (await duty.reload(other)).state == "answered"


async def test_a_question_closed_while_its_answer_waits_has_it_sent_no_more(duty: Any) -> None:
    ticket, reply = await answer(duty, state=State.HELD, hold="window", why="等")
    with pytest.raises(Refused):
        await tickets.close(duty.tickets, ticket.id, "yi")
    await tickets.close(duty.tickets, ticket.id, "jia")
    await settle_replies(duty.tickets)
    assert (await duty.reload(reply)).state == Came.FAILED
    assert (await duty.reload(ticket)).state == "closed"
    async with duty.db.session() as session:
        assert (await session.scalars(text("SELECT state FROM delivery"))).all() == ["ended"]


async def test_a_press_opens_a_minute_and_the_ticket_says_how_long_and_how_many(duty: Any) -> None:
    ticket = await duty.ask()
    await duty.set_contact(
        last_inbound_at=None, brief_at=duty.moment - timedelta(seconds=20), brief_used=1
    )

    async def way() -> Any:
        async with duty.db.session() as session:
            return await replying.way(duty.tickets, session, ticket)

    assert (await way()).words.startswith("平台只允许在 40 秒内答复，还可发送 2 条")
    duty.moment += timedelta(seconds=40)
    closed = await way()
    assert (closed.open, "下次来信" in closed.words) == (False, True)


async def test_who_agreed_is_told_once_that_an_answer_waits_and_nobody_else_is(duty: Any) -> None:
    page = "https://qinghe.example.gov.cn/agree"
    notice = {"template": "TA", "long_term": False, "fields": {"thing1": "title"}, "answers": page}
    ticket, reply = await answer(duty, state=State.HELD, hold="window", why="等对方下次来信")
    assert await announce_due(duty.tickets) == 0
    async with duty.db.session() as session:
        account = await session.get(Account, "wx")
        contact = await session.get(Contact, duty.contact.id)
        contact.last_inbound_at = duty.moment - timedelta(days=3)
        account.settings = {"kind": "service", "notices": [notice]}
        await heard(session, contact, [Consent("TA", Did.ACCEPTED, "asked:1")], now())
        way = await replying.way(duty.tickets, session, ticket)
        assert ("电话联系" in way.words, "同意过一次答复通知" in way.words) == (True, True)
    duty.came = {"state": State.PUBLISHED}
    assert (await announce_due(duty.tickets), await announce_due(duty.tickets)) == (1, 0)
    parts, _ = duty.sent[-1]
    assert (parts.basis, parts.pieces[0].name) == (ReplyBasis.WAITS, "answer_waits")
    assert (await kinds(duty)).count(TOLD) == 1
    async with duty.db.session() as session:
        [(_, came)] = await announced(session, [reply])
    assert came is Came.SENT
    assert (await duty.reload(ticket)).state == "replied"
