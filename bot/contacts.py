"""Contacts: one citizen on one account, the address encrypted and found by its keyed hash."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.codes import WINDOW_HOLD
from bot.consents import forget
from bot.contract import REFUSED, Outcome, State
from bot.models import Contact, Delivery, InboundMessage
from bot.opens import Opens
from bot.sealing import rewrite
from config.clock import now
from storage.crypt import DataKey, place_of
from storage.database import new_id
from storage.seals import seals_of

UNFOLLOWED = "对方取消关注或停用了账号"
ERASED = "已按本人要求删除"


class ContactChanged(Exception):
    """A contact found by its hash has another address: somebody wrote to the table."""

    def __init__(self, contact_id: str) -> None:
        """The row that is not believed."""
        super().__init__(contact_id)
        self.contact_id = contact_id


class Contacts:
    """Finds, makes, ends and erases contacts inside the caller's transaction."""

    def __init__(self, crypt: DataKey) -> None:
        """`crypt` encrypts addresses and makes their look-up hash."""
        self._crypt = crypt

    def address(self, contact: Contact) -> str:
        """The platform's name for this citizen, opened."""
        return self.open_address(contact.id, contact.address)

    def open_address(self, contact_id: str, encrypted: str) -> str:
        """The platform's name behind a stored address; ValueError when it is another contact's."""
        return self._crypt.decrypt(encrypted, place_of("contact", contact_id, "address"))

    def address_on(self, account_id: str, contact: Any) -> str:
        """The address of a contact row for a message of this account.

        ValueError when the row was led elsewhere: to another contact's address, or another account.
        """
        address = self.open_address(contact.id, contact.address)
        if self._hash(account_id, address) != contact.address_hash:
            raise ValueError("the address belongs to a contact of another account")
        return address

    async def find(
        self, session: AsyncSession, account_id: str, address: str, *, locked: bool = False
    ) -> Contact | None:
        """The contact with this address on this account; `locked` until the session's end."""
        query = select(Contact).where(
            Contact.account_id == account_id,
            Contact.address_hash == self._hash(account_id, address),
        )
        # Two acts at once would else each write the columns back as they had read them.
        return (await session.scalars(query.with_for_update() if locked else query)).first()

    async def known(self, session: AsyncSession, account_id: str, address: str) -> Contact | None:
        """The contact with this address; ContactChanged when the row found is another person's."""
        contact = await self.find(session, account_id, address, locked=True)
        if contact is not None and not self._is_at(contact, address):
            raise ContactChanged(contact.id)
        return contact

    async def upsert(
        self,
        session: AsyncSession,
        account_id: str,
        address: str,
        at: datetime,
        opens: Opens = Opens.MESSAGE,
    ) -> Contact:
        """The contact who acted at `at`: made, or made active again, what this `opens` opened.

        ContactChanged when the row found is another person's: what is said to one must not reach
        the other. What waited for this message: see make_due.
        """
        contact = await self.known(session, account_id, address)
        if contact is None:
            contact = self.new(account_id, address)
            session.add(contact)
        # Whoever writes has come back, however often they left.
        contact.state, contact.ended_reason, contact.ended_at = "active", "", None
        _open(contact, at, opens)
        await session.flush()
        return contact

    def new(self, account_id: str, address: str) -> Contact:
        """A contact of somebody nobody knew, in no session yet; no window of theirs is open."""
        contact_id = new_id()
        return Contact(
            id=contact_id,
            account_id=account_id,
            subject_ref=new_id(),
            address=self._crypt.encrypt(address, place_of("contact", contact_id, "address")),
            address_hash=self._hash(account_id, address),
            state="active",
            ended_reason="",
            created_at=now(),
            window_used=0,
            brief_used=0,
        )

    async def found(
        self, session: AsyncSession, account_id: str, addresses: Sequence[str]
    ) -> dict[str, Contact]:
        """The contacts with these addresses on this account, by address."""
        by_hash = {self._hash(account_id, one): one for one in addresses}
        hashes = list(by_hash)
        rows: list[Contact] = []
        for start in range(0, len(hashes), 500):
            query = select(Contact).where(
                Contact.account_id == account_id,
                Contact.address_hash.in_(hashes[start : start + 500]),
            )
            rows += (await session.scalars(query)).all()
        return {by_hash[row.address_hash]: row for row in rows}

    async def back(self, session: AsyncSession, ids: Sequence[str]) -> None:
        """These follow again; no window of theirs is open before they do something."""
        own = update(Contact).where(Contact.id.in_(ids))
        await session.execute(own.values(state="active", ended_reason="", ended_at=None))

    def seal_cursor(self, account_id: str, address: str) -> str:
        """Behind whom a list of this account goes on, as it is kept."""
        return self._crypt.encrypt(address, place_of("follower_run", account_id, "after"))

    def open_cursor(self, account_id: str, kept: str) -> str:
        """What `seal_cursor` kept; empty for nothing, ValueError when somebody wrote over it."""
        place = place_of("follower_run", account_id, "after")
        return self._crypt.decrypt(kept, place) if kept else ""

    async def make_due(self, session: AsyncSession, contact_id: str) -> None:
        """What waited for this contact may go, once the act that opened a window was acted on.

        Not before: it may be the one that leaves.
        """
        await make_due(session, Delivery.contact_id == contact_id)

    async def end(self, session: AsyncSession, contact_id: str, reason: str) -> None:
        """This contact can no longer be reached; what still waits for it ends too."""
        await session.execute(
            update(Contact)
            .where(Contact.id == contact_id)
            .values(state="ended", ended_reason=reason[:200], ended_at=now(), **_UNPAUSED)
        )
        waiting = and_(
            Delivery.contact_id == contact_id,
            Delivery.state.in_((State.CREATED, State.RETRYING, State.HELD)),
        )
        await rewrite(session, waiting, state=State.ENDED, why=reason, finished_at=now())

    async def lost(self, session: AsyncSession, contact_id: str, outcome: Outcome) -> None:
        """A message ended at its reader: all ways to them, or the pushes alone with their day."""
        if REFUSED not in outcome.detail:
            await self.end(session, contact_id, outcome.reason)
            return
        own = update(Contact).where(Contact.id == contact_id)
        await session.execute(own.values(refused_at=now(), refused_why=outcome.reason[:200]))

    async def erase(self, session: AsyncSession, contact_id: str) -> None:
        """Remove what identifies the citizen; counts and ledger references stay."""
        await self.end(session, contact_id, ERASED)
        # The hash too: with the key it would still tell whether a known person was here.
        gone: dict[str, Any] = {"address": "", "address_hash": "erased:" + contact_id}
        gone |= {"last_inbound_at": None, "brief_at": None}
        own = update(Contact).where(Contact.id == contact_id)
        await session.execute(own.values(gone | await _sealed_anew(session, contact_id, gone)))
        await forget(session, contact_id)
        await session.execute(
            update(InboundMessage)
            .where(InboundMessage.contact_id == contact_id)
            .values(text="", waits="", said="")
        )
        await rewrite(session, Delivery.contact_id == contact_id, reply=None)

    async def count(self, session: AsyncSession, account_id: str) -> int:
        """How many active contacts an account has."""
        query = select(func.count()).where(
            Contact.account_id == account_id, Contact.state == "active"
        )
        return int((await session.execute(query)).scalar_one())

    def _is_at(self, contact: Contact, address: str) -> bool:
        try:
            return self.address(contact) == address
        except ValueError:  # the ciphertext of another row, or none of ours
            return False

    def _hash(self, account_id: str, address: str) -> str:
        return self._crypt.blind(f"{account_id}:{address}")


