"""Somebody is in danger: the person on duty is called at once, day and night, until one takes it.

`open_urgent` signs that a question is one; `page_due`, asked every two seconds, calls one person
after the other by the signed entries alone (paging.py). A call that reached nobody passes to the
next at once.
"""

import asyncio
from dataclasses import replace

import structlog

from bot.models import Contact
from config.clock import now
from escalations.alarms import Told
from escalations.ladder import ladder_of
from escalations.models import Ticket
from escalations.paging import AGAIN, PAGED, PAGING, REASON, URGENT, UrgentTickets, paging_at
from escalations.tickets import (
    OPEN,
    ROBOT,
    Question,
    TicketWiring,
    add_message,
    open_ticket,
    short,
)
from ledger.verify import Broken
from storage.database import rows_of

_LOOK = 1.0
_AT_ONCE = 8
"""Dangers whose people are called at the same moment: one that hangs must not hold up others."""
_log = structlog.get_logger("escalations.urgent")


async def open_urgent(wiring: TicketWiring, contact: Contact, question: Question) -> Ticket:
    """The contact's question in the hands of whoever is on duty. Refused as `open_ticket`."""
    while True:
        begun = now()
        ticket = await open_ticket(wiring, contact, replace(question, reason=REASON))
        if ticket.created_at < begun:  # one that was open already
            await add_message(wiring, ticket.id, question.text)
        if await _signed(wiring, ticket.id):
            return ticket


async def _signed(wiring: TicketWiring, ticket_id: str) -> bool:
    """Whether the ticket was still open, and is one of danger now."""
    subject = f"ticket:{ticket_id}"
    async with wiring.ledger.transaction() as tx:
        row = (await rows_of(tx.session, Ticket, [ticket_id])).get(ticket_id)
        if row is not None and row.state not in OPEN:
            return False
        if row is not None:
            row.reason = REASON
        paging = paging_at(await wiring.ledger.facts(subject))
        if paging is None or paging.over or paging.told < now() - AGAIN:
            await tx.append(URGENT, subject=subject, actor=ROBOT, body={})
    return True


async def page_due(wiring: TicketWiring) -> int:
    """Call whoever is next for each danger nobody took; how many people were called."""
    try:
        waiting = list((await wiring.ledger.following(UrgentTickets, age=_LOOK)).ids)
    except Broken:  # the watch tells; nobody is called by a ledger that does not hold
        return 0
    turns = asyncio.Semaphore(_AT_ONCE)

    async def page(ticket_id: str) -> int:
        async with turns:
            return await _page(wiring, ticket_id)

    came = await asyncio.gather(*map(page, waiting), return_exceptions=True)
    for ticket_id, one in zip(waiting, came, strict=True):
        if isinstance(one, Exception):  # the others go on, and this one in two seconds
            _log.error("paging failed", ticket=ticket_id, exc_info=one)
    return sum(one for one in came if isinstance(one, int))


async def _page(wiring: TicketWiring, ticket_id: str) -> int:
    """Call one after the other until one was reached, or nobody is left of this round."""
    called = 0
    while (person := await _chosen(wiring, ticket_id)) is not None:
        if not person:
            await _nobody(wiring, ticket_id)
            continue
        try:
            told = await wiring.alarm(person, _words(ticket_id))
        except Exception:  # noqa: BLE001  one broken way must not keep the next from being called
            _log.exception("an alarm failed", staff=person)
            told = Told()
        called += 1
        body = {"to": person, "reached": bool(told), "route": told.route}
        async with wiring.ledger.transaction() as tx:
            await tx.append(PAGED, subject=f"ticket:{ticket_id}", actor=ROBOT, body=body)
    return called


async def _chosen(wiring: TicketWiring, ticket_id: str) -> str | None:
    """Who is to be called now, signed under the write lock so that no two processes call one.

    "" when everybody of this round was called, which is signed too; None when nobody is due.
    """
    subject = f"ticket:{ticket_id}"
    paging = paging_at(await wiring.ledger.facts(subject))
    if paging is None or paging.over or paging.next_at > now():
        return None
    async with wiring.ledger.transaction() as tx:
        paging = paging_at(await wiring.ledger.facts(subject))
        if paging is None or paging.over or paging.next_at > now():
            return None
        ladder = [one for one, _ in await ladder_of(tx.session, None)]
        order = dict.fromkeys([paging.holder, *ladder] if paging.holder else ladder)
        person = next((one for one in order if one not in paging.called), "")
        body = {"to": person}
        if person:
            await tx.append(PAGING, subject=subject, actor=ROBOT, body=body)
        else:
            ended = body | {"reached": False, "route": ""}
            await tx.append(PAGED, subject=subject, actor=ROBOT, body=ended)
    return person


def _words(ticket_id: str) -> str:
    return (
        f"有人可能正遇险：咨询单 {short(Ticket(id=ticket_id))}。请马上登录控制台查看，"
        "需要时替本人拨打 110、119 或 120。两分钟内没有人认领，会通知下一位。"
    )


async def _nobody(wiring: TicketWiring, ticket_id: str) -> None:
    await wiring.ledger.open_incident(
        "ticket.danger_unclaimed",
        subject=f"ticket:{ticket_id}",
        message="有人可能正遇险，能通知到的值班人员和主管都已通知，仍无人认领：请马上在控制台认领",
        detail={},
    )
