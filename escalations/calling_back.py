"""A number that a citizen leaves for a call back: encrypted in their ticket, gone with its end.

It is stored nowhere else, for what citizens write is masked first. Only who holds the question
reads it, and that they did is signed.
"""

import re

from bot.models import Contact
from escalations.commitments import same_citizen
from escalations.models import Ticket
from escalations.tickets import (
    OPEN,
    ROBOT,
    TicketWiring,
    as_signed,
    check_held,
    check_holder,
    note,
    on_duty,
    refused,
    ticket_of,
)
from storage.crypt import place_of

LEFT, READ = "ticket.number_left", "ticket.number_read"
_SEP = r"[\s\-—·.]?"
_NUMBER = re.compile(
    rf"(?<!\d)(?:\+?86{_SEP})?(1{_SEP}[3-9](?:{_SEP}\d){{9}}|0\d{{2,3}}-?\d{{7,8}})(?!\d)"
)


def number_in(text: str) -> str:
    """The first telephone number of these words as digits, or ""."""
    found = _NUMBER.search(text)
    return re.sub(r"\D", "", found[1]) if found else ""


async def keep_number(wiring: TicketWiring, ticket_id: str, contact: Contact, text: str) -> bool:
    """Keep the number these words hold, for the citizen's own open ticket; whether it was kept."""
    number = number_in(text)
    if not number or wiring.crypt is None:
        return False
    async with wiring.ledger.transaction() as tx:
        ticket = await tx.session.get(Ticket, ticket_id)
        if ticket is None or ticket.state not in OPEN or ticket.contact_id != contact.id:
            return False
        if not same_citizen(await wiring.ledger.facts(f"ticket:{ticket_id}"), contact):
            return False
        ticket.phone = wiring.crypt.encrypt(number, _place(ticket_id))
        await note(tx, LEFT, ticket, ROBOT, {})
    return True


async def read_number(wiring: TicketWiring, ticket_id: str, staff_id: str) -> str:
    """The number, for who holds the question. Refused 403, 404, 409."""
    async with as_signed(wiring.ledger), wiring.ledger.transaction() as tx:
        ticket = await ticket_of(tx.session, ticket_id)
        await on_duty(tx.session, staff_id)
        check_holder(ticket, staff_id, "claimed", "replied")
        check_held(ticket, await wiring.ledger.facts(f"ticket:{ticket.id}"))
        if not ticket.phone or wiring.crypt is None:
            raise refused(409, "number", "对方没有留下回电号码")
        try:
            number = wiring.crypt.decrypt(ticket.phone, _place(ticket.id))
        except ValueError as error:
            raise refused(409, "number", "回电号码无法解开：记录可能被改动过") from error
        await note(tx, READ, ticket, staff_id, {})
    return number


def move_number(wiring: TicketWiring, of: Ticket, to: Ticket) -> None:
    """The number left with one question goes to another of the same citizen."""
    if not of.phone or wiring.crypt is None:
        return
    try:
        number = wiring.crypt.decrypt(of.phone, _place(of.id))
    except ValueError:  # it could not be read where it was either
        return
    to.phone, of.phone = wiring.crypt.encrypt(number, _place(to.id)), ""


def _place(ticket_id: str) -> str:
    return place_of(Ticket.__tablename__, ticket_id, "phone")
