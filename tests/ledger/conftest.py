"""A ledger of five decisions, and the tools of somebody who can write the database or a file."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from ledger.append import Ledger, load_signing_key
from ledger.models import LedgerEntry
from storage.database import Database


def open_ledger(tmp_path: Path, database: Database, *further: Path) -> Ledger:
    """As a process does that starts anew."""
    key = load_signing_key(tmp_path / "keys" / "l.key")
    return Ledger(database, key, tmp_path / "anchors.jsonl", further)


async def decide(ledger: Ledger, count: int, subject: str = "item:a") -> None:
    """`count` signed decisions, each acknowledged on its own."""
    for number in range(count):
        async with ledger.transaction() as tx:
            await tx.append("decision", subject=subject, actor="p", body={"n": number})


async def exported(ledger: Ledger) -> list[str]:
    return [line async for line in ledger.export()]


def forged(seq: int, prev: str, kind: str, text: str | None = None) -> dict[str, Any]:
    """A linked row as somebody without the key can make it; `text` replaces the preimage."""
    moment = "2026-11-25T08:00:00+00:00"
    fields = {"v": 1, "seq": seq, "at": moment, "kind": kind, "subject": "item:a", "actor": "x"}
    preimage = text or json.dumps(
        fields | {"body": {}, "prev": prev}, sort_keys=True, separators=(",", ":")
    )
    digest = hashlib.sha256(preimage.encode()).hexdigest()
    return {"preimage": preimage, "hash": digest, "signature": None}


async def insert_row(ledger: Ledger, seq: int, row: dict[str, Any], kind: str) -> None:
    """With SQL, past the ledger."""
    columns = {"seq": seq, "kind": kind, "subject": "item:a", "actor": "x"}
    async with ledger.db.session() as session:
        first = await session.get(LedgerEntry, 1)
        assert first is not None
        await session.execute(insert(LedgerEntry).values(**columns, at=first.at, **row))


@pytest.fixture
async def ledger(tmp_path: Path, database: Database) -> Ledger:
    made = open_ledger(tmp_path, database)
    await decide(made, 5)
    return made
