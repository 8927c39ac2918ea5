"""Who is called for a question, and that it is late, follows from signed entries alone."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, select, text, update

from bot.contacts import Contacts
from config.clock import BEIJING
from escalations import ladder, replying, tickets
from escalations.calendar import OfficeHours
from escalations.lateness import Waiting, waiting_at
from escalations.models import Ticket
from escalations.righting import strays
from escalations.tickets import Question
from ledger.models import Incident
from ledger.verify import Entry
from storage.crypt import DataKey


def at(said: str) -> datetime:
    return datetime.fromisoformat(said).replace(tzinfo=BEIJING)


LONG_AGO, FAR = at("2026-11-01 09:00"), at("2027-11-01 09:00")


async def written(duty, ticket: Ticket, **values) -> None:
    """Somebody writes to the ticket's row past this program."""
    async with duty.db.session() as session:
        await session.execute(update(Ticket).where(Ticket.id == ticket.id).values(**values))


async def incidents(duty) -> list[tuple[str, str]]:
    async with duty.db.session() as session:
        rows = (await session.scalars(select(Incident).order_by(Incident.id))).all()
    return [(row.kind, row.subject) for row in rows]


async def kinds(duty) -> list[str]:
    """What was signed, but for the incident that tells of a changed row."""
    return [one.kind for one in await duty.entries() if one.kind != "incident.opened"]


async def test_the_entries_say_until_when_each_person_has_time(duty) -> None:
    ticket = await duty.ask()
    opened, called = await duty.ledger.facts(f"ticket:{ticket.id}")
    assert datetime.fromisoformat(opened.body["acknowledge_by"]) == at("2026-11-24 09:00")
    assert datetime.fromisoformat(called.body["acknowledge_by"]) == at("2026-11-24 09:15")
    assert (called.body["to"], called.body["step"]) == ("jia", 1)


@pytest.mark.parametrize(
    "values",
    [
        {"acknowledge_by": LONG_AGO},
        {"notified": []},
        {"notified": [{"staff": one, "at": "x", "tier": 0} for one in ("jia", "yi", "bing")]},
        {"notified": ["?"]},
    ],
    ids=["brought forward", "nobody told", "all told", "garbage"],
)
async def test_a_row_calls_nobody_before_their_time_and_nobody_twice(duty, values) -> None:
    ticket = await duty.ask()
    await written(duty, ticket, **values)
    duty.moment += timedelta(minutes=10)
    for _ in range(2):
        assert await ladder.escalate_due(duty.tickets) == 0
    assert duty.told() == ["jia"]
    assert await incidents(duty) == [("row_changed", f"ticket:{ticket.id}")]
    row = await duty.reload(ticket)
    assert [one["staff"] for one in row.notified] == ["jia"]
    assert row.acknowledge_by == at("2026-11-24 09:15")
    duty.moment += timedelta(minutes=6)
    assert await ladder.escalate_due(duty.tickets) == 1
    assert duty.told() == ["jia", "yi"]


async def test_a_call_put_off_by_the_row_is_made_all_the_same(duty) -> None:
    ticket = await duty.ask()
    await written(duty, ticket, acknowledge_by=FAR)
    duty.moment += timedelta(minutes=16)
    assert await ladder.escalate_due(duty.tickets) == 1
    assert duty.told() == ["jia", "yi"]


async def test_a_claimed_question_set_open_again_calls_nobody(duty) -> None:
    ticket = await duty.ask()
    await tickets.claim(duty.tickets, ticket.id, "jia")
    await written(duty, ticket, state="open", acknowledge_by=LONG_AGO)
    duty.moment += timedelta(minutes=16)
    for _ in range(2):
        assert await ladder.escalate_due(duty.tickets) == 0
    assert duty.told() == ["jia"]
    assert await kinds(duty) == ["ticket.opened", "ticket.escalated", "ticket.claimed"]
    assert await incidents(duty) == [("row_changed", f"ticket:{ticket.id}")]


