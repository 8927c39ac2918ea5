"""Published releases with an audience become delivery rows; finished pushes become ledger entries.

`Pusher(db, ledger, verify, matching)`; jobs: `await create_due()` and `await finish_due()`.
Both may run twice and anywhere: rows are unique, entries are written once under the write lock.
An account whose settings say `"push": "mass"` is served by its mass message, never personally too;
one that says `targeted` has had its people in the call that published (bot/delivery/chosen.py).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import and_, exists, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels import CHANNELS
from bot.contract import NotReleased, Release, State, Verify
from bot.delivery.massed import to_everybody
from bot.delivery.mended import DROPPED, REPLACED, Going, going, is_noted
from bot.delivery.once import same, told_of
from bot.models import Account, Contact, Delivery, Publication
from bot.noticing import Noticing
from bot.sealing import COLUMNS, read_apart, rewrite, sealed_as, whole
from config.clock import now
from ledger.append import Ledger
from ledger.changed import row_changed
from ledger.models import LedgerEntry
from ledger.stops import stopped_now
from ledger.verify import RESTORED, Broken, Entry
from storage.database import Database
from storage.seals import Seals, seals_of
from subscriptions.earlier import rows_for_earlier
from subscriptions.matching import Matching
from subscriptions.mending import replace_earlier, tidy
from subscriptions.reach import BEGUN, Tell, hold_back, nobody

TARGETED = "targeted"
MOVING = (State.CREATED, State.SENDING, State.SUBMITTED, State.RETRYING)
PAGE = 5_000
CREATED, FINISHED = "push.created", "push.finished"
_ENDS = frozenset({"item.recalled", "revision.created", "item.lifted", REPLACED, DROPPED})
RESUME = timedelta(hours=1)
"""How long after its beginning the rows of a push that was cut short are completed."""
log = structlog.get_logger()


class Pusher:
    """Creates the rows of each push once, and seals it when nothing of it moves any more."""

    def __init__(
        self, db: Database, ledger: Ledger, verify: Verify, matching: Matching, tell: Tell = nobody
    ) -> None:
        """`verify` is review_queue's; it proves a release at this moment. `tell` reaches staff."""
        self._db = db
        self._hold_back = partial(hold_back, ledger, matching, tell)
        self._ledger = ledger
        self._verify = verify
        self._matching = matching

    async def create_due(self) -> int:
        """Delivery rows for every publication that is out and not yet pushed; how many."""
        # The stop switch: nothing new is made while people look into an incident.
        if await stopped_now(self._ledger, "push"):
            return 0
        async with self._db.session() as session:
            query = select(Publication).where(
                Publication.state == State.PUBLISHED, Publication.pushed_at.is_(None)
            )
            due = (await session.scalars(query.order_by(Publication.id))).all()
        return sum([await self._create(publication) for publication in due])

    async def _create(self, publication: Publication) -> int:
        if not await self._is_out(publication):
            await row_changed(self._ledger, "publication", publication.id)
            return 0
        if stop := await self._stopped(publication):
            return 0 if stop.waits else await self._noted(publication)
        try:
            release = await self._verify(publication.release_id)
        except NotReleased as broken:
            if broken.over:
                await self._too_late(publication)
                return 0
            await self._ledger.open_incident(
                "push.refused",
                subject=f"publication:{publication.id}",
                message="推送前核验未通过，未生成任何推送：" + str(broken),
                detail={"reasons": broken.reasons},
            )
            return 0
        try:
            made = await self._rows(publication, release)
        except Broken:  # then no release verifies either, and the ledger's own incident says why
            return 0
        if made is None:  # held: a person decides, and then it is due again
            return 0
        # After the rows: a crash between leaves it due, and making the rows again adds none.
        await self._noted(publication)
        if made:
            log.info("push created", publication=publication.id, rows=made)
        return made

    async def _noted(self, publication: Publication) -> int:
        """Nothing more is made for this publication."""
        async with self._db.writing() as session:
            row = await session.get(Publication, publication.id)
            if row is not None and row.pushed_at is None:
                row.pushed_at = now()
        return 0

    async def _stopped(self, publication: Publication) -> Going | None:
        """What signed entries say when no rows may be made: paused, dropped or replaced."""
        try:
            facts = await self._ledger.facts(f"item:{publication.item_id}")
        except Broken:  # the proof says so
            return None
        stand = going(facts, publication.account_id)
        return None if stand is Going.ON else stand

    async def _too_late(self, publication: Publication) -> None:
        """Published, and its window ended before a row could be made: an editor decides."""
        await self._ledger.open_incident(
            "push.missed",
            subject=f"publication:{publication.id}",
            message="已发布，但推送时限在生成推送以前就结束了，订阅者都没有收到："
            "请编辑决定是否改期后重新送审",
            detail={},
        )
        await self._noted(publication)

    async def _is_out(self, publication: Publication) -> bool:
        """Whether a signed entry says so: a row alone would push what nobody published."""
        if not publication.whole:
            return False
        try:
            facts = await self._ledger.facts(f"item:{publication.item_id}")
        except Broken:  # the proof below says so
            return True
        told = told_of(facts).get(publication.id)
        return told is not None and same(publication, told)

    async def _rows(self, publication: Publication, release: Release) -> int | None:
        async with self._db.session() as session:
            account = await session.get(Account, publication.account_id)
        # Served by a mass message: writing to the same people again would spend their trust and the
        # quota (W22).
        if account is not None and not account.whole:
            # The way an account pushes decides who is sent to: a changed row sends to nobody.
            await row_changed(self._ledger, "account", account.id)
            return 0
        if account is None or account.settings.get("push") == "mass":
            return 0
        if account.settings.get("push") == TARGETED:
            return await self._called(publication, release)
        # Nor when it is set otherwise only since: what went to everybody has reached them.
        if await self._went_to_everybody(account, publication):
            return 0
        # Before any row of the correction: who the text before it has not reached never gets it.
        await replace_earlier(self._ledger, publication, release)
        if release.audience is not None and await self._hold_back(publication, release):
            return None
        if release.audience is None or not await self._begin(publication):
            return 0
        told = partial(row_changed, self._ledger)
        made = await self._matching.create_deliveries(self._db, publication, release, told)
        made += await rows_for_earlier(self._db, self._ledger, publication, release)
        await self._sign_created(publication)
        return made

    async def _went_to_everybody(self, account: Account, publication: Publication) -> bool:
        channel = CHANNELS.get(account.platform)
        if not isinstance(channel, Noticing):
            return False
        entries = await self._ledger.facts(f"item:{publication.item_id}")
        return to_everybody(entries, publication.id, channel.by_mass)

    async def _called(self, publication: Publication, release: Release) -> int:
        """The rows that waited for the call of this publication are told; none is made."""
        await replace_earlier(self._ledger, publication, release)
        if release.audience is not None and await self._begin(publication):
            await self._sign_created(publication)
        return 0

    async def _sign_created(self, publication: Publication) -> None:
        async with self._db.session() as session:
            mine = select(func.count()).where(Delivery.publication_id == publication.id)
            rows = await session.scalar(mine) or 0  # with those made before it was cut short
        await self._sign(CREATED, f"publication:{publication.id}", {"rows": rows})

    async def _begin(self, publication: Publication) -> bool:
        """Whether rows may be made: once, and anew only for a push that was cut short just now.

        The row's `pushed_at` does not say so: an older copy of the row can be put back.
        """
        subject = f"publication:{publication.id}"
        told = {one.kind: one for one in await self._ledger.facts(subject)}
        if made := told.get(CREATED) or told.get(FINISHED):
            # Another process may have been faster, or ours have died before it noted `pushed_at`.
            if age(made) > RESUME:
                await row_changed(self._ledger, "publication", publication.id)
            return False
        if BEGUN not in told:
            await self._sign(BEGUN, subject, {"release": publication.release_id})
            return True
        if age(told[BEGUN]) <= RESUME:
            return True
        await self._ledger.open_incident(
            "push.refused",
            subject=subject,
            message="推送生成到一半中断，已超过一小时，不再补齐：有的订阅者没有收到，请核对后决定是否另行通知",
            detail={},
        )
        return False

    async def _sign(self, kind: str, subject: str, body: dict[str, Any]) -> None:
        """Once: asked under the write lock, for two workers are at it."""
        async with self._ledger.transaction() as tx:
            entries = await self._ledger.facts(subject)
            if not any(entry.kind == kind for entry in entries):
                await tx.append(kind, subject=subject, actor="system", body=body)

    async def finish_due(self) -> int:
        """Write `push.finished` for each push of which no row moves any more; how many."""
        async with self._db.session() as session:
            ids = await _unsealed(session)
        for publication_id in ids:
            # Nobody can tell whether it is sealed; the ledger has its own incident.
            with suppress(Broken):
                await self._finish(publication_id)
        return len(ids)

    async def _finish(self, publication_id: str) -> None:
        # The columns that say so carry no signature: the entries themselves are asked.
        if await _finished(self._ledger, publication_id):
            return
        async with self._db.session() as session:
            place = await session.get_one(Publication, publication_id)
        # What is held by a pause may go on yet.
        stop = await self._stopped(place)
        if (stop is not None and stop.waits) or await tidy(self._ledger, place):
            return
        await self._mark_late(publication_id)
        told = _Told(await self._explained(publication_id))
        while True:
            async with self._db.session() as session:
                rows, wrong = await _page(session, publication_id, told.last)
                told.take(seals_of(session), rows, wrong)
            # Page by page: a push to a hundred thousand does not fit into memory at once.
            if len(rows) + len(wrong) < PAGE:
                break
        if told.changed:
            await row_changed(self._ledger, "delivery", told.changed[0])
        body: dict[str, Any] = {
            "digest": place.digest,
            "counts": told.counts,
            "root": merkle_root(told.leaves),
            "rows": len(told.leaves),
        }
        body |= {"notes": told.notes} if told.notes else {}
        body |= {"routes": told.routes} if told.routes else {}
        if missing := await self._missing(publication_id, len(told.leaves) + len(told.changed)):
            body["missing"] = missing
        await self._sign(FINISHED, f"publication:{publication_id}", body)

    async def _explained(self, publication_id: str) -> frozenset[str]:
        """States that a row of this push may have under a seal which says "open".

        A recall, a change or a return ends thousands in one statement, and a restore without the
        data key makes them unknown: all are signed. Without such an entry nobody ended the row.
        """
        async with self._db.session() as session:
            place = await session.get_one(Publication, publication_id)
        told = await self._ledger.facts(f"publication:{publication_id}")
        begun = next((one.seq for one in told if one.kind == BEGUN), 0)
        item = [one for one in await self._ledger.facts(f"item:{place.item_id}") if one.seq > begun]
        found = {State.ENDED} if any(_ends(one) for one in item) else set()
        restored = await self._ledger.facts("ledger")
        if any(one.kind == RESTORED and one.seq > begun for one in restored):
            found.add(State.UNKNOWN)
        return frozenset(found)

    async def _missing(self, publication_id: str, found: int) -> int:
        """How many rows that were signed as made are gone; an incident when there are any."""
        told = await self._ledger.facts(f"publication:{publication_id}")
        made = next((int(one.body["rows"]) for one in told if one.kind == CREATED), found)
        if found >= made:
            return 0
        await self._ledger.open_incident(
            "push.incomplete",
            subject=f"publication:{publication_id}",
            message=f"这次推送生成了 {made} 条记录，现在只剩 {found} 条："
            "有人绕过本系统删去了记录，签名的送达数不含这些，请查明是谁改的",
            detail={"made": made, "found": found},
        )
        return made - found

    async def _mark_late(self, publication_id: str) -> None:
        """What is still held may go out later; nothing else of this push may, once it is sealed."""
        held = and_(
            Delivery.publication_id == publication_id,
            Delivery.state == State.HELD,
            Delivery.late.is_(False),
        )
        async with self._db.session() as session:
            await rewrite(session, held, late=True)


