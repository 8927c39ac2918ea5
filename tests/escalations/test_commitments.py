"""What a person answered reaches exactly whom they answered, in their words, while they serve."""

import pytest
from sqlalchemy import text

from bot.contacts import Contacts
from bot.contract import ReplyBasis, State
from bot.models import Contact
from bot.replies import Parts, Unsayable, Written
from config.clock import now
from escalations import replying, tickets
from escalations.commitments import Commitments, same_citizen
from escalations.tickets import Question
from staff.refusal import Refused
from storage.crypt import DataKey
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


async def incidents(duty) -> list[tuple[str, str]]:
    async with duty.db.session() as session:
        found = await session.execute(text("SELECT kind, subject FROM incident ORDER BY subject"))
        return [(kind, subject) for kind, subject in found]


async def another(duty) -> Contact:
    async with duty.db.session() as session:
        contacts = Contacts(DataKey(b"k" * 32))
        return await contacts.upsert(session, "wx", "openid-of-wang", duty.moment)


async def exchange(duty, one: Contact, other: Contact) -> None:
    """Each citizen is given the reference of the other, as one may who writes to the database."""
    refs = {one.id: other.subject_ref, other.id: one.subject_ref}
    for contact_id in refs:
        await sql(duty, "UPDATE contact SET subject_ref = id WHERE id = :id", id=contact_id)
    for contact_id, ref in refs.items():
        statement = "UPDATE contact SET subject_ref = :ref WHERE id = :id"
        await sql(duty, statement, id=contact_id, ref=ref)


async def test_two_citizens_whose_references_were_exchanged_get_no_answer_of_each_other(
    duty,
) -> None:
    ticket, other = await duty.ask(), await another(duty)
    await tickets.claim(duty.tickets, ticket.id, "jia")
    await exchange(duty, duty.contact, other)
    await sql(duty, "UPDATE ticket SET contact_id = :id", id=other.id)
    with pytest.raises(Refused):
        await replying.reply(duty.tickets, ticket.id, "jia", "李先生，您的补贴已批准。")
    assert duty.sent == []
    assert await incidents(duty) == [("row_changed", f"contact:{other.id}")]


async def test_a_ticket_led_to_another_citizen_is_not_answered(duty) -> None:
    ticket, other = await duty.ask(), await another(duty)
    await tickets.claim(duty.tickets, ticket.id, "jia")
    await sql(duty, "UPDATE ticket SET contact_id = :id", id=other.id)
    with pytest.raises(Refused):
        await replying.reply(duty.tickets, ticket.id, "jia", "李先生，您的补贴已批准。")
    assert duty.sent == []
    assert await incidents(duty) == [("row_changed", f"ticket:{ticket.id}")]


async def test_no_ticket_is_signed_for_the_citizen_whose_reference_was_exchanged(duty) -> None:
    other = await another(duty)
    await exchange(duty, duty.contact, other)
    async with duty.db.session() as session:
        asking = await session.get_one(Contact, duty.contact.id)
    with pytest.raises(Refused):
        await tickets.open_ticket(duty.tickets, asking, Question("怎么领", "asked_for_person"))
    assert "ticket.opened" not in {one.kind for one in await duty.entries()}
    assert await incidents(duty) == [("row_changed", f"contact:{asking.id}")]


async def test_a_reference_is_no_citizens_without_the_row_it_was_signed_with(duty) -> None:
    ticket, other = await duty.ask(), await another(duty)
    entries = await duty.ledger.facts(f"ticket:{ticket.id}")
    ref = duty.contact.subject_ref
    async with duty.db.session() as session:
        mine = await session.get_one(Contact, duty.contact.id)
        assert same_citizen(entries, mine)
        mine.subject_ref = new_id()
        await session.flush()
        theirs = await session.get_one(Contact, other.id)
        theirs.subject_ref = ref
        await session.flush()
        assert theirs.whole  # as after a seal that was made for the wrong row
        assert not same_citizen(entries, theirs)


async def test_an_answer_on_its_way_is_not_led_to_whoever_was_given_the_reference(duty) -> None:
    parts, other = await answered(duty), await another(duty)
    await exchange(duty, duty.contact, other)
    await sql(duty, "UPDATE ticket SET contact_id = :id", id=other.id)
    with pytest.raises(Unsayable, match="写给这个人"):
        await words(duty, Parts("wx", other.id, ReplyBasis.STAFF, parts.pieces))


async def stopped(duty) -> tuple[str, str]:
    """A ticket and a reply of jia's to it that waits for a second person."""
    await duty.sworn()
    ticket = await duty.ask()
    await tickets.claim(duty.tickets, ticket.id, "jia")
    return ticket.id, (await replying.reply(duty.tickets, ticket.id, "jia", STOPPED)).id


@pytest.mark.parametrize(
    ("attack", "named"),
    [
        (("ticket_reply SET staff_id", "ticket SET claimed_by"), "ticket"),
        (("ticket_reply SET staff_id",), "reply"),
        (("ticket SET claimed_by",), "ticket"),
    ],
)
async def test_a_writer_written_out_of_the_rows_is_not_their_own_second_person(
    duty, attack: tuple[str, ...], named: str
) -> None:
    ticket, reply = await stopped(duty)
    for what in attack:
        await sql(duty, f"UPDATE {what} = 'bing'")
    for person in ("jia", "zhang"):  # and nobody else signs that bing wrote it
        with pytest.raises(Refused) as refused:
            await replying.approve_reply(duty.tickets, reply, person)
        assert refused.value.status == 409
    assert duty.sent == []
    subject = f"ticket:{ticket}" if named == "ticket" else f"ticket_reply:{reply}"
    assert await incidents(duty) == [("row_changed", subject)]


async def test_the_writer_of_a_stopped_reply_does_not_let_it_go(duty) -> None:
    _, reply = await stopped(duty)
    with pytest.raises(Refused) as refused:
        await replying.approve_reply(duty.tickets, reply, "jia")
    assert refused.value.status == 403
    assert duty.sent == []
    assert await incidents(duty) == []


async def test_who_is_written_into_a_ticket_as_its_holder_neither_answers_nor_closes_it(
    duty,
) -> None:
    ticket = await duty.ask()
    await sql(duty, "UPDATE ticket SET state = 'claimed', claimed_by = 'bing'")
    with pytest.raises(Refused):
        await replying.reply(duty.tickets, ticket.id, "bing", "已报修。")
    with pytest.raises(Refused):
        await tickets.close(duty.tickets, ticket.id, "bing")
    assert duty.sent == []
    assert await incidents(duty) == [("row_changed", f"ticket:{ticket.id}")]


async def test_a_ticket_of_an_earlier_version_is_its_citizens_by_their_reference(duty) -> None:
    ticket = await duty.ask()
    (opened, *_) = await duty.ledger.facts(f"ticket:{ticket.id}")
    before = {name: said for name, said in opened.body.items() if name != "asker"}
    assert len(before) < len(opened.body)
    async with duty.ledger.transaction() as tx:
        await tx.append("ticket.opened", subject="ticket:before", actor="system", body=before)
    entries = await duty.ledger.facts("ticket:before")
    assert same_citizen(entries, duty.contact)
    assert not same_citizen(entries, await another(duty))
