"""`shenfa bench match`: an audience counted, and turned into sealed rows, beside bare statements.

On the database `SHENFA_BENCH_DATABASE_URL` names, which must be empty (postgresql+asyncpg); else on
SQLite in a temporary folder.
"""

import os
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, insert, literal, null, select, text

from bench.audience import audiences
from bench.figures import Measured, Row, Timed, figure, grown
from bench.office import TOPIC
from bot.contract import Release, State
from bot.models import Contact, Delivery, Publication
from config.clock import now
from facets.taxonomy import starting_taxonomy
from ledger.append import Ledger
from storage.crypt import DataKey
from storage.database import Base, Database, new_id
from storage.seals import Seals, seals_of
from subscriptions.matching import Matching
from subscriptions.models import Subscription
from subscriptions.proof import TABLE

_BATCH = 5_000


async def match(n: int = 100_000) -> list[Row]:
    """`n` people counted and sampled, and as many subscribers turned into sealed rows."""
    with tempfile.TemporaryDirectory(prefix="shenfa-bench-") as folder:
        url = os.environ.get("SHENFA_BENCH_DATABASE_URL", "")
        url = url or f"sqlite+aiosqlite:///{Path(folder) / 'shenfa.db'}"
        db = Database(url, Seals(DataKey(os.urandom(32)).seal_key))
        Ledger(db, Ed25519PrivateKey.generate(), Path(folder) / "anchors")  # the db carries it
        try:
            await db.create_all()
            few = max(1, n // 10)
            await _subscribers(db, few)
            first = await _ours(db, few, "few")
            await _subscribers(db, n - few)
            bare = await _bare(db)
            ours = await _ours(db, n, "bench")
            counted = await audiences(db, n)
        finally:
            await db.close()
    row = figure(
        "match", "sealed delivery rows", "rows/s", Measured(n / ours, n / bare, 100_000.0), n
    )
    row["detail"] = {"database": "sqlite" if db.is_sqlite else "postgresql"}
    row["detail"] |= grown(Timed(few, first), Timed(n, ours)) if n > few else {}
    return [row, *counted]


async def _subscribers(db: Database, n: int) -> None:
    moment = now()
    contacts, wishes = Base.metadata.tables["contact"], Base.metadata.tables["subscription"]
    for begin in range(0, n, _BATCH):
        ids = [new_id() for _ in range(min(_BATCH, n - begin))]
        person = {"account_id": "bench", "address": "", "state": "active", "ended_reason": ""}
        wish = {"account_id": "bench", "topic": TOPIC, "consent_version": "1", "created_at": moment}
        wish |= {"grp": "", "region": "", "frequency": "immediate", "state": "active"}
        wish |= {"after_end": 0}
        async with db.session() as session:
            seals = seals_of(session)
            people = [
                {**person, "id": one, "subject_ref": one, "address_hash": one, "created_at": moment}
                for one in ids
            ]
            for row in people:
                row["seal"] = seals.of("contact", [row[name] for name in Contact.SEALED])
            await session.execute(insert(contacts), people)
            rows = [{**wish, "id": new_id(), "contact_id": one} for one in ids]
            for row in rows:
                said = [row["grp" if name == "group" else name] for name in Subscription.SEALED]
                row["seal"] = seals.of(TABLE, said)
            await session.execute(insert(wishes), rows)
    async with db.session() as session:
        # As a server in use has it done by itself: without, PostgreSQL plans for empty tables.
        await session.execute(text("ANALYZE"))


async def _bare(db: Database) -> float:
    """Seconds of one statement that writes as many rows and seals none."""
    row = {
        "content_key": literal("bare"),
        "release_id": literal("bare"),
        "publication_id": literal("bare"),
        "account_id": literal("bench"),
        "reason": literal("您订阅了 就业创业"),
        "reply": null(),
        "state": literal(State.CREATED.value),
        **{name: literal("") for name in ("ref", "why", "hold", "owner")},
        "attempts": literal(0),
        "created_at": Contact.created_at,
    }
    chosen = (
        select(func.max(Subscription.id), Subscription.contact_id, *row.values())
        .join(Contact, Contact.id == Subscription.contact_id)
        .where(Subscription.topic == TOPIC, Subscription.state == "active")
        .group_by(Subscription.contact_id, Contact.created_at)
    )
    names = ["id", "contact_id", *row]
    begun = time.perf_counter()
    async with db.session() as session:
        table = Base.metadata.tables[Delivery.__tablename__]
        await session.execute(insert(table).from_select(names, chosen, include_defaults=False))
    return time.perf_counter() - begun


async def _ours(db: Database, n: int, key: str) -> float:
    """Seconds until each of `n` people has a sealed row of the release with this key."""
    moment = now()
    publication = Publication(
        id=new_id(),
        release_id=key,
        item_id="bench",
        account_id="bench",
        digest="",
        state=State.PUBLISHED,
        due_at=moment,
    )
    # A stand-in and no proof: what makes rows reads these two, and nothing of it is sent.
    release = cast(Release, SimpleNamespace(id=key, audience={"topics": [TOPIC]}, urgent=False))
    matching = Matching(starting_taxonomy())
    begun = time.perf_counter()
    made = await matching.create_deliveries(db, publication, release)
    taken = time.perf_counter() - begun
    # Rows that were not made would make the figure better.
    if made != n:
        raise RuntimeError(f"{made} rows were made of {n}")
    return taken
