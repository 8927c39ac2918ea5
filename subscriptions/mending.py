"""A push mended while it runs: paused, gone on with, dropped, or replaced by its correction.

Who got the text before a correction (or may have: an unknown one counts) gets a note of what
changed; everybody else gets the corrected text; nobody gets both. Each step is signed about the
item, and its rows change in the same transaction, so a process killed in between leaves nothing
half done.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Select, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import Corrected, Release, State
from bot.delivery.mended import (
    DROPPED,
    MEND_HOLD,
    PAUSED,
    REPLACED,
    RESUMED,
    Going,
    Had,
    going,
)
from bot.delivery.outbox import CHANGED_HOLD
from bot.models import Delivery, Publication
from bot.sealing import COLUMNS, read_apart, whole
from ledger.append import Ledger, Transaction
from ledger.verify import Broken, Entry
from review_queue.canonical import digest
from review_queue.desk import Said, append_with_words, read_item
from review_queue.models import Item, Revision
from staff.refusal import Reason, Refused, refuse
from staff.rights import entitled
from storage.database import Database
from storage.seals import seals_of

REACHED = (State.PUBLISHED, State.SUBMITTED, State.UNKNOWN)
"""States of a message that its contact has, or may have."""
_MOST_STEPS = 50  # corrections of corrections: more is no history of a text
_OPEN = (State.CREATED, State.RETRYING, State.HELD)


def waiting(which: ColumnElement[bool]) -> ColumnElement[bool]:
    """Those of these rows that have not gone out and may yet; one written past us is none."""
    return and_(which, Delivery.state.in_(_OPEN), Delivery.hold != CHANGED_HOLD)


# --- pausing, by a person ---------------------------------------------------------------------


async def pause(ledger: Ledger, item_id: str, staff_id: str, reason: str) -> int:
    """Hold at once what has not gone out of an item's pushes; how many messages.

    What is on its way gets its end. Refused 403, 404, 409 or 422.
    """
    entries = await _entries(ledger, item_id)
    async with ledger.transaction() as tx:
        await entitled(tx.session, staff_id, "pushes.pause")
        item = await read_item(tx.session, item_id)
        places = await _places(tx.session, [item_id])
        faults = _reason_faults(reason, "暂停")
        if any(going(entries, one.account_id) is Going.PAUSED for one in places):
            faults.append(Reason("state", "这篇稿件的推送已经暂停"))
        rest = await _count(tx.session, waiting(_of(places)))
        if not rest and not any(one.pushed_at is None for one in places):
            faults.append(Reason("state", "这篇稿件没有还没发出的推送"))
        refuse(faults)
        held = {"state": State.HELD, "hold": MEND_HOLD, "why": Going.PAUSED.words}
        # Not those that wait for their citizen: they would have to be freed by hand afterwards.
        due = and_(_of(places), Delivery.state.in_((State.CREATED, State.RETRYING)))
        await tx.session.execute(update(Delivery).where(due).values(**held))
        await _signed(tx, item, Said(PAUSED, staff_id, reason), places)
        return rest


async def resume(ledger: Ledger, item_id: str, staff_id: str, reason: str) -> int:
    """Go on with the text as it was approved; how many messages are due again."""
    entries = await _entries(ledger, item_id)
    async with ledger.transaction() as tx:
        await entitled(tx.session, staff_id, "pushes.decide")
        item = await read_item(tx.session, item_id)
        places = await _places(tx.session, [item_id])
        refuse(_reason_faults(reason, "继续推送") + _paused_faults(entries, places))
        held = and_(_of(places), Delivery.state == State.HELD, Delivery.hold == MEND_HOLD)
        rest = await _count(tx.session, held)
        await _signed(tx, item, Said(RESUMED, staff_id, reason), places)
        due = update(Delivery).where(held).values(state=State.CREATED, hold="", why="")
        await tx.session.execute(due)
        return rest


async def drop(ledger: Ledger, item_id: str, staff_id: str, reason: str) -> int:
    """End what is left of a paused push; how many messages."""
    entries = await _entries(ledger, item_id)
    async with ledger.transaction() as tx:
        await entitled(tx.session, staff_id, "pushes.decide")
        item = await read_item(tx.session, item_id)
        places = await _places(tx.session, [item_id])
        refuse(_reason_faults(reason, "不再发送") + _paused_faults(entries, places))
        rest = await _count(tx.session, waiting(_of(places)))
        await _signed(tx, item, Said(DROPPED, staff_id, reason), places)
        await _end(tx.session, waiting(_of(places)), Going.DROPPED.words)
        return rest


def _reason_faults(reason: str, what: str) -> list[Reason]:
    return [] if reason.strip() else [Reason("reason", f"请写明{what}的理由")]


def _paused_faults(entries: Sequence[Entry], places: Sequence[Publication]) -> list[Reason]:
    stands = {going(entries, one.account_id) for one in places}
    if Going.PAUSED in stands:
        return []
    if Going.REPLACED in stands:
        return [Reason("state", "更正稿已经代替了这次推送，不能再用原文")]
    return [Reason("state", "这篇稿件的推送没有暂停")]


async def _entries(ledger: Ledger, item_id: str) -> Sequence[Entry]:
    try:
        return await ledger.facts(f"item:{item_id}")
    except Broken as broken:
        raise Refused(409, [Reason("ledger", str(broken))]) from broken


async def _places(session: AsyncSession, items: Sequence[str]) -> list[Publication]:
    query = select(Publication).where(Publication.item_id.in_(items)).order_by(Publication.id)
    return [*(await session.scalars(query))]


def _of(places: Sequence[Publication]) -> ColumnElement[bool]:
    return Delivery.publication_id.in_([one.id for one in places])


async def _count(session: AsyncSession, which: ColumnElement[bool]) -> int:
    return int(await session.scalar(select(func.count()).select_from(Delivery).where(which)) or 0)


async def _end(session: AsyncSession, which: ColumnElement[bool], why: str) -> None:
    # In one statement: their seals go on to say "open", and what is signed explains it.
    ended = update(Delivery).where(which).values(state=State.ENDED, hold="", why=why, next_at=None)
    await session.execute(ended)


async def _signed(tx: Transaction, item: Item, said: Said, places: Sequence[Publication]) -> None:
    """The entry, with how many have each text and how many lack it."""
    sent = or_(*(Delivery.state == state for state in (*REACHED, State.SENDING)))
    counts = [
        {
            "publication": one.id,
            "account": one.account_id,
            "digest": one.digest,
            "had": await _count(tx.session, and_(_of([one]), sent)),
            "rest": await _count(tx.session, waiting(_of([one]))),
        }
        for one in places
    ]
    await append_with_words(tx, item, said, {"pushes": counts})


async def tidy(ledger: Ledger, place: Publication) -> bool:
    """Give rows that were on their way at a pause the end it came to; whether there were any.

    Their outcome may have been written after what a person decided about all the others.
    """
    stand = going(await ledger.facts(f"item:{place.item_id}"), place.account_id)
    async with ledger.db.session() as session:
        if stand is Going.ON:
            held = and_(_of([place]), Delivery.state == State.HELD, Delivery.hold == MEND_HOLD)
            due = update(Delivery).where(held).values(state=State.CREATED, hold="", why="")
            return bool(cast(CursorResult[Any], await session.execute(due)).rowcount)
        if not stand.waits:
            await _end(session, waiting(_of([place])), stand.words)
    return False


# --- replaced by its correction ---------------------------------------------------------------


async def replace_earlier(ledger: Ledger, publication: Publication, release: Release) -> None:
    """End what has not gone out of the texts a correction is about, on its account; signed once."""
    if release.corrects is None:
        return
    async with ledger.db.session() as session:
        items = await lineage(session, release.corrects)
        places = await _places(session, items)
    for place in places:
        if place.account_id != publication.account_id:
            continue
        async with ledger.transaction() as tx:
            entries = await ledger.facts(f"item:{place.item_id}")
            if going(entries, place.account_id) is Going.REPLACED:
                continue
            sent = and_(_of([place]), Delivery.state.in_((*REACHED, State.SENDING)))
            body = {
                "publication": place.id,
                "account": place.account_id,
                "digest": place.digest,
                "by": release.item_id,
                "by_digest": release.digest,
                "had": await _count(tx.session, sent),
                "rest": await _count(tx.session, waiting(_of([place]))),
            }
            await _end(tx.session, waiting(_of([place])), Going.REPLACED.words)
            await tx.append(REPLACED, subject=f"item:{place.item_id}", actor="system", body=body)


async def lineage(session: AsyncSession, corrects: Corrected) -> list[str]:
    """The item that is corrected, the one that item corrected, and so on; by signed digests."""
    found: list[str] = []
    at: Corrected | None = corrects
    while at is not None and at.item not in found and len(found) < _MOST_STEPS:
        found.append(at.item)
        query = select(Revision.canonical).where(
            Revision.item_id == at.item, Revision.digest == at.digest
        )
        text = (await session.scalars(query.limit(1))).first()
        # A text that is not the one it was approved as names nothing.
        said = json.loads(text).get("corrects") if text and digest(text) == at.digest else None
        at = Corrected(said["item"], said["digest"]) if said else None
    return found


@dataclass(frozen=True)
class Earlier:
    """Asked by the sender of a correction, message by message."""

    db: Database

    async def had(self, release: Release, contact_id: str) -> Had:
        """Whether this contact was sent what the release corrects."""
        if release.corrects is None:
            return Had.NO
        async with self.db.session() as session:
            items = await lineage(session, release.corrects)
            rows, wrong = await read_apart(session, _earlier(items, contact_id))
            seals = seals_of(session)
        states = {row["state"] for row in rows}
        # Of a row that somebody wrote nobody can tell: two texts are worse than a note too many.
        if wrong or states & set(REACHED) or not all(whole(seals, row) for row in rows):
            return Had.YES
        return Had.ON_ITS_WAY if State.SENDING in states else Had.NO


def _earlier(items: Sequence[str], contact_id: str) -> Select[Any]:
    places = select(Publication.id).where(Publication.item_id.in_(items))
    return select(*COLUMNS).where(
        Delivery.contact_id == contact_id, Delivery.publication_id.in_(places)
    )
