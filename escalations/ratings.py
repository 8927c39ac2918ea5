"""好差评: whoever got a person's answer is asked once how it was, and may say so once.

Asked and said are signed entries of the ticket; counts are folded from them, and hold no word and
nobody's name.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from bot.contract import ReplyBasis
from bot.models import Contact
from bot.replies import Filled, Parts
from config.clock import now
from escalations.commitments import SENT, same_citizen
from escalations.models import Ticket
from escalations.paging import REASON
from escalations.replying import way
from escalations.tickets import ROBOT, TicketWiring, note, short
from ledger.append import Transaction
from ledger.verify import Broken, Entry
from storage.database import rows_of

ASKED, RATED = "ticket.rating_asked", "ticket.rated"
STARS = {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}
LOW = 2
"""A rating up to this one is a 差评: somebody calls back."""
REST = timedelta(minutes=10)
"""After an answer: a question that follows at once is no moment to ask."""
LATEST = timedelta(hours=24)
TEMPLATE = "rate_ask"
_FRESH = 5.0
_SPARE = 2  # messages the window still takes: asking must not use up the last one


@dataclass(frozen=True)
class Rated:
    """What one citizen said, and when."""

    ticket: str
    stars: int
    at: datetime


class Ratings:
    """Who was asked and what they said, by signed entries."""

    def __init__(self) -> None:
        """A ledger tells each entry once."""
        self.asked: dict[str, datetime] = {}
        self.rated: dict[str, Rated] = {}

    def take(self, entry: Entry) -> None:
        """The next signed entry of the chain."""
        ticket_id = entry.subject.partition(":")[2]
        if entry.kind == ASKED:
            self.asked[ticket_id] = datetime.fromisoformat(entry.at)
        elif entry.kind == RATED:
            one = Rated(ticket_id, int(entry.body["stars"]), datetime.fromisoformat(entry.at))
            self.rated.setdefault(ticket_id, one)

    def counts(self, since: datetime) -> Mapping[int, int]:
        """How often each grade was given, the best first; those nobody gave are 0."""
        found = Counter(one.stars for one in self.rated.values() if one.at >= since)
        return {stars: found[stars] for stars in STARS}


def choices_of(ticket_id: str) -> tuple[tuple[str, str], ...]:
    """The five grades as choices: label and key."""
    return tuple((label, f"rate:{ticket_id}:{stars}") for stars, label in STARS.items())


async def ratings(wiring: TicketWiring, age: float = _FRESH) -> Ratings:
    """The ratings as the ledger has them."""
    return await wiring.ledger.following(Ratings, age=age)


async def to_ask(wiring: TicketWiring) -> Sequence[Ticket]:
    """Questions whose answer went out a while ago and whose citizen was not asked yet."""
    asked = (await ratings(wiring)).asked
    moment = now()
    query = select(Ticket.id).where(
        Ticket.state.in_(("answered", "closed")),
        Ticket.answered_at <= moment - REST,
        Ticket.answered_at >= moment - LATEST,
        Ticket.reason != REASON,  # nobody in danger is asked how it was
    )
    async with wiring.ledger.db.session() as session:
        ids = [one for one in (await session.scalars(query)).all() if one not in asked]
        return [*(await rows_of(session, Ticket, ids)).values()]


async def ask(wiring: TicketWiring, ticket_id: str) -> Parts | None:
    """Ask, once: the message is queued with the entry that says so; None when it is not the time.

    An entry of an answer that went out to this very citizen has to stand for it.
    """
    async with wiring.ledger.transaction() as tx:
        ticket = await tx.session.get(Ticket, ticket_id)
        if ticket is None or ASKED in {one.kind for one in await _entries(wiring, ticket_id)}:
            return None
        contact = await tx.session.get(Contact, ticket.contact_id)
        if contact is None or not await _answered(wiring, ticket, contact):
            return None
        found = await way(wiring, tx.session, ticket)
        if not found.open or (found.until is not None and found.left < _SPARE):
            return None
        parts = Parts(
            account_id=ticket.account_id,
            contact_id=contact.id,
            basis=ReplyBasis.TEMPLATE,
            pieces=(Filled(TEMPLATE, {"ticket": short(ticket)}),),
            choices=choices_of(ticket.id),
        )
        await wiring.queue_reply(parts, f"rate:{ticket.id}", tx.session)
        await note(tx, ASKED, ticket, ROBOT, {})
    return parts


async def _answered(wiring: TicketWiring, ticket: Ticket, contact: Contact) -> bool:
    try:
        entries = await _entries(wiring, ticket.id)
    except Broken:
        return False
    return same_citizen(entries, contact) and any(one.kind == SENT for one in entries)


async def _entries(wiring: TicketWiring, ticket_id: str) -> Sequence[Entry]:
    return await wiring.ledger.facts(f"ticket:{ticket_id}")


async def last_asked(wiring: TicketWiring, contact: Contact) -> str:
    """The newest ticket this citizen was asked about; "" for none."""
    query = select(Ticket.id).where(Ticket.contact_id == contact.id).order_by(Ticket.id.desc())
    async with wiring.ledger.db.session() as session:
        mine = (await session.scalars(query.limit(20))).all()
    asked = (await ratings(wiring, 0.0)).asked
    return next((one for one in mine if one in asked), "")


async def rate(wiring: TicketWiring, ticket_id: str, contact: Contact, stars: int) -> bool | None:
    """Keep what this citizen says; False when they said it before, None when it is not theirs."""
    async with wiring.ledger.transaction() as tx:
        ticket = await tx.session.get(Ticket, ticket_id)
        if ticket is None or stars not in STARS or ticket.contact_id != contact.id:
            return None
        entries = await _entries(wiring, ticket_id)
        kinds = {one.kind for one in entries}
        if ASKED not in kinds or not same_citizen(entries, contact):
            return None
        if RATED in kinds:
            return False
        await _note_rating(tx, ticket, stars)
    return True


async def _note_rating(tx: Transaction, ticket: Ticket, stars: int) -> None:
    await note(tx, RATED, ticket, ROBOT, {"stars": stars})