async def push_finished(ledger: Ledger, publication_id: str) -> bool:
    """Whether the signed end of a push stands; asked before each of its messages."""
    try:
        return await _finished(ledger, publication_id)
    except Broken:  # then no release verifies, and nothing of it is sent
        return False


async def _finished(ledger: Ledger, publication_id: str) -> bool:
    entries = await ledger.facts(f"publication:{publication_id}")
    return any(entry.kind == FINISHED for entry in entries)


@dataclass
class _Told:
    """What the rows of a push came to; rows that somebody wrote past this program are left out."""

    explained: frozenset[str]
    counts: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    """Of these: messages that say what a correction changed, and not its text."""
    routes: dict[str, int] = field(default_factory=dict)
    """Of those that are out: by which way, where there was a choice."""
    leaves: list[bytes] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    last: str = ""

    def take(
        self, seals: Seals, rows: Sequence[Mapping[str, Any]], unreadable: Sequence[str]
    ) -> None:
        self.changed += unreadable
        self.last = max([*unreadable, *(row["id"] for row in rows)], default="")
        for row in rows:
            state = row["state"]
            if not (sealed_as(seals, row) or (state in self.explained and whole(seals, row))):
                self.changed.append(row["id"])
                continue
            self.counts[state] = self.counts.get(state, 0) + 1
            if row["route"] and state == State.PUBLISHED:
                self.routes[row["route"]] = self.routes.get(row["route"], 0) + 1
            if is_noted(row["reason"]):
                self.notes[state] = self.notes.get(state, 0) + 1
            self.leaves.append(_leaf(row["id"], row["subject_ref"], state))


