"""That an answer waits is told once by a notice, where the platform takes the answer no more.

Its citizen agreed to it, on a page that they were offered while the platform still took messages
(handlers/promising.py). The answer follows at their next act; whoever agreed to none is reached by
telephone, or writes again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.codes import WINDOW_HOLD
from bot.consents import left_of
from bot.contract import ReplyBasis, State
from bot.models import Account, Contact, Delivery
from bot.noticing import Noticing, Template
from bot.replies import Filled, Parts
from bot.sealing import COLUMNS, read_apart, whole
from escalations.commitments import same_citizen
from escalations.models import Ticket, TicketReply
from escalations.outcomes import Came
from escalations.tickets import ROBOT, TicketWiring, note, short
from ledger.verify import Broken
from storage.database import Base
from storage.seals import seals_of

TOLD = "ticket.answer_told"
TEMPLATE = "answer_waits"
_deliveries = Base.metadata.tables[Delivery.__tablename__]
_ASKED = (*COLUMNS, *(_deliveries.c[name] for name in ("why", "created_at")))
_CAME = {
    State.PUBLISHED: Came.SENT,
    State.UNKNOWN: Came.UNKNOWN,
    State.ENDED: Came.FAILED,
    State.FAILED: Came.FAILED,
}


def templates_of(channel: object, account: Account | None) -> Sequence[Template]:
    """The templates of an account that say that an answer waits."""
    if account is None or not isinstance(channel, Noticing):
        return ()
    return [one for one in channel.templates(account.settings) if one.answers]


async def agreed(wiring: TicketWiring, session: AsyncSession, contact: Contact) -> bool:
    """Whether this citizen can still be told by a notice that an answer waits."""
    account = await session.get(Account, contact.account_id)
    if account is None:
        return False
    templates = templates_of(wiring.channels.get(account.platform), account)
    left = (await left_of(session, {contact.id})).get(contact.id) if templates else None
    return left is not None and any(left.of.get(one.id, 0) > 0 for one in templates)


async def offered(wiring: TicketWiring, contact: Contact) -> str:
    """The page on which this citizen may agree; "" where there is none, or they have agreed."""
    async with wiring.ledger.db.session() as session:
        account = await session.get(Account, contact.account_id)
        channel = wiring.channels.get(account.platform) if account is not None else None
        templates = templates_of(channel, account)
        if not templates or await agreed(wiring, session, contact):
            return ""
    return templates[0].answers


async def announce_due(wiring: TicketWiring) -> int:
    """Tell of every answer that waits for its citizen's next act, if they agreed; how many."""
    waits = Delivery.id == TicketReply.delivery_id
    query = select(TicketReply.id, Ticket.contact_id).where(
        Ticket.id == TicketReply.ticket_id,
        TicketReply.state == Came.HELD,
        waits,
        Delivery.hold == WINDOW_HOLD,
    )
    async with wiring.ledger.db.session() as session:
        held = (await session.execute(query)).all()
        left = await left_of(session, {row.contact_id for row in held}) if held else {}
    told = [await _announce(wiring, row.id) for row in held if row.contact_id in left]
    for one in told:
        if one:
            await wiring.send(one)
    return sum(map(bool, told))


async def _announce(wiring: TicketWiring, reply_id: str) -> str:
    """The queued row with the entry that says so; "" when it was told before, or to nobody."""
    try:
        async with wiring.ledger.transaction() as tx:
            reply = await tx.session.get(TicketReply, reply_id)
            ticket = await tx.session.get(Ticket, reply.ticket_id) if reply else None
            contact = await tx.session.get(Contact, ticket.contact_id) if ticket else None
            if reply is None or ticket is None or contact is None or reply.state != Came.HELD:
                return ""
            entries = await wiring.ledger.facts(f"ticket:{ticket.id}")
            before = any(one.kind == TOLD and one.body["reply"] == reply.id for one in entries)
            if before or not same_citizen(entries, contact):
                return ""
            if not await agreed(wiring, tx.session, contact):
                return ""
            parts = Parts(
                account_id=ticket.account_id,
                contact_id=contact.id,
                basis=ReplyBasis.WAITS,
                pieces=(Filled(TEMPLATE, {"ticket": short(ticket)}),),
            )
            queued = await wiring.queue_reply(parts, _key(reply.id), tx.session)
            await note(tx, TOLD, ticket, ROBOT, {"reply": reply.id})
    except Broken:  # the watch tells; the answer itself still waits for its citizen
        return ""
    return queued


async def announced(
    session: AsyncSession, replies: Sequence[TicketReply]
) -> list[tuple[Mapping[str, Any], Came]]:
    """What was told of these answers by notices, with how far each came; forged rows are none."""
    keys = [_key(one.id) for one in replies]
    rows, _ = await read_apart(session, select(*_ASKED).where(_deliveries.c.content_key.in_(keys)))
    seals = seals_of(session)
    return [(row, _CAME.get(row["state"], Came.SENDING)) for row in rows if whole(seals, row)]


def _key(reply_id: str) -> str:
    return f"told:{reply_id}"
