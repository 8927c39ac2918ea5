"""Who an audience means: counted, sampled and matched by the database, and turned into rows.

An audience is {"topics": [...], "groups": [...], "regions": [...], "industries": [...], "kinds":
[...]} (facet keys), {"all": ["groups"]} for dimensions of which each value must be met, and
{"urgent": ["night"]} where it was reviewed for the night. What it means is in facets/criteria.py,
as statements in selecting.py, when it is served in hours.py; a paused subscription matches nothing.

`Matching(taxonomy, hours)`: count(session, audience, account_ids), sample(...), reach(...),
create_deliveries(db, publication, release), wants(session, contact_ids).
Every statement is one set operation; rows are made in batches of contacts, one short transaction
each, and a second run adds nothing (unique content_key and contact_id). Counts and samples are for
pages; who is served, and whether still at the moment of sending, is decided by subscriptions that
are proved (proof.py).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import Release
from bot.delivery.recent import ELSEWHERE
from bot.delivery.wiring import Wants
from bot.models import Contact, Delivery, Publication
from config.clock import now
from facets.criteria import Asked, Wanted, in_words, meant, meets, wanted
from facets.taxonomy import Taxonomy
from ledger.append import ledger_of
from ledger.verify import Broken
from storage.database import Database, made_at
from subscriptions.earlier import SENT
from subscriptions.hours import SERVED, PushHours, standard_hours, urgent
from subscriptions.models import Subscription
from subscriptions.proof import COLUMNS, TABLE, Alike, Row, about, alike, prove, prove_alike
from subscriptions.rows import Matched, Push, write_rows
from subscriptions.selecting import ASKED, Condition, counting, day_of, has, people

OnChanged = Callable[[str, str], Awaitable[object]]
BATCH = 10_000  # contacts in one transaction
AT_ONCE = 3  # transactions of one push side by side
_SEALED = (*Subscription.SEALED, *Subscription.MORE, *Subscription.LATER)
_PLACES = {name: n for n, name in enumerate(_SEALED)}
_ASKED = tuple(_PLACES[name] for name in ("topic", "group", "region", "industry", "kind"))
_FREQUENCY = _PLACES["frequency"] - 2  # of the fields of Alike


async def _no_change(table: str, row_id: str) -> None:
    """Nobody is told: a measure, or a count of what would be made."""


@dataclass(frozen=True)
class Sampled:
    """One person an audience reaches: a masked reference and why, in words."""

    who: str
    reason: str
    asked: Asked


@dataclass(frozen=True)
class Reach:
    """How many people an audience reaches, by account, and some of them with reasons."""

    accounts: Mapping[str, int]
    sample: Sequence[Sampled]

    @property
    def total(self) -> int:
        """On all accounts together."""
        return sum(self.accounts.values())


@dataclass(frozen=True)
class Window:
    """The time within which a push may go out."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Making:
    """Whose rows are made; with `missing_since` of a push that stood already.

    Then only for who has none and had subscribed by that moment. `hold`: what the rows wait for.
    """

    publication: Publication
    release: Release
    missing_since: datetime | None = None
    hold: str = ""


