"""What a person answered reaches exactly whom they answered, in their words, while they serve."""

import pytest
from sqlalchemy import text

from bot.contract import ReplyBasis, State
from bot.models import Contact
from bot.replies import Parts, Unsayable, Written
from config.clock import now
from escalations import replying, tickets
from escalations.commitments import Commitments
from staff.refusal import Refused
from storage.database import new_id

STOPPED = "请联系李四 13812345678"


async def answered(duty) -> Parts:
    await duty.sworn()
    ticket = await duty.ask()
    await tickets.claim(duty.tickets, ticket.id, "jia")
    await replying.reply(duty.tickets, ticket.id, "jia", "已报修。")
    return duty.sent[-1][0]


async def let_go(duty) -> Parts:
    await duty.sworn()
    ticket = await duty.ask()
    await tickets.claim(duty.tickets, ticket.id, "jia")
    reply = await replying.reply(duty.tickets, ticket.id, "jia", STOPPED)
    await replying.approve_reply(duty.tickets, reply.id, "zhang")
    return duty.sent[-1][0]


async def words(duty, parts: Parts) -> str:
    (piece,) = parts.pieces
    assert isinstance(piece, Written)
    return await Commitments(duty.ledger).words(parts, piece)


async def sql(duty, statement: str, **values: str) -> None:
    async with duty.db.session() as session:
        await session.execute(text(statement), values)


async def test_what_was_signed_is_said(duty) -> None:
    assert (await words(duty, await answered(duty))).endswith("\n已报修。")
    assert (await words(duty, await let_go(duty))).endswith(f"\n{STOPPED}")


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE ticket_reply SET text = '请加微信'",
        'UPDATE ticket_reply SET findings = \'[{"severity": "note"}]\'',
        "UPDATE ticket_reply SET salt = 'x'",
        "UPDATE ticket SET account_id = 'another'",
        "UPDATE contact SET subject_ref = 'another'",
        "DELETE FROM ticket_reply",
    ],
)
async def test_what_was_changed_after_it_was_signed_is_not_said(duty, attack: str) -> None:
    parts = await answered(duty)
    await sql(duty, attack)
    with pytest.raises(Unsayable):
        await words(duty, parts)


async def test_an_answer_for_one_citizen_is_not_said_to_another(duty) -> None:
    parts = await answered(duty)
    async with duty.db.session() as session:
        other = Contact(
            id=new_id(), account_id="wx", subject_ref=new_id(), address="", address_hash="o",
            state="active", ended_reason="", created_at=now(), window_used=0,
        )  # fmt: skip
        session.add(other)
    elsewhere = Parts("wx", other.id, ReplyBasis.STAFF, parts.pieces)
    with pytest.raises(Unsayable):
        await words(duty, elsewhere)
    await sql(duty, "UPDATE ticket SET contact_id = :other", other=other.id)
    with pytest.raises(Unsayable):
        await words(duty, elsewhere)


async def test_an_answer_is_not_written_for_a_ticket_handed_to_another_citizen(duty) -> None:
    ticket = await duty.ask()
    await tickets.claim(duty.tickets, ticket.id, "jia")
    await sql(duty, "UPDATE contact SET subject_ref = 'another'")
    with pytest.raises(Refused):
        await replying.reply(duty.tickets, ticket.id, "jia", "已报修。")
    assert duty.sent == []


@pytest.mark.parametrize("gone", ["jia", "zhang"])
async def test_an_answer_whose_writer_or_second_person_left_is_not_said(duty, gone: str) -> None:
    parts = await let_go(duty)
    await duty.sworn(**{gone: []})
    with pytest.raises(Unsayable, match="不在岗"):
        await words(duty, parts)


async def test_a_role_written_into_the_table_gives_no_word(duty) -> None:
    parts = await answered(duty)
    await duty.sworn(jia=["editor"])
    await sql(duty, "UPDATE staff SET roles = '[\"duty\"]'")
    with pytest.raises(Unsayable, match="不在岗"):
        await words(duty, parts)


async def test_a_stopped_answer_changed_before_its_second_person_looked_is_not_let_go(duty) -> None:
    ticket = await duty.ask()
    await tickets.claim(duty.tickets, ticket.id, "jia")
    reply = await replying.reply(duty.tickets, ticket.id, "jia", STOPPED)
    await sql(duty, "UPDATE ticket_reply SET text = '请加微信'")
    with pytest.raises(Refused) as refused:
        await replying.approve_reply(duty.tickets, reply.id, "zhang")
    assert refused.value.status == 409
    assert duty.sent == []
    async with duty.db.session() as session:
        found = (await session.scalars(text("SELECT subject FROM incident"))).all()
    assert found == [f"ticket_reply:{reply.id}"]


@pytest.mark.parametrize("result", [State.PUBLISHED, State.UNKNOWN])
async def test_an_answer_that_was_sent_is_said_by_no_later_process(duty, result: State) -> None:
    parts = await answered(duty)
    await Commitments(duty.ledger).sent(parts, result)
    with pytest.raises(Unsayable, match="已经发出"):
        await words(duty, parts)
    other = await let_go(duty)
    assert (await words(duty, other)).endswith(f"\n{STOPPED}")
