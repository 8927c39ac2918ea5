"""Danger calls one person after the other, at any hour, until one takes it."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import select, update

from bot.contacts import Contacts
from escalations import tickets
from escalations.alarms import Told
from escalations.calendar import OfficeHours
from escalations.ladder import escalate_due
from escalations.models import Ticket
from escalations.paging import AGAIN, NEXT, PAGED, ROUNDS
from escalations.tickets import Question, messages
from escalations.urgent import open_urgent, page_due
from ledger.models import Incident
from staff.refusal import Reason, Refused
from storage.crypt import DataKey
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
    for person in ("jia", "bing", "zhang"):
        assert await told_later(duty, NEXT) == [person]
    assert [one["to"] for one in await pages_of(duty, ticket.id)] == ["yi", "jia", "bing", "zhang"]


async def test_whom_no_alarm_reaches_is_passed_over_at_once_and_signed_so(duty: Duty) -> None:
    duty.away = {"yi", "jia", "bing"}
    ticket = await open_urgent(duty.tickets, duty.contact, DANGER)
    assert await told_later(duty, timedelta(0)) == ["yi", "jia", "bing", "zhang"]
    pages = await pages_of(duty, ticket.id)
    assert [one["reached"] for one in pages] == [False, False, False, True]


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
    assert await told_later(duty, NEXT) == ["yi"]
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
    assert await told_later(duty, timedelta(0)) == ["jia"]


async def test_when_all_were_called_an_incident_says_so_and_the_calls_begin_again(
    duty: Duty,
) -> None:
    duty.away = {"yi", "jia", "bing", "zhang"}
    await open_urgent(duty.tickets, duty.contact, DANGER)
    rounds = [await told_later(duty, AGAIN) for _ in range(ROUNDS + 2)]
    assert rounds == [["yi", "jia", "bing", "zhang"]] * ROUNDS + [[], []]
    async with duty.db.session() as session:
        incident = await session.scalar(select(Incident.kind))
    assert incident == "ticket.danger_unclaimed"


async def test_a_row_written_past_the_program_keeps_no_danger_quiet(duty: Duty) -> None:
    await open_urgent(duty.tickets, duty.contact, DANGER)
    async with duty.db.session() as session:
        await session.execute(update(Ticket).values(state="closed", claimed_by="yi"))
    assert await told_later(duty, timedelta(0)) == ["yi"]


async def test_danger_told_again_after_all_rounds_calls_everybody_again(duty: Duty) -> None:
    duty.away = {"yi", "jia", "bing", "zhang"}
    await open_urgent(duty.tickets, duty.contact, DANGER)
    for _ in range(ROUNDS + 2):
        await told_later(duty, AGAIN)
    await open_urgent(duty.tickets, duty.contact, DANGER)
    assert await told_later(duty, timedelta(0)) == ["yi", "jia", "bing", "zhang"]


async def test_whoever_comes_first_takes_danger_over_from_a_holder_who_is_away(duty: Duty) -> None:
    ticket = await duty.ask()
    await tickets.claim(duty.tickets, ticket.id, "yi")
    duty.moment += timedelta(minutes=1)
    await open_urgent(duty.tickets, duty.contact, DANGER)
    await told_later(duty, NEXT)
    assert (await tickets.claim(duty.tickets, ticket.id, "bing")).claimed_by == "bing"
    assert await told_later(duty, NEXT) == []
    with pytest.raises(Refused, match="已由"):
        await tickets.claim(duty.tickets, ticket.id, "zhang")


async def test_two_processes_call_one_person_once(duty: Duty) -> None:
    await open_urgent(duty.tickets, duty.contact, DANGER)
    await asyncio.gather(*(page_due(duty.tickets) for _ in range(4)))
    assert duty.told() == ["yi"]


async def test_whoever_died_while_calling_is_called_past(duty: Duty) -> None:
    ticket = await open_urgent(duty.tickets, duty.contact, DANGER)
    async with duty.ledger.transaction() as tx:
        body = {"to": "yi"}
        await tx.append("ticket.paging", subject=f"ticket:{ticket.id}", actor="x", body=body)
    assert await told_later(duty, timedelta(seconds=30)) == []
    assert await told_later(duty, timedelta(seconds=31)) == ["jia"]


async def test_an_alarm_that_breaks_keeps_nobody_else_from_being_called(
    duty: Duty, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(staff_id: str, text: str) -> Told:
        if staff_id == "yi":
            raise RuntimeError("no such thing")
        return await duty.alarm(staff_id, text)

    await open_urgent(duty.tickets, duty.contact, DANGER)
    assert await page_due(replace(duty.tickets, alarm=broken)) == 2
    assert duty.told() == ["jia"]


async def test_an_answer_that_did_not_go_out_has_people_called_again(duty: Duty) -> None:
    ticket = await open_urgent(duty.tickets, duty.contact, DANGER)
    await told_later(duty, timedelta(0))
    async with duty.ledger.transaction() as tx:
        for kind in ("ticket.claimed", "ticket.answered", "ticket.reply_failed"):
            await tx.append(kind, subject=f"ticket:{ticket.id}", actor="yi", body={})
    assert await told_later(duty, timedelta(seconds=1)) == ["yi"]


async def test_the_ladder_of_questions_is_silent_while_danger_calls(duty: Duty) -> None:
    await open_urgent(duty.tickets, duty.contact, DANGER)
    await told_later(duty, timedelta(0))
    assert await escalate_due(duty.tickets) == 0
    assert duty.told() == ["yi"]


async def test_hours_that_cannot_be_proved_hold_no_danger_up(duty: Duty) -> None:
    class Unproved:
        def __getattr__(self, name: str) -> object:
            raise Refused(409, [Reason("setting", "值班时间和热线不能确认")])

    unproved = replace(duty.tickets, hours=cast(OfficeHours, Unproved()))
    await open_urgent(unproved, duty.contact, DANGER)
    assert await page_due(unproved) == 1


async def test_a_ticket_led_to_somebody_else_by_sql_gets_none_of_their_danger(duty: Duty) -> None:
    other = await duty.ask()
    async with duty.db.session() as session:
        stranger = await Contacts(DataKey(b"k" * 32)).upsert(session, "wx", "other", duty.moment)
        await session.execute(update(Ticket).values(contact_id=stranger.id))
    ticket = await open_urgent(duty.tickets, stranger, DANGER)
    assert ticket.id != other.id