class Matching:
    """Turns audiences into set operations."""

    def __init__(self, taxonomy: Taxonomy, hours: Callable[[], PushHours] = standard_hours) -> None:
        """`taxonomy` gives labels for reasons and the trees; `hours` when nobody is disturbed."""
        self.taxonomy = taxonomy
        self.hours = hours

    async def count(
        self, session: AsyncSession, audience: Mapping[str, Any], account_ids: Sequence[str]
    ) -> int:
        """How many active contacts of these accounts the audience reaches now."""
        found = wanted(self.taxonomy, audience)
        return await _number(session, people(found, account_ids, Contact.id))

    async def too_late(
        self,
        session: AsyncSession,
        audience: Mapping[str, Any],
        account_ids: Sequence[str],
        window: Window,
    ) -> int:
        """How many of them chose an hour that comes after the window, if it goes out at its start.

        Whoever also has a subscription that is served earlier is not among them.
        """
        moments = self.hours().moments(max(window.begins, now()), at_night=urgent(audience))
        late = [name for name, at in SERVED.items() if moments[at] > window.ends]
        if moments[0] > window.ends:  # a night, and nothing is left of the window in the morning
            return await self.count(session, audience, account_ids)
        if not late:
            return 0
        found = wanted(self.taxonomy, audience)
        early = has(found, Subscription.frequency.not_in(late))
        reached = await _number(session, people(found, account_ids, Contact.id).where(early))
        return await self.count(session, audience, account_ids) - reached

    async def sample(
        self,
        session: AsyncSession,
        audience: Mapping[str, Any],
        account_ids: Sequence[str],
        limit: int = 5,
    ) -> list[Sampled]:
        """Some of them with reasons; the person appears only as a short masked reference."""
        found = wanted(self.taxonomy, audience)
        query = people(found, account_ids, Contact.id, Contact.subject_ref)
        query = query.order_by(Contact.subject_ref.desc()).limit(limit)
        chosen: dict[str, str] = dict((await session.execute(query)).all())
        theirs = counting(found, account_ids, Contact.id, *ASKED)
        fullest: dict[str, tuple[str, Asked]] = {}
        for who, *keys in await session.execute(theirs.where(Contact.id.in_(chosen))):
            asked = Asked(*keys)
            fullest[who] = max(fullest.get(who, ("", asked)), (self._words(asked), asked))
        return [Sampled(f"订阅者 …{ref[-4:]}", *fullest[who]) for who, ref in chosen.items()]

    async def reach(
        self, session: AsyncSession, audience: Mapping[str, Any], account_ids: Sequence[str]
    ) -> Reach:
        """How many people of each account, and five of them with reasons."""
        meant_by = wanted(self.taxonomy, audience)
        query = people(meant_by, account_ids, Contact.account_id, func.count())
        rows = (await session.execute(query.group_by(Contact.account_id))).all()
        found: dict[str, int] = dict(rows)
        counts = {account: found.get(account, 0) for account in sorted(account_ids)}
        sample = await self.sample(session, audience, account_ids) if found else []
        return Reach(counts, sample)

    async def create_deliveries(
        self,
        db: Database,
        publication: Publication,
        release: Release,
        on_changed: OnChanged = _no_change,
    ) -> int:
        """Make the missing delivery rows of this publication; return how many were made.

        Nothing for a release without audience: that is for the public timeline only. A subscription
        that somebody wrote past this program is left out; `on_changed(table, id)` is told the first
        one. Raises ledger.verify.Broken.
        """
        return await self._create(db, Making(publication, release), on_changed)

    async def create_missing(
        self, db: Database, making: Making, on_changed: OnChanged = _no_change
    ) -> int:
        """The same for a push that stood already: for whoever has no row of it; how many.

        They may go out although the signed end of the push stands.
        """
        return await self._create(db, making, on_changed)

    async def create_waiting(
        self, db: Database, making: Making, on_changed: OnChanged = _no_change
    ) -> int:
        """The same for a push that has not begun: its rows wait for what `making` says."""
        return await self._create(db, making, on_changed)

    async def count_missing(self, session: AsyncSession, making: Making) -> int:
        """How many rows that would make, if every subscription stands."""
        accounts = [making.publication.account_id]
        found = wanted(self.taxonomy, making.release.audience or {})
        missing = _missing(making)
        of = [] if missing is None else [missing[1]]
        query = people(found, accounts, Contact.id, of=of)
        return await _number(session, query if missing is None else query.where(missing[0]))

    async def _create(self, db: Database, one: Making, on_changed: OnChanged) -> int:
        publication = one.publication
        if one.release.audience is None:
            return 0
        # SQLite writes one after the other; a server's processes work side by side.
        at_once = asyncio.Semaphore(1 if db.is_sqlite else AT_ONCE)

        async def create(batch: "_Batch") -> tuple[int, list[str]]:
            async with at_once, db.session() as session:
                return await self._create_batch(session, one, batch)

        try:
            async with asyncio.TaskGroup() as group:
                batches = _batches(db, publication.account_id)
                making = [group.create_task(create(batch)) async for batch in batches]
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from several
        if wrong := [first for one in making for first in one.result()[1][:1]]:
            await on_changed(TABLE, min(wrong))
        return sum(one.result()[0] for one in making)

    async def wants(self, session: AsyncSession, contact_ids: Sequence[str]) -> Wants:
        """What these contacts want now: asked once more for each push on its way."""
        query = select(*COLUMNS).where(
            Subscription.contact_id.in_(contact_ids),
            Subscription.state == "active",
            Subscription.policy == "",
        )
        rows: list[Row] = [*(await session.execute(query)).all()]
        try:
            proved = await prove(session, rows)
        except Broken:  # then no release verifies, and nothing is sent
            return Wants(lambda account_id, contact_id, audience, reason: "")
        own: dict[tuple[str, str], list[Row]] = {}
        for row in proved.rows:
            own.setdefault((row[1], row[2]), []).append(row)

        # With the audience beside it: another one could else come to have the same id.
        known: dict[int, tuple[object, Wanted]] = {}
        words: dict[Asked, str] = {}
        today = day_of(now())

        def why(account_id: str, contact_id: str, audience: Mapping[str, Any], reason: str) -> str:
            if id(audience) not in known:
                known[id(audience)] = audience, wanted(self.taxonomy, audience)
            found = known[id(audience)][1]
            rows = [row for row in own.get((contact_id, account_id), ()) if not _paused(row, today)]
            asked = [_asked(row) for row in rows]
            counts = [one for one in asked if meets(found, one)]
            words.update((one, self._words(one)) for one in counts if one not in words)
            hold = [words[one] for one in counts]
            hold = hold if meant(found, asked) else []
            # Who was sent what is corrected is told so while any wish of theirs stands.
            if not hold and rows and reason.startswith(SENT):
                return reason
            # The wish it was made for, if that stands; else another that still asks for it.
            return reason if reason in hold else max(hold, default="")

        ledger = ledger_of(session)

        async def stands(contact_id: str) -> bool:
            subject = about(contact_id)
            facts = await ledger.facts(subject, age=ELSEWHERE)
            return (facts[-1].seq if facts else 0) == proved.ends.get(subject, 0)

        wrong = tuple((TABLE, one) for one in proved.wrong)
        return Wants(why, wrong, stands, self.waits)

    def waits(self, audience: Mapping[str, Any], delivery_id: str, contact: Any) -> float:
        """Seconds to the morning; none for who has written since this was made: they are awake."""
        moment, hours = now(), self.hours()
        if urgent(audience) or not hours.quiet(moment):
            return 0.0
        acts = [at for at in (contact.last_inbound_at, contact.brief_at) if at is not None]
        age = timedelta(seconds=max(0.0, time.time() - made_at(delivery_id)))
        if acts and max(acts) > moment - age:
            return 0.0
        return (hours.after_quiet(moment) - moment).total_seconds()

    async def _create_batch(
        self, session: AsyncSession, one: Making, batch: "_Batch"
    ) -> tuple[int, list[str]]:
        """How many rows were made, and which subscriptions are not believed."""
        publication, release = one.publication, one.release
        found = wanted(self.taxonomy, release.audience or {})
        query = counting(found, [publication.account_id]).where(
            Subscription.account_id == publication.account_id,
            *batch.of(Contact.id),
            # Said of both: PostgreSQL would else look through all subscriptions for each batch.
            *batch.of(Subscription.contact_id),
        )
        query = query.where(*(_missing(one) or ()))
        proved = await prove_alike(session, await alike(session, query))
        moment = now()
        moments = self.hours().moments(
            moment, at_night=release.urgent or urgent(release.audience or {})
        )
        push = Push(
            release.id, publication.id, publication.account_id, moment, moments,
            late=one.missing_since is not None, hold=one.hold,
        )  # fmt: skip
        # Of what is proved: a row that somebody wrote meets no value for its person.
        matched = self._matched(_meant(found, proved.groups))
        return await write_rows(session, push, matched) if matched else 0, proved.wrong

    def _matched(self, groups: Iterable[Alike]) -> list[Matched]:
        """One for each contact: the fullest reason, and the earliest moment."""
        words: dict[Asked, str] = {}
        found: dict[str, tuple[str, int]] = {}
        for group in groups:
            asked = _asked_of(group)
            if asked not in words:
                words[asked] = self._words(asked)
            one = (words[asked], SERVED.get(group.fields[_FREQUENCY], 0))
            for row in group.members:
                other = found.setdefault(row[1], one)
                if other is not one:
                    found[row[1]] = (max(one[0], other[0]), min(one[1], other[1]))
        return [(contact_id, *one) for contact_id, one in found.items()]

    def _words(self, asked: Asked) -> str:
        """您订阅了 就业创业、人群 高校毕业生、地区 青禾县; a key we do not know is no word."""
        return "您订阅了 " + in_words(self.taxonomy, asked)