@pytest.mark.parametrize("due", [LONG_AGO, FAR])
async def test_an_answer_is_late_by_its_signed_time_whatever_the_row_says(duty, due) -> None:
    ticket = await duty.ask()
    await tickets.claim(duty.tickets, ticket.id, "jia")
    await written(duty, ticket, due_at=due)
    duty.moment += timedelta(minutes=16)
    for _ in range(2):
        await ladder.escalate_due(duty.tickets)
    assert duty.told() == ["jia"]
    assert "ticket.overdue" not in await kinds(duty)
    assert await incidents(duty) == [("row_changed", f"ticket:{ticket.id}")]
    assert (await duty.reload(ticket)).due_at == ticket.due_at
    duty.moment = at("2026-11-24 15:31")
    for _ in range(2):
        await ladder.escalate_due(duty.tickets)
    assert (duty.told(), (await kinds(duty)).count("ticket.overdue")) == (["jia", "zhang"], 1)


async def test_a_mark_in_the_row_neither_silences_nor_repeats_a_late_answer(duty) -> None:
    ticket = await duty.ask()
    await tickets.claim(duty.tickets, ticket.id, "jia")
    mark = {"staff": "", "at": "x", "tier": 0, "overdue": True}
    await written(duty, ticket, notified=[*(await duty.reload(ticket)).notified, mark])
    duty.moment = at("2026-11-24 15:31")
    await ladder.escalate_due(duty.tickets)
    await written(duty, ticket, notified=[])
    await ladder.escalate_due(duty.tickets)
    assert (duty.told(), (await kinds(duty)).count("ticket.overdue")) == (["jia", "zhang"], 1)


async def test_an_answered_or_erased_question_set_open_again_is_not_late(duty) -> None:
    answered = await duty.ask()
    await tickets.claim(duty.tickets, answered.id, "jia")
    await replying.reply(duty.tickets, answered.id, "jia", "已报修。")
    erased = await duty.ask()
    async with duty.ledger.transaction() as tx:
        await tickets.erase(tx, duty.contact.id)
    alarms = duty.told()
    for one in (answered, erased):
        await written(duty, one, state="open")
    duty.moment = at("2026-11-24 15:31")
    for _ in range(2):
        assert await ladder.escalate_due(duty.tickets) == 0
    assert duty.told() == alarms
    assert not {"ticket.overdue"} & set(await kinds(duty))
    assert set(await incidents(duty)) == {
        ("row_changed", f"ticket:{one.id}") for one in (answered, erased)
    }


async def test_a_question_nobody_asked_stops_no_other(duty) -> None:
    ticket = await duty.ask()
    async with duty.db.session() as session:
        session.add(
            Ticket(
                id="0", account_id="wx", contact_id="x", question="?", reason="unsure",
                candidates=[], state="claimed", notified=[], acknowledge_by=LONG_AGO,
                due_at=LONG_AGO, created_at=LONG_AGO,
            )
        )  # fmt: skip
    duty.moment += timedelta(minutes=16)
    assert await ladder.escalate_due(duty.tickets) == 1
    assert duty.told() == ["jia", "yi"]
    assert await duty.ledger.facts("ticket:0") == []
    assert await incidents(duty) == [("row_changed", "ticket:0")]
    assert (await duty.reload(ticket)).state == "open"


def test_what_an_earlier_version_signed_is_late_by_its_moment_and_the_office_hours(duty) -> None:
    hours: OfficeHours = duty.tickets.hours

    def entry(kind: str, when: str, **body: object) -> Entry:
        moment = at(when).isoformat()
        return Entry(1, kind, "ticket:x", "system", moment, body, "", "", "s")

    opened = entry("ticket.opened", "2026-11-24 12:30")
    waits = waiting_at([opened], hours)
    assert waits is not None
    assert (waits.call_at, waits.due) == (
        hours.next_working(at("2026-11-24 12:30")),
        hours.due_at(at("2026-11-24 12:30"), hours.answer_minutes),
    )
    called = entry("ticket.escalated", "2026-11-24 16:00", to="jia", tier=0)
    waits = waiting_at([opened, called], hours)
    assert waits is not None
    assert waits.call_at == at("2026-11-24 16:15")


# --- lateness that somebody hides -------------------------------------------------------------

