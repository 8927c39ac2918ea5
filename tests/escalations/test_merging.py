"""Two questions of one citizen taken together, and parted again."""

from datetime import timedelta
from typing import Any

import pytest

from bot.contacts import Contacts
from config.clock import beijing
from escalations import calling_back, ladder, merging, passing, planning, replying, tickets
from escalations.commitments import Commitments
from escalations.kinds import SUGGESTION
from escalations.models import Ticket
from escalations.tickets import Question
from staff.refusal import Refused
from storage.crypt import DataKey
from tests.escalations.conftest import at


async def two(duty: Any, second: Question | None = None) -> tuple[Ticket, Ticket]:
    """One whose planned answer was taken back, and one asked meanwhile: both in work."""
    duty.moment = at("2026-11-23 20:00")
    first = await duty.ask()
    await tickets.claim(duty.tickets, first.id, "jia")
    duty.contact.last_inbound_at = duty.moment
    await duty.set_contact(last_inbound_at=duty.moment)
    planned = await replying.plan(duty.tickets, first.id, "jia", "已报修。")
    duty.moment += timedelta(minutes=5)
    asked = second or Question("井盖旁边的路灯也不亮", "asked_for_person")
    later = await tickets.open_ticket(duty.tickets, duty.contact, asked)
    assert later.id != first.id
    with pytest.raises(Refused, match=r"先收回|各自的时限"):
        await merging.merge(duty.tickets, later.id, "jia", first.id)
    await planning.unplan(duty.tickets, planned.id, "jia")
    return first, later


async def test_two_questions_go_on_as_the_earlier_with_one_answer_for_both(duty: Any) -> None:
    first, later = await two(duty)
    assert await calling_back.keep_number(duty.tickets, later.id, duty.contact, "电话 13812345678")
    for by, words in (("yi", "其他同事"), ("bian", "值班、监督")):
        with pytest.raises(Refused, match=words):
            await merging.merge(duty.tickets, later.id, by, first.id)
    kept = await merging.merge(duty.tickets, later.id, "jia", first.id)
    gone = await duty.reload(later)
    assert (kept.id, gone.state, gone.merged_into, gone.phone) == (first.id, "closed", first.id, "")
    assert await calling_back.read_number(duty.tickets, kept.id, "jia") == "13812345678"
    async with duty.db.session() as session:
        active = await tickets.active(session, duty.contact.id)
        assert active is not None
        assert active.id == first.id
        assert await merging.added_to(session, active) == [later.question]
    # The hour told to the citizen is the signed one, and the ladder neither calls nor rights a row.
    assert await tickets.promised(duty.tickets, kept, duty.contact) == first.due_at
    before = len(await duty.entries())
    await ladder.escalate_due(duty.tickets)
    assert len(await duty.entries()) == before
    reply = await replying.reply(duty.tickets, kept.id, "jia", "井盖和路灯都已报修。")
    parts, _ = duty.sent[-1]
    head = (await Commitments(duty.ledger).words(parts, parts.pieces[0])).splitlines()[0]
    assert (reply.state, head) == (
        "sent", f"【人工答复 {first.id[-6:].upper()}、{later.id[-6:].upper()}】",
    )  # fmt: skip


async def test_the_later_question_due_first_lends_its_hour_to_both(duty: Any) -> None:
    first, later = await two(duty)
    soon = duty.moment + timedelta(minutes=30)
    async with duty.ledger.transaction() as tx:  # as a shorter limit would have signed it
        row = await tx.session.get(Ticket, later.id)
        row.due_at = soon
        body = {"due_at": soon.isoformat(), "acknowledge_by": duty.moment.isoformat()}
        await tickets.note(tx, "ticket.reopened", row, "jia", body)
    kept = await merging.merge(duty.tickets, first.id, "jia", later.id)
    assert kept.due_at == soon
    assert await tickets.promised(duty.tickets, kept, duty.contact) == soon


async def test_reopening_parts_them_and_the_hour_of_before_stands(duty: Any) -> None:
    first, later = await two(duty)
    was = later.due_at
    await merging.merge(duty.tickets, first.id, "jia", later.id)
    duty.moment += timedelta(minutes=10)
    again = await passing.reopen(duty.tickets, later.id, "yi")
    assert (again.state, again.claimed_by, again.merged_into) == ("claimed", "yi", None)
    assert beijing(again.due_at) == beijing(was)
    assert [one.kind for one in await duty.entries()][-3:] == [
        "ticket.parted", "ticket.reopened", "ticket.claimed",
    ]  # fmt: skip
    reply = await replying.reply(duty.tickets, first.id, "jia", "井盖已报修。")
    parts, _ = duty.sent[-1]
    said = await Commitments(duty.ledger).words(parts, parts.pieces[0])
    assert reply.state == "sent"
    assert later.id[-6:].upper() not in said


async def test_who_wants_to_be_forgotten_takes_both_along_for_good(duty: Any) -> None:
    first, later = await two(duty)
    await merging.merge(duty.tickets, first.id, "jia", later.id)
    async with duty.ledger.transaction() as tx:
        await tickets.erase(tx, duty.contact.id)
        await Contacts(DataKey(b"k" * 32)).erase(tx.session, duty.contact.id)
    for one in (later, first):
        row = await duty.reload(one)
        assert (row.state, row.question) == ("closed", "（已按本人要求删除）")
        with pytest.raises(Refused, match="已删除信息"):
            await passing.reopen(duty.tickets, one.id, "jia")


async def test_what_has_a_limit_of_its_own_and_what_is_somebody_elses_stays_apart(
    duty: Any,
) -> None:
    first, later = await two(duty, Question("建议多装路灯", SUGGESTION))
    with pytest.raises(Refused, match="各自的时限"):
        await merging.merge(duty.tickets, first.id, "jia", later.id)
    async with duty.db.session() as session:
        (await session.get(Ticket, later.id)).contact_id = "somebody"
    with pytest.raises(Refused, match="同一个人"):
        await merging.merge(duty.tickets, first.id, "jia", later.id)
    async with duty.db.session() as session:
        for one in (first, later):  # both rows led to somebody else: neither was opened for them
            (await session.get(Ticket, one.id)).reason = "unsure"
            (await session.get(Ticket, one.id)).contact_id = "somebody"
    with pytest.raises(Refused, match="签名记录"):
        await merging.merge(duty.tickets, first.id, "jia", later.id)
    assert "incident.opened" in [one.kind for one in await duty.entries()]
