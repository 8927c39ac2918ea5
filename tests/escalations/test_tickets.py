"""Tickets: who is told when, who may answer, what reaches the citizen, what the ledger keeps."""

import asyncio
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from bot.contract import ReplyBasis
from config.clock import BEIJING, beijing
from escalations import ladder, replying, tickets
from escalations.commitments import Commitments
from escalations.models import Ticket
from ledger.models import Incident
from staff.refusal import Refused


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


async def test_a_question_on_friday_evening_is_due_on_the_make_up_saturday(duty) -> None:
    duty.moment = at("2026-02-13 17:50")
    ticket = await duty.ask()
    assert beijing(ticket.due_at).strftime("%m-%d %H:%M") == "02-14 14:50"
    assert duty.told() == ["jia"]


async def test_the_topics_person_is_told_first_then_the_next_then_tiers_then_supervisors(duty):
    ticket = await duty.ask()
    assert duty.told() == ["jia"]
    assert await ladder.escalate_due(duty.tickets) == 0
    for expected in (["jia", "yi"], ["jia", "yi", "bing"], ["jia", "yi", "bing", "zhang"]):
        duty.moment += timedelta(minutes=16)
        assert await ladder.escalate_due(duty.tickets) == 1
        assert duty.told() == expected
    duty.moment += timedelta(minutes=16)
    assert await ladder.escalate_due(duty.tickets) == 0
    async with duty.db.session() as session:
        incident = (await session.scalars(select(Incident))).one()
    assert (incident.kind, incident.subject) == ("ticket.unclaimed", f"ticket:{ticket.id}")
    assert [entry.kind for entry in await duty.entries()] == [
        "ticket.opened",
        *["ticket.escalated"] * 4,
        "incident.opened",
    ]


async def test_a_ticket_written_into_the_table_alarms_nobody(duty) -> None:
    ticket = await duty.ask()
    async with duty.db.session() as session:
        await session.execute(update(Ticket).values(id="forged-qq1234", notified=[]))
    duty.moment += timedelta(minutes=16)
    await ladder.escalate_due(duty.tickets)
    assert duty.told() == ["jia", "yi"]  # both for the question that was asked
    assert await duty.ledger.facts("ticket:forged-qq1234") == []
    async with duty.db.session() as session:
        told = (await session.scalars(select(Incident))).all()
    assert {(one.kind, one.subject) for one in told} == {
        ("row_changed", f"ticket:{one}") for one in ("forged-qq1234", ticket.id)
    }


async def test_two_jobs_at_once_tell_one_person(duty) -> None:
    await duty.ask()
    duty.moment += timedelta(minutes=16)
    await asyncio.gather(ladder.escalate_due(duty.tickets), ladder.escalate_due(duty.tickets))
    assert duty.told() == ["jia", "yi"]


async def test_nobody_is_woken_at_night_and_the_first_is_told_in_the_morning(duty) -> None:
    duty.moment = at("2026-11-24 23:00")
    await duty.ask()
    duty.moment = at("2026-11-25 03:00")
    assert (await ladder.escalate_due(duty.tickets), duty.told()) == (0, [])
    duty.moment = at("2026-11-25 08:31")
    assert (await ladder.escalate_due(duty.tickets), duty.told()) == (1, ["jia"])


async def test_alarms_and_ledger_hold_no_word_of_the_citizen(duty) -> None:
    ticket = await duty.ask()
    await tickets.claim(duty.tickets, ticket.id, "jia")
    await replying.reply(duty.tickets, ticket.id, "jia", "已报修，三天内修好。")
    kept = "".join(entry.preimage for entry in await duty.entries()) + str(duty.alarms)
    for word in ("井盖", "openid", "报修", duty.contact.id, duty.contact.address):
        assert word not in kept
    assert duty.contact.subject_ref in kept


async def test_only_one_of_two_claims_at_once_succeeds(duty) -> None:
    ticket = await duty.ask()
    results = await asyncio.gather(
        tickets.claim(duty.tickets, ticket.id, "jia"),
        tickets.claim(duty.tickets, ticket.id, "yi"),
        return_exceptions=True,
    )
    refused = [result for result in results if isinstance(result, Refused)]
    assert len(refused) == 1
    assert refused[0].status == 409
    assert "认领" in str(refused[0].reasons[0].message)
    duty.moment += timedelta(hours=1)
    assert await ladder.escalate_due(duty.tickets) == 0


async def test_a_second_question_joins_the_open_ticket(duty) -> None:
    first, second = await duty.ask(), await duty.ask()
    assert first.id == second.id
    await tickets.add_message(duty.tickets, first.id, "还有路灯")
    async with duty.db.session() as session:
        (message,) = await tickets.messages(session, first.id)
    assert message.text == "还有路灯"


@pytest.mark.parametrize(("who", "status"), [("bian", 403), ("nobody", 403)])
async def test_only_duty_people_claim(duty, who, status) -> None:
    ticket = await duty.ask()
    with pytest.raises(Refused) as refused:
        await tickets.claim(duty.tickets, ticket.id, who)
    assert refused.value.status == status


