"""Append to the ledger: chained, signed by a key outside the database, anchored before return."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from ledger.anchors import AnchorFiles, Mark
from ledger.incidents import OpenIncidents, open_and_whole, open_incident_in
from ledger.models import LedgerEntry
from ledger.open_subjects import Followed, Followers
from ledger.stored import (
    STORED,
    audit_all,
    audit_anchors,
    check_columns,
    columns_hold,
    same,
)
from ledger.verify import (
    CHECKPOINT_EVERY,
    GENESIS,
    UNSIGNED_KINDS,
    Audit,
    Broken,
    Entry,
    Row,
    Verdict,
    check_entry,
)
from storage.crypt import load_or_create_key
from storage.database import Database

CHECKPOINT = "checkpoint"
CHECKPOINT_AFTER = timedelta(seconds=40)  # asked every 15 s: nothing stays unsigned for 60 s
BATCH = 2000
DELETED = "这一条已被删除"
LEDGER = "ledger"
"""Where a session's `info` carries its office's Ledger (see signed_facts)."""
IN_THREAD = 20  # more new entries than this are verified off the event loop


class Transaction:
    """Appends inside one database transaction; `session` is for the projections beside them."""

    def __init__(self, session: AsyncSession, key: Ed25519PrivateKey, ledger: "Ledger") -> None:
        """Not made directly: see Ledger.transaction."""
        self.session = session
        self.ledger = ledger
        self.opened: dict[tuple[str, str], str] = {}
        """Incidents that this transaction opened or looked at."""
        self._key = key
        self._head: tuple[int, str] | None = None
        self.signed: list[tuple[int, str]] = []

    async def append(self, kind: str, *, subject: str, actor: str, body: Mapping[str, Any]) -> int:
        """Add one entry and return its number. `body` is JSON without personal data.

        Kinds of authority are signed; the few in UNSIGNED_KINDS are only chained.
        """
        seq, prev = self._head or await _head(self.session)
        # Number 1000 must be signed whatever it is: a checkpoint takes its place, and the entry
        # follows.
        if (seq + 1) % CHECKPOINT_EVERY == 0 and kind in UNSIGNED_KINDS:
            await self.append(CHECKPOINT, subject="ledger", actor="system", body={})
            seq, prev = self._head or (seq, prev)
        moment = now()
        preimage = rfc8785.dumps(
            {
                "v": 1,
                "seq": seq + 1,
                "at": moment.isoformat(),
                "kind": kind,
                "subject": subject,
                "actor": actor,
                "body": dict(body),
                "prev": prev,
            }
        ).decode()
        digest = hashlib.sha256(preimage.encode()).hexdigest()
        signature = None
        if kind not in UNSIGNED_KINDS:
            # Over the text of the digest, so that an auditor can check it with common tools.
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
        self._head = (seq + 1, digest)
        return seq + 1


class Ledger:
    """One chain in one database, its key and anchor files outside it."""

    def __init__(
        self,
        db: Database,
        key: Ed25519PrivateKey,
        anchor_path: Path,
        further: Sequence[Path] = (),
    ) -> None:
        """Anchors go to `anchor_path` and every `further` file: on other file systems, best."""
        self.db = db
        db.carry(LEDGER, self)
        self.anchor_path = anchor_path
        self.files = AnchorFiles([anchor_path, *further])
        self._key = key
        self.public_key = key.public_key()
        self._audit = Audit(self.public_key)
        self._facts: dict[str, list[Entry]] = {}
        self._astray: dict[int, Entry] = {}  # whose columns were seen to say something else
        self.incidents_so_far = OpenIncidents()
        self._followers = Followers()
        self._open_marks: list[Mark] = []
        self._reading = asyncio.Lock()
        self._read_at = 0.0  # monotonic: when the last comparison of everything began
        self._wrote_at = 0.0  # and when this process last wrote: that counts at once

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
            transaction = Transaction(session, self._key, self)
            yield transaction
        self._wrote_at = time.monotonic()
        if transaction.signed:
            # After the commit and before the caller goes on: what people were told has happened is
            # anchored.
            mark = self.mark("anchor", *transaction.signed[-1])
            await asyncio.to_thread(self.files.write, mark)

    def mark(self, name: str, seq: int, digest: str) -> Mark:
        """A signed anchor or head over entry `seq`."""
        signature = self._key.sign(f"{name}:{seq}:{digest}".encode()).hex()
        return {"seq": seq, "hash": digest, "signature": signature}

    async def checkpoint(self) -> int:
        """Sign and anchor the head, so that unsigned entries before it cannot be changed either."""
        async with self.transaction() as tx:
            return await tx.append(CHECKPOINT, subject="ledger", actor="system", body={})

    async def checkpoint_due(self) -> int | None:
        """A checkpoint when an unsigned entry has waited for one; none on an idle ledger."""
        async with self.transaction() as tx:
            query = select(LedgerEntry.at, LedgerEntry.signature).order_by(LedgerEntry.seq.desc())
            waiting = None
            # At least one of any thousand is signed, so the loop ends.
            for at, signature in (await tx.session.execute(query.limit(CHECKPOINT_EVERY))).all():
                if signature is not None:
                    break
                waiting = at
            if waiting is None or now() - waiting < CHECKPOINT_AFTER:
                return None
            return await tx.append(CHECKPOINT, subject="ledger", actor="system", body={})

    # --- reading --------------------------------------------------------------------------

    async def facts(self, subject: str, *, age: float = 0.0) -> list[Entry]:
        """Every signed entry about `subject`, from a chain verified up to this moment.

        Entries are verified once and remembered; the stored rows are then compared with what
        was remembered, so a later change or deletion is found too. Raises Broken. With `age`,
        what was read at most so many seconds ago is good enough: for pages, never for sending.
        """
        if age and self._is_fresh(age):
            return list(self._facts.get(subject, ()))
        async with self._reading:
            # Of the many that a push asks at once one reads; the others have waited for it.
            if age and self._is_fresh(age):
                return list(self._facts.get(subject, ()))
            return (await self._compared([subject]))[subject]

    def _is_fresh(self, age: float) -> bool:
        return self._read_at > max(self._wrote_at, time.monotonic() - age)

    def seen(self, age: float) -> int | None:
        """Up to which entry was read at most so many seconds ago; None: read anew first."""
        return self._audit.seq if self._is_fresh(age) else None

    async def facts_of(self, subjects: Sequence[str]) -> dict[str, list[Entry]]:
        """The same for several subjects, with one query."""
        async with self._reading:
            return await self._compared(subjects)

    async def _compared(self, subjects: Sequence[str]) -> dict[str, list[Entry]]:
        """Read on, and compare what is remembered of these; for whoever holds the lock."""
        begun = time.monotonic()
        known = [entry for name in subjects for entry in self._facts.get(name, ())]
        stored = await self._read_on([entry.seq for entry in known])
        for entry in known:
            row = stored.get(entry.seq)
            # Remembered and gone: deletion is found although the chain after it may be whole.
            if row is None:
                raise Broken(entry.seq, DELETED)
            if not same(entry, row):
                # Says exactly what is wrong where it can; the plain line below is for what
                # would pass by itself.
                check_entry(row, entry.seq, entry.prev, self.public_key)
                raise Broken(entry.seq, "内容与读过的不同，已被改动")
            if not columns_hold(entry, row):
                self._astray[entry.seq] = entry
        self._read_at = begun
        return {name: list(self._facts.get(name, ())) for name in subjects}

    async def refresh(self) -> None:
        """Read and verify what was appended since the last look; raise Broken at the first fault.

        Also compares the chain with every anchor of the first file, which finds a cut tail.
        """
        async with self._reading:
            await self._read_on(())

    async def check_columns(self) -> None:
        """Raise Broken for an entry read so far whose columns say something else than its text.

        Nobody decides by them, but people read them: the watch asks, and whoever lists entries.
        """
        asked = sorted(self._astray.items())[:BATCH]
        if not asked:
            return
        stored = dict(await self._rows(LedgerEntry.seq.in_([seq for seq, _ in asked])))
        for seq, entry in asked:
            if seq not in stored:
                raise Broken(seq, DELETED)
            check_columns(entry, stored[seq])
            self._astray.pop(seq, None)  # somebody put it right

    async def newest_of(self, subjects: Iterable[str]) -> dict[str, int]:
        """Numbers of the newest signed entries about `subjects`, by what was signed; 0: none."""
        async with self._reading:
            await self._read_on(())
            facts = self._facts
            return {name: facts[name][-1].seq if name in facts else 0 for name in subjects}

    async def _read_on(self, wanted: Sequence[int]) -> dict[int, Row]:
        """Verify new entries; the stored rows of `wanted`, read in the same query."""
        marks = self._open_marks = self._open_marks + self.files.unread()  # before their rows
        stored: dict[int, Row] = {}
        reading = True
        while reading:
            start = self._audit.seq
            new = LedgerEntry.seq >= start
            asked = or_(new, LedgerEntry.seq.in_(wanted)) if wanted else new
            rows = await self._rows(asked, len(wanted))
            stored |= {seq: row for seq, row in rows if seq <= start}
            if start and (start not in stored or stored[start].hash != self._audit.prev):
                await self._cut(start, present=start in stored)
            fresh = [row for seq, row in rows if seq > start]
            # A signature costs some 0.1 ms: many of them would hold up every page.
            if len(fresh) > IN_THREAD:
                await asyncio.to_thread(self._take, fresh)
            else:
                self._take(fresh)
            reading, wanted = len(fresh) >= BATCH - 1, ()
        # One at a time and taken off after it held: what raises is found again at the next look.
        while marks:
            self._audit.anchor(marks[0])
            marks.pop(0)
        return stored

    async def _rows(self, where: ColumnElement[bool], more: int = 0) -> list[tuple[int, Row]]:
        query = STORED.where(where).order_by(LedgerEntry.seq).limit(BATCH + more)
        found = await self.db.read(lambda session: session.execute(query).all())
        return [(row[0], Row(row[1], row[2], row[3], tuple(row[4:]))) for row in found]

    async def _cut(self, last: int, *, present: bool) -> None:
        """Entry `last` was read before and is not there any more, or is another one."""
        if present:
            raise Broken(last, "内容与读过的不同，已被改动")
        async with self.db.session() as session:
            head, _ = await _head(session)
        raise Broken(min(head + 1, last), f"末尾被截去：已读到过第 {last} 条")

    def _take(self, rows: Iterable[Row]) -> None:
        for row in rows:
            entry = self._audit.entry(row)
            if not columns_hold(entry, row):
                self._astray[entry.seq] = entry
            if entry.kind not in UNSIGNED_KINDS:
                self._facts.setdefault(entry.subject, []).append(entry)
                self.incidents_so_far.take(entry)
                self._followers.take(entry)

    async def verify_whole(self, further: Iterable[Mark] = ()) -> Verdict:
        """Read the whole chain anew against every anchor of every file, in flat memory.

        `further` are anchors kept elsewhere.
        """
        audit, sizes = Audit(self.public_key), await asyncio.to_thread(self.files.sizes)
        try:
            await self.read_all(audit)
            held = chain(self.files.marks(sizes), further)
            await asyncio.to_thread(audit_anchors, audit, held)
        except Broken as broken:
            return audit.verdict(broken)
        return audit.verdict()

    async def read_all(self, audit: Audit) -> None:
        """Every stored entry into `audit`, in order; raises Broken."""
        # Page by page: an office's years of entries do not fit into memory on a small machine.
        while rows := await self._rows(LedgerEntry.seq > audit.seq):
            await asyncio.to_thread(audit_all, audit, [row for _, row in rows])

    async def export(self) -> AsyncIterator[str]:
        """Every entry, the anchors of the first file and the signed head, as JSON lines."""
        sizes = await asyncio.to_thread(self.files.sizes)  # before the rows: none lies beyond them
        seq, digest = 0, GENESIS
        while rows := await self._rows(LedgerEntry.seq > seq):
            for seq, (preimage, digest, signature, _) in rows:  # noqa: B007  the last one is the head
                line = {"preimage": preimage, "hash": digest, "signature": signature}
                yield json.dumps(line, ensure_ascii=False)
        for mark in AnchorFiles([self.anchor_path]).marks(sizes[:1]):
            yield json.dumps({"anchor": mark})
        yield json.dumps({"head": self.mark("head", seq, digest)})

    async def incidents(self, *, age: float = 0.0) -> OpenIncidents:
        """Which are open by signed entries, verified up to this moment (`age`: see facts)."""
        if not age or self._read_at <= max(self._wrote_at, time.monotonic() - age):
            await self.facts_of(())
        return self.incidents_so_far

    async def following(self, kind: type[Followed], *, age: float = 0.0) -> Followed:
        """What `kind` made of every signed entry, verified up to this moment (`age`: see facts)."""
        await self.incidents(age=age)
        async with self._reading:  # no entry is read between what was and what comes
            return self._followers.of(kind, chain.from_iterable(self._facts.values()))

    async def open_incident(
        self, kind: str, *, subject: str, message: str, detail: Mapping[str, object]
    ) -> str:
        """Record an incident once per kind and subject while one is open; return its id."""
        # A job that finds the same thing every minute takes no write lock for it.
        if found := await open_and_whole(self, (kind, subject)):
            return found
        async with self.transaction() as tx:
            return await open_incident_in(tx, kind, subject=subject, message=message, detail=detail)


def ledger_of(session: AsyncSession) -> Ledger:
    """The ledger over this session's database, for whoever is given a session alone."""
    ledger = session.info.get(LEDGER)
    if not isinstance(ledger, Ledger):
        raise RuntimeError("signed entries were asked for over a database without a ledger")
    return ledger


async def signed_facts(
    session: AsyncSession, subjects: Sequence[str], *, age: float = 0.0
) -> dict[str, list[Entry]]:
    """What the ledger over this session's database has signed about `subjects`. Raises Broken.

    For acts that are given a session alone: they decide by this and not by the tables beside it.
    """
    ledger = ledger_of(session)
    if len(subjects) == 1:
        return {subjects[0]: await ledger.facts(subjects[0], age=age)}
    return await ledger.facts_of(subjects)


async def _head(session: AsyncSession) -> tuple[int, str]:
    query = select(LedgerEntry.seq, LedgerEntry.hash).order_by(LedgerEntry.seq.desc()).limit(1)
    row = (await session.execute(query)).first()
    return (row[0], row[1]) if row else (0, GENESIS)


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 key in `path`; made there (mode 0600) when absent."""
    return Ed25519PrivateKey.from_private_bytes(load_or_create_key(path))
