"""An act becomes a row, once only, and takes its turn where that is free."""

from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from bot.arrivals import arrived, unchanged
from bot.contacts import UNFOLLOWED, ContactChanged
from bot.contract import Inbound, InboundKind
from bot.models import Contact, InboundMessage
from bot.turns import Act, take
from bot.unanswered import Unanswered, open_act
from bot.wiring import CallbackWiring
from storage.database import new_id


@dataclass(frozen=True)
class Stored:
    """One act in the database: who it was, its row, and whether its turn came at once."""

    contact: Contact
    act: Act
    taken: bool

    @property
    def row_id(self) -> str:
        """The row of the act."""
        return self.act.row


class Intake:
    """Stores what people did; the same act is stored once however often it is brought."""

    def __init__(self, wiring: CallbackWiring, unanswered: Unanswered) -> None:
        """`unanswered` keeps what is still to be answered."""
        self._w = wiring
        self._unanswered = unanswered

    async def store(self, inbound: Inbound) -> Stored | None:
        """The row, or None when this act was stored before."""
        for _ in range(2):  # a first clash may be two first messages making one contact
            try:
                return await self._store_once(inbound)
            except IntegrityError:
                continue
            except ContactChanged as changed:
                await self._w.sender.note_changed("contact", changed.contact_id)
                return None
        return None

    async def _store_once(self, inbound: Inbound) -> Stored | None:
        db, row_id = self._w.db, new_id()
        async with db.writing() if db.is_sqlite else db.session() as session:
            contact = await arrived(session, self._w.contacts, inbound)
            masked = self._w.mask(inbound.text)
            if contact is None or await unchanged(session, contact, inbound, masked):
                return None
            row = InboundMessage(
                id=row_id,
                account_id=inbound.account_id,
                contact_id=contact.id,
                dedupe=inbound.dedupe,
                kind=inbound.kind,
                text=masked,
                key=inbound.key,
                at=inbound.at,
                position=inbound.position,
                place=inbound.place,
            )
            open_act(session, row, self._w.sender.owner)
            session.add(row)
            await session.flush()
            act = Act.of(row_id, contact.id, inbound)
            taken = not self._w.weighs(inbound) and await take(session, act)
            if inbound.kind is InboundKind.UNFOLLOW:
                await self._w.contacts.end(session, contact.id, UNFOLLOWED)
        self._unanswered.took(row_id)
        return Stored(contact, act, taken)
