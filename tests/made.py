"""Plain factories that several rooms of tests share."""

from collections.abc import Collection, Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gates.finding import Finding
from ledger.append import Ledger
from storage.database import Database
from storage.seals import Seals

SEALS = Seals(b"the seal key of every test here!")


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
