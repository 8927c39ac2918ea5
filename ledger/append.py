"""Append to the ledger: chained, signed by a key outside the database, anchored before return."""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from ledger.models import Incident, LedgerEntry
from ledger.verify import GENESIS, UNSIGNED_KINDS, Broken, Entry, check_entry
from storage.crypt import load_or_create_key
from storage.database import Database, new_id


class Transaction:
    """Appends inside one database transaction; `session` is for the projections beside them."""

    def __init__(self, session: AsyncSession, key: Ed25519PrivateKey) -> None:
        """Not made directly: see Ledger.transaction."""
        self.session = session
        self._key = key
        self._head: tuple[int, str] | None = None
        self.signed: list[tuple[int, str]] = []

    async def append(self, kind: str, *, subject: str, actor: str, body: dict[str, Any]) -> int:
        """Add one entry and return its number. `body` is JSON without personal data.

        Kinds of authority are signed; the few in UNSIGNED_KINDS are only chained.
        """
        seq, prev = self._head or await _head(self.session)
        moment = now()
        preimage = rfc8785.dumps(
            {
                "v": 1,
                "seq": seq + 1,
                "at": moment.isoformat(),
                "kind": kind,
                "subject": subject,
                "actor": actor,
                "body": body,
                "prev": prev,
            }
        ).decode()
        digest = hashlib.sha256(preimage.encode()).hexdigest()
        signature = None
        if kind not in UNSIGNED_KINDS:
            signature = self._key.sign(digest.encode()).hex()
            self.signed.append((seq + 1, digest))
        self.session.add(
            LedgerEntry(
                seq=seq + 1,
                kind=kind,
                subject=subject,
                actor=actor,
                at=moment,
                preimage=preimage,
                hash=digest,
                signature=signature,
            )
        )
        await self.session.flush()
        self._head = (seq + 1, digest)
        return seq + 1