def age(entry: Entry) -> timedelta:
    """How long ago an entry was signed."""
    return now() - datetime.fromisoformat(entry.at)


async def _unsealed(session: AsyncSession) -> list[str]:
    """Pushes without their entry of which no row moves; sealed ones are never looked into again."""
    subject = literal("publication:") + Publication.id
    sealed = exists().where(LedgerEntry.kind == FINISHED, LedgerEntry.subject == subject)
    query = select(Publication.id).where(Publication.pushed_at.is_not(None), ~sealed)
    return [
        publication_id
        for publication_id in (await session.scalars(query)).all()
        if await _at_rest(session, publication_id)
    ]


async def _at_rest(session: AsyncSession, publication_id: str) -> bool:
    mine = select(Delivery.id).where(Delivery.publication_id == publication_id).limit(1)
    if (await session.scalars(mine)).first() is None:
        return False
    # A row that somebody wrote past this program moves nowhere, and keeps no push open.
    moving = select(*COLUMNS).where(
        Delivery.publication_id == publication_id, Delivery.state.in_(MOVING)
    )
    seals, last, limit = seals_of(session), "", 1
    while True:
        page = moving.where(Delivery.id > last).order_by(Delivery.id).limit(limit)
        rows, wrong = await read_apart(session, page)
        if any(whole(seals, row) for row in rows):
            return False
        if len(rows) + len(wrong) < limit:
            return True
        last, limit = max([*wrong, *(row["id"] for row in rows)]), min(limit * 10, PAGE)