async def _number(session: AsyncSession, query: Select[Any]) -> int:
    found = await session.execute(select(func.count()).select_from(query.subquery()))
    return int(found.scalar_one())


def _meant(found: Wanted, groups: Sequence[Alike]) -> Sequence[Alike]:
    """Of those that count: those of people who meet each value, where each must be met."""
    if not found.each:
        return groups
    own: dict[str, list[Asked]] = {}
    for one in groups:
        for row in one.members:
            own.setdefault(row[1], []).append(_asked_of(one))
    them = {contact_id for contact_id, asked in own.items() if meant(found, asked)}
    return [Alike(one.fields, [row for row in one.members if row[1] in them]) for one in groups]


def _missing(making: Making) -> tuple[Condition, Condition] | None:
    """Of a push that stood already: what is asked of its people, and of their subscriptions."""
    if making.missing_since is None:
        return None
    place = making.publication.id
    mine = and_(Delivery.publication_id == place, Delivery.contact_id == Contact.id)
    # Not left to the unique key: a row that was sent again has another one.
    return ~exists().where(mine), Subscription.created_at <= making.missing_since


def _asked(row: Row) -> Asked:
    return Asked(*(row[place] for place in _ASKED))


def _asked_of(one: Alike) -> Asked:
    return Asked(*(one.fields[place - 2] for place in _ASKED))


def _paused(row: Row, today: str) -> bool:
    return bool(row[_PLACES["paused_until"]] > today)


@dataclass(frozen=True)
class _Batch:
    """Contacts by id: those after one, up to another."""

    after: str
    upto: str

    def of(self, contact_id: Any) -> tuple[Condition, Condition]:
        """Whether a column holds one of them."""
        return contact_id > self.after, contact_id <= self.upto


async def _batches(db: Database, account_id: str) -> AsyncIterator[_Batch]:
    """The contacts of an account, cut into ranges."""
    last: str | None = ""
    while last is not None:
        batch = (
            select(Contact.id)
            .where(Contact.account_id == account_id, Contact.id > last)
            .order_by(Contact.id)
            .limit(BATCH)
            .subquery()
        )
        async with db.session() as session:
            upto: str | None = await session.scalar(select(func.max(batch.c.id)))
        if upto is not None:
            yield _Batch(last, upto)
        last = upto
