"""What an act that arrived means for the person: who made it, whether they came, left, or neither.

Platforms deliver late and out of order. What a person did later stands, whatever is delivered last:
an older unfollowing ends nobody who followed again, an older message brings nobody back who left.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contacts import Contacts
from bot.contract import ACTS, Inbound, InboundKind
from bot.delivery.routes import ACTIVE
from bot.models import Contact, InboundMessage
from config.clock import now

HEARD = ACTS | {InboundKind.UNFOLLOW, InboundKind.ERASE}
"""What is stored of a person; every other kind leaves nothing behind."""
_DATED = ACTS - {InboundKind.BUTTON}
"""Acts whose moment the platform says; of a press on a button only we know when it came."""


async def arrived(session: AsyncSession, contacts: Contacts, inbound: Inbound) -> Contact | None:
    """The contact who did it, made or made active again by an act of their own.

    None when nobody we know did it, or when they have done something since that makes it void.
    """
    known = await contacts.known(session, inbound.account_id, inbound.address)
    if known is None and inbound.kind in (InboundKind.RETURN, InboundKind.ERASE):
        return None
    if known is not None and await _void(session, known, inbound):
        return None
    # Of somebody unknown who leaves it is kept that they left: their following may come after it.
    if inbound.kind in ACTS or known is None:
        at = min(inbound.at, now())
        return await contacts.upsert(
            session, inbound.account_id, inbound.address, at, inbound.opens
        )
    return known


async def _void(session: AsyncSession, known: Contact, inbound: Inbound) -> bool:
    """Whether something newer stands against it, or an edit changed no word."""
    rows = select(InboundMessage.id).where(InboundMessage.contact_id == known.id).limit(1)
    if inbound.kind is InboundKind.UNFOLLOW:
        rows = rows.where(InboundMessage.kind.in_(_DATED), InboundMessage.at > inbound.at)
    elif inbound.kind in _DATED and known.state != ACTIVE:
        rows = rows.where(
            InboundMessage.kind == InboundKind.UNFOLLOW, InboundMessage.at > inbound.at
        )
    else:
        return False
    return (await session.scalars(rows)).first() is not None


async def unchanged(session: AsyncSession, contact: Contact, inbound: Inbound, masked: str) -> bool:
    """Whether an edited message says what it said before: platforms tell of edits nobody sees."""
    if inbound.first_at is None:
        return False
    rows = select(InboundMessage.id).where(
        InboundMessage.contact_id == contact.id,
        InboundMessage.at == inbound.first_at,
        InboundMessage.text == masked,
    )
    return (await session.scalars(rows.limit(1))).first() is not None