async def test_a_reply_needs_the_claim_and_goes_to_the_citizen_once(duty) -> None:
    ticket = await duty.ask()
    for wrong, status in (("jia", 409), ("yi", 409)):
        with pytest.raises(Refused) as refused:
            await replying.reply(duty.tickets, ticket.id, wrong, "已报修。")
        assert refused.value.status == status
    await tickets.claim(duty.tickets, ticket.id, "jia")
    with pytest.raises(Refused):
        await replying.reply(duty.tickets, ticket.id, "yi", "已报修。")
    for empty in ("  ", "长" * 601):
        with pytest.raises(Refused) as refused:
            await replying.reply(duty.tickets, ticket.id, "jia", empty)
        assert refused.value.status == 422
    reply = await replying.reply(duty.tickets, ticket.id, "jia", " 已报修。 ")
    ((message, key),) = duty.sent
    await duty.sworn()
    words = Commitments(duty.ledger).words
    assert (await words(message, message.pieces[0])).endswith("\n已报修。")
    assert (message.basis, message.contact_id) == (ReplyBasis.STAFF, duty.contact.id)
    assert key == f"ticket:{ticket.id}:{reply.id}"
    assert (await duty.reload(ticket)).state == "answered"
    with pytest.raises(Refused):
        await replying.reply(duty.tickets, ticket.id, "jia", "再说一遍")
    assert len(duty.sent) == 1


async def test_a_reply_with_a_phone_number_is_stopped_until_a_second_person_agrees(duty) -> None:
    ticket = await duty.ask()
    await tickets.claim(duty.tickets, ticket.id, "jia")
    reply = await replying.reply(duty.tickets, ticket.id, "jia", "请联系李四 13812345678")
    assert (reply.state, duty.sent) == ("stopped", [])
    for who in ("jia", "bian"):
        with pytest.raises(Refused) as refused:
            await replying.approve_reply(duty.tickets, reply.id, who)
        assert refused.value.status == 403
    approved = await replying.approve_reply(duty.tickets, reply.id, "zhang")
    assert (approved.state, approved.second_id, len(duty.sent)) == ("sent", "zhang", 1)
    with pytest.raises(Refused):
        await replying.approve_reply(duty.tickets, reply.id, "zhang")
    kinds = [entry.kind for entry in await duty.entries()]
    assert kinds[-2:] == ["ticket.reply_stopped", "ticket.answered"]


async def test_a_stopped_reply_can_be_rewritten_clean(duty) -> None:
    ticket = await duty.ask()
    await tickets.claim(duty.tickets, ticket.id, "jia")
    stopped = await replying.reply(duty.tickets, ticket.id, "jia", "请联系李四 13812345678")
    await replying.reply(duty.tickets, ticket.id, "jia", "请联系住建局。")
    assert len(duty.sent) == 1
    with pytest.raises(Refused):  # the stopped one cannot follow afterwards
        await replying.approve_reply(duty.tickets, stopped.id, "zhang")


async def test_the_route_counts_down_and_names_another_way_when_closed(duty) -> None:
    ticket = await duty.ask()

    async def route():
        async with duty.db.session() as session:
            return await replying.way(duty.tickets, session, ticket)

    assert (await route()).words == "请在 11月26日（周四）09:00 前答复，还可发送 5 条"
    await duty.set_contact(window_used=5)
    assert not (await route()).open
    await duty.set_contact(window_used=0)
    duty.moment += timedelta(hours=49)
    closed = await route()
    assert (closed.open, "下次来信" in closed.words, "12345" in closed.words) == (False, True, True)
    await duty.set_contact(state="ended")
    assert "无法在此答复" in (await route()).words


async def test_an_overdue_answer_reaches_the_supervisor_once(duty) -> None:
    ticket = await duty.ask()
    await tickets.claim(duty.tickets, ticket.id, "jia")
    duty.moment = at("2026-11-24 15:31")
    for _ in range(2):
        await ladder.escalate_due(duty.tickets)
    assert duty.told() == ["jia", "zhang"]
    async with duty.db.session() as session:
        incident = (await session.scalars(select(Incident))).one()
    assert (incident.kind, incident.subject) == ("ticket.overdue", f"ticket:{ticket.id}")


async def test_a_good_answer_becomes_a_draft_question_and_answer(duty) -> None:
    ticket = await duty.ask()
    drafts = []

    async def create_item(content, origin):
        drafts.append((content, origin))
        return SimpleNamespace(id="item1")

    await tickets.claim(duty.tickets, ticket.id, "jia")
    with pytest.raises(Refused):
        await replying.promote(duty.tickets, ticket.id, "jia", create_item)
    await replying.reply(duty.tickets, ticket.id, "jia", "已报修。")
    assert await replying.promote(duty.tickets, ticket.id, "jia", create_item) == "item1"
    ((content, origin),) = drafts
    assert (content.kind, content.title, content.body) == ("问答", "井盖坏了谁来修", "已报修。")
    assert (origin.editor_id, origin.entry) == ("jia", ticket.id)


async def test_closing_needs_an_answer_or_the_holder(duty) -> None:
    ticket = await duty.ask()
    with pytest.raises(Refused):
        await tickets.close(duty.tickets, ticket.id, "jia")
    await tickets.claim(duty.tickets, ticket.id, "jia")
    assert (await tickets.close(duty.tickets, ticket.id, "jia")).state == "closed"
    with pytest.raises(Refused):
        await tickets.close(duty.tickets, ticket.id, "jia")
    again = await duty.ask()
    assert again.id != ticket.id
