"""Plain factories that several rooms of tests share."""

from collections.abc import Collection, Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.delivery.once import FINISHED, names_of
from bot.models import Publication
from gates.finding import Finding
from ledger.append import Ledger
from storage.crypt import DataKey
from storage.database import Database
from storage.seals import Seals
from storage.switches import set_switch

DATA_KEY = DataKey(b"the data key of every test here!")
SEALS = Seals(b"the seal key of every test here!")


async def turn(ledger: Ledger, name: str, *, stopped: bool = True) -> None:
    """Turn a stop switch as the console does, without asking who may."""
    async with ledger.transaction() as tx:
        await set_switch(tx.session, name, stopped=stopped, reason="演练", by="admin1")
        body = {"stopped": stopped}
        await tx.append("switch.set", subject=f"switch:{name}", actor="admin1", body=body)


async def signed_out(ledger: Ledger, row: Publication) -> None:
    """The entry that says a publication is out, as its row has it."""
    body = {**names_of(row), "result": "published", "ref": row.ref, "url": row.url}
    async with ledger.transaction() as tx:
        await tx.append(FINISHED, subject=f"item:{row.item_id}", actor="system", body=body)


def a_finding(**more: Any) -> Finding:
    """A blocking finding of the law gate over nothing, or with what `more` says."""
    plain: dict[str, Any] = {
        "gate": "law",
        "rule": "x",
        "severity": "block",
        "field": "text",
        "start": 0,
        "end": 0,
        "text": "",
        "reason": "绝对化用语",
        "basis": "",
    }
    return Finding(**(plain | more))


def a_ledger(db: Database) -> Ledger:
    """A ledger over a database, with a key and anchors of its own."""
    folder = Path(mkdtemp(prefix="shenfa-test-"))
    return Ledger(db, Ed25519PrivateKey.generate(), folder / "anchors.jsonl")


async def hire(ledger: Ledger, people: Mapping[str, Collection[str]]) -> None:
    """Sign that these people (id to roles) work here; their rows a test writes itself."""
    async with ledger.transaction() as tx:
        for staff_id, roles in people.items():
            body = {"staff": staff_id, "roles": sorted(roles), "active": True}
            await tx.append("staff.set", subject=f"staff:{staff_id}", actor="init", body=body)


async def taken_by_sql(db: Database, statement: str, **values: Any) -> bool:
    """Whether the database takes the statement: PostgreSQL refuses what its column cannot hold."""
    try:
        async with db.session() as session:
            await session.execute(text(statement), values)
    except DBAPIError:
        if db.is_sqlite:
            raise
        return False
    return True