_UNPAUSED: Mapping[str, Any] = {"paused_at": None, "paused_code": ""}


def _open(contact: Contact, at: datetime, opens: Opens) -> None:
    """Each window by its own newest act: a press neither ends nor fills that of a message."""
    if opens is not Opens.NOTHING:
        contact.paused_at, contact.paused_code = None, ""
    if opens is Opens.MESSAGE:
        if contact.last_inbound_at is None or at >= contact.last_inbound_at:
            contact.last_inbound_at, contact.window_used = at, 0
    elif opens is Opens.ACT and (contact.brief_at is None or at >= contact.brief_at):
        contact.brief_at, contact.brief_used = at, 0


async def make_due(session: AsyncSession, which: ColumnElement[bool]) -> None:
    """Those of these messages that waited for their contact's window are due."""
    held = (Delivery.state == State.HELD, Delivery.hold == WINDOW_HOLD)
    values = {"state": State.CREATED, "hold": "", "next_at": None}
    await session.execute(update(Delivery).where(which, *held).values(**values))


async def _sealed_anew(
    session: AsyncSession, contact_id: str, changed: Mapping[str, Any]
) -> dict[str, str]:
    """The seal of a contact with these columns changed; none for a row that was not whole.

    Column by column: whoever is forgotten needs no column of theirs to be readable.
    """
    seals, table = seals_of(session), Contact.__tablename__
    columns = [getattr(Contact, name) for name in (*Contact.SEALED, "seal")]
    row = (await session.execute(select(*columns).where(Contact.id == contact_id))).first()
    if row is None or not seals.hold(row[-1], table, row[:-1]):
        return {}
    said = {**row._asdict(), **changed}
    return {"seal": seals.of(table, [said[name] for name in Contact.SEALED])}