async def _page(
    session: AsyncSession, publication_id: str, last: str
) -> tuple[list[dict[str, Any]], list[str]]:
    query = (
        select(*COLUMNS, Contact.subject_ref)
        .join(Contact, Contact.id == Delivery.contact_id)
        .where(Delivery.publication_id == publication_id, Delivery.id > last)
        .order_by(Delivery.id)
        .limit(PAGE)
    )
    return await read_apart(session, query)


def _ends(entry: Entry) -> bool:
    """Whether an entry about an item ended what of it had not gone out."""
    returned = entry.kind == "decision" and entry.body["verdict"] == "return"
    return returned or entry.kind in _ENDS


def _leaf(delivery_id: str, subject_ref: str, state: str) -> bytes:
    """SHA-256 of `leaf:<delivery>:<subject_ref>:<state>`; no address, no text."""
    return hashlib.sha256(f"leaf:{delivery_id}:{subject_ref}:{state}".encode()).digest()


def merkle_root(leaves: Iterable[bytes]) -> str:
    """The root over the leaves in order, hex; an odd last node is carried up; empty for none."""
    level = list(leaves)
    while len(level) > 1:
        pairs = [
            hashlib.sha256(b"node:" + level[i] + level[i + 1]).digest()
            for i in range(0, len(level) - 1, 2)
        ]
        # Carried up and not doubled: doubling lets two different lists have one root.
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0].hex() if level else ""
