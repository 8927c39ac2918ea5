"""归档包: what a month put out: texts, pictures, reviews, receipts, its part of the ledger.

A zip file of plain formats (档案法 art. 37, M4): canonical JSON of each text, the media under their
digests, the signed entries about each item, and a manifest with the digest of every file.
"""

import hashlib
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import BinaryIO

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import Account, Attempt, Publication
from ledger.append import Ledger
from ledger.models import LedgerEntry
from review_queue.models import Revision
from storage.media import load
from supervision.figures import Span, as_json
from supervision.report import counted

_MEDIA = re.compile(r"sha256:([0-9a-f]{64})")
_SUFFIX = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "application/pdf": "pdf"}


class _Package:
    """A zip that remembers the digest of what it holds; a file of the same name is kept once."""

    def __init__(self, out: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED)
        self.digests: dict[str, str] = {}

    def add(self, name: str, content: bytes) -> None:
        if name not in self.digests:
            self._zip.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
            self.digests[name] = hashlib.sha256(content).hexdigest()

    def add_json(self, name: str, data: object) -> None:
        text = json.dumps(data, ensure_ascii=False, indent=1, default=str)
        self.add(name, text.encode())

    def close(self) -> None:
        self.add_json("manifest.json", {"sha256": dict(sorted(self.digests.items()))})
        self._zip.close()


async def write_archive(ledger: Ledger, period: str, span: Span, out: BinaryIO) -> int:
    """Everything published in these days; how many publications. Raises Broken."""
    counting, package = await counted(ledger, span), _Package(out)
    begin, end = span.moments
    async with ledger.db.session() as session:
        query = (
            select(Publication)
            .where(Publication.published_at >= begin, Publication.published_at < end)
            .order_by(Publication.published_at, Publication.id)
        )
        rows = (await session.scalars(query)).all()
        accounts = {one.id: one for one in (await session.scalars(select(Account))).all()}
        for row in rows:
            await _publication(session, package, row, accounts.get(row.account_id))
        package.add_json("ledger/range.json", await _range(session, begin, end))
    package.add_json("report.json", as_json(period, counting))
    package.close()
    return len(rows)


async def _publication(
    session: AsyncSession, package: _Package, row: Publication, account: Account | None
) -> None:
    folder = f"items/{row.item_id}"
    text = await session.scalar(select(Revision.canonical).where(
        Revision.item_id == row.item_id, Revision.digest == row.digest
    ))  # fmt: skip
    if text is not None:
        package.add(f"{folder}/{row.digest}.json", text.encode())
        await _media(session, package, text)
    chain = await session.scalars(
        select(LedgerEntry.preimage)
        .where(LedgerEntry.subject == f"item:{row.item_id}")
        .order_by(LedgerEntry.seq)
    )
    package.add(f"{folder}/review.jsonl", "\n".join(chain.all()).encode())
    attempts = await session.scalars(
        select(Attempt).where(Attempt.publication_id == row.id).order_by(Attempt.started_at)
    )
    receipt = {
        "publication": row.id,
        "account": account.name if account else row.account_id,
        "platform": account.platform if account else "",
        "digest": row.digest,
        "ref": row.ref,
        "url": row.url,
        "published_at": row.published_at,
        "attempts": [list(_attempt(one)) for one in attempts.all()],
    }
    package.add_json(f"{folder}/receipt-{row.id}.json", receipt)


def _attempt(one: Attempt) -> Iterator[object]:
    yield from (one.started_at, one.finished_at, one.state, one.code)


async def _media(session: AsyncSession, package: _Package, text: str) -> None:
    for digest in _unique(_MEDIA.findall(text)):
        stored = await load(session, f"sha256:{digest}")
        if stored is not None:
            package.add(f"media/{digest}.{_SUFFIX.get(stored[1], 'bin')}", stored[0])


def _unique(names: Iterable[str]) -> list[str]:
    return sorted(set(names))


async def _range(session: AsyncSession, begin: datetime, end: datetime) -> dict[str, object]:
    """The part of the chain these days are: its ends with their hashes."""
    inside = (LedgerEntry.at >= begin, LedgerEntry.at < end)
    query = select(func.min(LedgerEntry.seq), func.max(LedgerEntry.seq)).where(*inside)
    first, last = (await session.execute(query)).one()
    hashes = select(LedgerEntry.seq, LedgerEntry.hash).where(LedgerEntry.seq.in_((first, last)))
    known = {row[0]: row[1] for row in (await session.execute(hashes)).all()}
    ends = {"first": first, "last": last}
    return {name: {"seq": seq, "hash": known.get(seq, "")} for name, seq in ends.items()}