HIDDEN = {
    "closed": "UPDATE ticket SET state = 'closed'",
    "answered": "UPDATE ticket SET state = 'answered', answered_at = created_at",
    "of no known state": "UPDATE ticket SET state = 'x'",
    "claimed by nobody": "UPDATE ticket SET state = 'claimed'",
    "claimed for somebody": "UPDATE ticket SET state = 'claimed', claimed_by = 'bing'",
    "deleted": "DELETE FROM ticket",
    "another": "UPDATE ticket SET id = 'another'",
    "no moment": "UPDATE ticket SET due_at = 'x'",
    "a number for a moment": "UPDATE ticket SET due_at = 5",
    "bytes for a moment": "UPDATE ticket SET acknowledge_by = x'ff'",
    "no json": "UPDATE ticket SET notified = '{'",
    "json without end": f"UPDATE ticket SET notified = '{'[' * 200_000}'",
    "bytes for its state": "UPDATE ticket SET state = x'ff'",
    "broken text": "UPDATE ticket SET question = CAST(x'ff' AS TEXT)",
}


@pytest.mark.parametrize("how", HIDDEN)
async def test_a_row_that_is_gone_closed_or_unreadable_keeps_no_lateness_quiet(duty, how) -> None:
    first = await duty.ask()
    async with duty.db.session() as session:
        await session.execute(text(HIDDEN[how]))
        other = await Contacts(DataKey(b"k" * 32)).upsert(session, "wx", "openid-2", duty.moment)
    question = Question("另一个问题", "unsure", "employment")
    second = await tickets.open_ticket(duty.tickets, other, question)
    for _ in range(3):
        await ladder.escalate_due(duty.tickets)
    assert duty.told() == ["jia", "jia"]  # one call for each question, none because of the row
    duty.moment = at("2026-11-26 15:31")
    for _ in range(3):
        await ladder.escalate_due(duty.tickets)
    assert duty.told().count("zhang") == 2  # the supervisor, of both
    for one in (first, second):
        signed = [entry.kind for entry in await duty.ledger.facts(f"ticket:{one.id}")]
        assert signed.count("ticket.overdue") == 1
        assert "ticket.claimed" not in signed
        row = await duty.reload(one)
        assert (row.state, row.claimed_by) == ("open", None)
    assert ("row_changed", f"ticket:{first.id}") in await incidents(duty)
    assert ("row_changed", f"ticket:{second.id}") not in await incidents(duty)


async def test_a_deleted_question_can_be_claimed_and_answered_again(duty) -> None:
    ticket = await duty.ask()
    async with duty.db.session() as session:
        await session.execute(delete(Ticket))
    await ladder.escalate_due(duty.tickets)
    row = await duty.reload(ticket)
    assert "从数据库中删去" in row.question
    assert row.contact_id == duty.contact.id
    await tickets.claim(duty.tickets, ticket.id, "jia")
    await replying.reply(duty.tickets, ticket.id, "jia", "请您再说一次。")
    assert [parts.contact_id for parts, _ in duty.sent] == [duty.contact.id]


async def test_who_holds_a_question_is_who_claimed_it_under_signature(duty) -> None:
    ticket = await duty.ask()
    await tickets.claim(duty.tickets, ticket.id, "jia")
    await written(duty, ticket, state="open", claimed_by="bing")
    duty.moment += timedelta(minutes=20)
    await ladder.escalate_due(duty.tickets)
    row = await duty.reload(ticket)
    assert (row.state, row.claimed_by) == ("claimed", "jia")
    assert duty.told() == ["jia"]
    assert await incidents(duty) == [("row_changed", f"ticket:{ticket.id}")]


def test_what_an_earlier_version_erased_without_an_entry_is_not_opened_again() -> None:
    opened = Entry(1, "ticket.opened", "ticket:x", "system", "", {}, "", "", "s")
    now = Entry(1, "ticket.opened", "ticket:x", "system", "", {"acknowledge_by": "-"}, "", "", "s")
    closed = Ticket(state="closed")
    assert not strays(closed, Waiting("", [], FAR, FAR, told=False, opened=opened))
    assert strays(closed, Waiting("", [], FAR, FAR, told=False, opened=now))
