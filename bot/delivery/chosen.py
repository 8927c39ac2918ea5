"""The rows of a send that one call makes to many: who is in it, and what became of it for each.

They are made before the call and wait for it (CALL_HOLD). Directly before it each is looked at as
one that goes alone: its seal, its person, what they want now. Whoever is in the call is
`submitted`, and has the end that the call has.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.chosen import CALL_HOLD, REACHED, Chosen
from bot.contract import AccountView, Outcome, Release, State, Still, Withheld
from bot.delivery.choosing import Via
from bot.delivery.mended import Going, going
from bot.delivery.once import RELEASE_HOLD, Stood, stand_of
from bot.delivery.outbox import ASKED_OF_CONTACTS, CHANGED, CHANGED_HOLD
from bot.delivery.preparing import refuses
from bot.delivery.retrying import LEFT
from bot.delivery.spent import spent
from bot.delivery.wiring import Wants, Wiring
from bot.models import Delivery, Publication
from bot.quota import Per, begins, day_of
from bot.sealing import COLUMNS, TABLE, read_apart, rewrite, whole
from config.clock import now
from ledger.verify import Broken
from storage.seals import seals_of

CALL = "call"
"""Delivery.code: it is or was in the call of its publication."""
_GONE, _NOT_WANTED = "对方已取消关注或不再联系", "本人已退订，没有发送"
_FULL = "本月已收到 {most} 次群发，平台不再投递：这次没有列入"
_NOT_LET = "平台不能把对方列入这次群发（没有关注，或标签已满）"
_MAYBE = "离开以前可能已经发出：上一次提交没有收到平台的答复"
_PAGE = 1_000
_IN_CALL = (State.SUBMITTED, State.UNKNOWN)
_SENT = (State.PUBLISHED, State.SUBMITTED, State.UNKNOWN)


def is_chosen(wiring: Wiring, account: AccountView, release: Release) -> bool:
    """Whether this account sends this release in one call to the people of its audience."""
    channel = wiring.channels[account.platform]
    return release.audience is not None and channel.chooses(account.settings)


@dataclass(frozen=True)
class _Full:
    """Who has had as many sends this month as one may, and the words for it."""

    people: frozenset[str] = frozenset()
    words: str = ""


class ChosenRows:
    """The people of one call, asked anew each time."""

    def __init__(
        self, wiring: Wiring, row: Publication, account: AccountView, release: Release
    ) -> None:
        """Nobody was asked yet."""
        self._w, self._row, self._account, self._release = wiring, row, account, release
        self._asked = self._looked = False
        self._in: dict[str, str] = {}

    def said(self) -> dict[str, Any]:
        """What the entry before the call says of it."""
        channel = self._w.channels[self._account.platform]
        place = channel.takes_place(self._account.settings, chosen=True)
        return {"chosen": len(self._in), **({} if place else {"place": False})}

    def chosen(self, still: Still) -> Chosen:
        """For the channel."""
        return Chosen(self.people, self.without, still)

    async def people(self) -> Sequence[str]:
        """The addresses of who is in the call at this moment; their rows say so."""
        try:  # without it nobody's wish can be proved, and all would look as if they had left
            if not self._looked:
                await self._begin()
            full = await self._full()
        except Broken as broken:
            raise Withheld(Outcome(State.HELD, reason=str(broken), code=RELEASE_HOLD)) from broken
        found: dict[str, str] = {}
        last = ""
        while True:
            async with self._w.db.session() as session:
                rows, wrong = await read_apart(session, self._page(last))
                looked = _Looked(self._w, self._release.audience or {}, full)
                await looked.at(session, rows)
            looked.wrong += [(TABLE, one) for one in wrong]
            await self._write(looked)
            found |= looked.addresses
            seen = [*wrong, *(row["id"] for row in rows)]
            if len(seen) < _PAGE:
                break
            last = max(seen)
        self._in = found
        return list(found)

    async def _begin(self) -> None:
        """Where an earlier call may have arrived nobody comes in who was not in that one."""
        facts = await self._w.ledger.facts(f"item:{self._row.item_id}")
        stand = stand_of(facts, self._row.release_id, self._row.account_id)
        self._asked = stand.state is Stood.OPEN
        stop = going(facts, self._row.account_id)
        if stop in (Going.DROPPED, Going.REPLACED):  # for good; what only waits says so itself
            raise Withheld(Outcome(State.HELD, reason=stop.words, code=RELEASE_HOLD))
        if not self._asked:
            await self._w.choose(self._row, self._release)
        self._looked = True

    async def without(self, addresses: Collection[str]) -> None:
        """These are not in the call after all."""
        ids = [self._in.pop(one) for one in addresses if one in self._in]
        async with self._w.db.session() as session:
            await _end(session, ids, _NOT_LET)

    def _page(self, last: str) -> Any:
        states: ColumnElement[bool] = Delivery.state == State.SUBMITTED
        if not self._asked:
            states = or_(states, and_(Delivery.state == State.HELD, Delivery.hold == CALL_HOLD))
        mine = and_(Delivery.publication_id == self._row.id, states, Delivery.id > last)
        return select(*COLUMNS).where(mine).order_by(Delivery.id).limit(_PAGE)

    async def _full(self) -> _Full:
        """Who has had as many sends this month as the platform hands to one follower (W10)."""
        limits = self._w.channels[self._account.platform].limits(self._account.settings)
        most = next((one.most for one in limits if one.each and one.per is Per.MONTH), 0)
        if not most:
            return _Full()
        first = begins(day_of(now()).replace(day=1))
        all_ = await spent(self._w.ledger, self._account.id, self._release.id)
        left = most - sum(one.count for one in all_ if one.at >= first)
        words = _FULL.format(most=most)
        async with self._w.db.session() as session:
            return _Full(frozenset(await _had(session, self._row, first, left)), words)

    async def _leave(self, session: AsyncSession, gone: Collection[str], why: str) -> None:
        if not self._asked:
            await _end(session, gone, why)
            return
        unsure = {"state": State.UNKNOWN, "why": _MAYBE, "code": LEFT}
        await rewrite(session, Delivery.id.in_(gone), **unsure, finished_at=now())

    async def _write(self, looked: "_Looked") -> None:
        async with self._w.db.session() as session:
            ids = list(looked.addresses.values())
            coming = and_(Delivery.id.in_(ids), Delivery.state == State.HELD)
            values = {"state": State.SUBMITTED, "hold": "", "why": "", "code": CALL}
            await rewrite(session, coming, **values, route=Via.MASS, sending_since=now())
            for why, gone in looked.gone.items():
                await self._leave(session, gone, why)
            held = {"state": State.HELD, "hold": CHANGED_HOLD, "why": CHANGED}
            wrong = [one for table, one in looked.wrong if table == TABLE]
            await session.execute(update(Delivery).where(Delivery.id.in_(wrong)).values(**held))
        for table, one in looked.wrong[:1]:  # many rows of one forging open one incident
            await self._w.on_changed(table, one)


class _Looked:
    """One page of rows: who is in, who is not and why, and which are not believed."""

    def __init__(self, wiring: Wiring, audience: Mapping[str, Any], full: _Full) -> None:
        """Nothing was looked at yet."""
        self._w, self._audience, self._full = wiring, audience, full
        self.addresses: dict[str, str] = {}
        self.gone: dict[str, list[str]] = {}
        self.wrong: list[tuple[str, str]] = []

    async def at(self, session: AsyncSession, rows: Sequence[Any]) -> None:
        people = [row["contact_id"] for row in rows]
        query = select(*ASKED_OF_CONTACTS).where(ASKED_OF_CONTACTS[0].in_(people))
        known = {one.id: one for one in await session.execute(query)}
        wants = await self._w.wants(session, people)
        self.wrong += list(wants.wrong)
        seals = seals_of(session)
        for row in rows:
            contact = known.get(row["contact_id"])
            if not whole(seals, row):
                self.wrong.append((TABLE, row["id"]))
            elif contact is None or contact.account_id != row["account_id"]:
                self.wrong.append(("contact", row["contact_id"]))
            elif why := self._out(row, contact, wants):
                self.gone.setdefault(why, []).append(row["id"])
            else:
                self._add(row, contact)

    def _out(self, row: Any, contact: Any, wants: Wants) -> str:
        if contact.state != "active":
            return _GONE
        if refuses(contact):
            return contact.refused_why or _GONE
        if not wants.why(row["account_id"], contact.id, self._audience, row["reason"]):
            return _NOT_WANTED
        return self._full.words if contact.id in self._full.people else ""

    def _add(self, row: Any, contact: Any) -> None:
        try:
            address = self._w.contacts.address_on(row["account_id"], contact)
        except ValueError:
            self.wrong.append(("contact", contact.id))
            return
        self.addresses[address] = row["id"]


async def _had(
    session: AsyncSession, row: Publication, first: datetime, most: int
) -> Sequence[str]:
    """Contacts to whom that many calls of the account went since this moment, or may have."""
    query = (
        select(Delivery.contact_id)
        .where(
            Delivery.account_id == row.account_id,
            Delivery.publication_id != row.id,
            Delivery.sending_since >= first,
            Delivery.code == CALL,
            Delivery.state.in_(_SENT),
        )
        .group_by(Delivery.contact_id)
        .having(func.count() >= most)
    )
    return (await session.scalars(query)).all()


async def _end(session: AsyncSession, ids: Collection[str], why: str) -> None:
    which = Delivery.id.in_(ids)
    await rewrite(session, which, state=State.ENDED, why=why, code=LEFT, finished_at=now())


async def end_chosen(session: AsyncSession, row: Publication, outcome: Outcome) -> None:
    """Give everybody who was in the call its end; of one that surely did not go out they wait on.

    `row` has its outcome already. The platform names nobody: how many it left out is said to all.
    """
    was = or_(*(Delivery.state == one for one in _IN_CALL))
    mine = and_(Delivery.publication_id == row.id, Delivery.code == CALL, was)
    if outcome.state is State.PUBLISHED:
        told = {"ref": row.ref, "why": str(outcome.detail.get(REACHED, ""))}
        await rewrite(session, mine, state=State.PUBLISHED, finished_at=now(), **told)
    elif outcome.state is State.UNKNOWN:
        known = and_(mine, Delivery.state == State.SUBMITTED)
        words = {"ref": row.ref, "why": outcome.reason}
        await rewrite(session, known, state=State.UNKNOWN, finished_at=now(), **words)
    elif outcome.state is not State.SUBMITTED and not outcome.detail.get("unsure"):
        waits = {"state": State.HELD, "hold": CALL_HOLD, "why": outcome.reason, "code": ""}
        await rewrite(session, mine, **waits, finished_at=None)
