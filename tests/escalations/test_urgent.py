"""Danger calls one person after the other, at any hour, until one takes it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from escalations import tickets
from escalations.models import Ticket
from escalations.tickets import Question, messages
from escalations.urgent import AGAIN, NEXT, PAGED, ROUNDS, open_urgent, page_due
from ledger.models import Incident
from tests.escalations.conftest import Duty, at

NIGHT = "2026-11-28 03:10"  # a Saturday
DANGER = Question("我不想活了", "emergency")


async def told_later(duty: Duty, after: timedelta) -> list[str]:
    """Who is called when so much time has passed."""
    duty.alarms.clear()
    duty.moment += after
    await page_due(duty.tickets)
    return duty.told()


async def pages_of(duty: Duty, ticket_id: str) -> list[Mapping[str, Any]]:
    entries = await duty.ledger.facts(f"ticket:{ticket_id}")
    return [one.body for one in entries if one.kind == PAGED]


async def test_at_night_the_first_on_duty_is_called_at_once_and_then_the_next(duty: Duty) -> None:
    duty.moment = at(NIGHT)
    ticket = await open_urgent(duty.tickets, duty.contact, DANGER)
    assert await told_later(duty, timedelta(seconds=1)) == ["yi"]
    assert tickets.short(ticket) in duty.alarms[0][1]
    assert DANGER.text not in duty.alarms[0][1]
    assert await told_later(duty, timedelta(seconds=30)) == []
    assert await told_later(duty, NEXT) == ["bing"]
    assert await told_later(duty, NEXT) == ["zhang"]
    assert [one["to"] for one in await pages_of(duty, ticket.id)] == ["yi", "bing", "zhang"]


async def test_whom_no_alarm_reaches_is_passed_over_at_once_and_signed_so(duty: Duty) -> None:
    duty.away = {"yi", "bing"}
    ticket = await open_urgent(duty.tickets, duty.contact, DANGER)
    assert await told_later(duty, timedelta(0)) == ["yi", "bing", "zhang"]
    pages = await pages_of(duty, ticket.id)
    assert [one["reached"] for one in pages] == [False, False, True]


async def test_nobody_is_called_any_more_once_somebody_took_it(duty: Duty) -> None:
    ticket = await open_urgent(duty.tickets, duty.contact, DANGER)
    await told_later(duty, timedelta(0))
    await tickets.claim(duty.tickets, ticket.id, "yi")
    assert await told_later(duty, NEXT) == []


async def test_a_question_that_waits_already_becomes_one_of_danger(duty: Duty) -> None:
    ticket = await duty.ask()
    duty.moment += timedelta(minutes=1)
    await tickets.claim(duty.tickets, ticket.id, "bing")
    assert (await open_urgent(duty.tickets, duty.contact, DANGER)).id == ticket.id
    assert await told_later(duty, timedelta(0)) == ["bing"]  # who holds it is the first
    assert await told_later(duty, NEXT) == ["jia"]
    assert (await duty.reload(ticket)).reason == "emergency"
    async with duty.db.session() as session:
        assert [one.text for one in await messages(session, ticket.id)] == [DANGER.text]


async def test_the_same_danger_told_again_calls_nobody_twice(duty: Duty) -> None:
    for _ in range(5):
        await open_urgent(duty.tickets, duty.contact, DANGER)
        await page_due(duty.tickets)
    assert duty.told() == ["yi"]
    duty.moment += AGAIN + timedelta(seconds=1)
    await open_urgent(duty.tickets, duty.contact, DANGER)
    assert await told_later(duty, timedelta(0)) == ["bing"]


async def test_when_all_were_called_an_incident_says_so_and_the_calls_begin_again(
    duty: Duty,
) -> None:
    duty.away = {"yi", "bing", "zhang"}
    await open_urgent(duty.tickets, duty.contact, DANGER)
    rounds = [await told_later(duty, AGAIN) for _ in range(ROUNDS + 2)]
    assert rounds == [["yi", "bing", "zhang"]] * ROUNDS + [[], []]
    async with duty.db.session() as session:
        incident = await session.scalar(select(Incident.kind))
    assert incident == "ticket.danger_unclaimed"


async def test_a_row_written_past_the_program_keeps_no_danger_quiet(duty: Duty) -> None:
    await open_urgent(duty.tickets, duty.contact, DANGER)
    async with duty.db.session() as session:
        await session.execute(update(Ticket).values(state="closed", claimed_by="yi"))
    assert await told_later(duty, timedelta(0)) == ["yi"]
