"""Publications of an earlier version are signed and sealed once, and go on from there."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from bot.contract import State
from bot.delivery.once import Stood, stand_of, told_of
from bot.models import Publication
from config.clock import now
from ledger.append import Ledger, load_signing_key
from ledger.models import Incident
from ledger.reopening import mend_incidents, open_incidents
from office.stood import STOOD, sign_incidents_that_stood, sign_what_was_published
from storage.database import Database
from tests.made import SEALS

WHERE = {
    State.PUBLISHED: Stood.PUBLISHED,
    State.SUBMITTED: Stood.OPEN,
    State.SENDING: Stood.OPEN,
    State.UNKNOWN: Stood.OPEN,
    State.CREATED: Stood.FREE,
    State.RETRYING: Stood.FREE,
    State.HELD: Stood.FREE,
    State.FAILED: Stood.FREE,
}


@pytest.fixture
async def older(tmp_path: Path) -> AsyncIterator[Ledger]:
    """An office whose rows of accounts and people are sealed, and whose publications are not."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'older.db'}", SEALS)
    await database.create_all()
    ledger = Ledger(database, load_signing_key(tmp_path / "l.key"), tmp_path / "anchors.jsonl")
    async with ledger.transaction() as tx:
        await tx.append("genesis", subject="office", actor="init", body={"sealed": True})
    rows = [
        {
            "id": f"p-{state}",
            "release_id": "r",
            "item_id": "i",
            "account_id": f"a-{state}",
            "digest": "d" * 64,
            "state": state,
            "ref": "9",
            "url": "https://t.me/qinghe/9",
            "due_at": now(),
            "published_at": now() if state is State.PUBLISHED else None,
            "seal": "",
        }
        for state in WHERE
    ]
    async with database.session() as session:
        await session.execute(insert(Publication), rows)
    yield ledger
    await database.close()


async def test_what_stood_is_sealed_and_signed_once(older: Ledger) -> None:
    assert await sign_what_was_published(older) == len(WHERE)
    facts = await older.facts("item:i")
    for state, stood in WHERE.items():
        assert stand_of(facts, "r", f"a-{state}").state is stood, state
    async with older.db.session() as session:
        rows = (await session.scalars(select(Publication))).all()
    assert all(row.whole for row in rows)
    (told,) = told_of(facts).values()
    (out,) = [row for row in rows if row.state == State.PUBLISHED]
    assert (told.url, told.at) == (out.url, out.published_at)
    kinds = [entry.kind for entry in await older.facts("office")]
    assert kinds.count(STOOD) == 1


async def test_a_publication_written_later_is_not_taken_in(older: Ledger) -> None:
    await sign_what_was_published(older)
    async with older.db.session() as session:
        await session.execute(update(Publication).values(state="published", seal=""))
    assert await sign_what_was_published(older) == 0
    async with older.db.session() as session:
        assert not any(row.whole for row in (await session.scalars(select(Publication))).all())
    assert len(told_of(await older.facts("item:i"))) == 1


async def test_an_office_of_this_version_has_nothing_to_sign(
    tmp_path: Path, database: Database
) -> None:
    ledger = Ledger(database, load_signing_key(tmp_path / "l.key"), tmp_path / "anchors.jsonl")
    async with ledger.transaction() as tx:
        body = {"sealed": True, "once": True}
        await tx.append("genesis", subject="office", actor="init", body=body)
    assert await sign_what_was_published(ledger) == 0
    assert [entry.kind for entry in await ledger.facts("office")] == ["genesis"]


async def test_incidents_that_stood_are_signed_once_and_closed_ones_stay_closed(
    older: Ledger,
) -> None:
    async with older.transaction() as tx:
        for name in ("open", "done", "hidden"):
            closed = None if name == "open" else now()
            tx.session.add(
                Incident(
                    id=name,
                    kind="release_refused",
                    subject=f"item:{name}",
                    message="核验未通过",
                    detail={},
                    opened_at=now(),
                    closed_at=closed,
                )
            )
        await tx.append("incident.closed", subject="incident:done", actor="p", body={})
    assert await sign_incidents_that_stood(older) == 2
    async with older.db.session() as session:
        assert {row.id for row in await open_incidents(session)} == {"open", "hidden"}
    assert await mend_incidents(older) == 0
    async with older.db.session() as session:
        await session.execute(
            update(Incident).where(Incident.id == "done").values(id="later", closed_at=None)
        )
    assert await sign_incidents_that_stood(older) == 0