class Ledger:
    """One chain in one database, its key and anchor file outside it."""

    def __init__(self, db: Database, key: Ed25519PrivateKey, anchor_path: Path) -> None:
        """`anchor_path` is appended to; keep it on another file system than the database."""
        self.db = db
        self.anchor_path = anchor_path
        self._key = key
        self.public_key = key.public_key()
        self._cursor = (0, GENESIS)
        self._facts: dict[str, list[Entry]] = {}
        self._reading = asyncio.Lock()

    @property
    def public_hex(self) -> str:
        """The public key an auditor needs, 64 hex digits."""
        return self.public_key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Append entries and change projections together, or neither.

        When it returns, the last signed entry is anchored and synced to disk.
        """
        async with self.db.writing() as session:
            transaction = Transaction(session, self._key)
            yield transaction
        if transaction.signed:
            await asyncio.to_thread(self._anchor, *transaction.signed[-1])

    def _anchor(self, seq: int, digest: str) -> None:
        line = json.dumps(self._mark("anchor", seq, digest)) + "\n"
        self.anchor_path.parent.mkdir(parents=True, exist_ok=True)
        with self.anchor_path.open("a", encoding="ascii") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def _mark(self, name: str, seq: int, digest: str) -> dict[str, Any]:
        signature = self._key.sign(f"{name}:{seq}:{digest}".encode()).hex()
        return {"seq": seq, "hash": digest, "signature": signature}

    async def checkpoint(self) -> int:
        """Sign and anchor the head, so that unsigned entries before it cannot be changed either."""
        async with self.transaction() as tx:
            return await tx.append("checkpoint", subject="ledger", actor="system", body={})

    async def facts(self, subject: str) -> list[Entry]:
        """Every signed entry about `subject`, from a chain verified up to this moment.

        Entries are verified once and remembered; the stored rows are then compared with what
        was remembered, so a later change or deletion is found too. Raises Broken.
        """
        return (await self.facts_of([subject]))[subject]

    async def facts_of(self, subjects: Sequence[str]) -> dict[str, list[Entry]]:
        """The same for several subjects with one look at the chain."""
        await self.refresh()
        about = {subject: list(self._facts.get(subject, [])) for subject in subjects}
        known = [entry for entries in about.values() for entry in entries]
        async with self.db.session() as session:
            query = select(LedgerEntry.seq, LedgerEntry.preimage, LedgerEntry.signature).where(
                LedgerEntry.seq.in_([entry.seq for entry in known])
            )
            stored = {seq: (pre, sig) for seq, pre, sig in (await session.execute(query)).all()}
        for entry in known:
            if entry.seq not in stored:
                raise Broken(entry.seq, "这一条已被删除")
            preimage, signature = stored[entry.seq]
            check_entry((preimage, entry.hash, signature), entry.seq, entry.prev, self.public_key)
        return about

    async def refresh(self) -> None:
        """Read and verify what was appended since the last look; raise Broken at the first fault.

        Also compares the head with the last anchor, which finds a cut tail.
        """
        async with self._reading:
            while True:
                seq, prev = self._cursor
                async with self.db.session() as session:
                    query = (
                        select(LedgerEntry.preimage, LedgerEntry.hash, LedgerEntry.signature)
                        .where(LedgerEntry.seq > seq)
                        .order_by(LedgerEntry.seq)
                        .limit(2000)
                    )
                    rows = (await session.execute(query)).all()
                for preimage, digest, signature in rows:
                    entry = check_entry(
                        (preimage, digest, signature), seq + 1, prev, self.public_key
                    )
                    seq, prev = entry.seq, entry.hash
                    if entry.signed:
                        self._facts.setdefault(entry.subject, []).append(entry)
                    self._cursor = (seq, prev)
                if len(rows) < 2000:
                    break
        await self._check_tail()

    async def _check_tail(self) -> None:
        anchor = await asyncio.to_thread(_last_line, self.anchor_path)
        if not anchor:
            return
        mark = json.loads(anchor)
        async with self.db.session() as session:
            head, _ = await _head(session)
            row = await session.get(LedgerEntry, mark["seq"])
        if head < mark["seq"] or row is None:
            raise Broken(head + 1, f"末尾被截去：锚点已记到第 {mark['seq']} 条")
        if row.hash != mark["hash"]:
            raise Broken(mark["seq"], "与锚点记录的摘要不同")

    async def export(self) -> AsyncIterator[str]:
        """Every entry, the anchors and the signed head, as JSON lines without newline."""
        seq, digest = 0, GENESIS
        while True:
            async with self.db.session() as session:
                query = (
                    select(LedgerEntry).where(LedgerEntry.seq > seq).order_by(LedgerEntry.seq)
                ).limit(1000)
                rows = (await session.scalars(query)).all()
            for row in rows:
                seq, digest = row.seq, row.hash
                yield json.dumps(
                    {"preimage": row.preimage, "hash": row.hash, "signature": row.signature},
                    ensure_ascii=False,
                )
            if not rows:
                break
        for line in await asyncio.to_thread(_lines, self.anchor_path):
            if json.loads(line)["seq"] <= seq:
                yield json.dumps({"anchor": json.loads(line)})
        yield json.dumps({"head": self._mark("head", seq, digest)})

    async def open_incident(
        self, kind: str, *, subject: str, message: str, detail: dict[str, Any]
    ) -> str:
        """Record an incident once per kind and subject while one is open; return its id."""
        async with self.db.writing() as session:
            query = select(Incident).where(
                Incident.kind == kind, Incident.subject == subject, Incident.closed_at.is_(None)
            )
            found = (await session.scalars(query.limit(1))).first()
            if found is not None:
                return found.id
            incident = Incident(
                id=new_id(),
                kind=kind,
                subject=subject,
                message=message,
                detail=detail,
                opened_at=now(),
            )
            session.add(incident)
        return incident.id


async def _head(session: AsyncSession) -> tuple[int, str]:
    query = select(LedgerEntry.seq, LedgerEntry.hash).order_by(LedgerEntry.seq.desc()).limit(1)
    row = (await session.execute(query)).first()
    return (row[0], row[1]) if row else (0, GENESIS)


def _lines(path: Path) -> list[str]:
    if not path.exists():
        return []
    return [line for line in path.read_text(encoding="ascii").splitlines() if line.strip()]


def _last_line(path: Path) -> str:
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 1024))
        lines = file.read().decode("ascii").strip().splitlines()
    return lines[-1] if lines else ""


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 key in `path`; made there (mode 0600) when absent."""
    return Ed25519PrivateKey.from_private_bytes(load_or_create_key(path))


def moment(entry: Entry) -> datetime:
    """When the entry was written."""
    return datetime.fromisoformat(entry.at)
