"""The ladder goes by who was reached: signed after the outcome; nobody waits for the unreached."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from escalations import ladder, tickets
from escalations.alarms import Told
from escalations.lateness import CALLED
from ledger.models import Incident

EVERYBODY = {"jia", "yi", "bing", "zhang"}


async def signed(duty, ticket) -> list[tuple[Any, ...]]:
    """Whom the entries name as called, in which step, and whether and how they were reached."""
    entries = await duty.ledger.facts(f"ticket:{ticket.id}")
    names = ("to", "step", "reached", "route")
    return [tuple(one.body[name] for name in names) for one in entries if one.kind == CALLED]


async def incidents(duty) -> list[tuple[str, str]]:
    async with duty.db.session() as session:
        rows = (await session.scalars(select(Incident).order_by(Incident.id))).all()
    return [(row.kind, row.subject) for row in rows]


async def turn(duty, minutes: int = 16) -> int:
    duty.moment += timedelta(minutes=minutes)
    return await ladder.escalate_due(duty.tickets)


async def test_who_cannot_be_reached_is_passed_over_in_the_same_run(duty) -> None:
    duty.away = {"jia", "yi"}
    ticket = await duty.ask()
    assert duty.told() == ["jia", "yi", "bing"]
    assert await signed(duty, ticket) == [
        ("jia", 1, False, ""),
        ("yi", 2, False, ""),
        ("bing", 3, True, "webhook"),
    ]
    assert await incidents(duty) == []
    row = await duty.reload(ticket)
    assert (row.tier, [one["staff"] for one in row.notified]) == (1, ["jia", "yi", "bing"])
    # Whoever was reached has their minutes; then the next one.
    assert await turn(duty, 14) == 0
    assert await turn(duty, 2) == 1
    assert duty.told()[3:] == ["zhang"]


async def test_what_is_signed_comes_after_the_outcome(duty) -> None:
    seen: list[list[tuple[Any, ...]]] = []

    async def slow(staff_id: str, text: str) -> Told:
        duty.alarms.append((staff_id, text))
        seen.append(await signed(duty, ticket))
        duty.moment += timedelta(seconds=20)
        return Told("telegram") if staff_id == "yi" else Told()

    duty.tickets = replace(duty.tickets, alarm=slow)
    contact = duty.contact
    question = tickets.Question("井盖坏了谁来修", "unsure", "employment")
    ticket = await tickets.open_ticket(duty.tickets, contact, question)
    assert await ladder.escalate_due(duty.tickets) == 1
    assert seen == [[], [("jia", 1, False, "")]]
    assert (await signed(duty, ticket))[1:] == [("yi", 2, True, "telegram")]


async def test_while_one_person_is_told_another_job_tells_nobody(duty) -> None:
    told, go = asyncio.Event(), asyncio.Event()

    async def slow(staff_id: str, text: str) -> Told:
        duty.alarms.append((staff_id, text))
        told.set()
        await go.wait()
        return Told("telegram")

    duty.tickets = replace(duty.tickets, alarm=slow)
    first = asyncio.create_task(duty.ask())
    await told.wait()
    assert await turn(duty, 1) == 0
    go.set()
    ticket = await first
    assert duty.told() == ["jia"]
    assert await signed(duty, ticket) == [("jia", 1, True, "telegram")]


async def test_a_process_that_dies_while_it_tells_leaves_the_person_to_be_told_again(duty) -> None:
    whole = duty.tickets

    async def dies(staff_id: str, text: str) -> Told:
        raise asyncio.CancelledError

    duty.tickets = replace(whole, alarm=dies)
    task = asyncio.create_task(duty.ask())
    await asyncio.wait([task])
    assert task.cancelled()
    duty.tickets = whole
    assert await turn(duty, 1) == 0
    assert await turn(duty, 2) == 1
    assert duty.told() == ["jia"]
    assert await incidents(duty) == []


async def test_when_nobody_is_reached_one_incident_says_what_to_do(duty) -> None:
    duty.away = set(EVERYBODY)
    ticket = await duty.ask()
    assert duty.told() == ["jia", "yi", "bing", "zhang"]
    assert await incidents(duty) == [("duty.unreached", "roster")]
    async with duty.db.session() as session:
        words = (await session.scalars(select(Incident.message))).one()
    assert "认领" in words
    assert "测试提醒" in words
    for _ in range(10):
        assert await turn(duty, 1) == 0
    # After their turn they are tried again, thrice in all, whatever happens.
    assert await turn(duty, 6) == 1
    for _ in range(6):
        await turn(duty)
    assert sorted(duty.told()) == sorted([*EVERYBODY] * 3)
    assert await incidents(duty) == [("duty.unreached", "roster")]
    assert [step for _, step, *_ in await signed(duty, ticket)] == [*range(1, 13)]


async def test_whoever_can_be_reached_again_is_told_in_the_next_turn(duty) -> None:
    duty.away = set(EVERYBODY)
    await duty.ask()
    duty.away = {"jia"}
    assert await turn(duty) == 1
    assert duty.told()[4:] == ["jia", "yi"]
    await turn(duty)
    assert duty.told()[6:] == ["bing"]


async def test_reached_and_silent_is_unclaimed_and_not_unreached(duty) -> None:
    duty.away = EVERYBODY - {"jia"}
    ticket = await duty.ask()
    assert duty.told() == ["jia"]
    await turn(duty)
    assert duty.told() == ["jia", "yi", "bing", "zhang"]
    assert await incidents(duty) == [("ticket.unclaimed", f"ticket:{ticket.id}")]


async def test_a_question_claimed_while_the_next_one_is_told_stays_claimed(duty) -> None:
    ticket = await duty.ask()

    async def claims(staff_id: str, text: str) -> Told:
        await tickets.claim(duty.tickets, ticket.id, "jia")
        return Told()

    duty.tickets = replace(duty.tickets, alarm=claims)
    assert await turn(duty) == 1
    assert (await signed(duty, ticket))[1:] == [("yi", 2, False, "")]
    row = await duty.reload(ticket)
    assert (row.state, row.claimed_by) == ("claimed", "jia")
    assert await turn(duty) == 0
    assert await incidents(duty) == []


async def test_calls_that_an_earlier_version_signed_count_as_made(duty) -> None:
    ticket = await tickets.open_ticket(
        duty.tickets, duty.contact, tickets.Question("井盖坏了", "unsure", "employment")
    )
    async with duty.ledger.transaction() as tx:
        body = {"to": "jia", "tier": 0, "step": 1, "acknowledge_by": duty.moment.isoformat()}
        await tx.append(CALLED, subject=f"ticket:{ticket.id}", actor="system", body=body)
    await ladder.escalate_due(duty.tickets)
    assert duty.told() == ["yi"]
