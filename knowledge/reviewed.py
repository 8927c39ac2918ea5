"""Texts that passed review and go to no account: what every such shelf keeps.

The newest signed word about a text decides: released, withdrawn or lapsed. The table keeps its
words. A text that was withdrawn, has lapsed or expired, or cannot be proved is not used.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from config.clock import now
from ledger.append import Ledger, Transaction
from ledger.changed import row_changed
from ledger.following import Following
from ledger.verify import Broken
from ledger.verify import Entry as LedgerEntry
from review_queue.canonical import Draft
from review_queue.shelf import ShelfEntry, Shelved, Withdrawing
from staff.proposed import seal
from staff.refusal import Reason
from storage.database import Base

RELEASED, WITHDRAWN, LAPSED = "released", "withdrawn", "lapsed"
"""How the kinds of entries end that say how a text stands."""


class ReviewedEntry(Base):
    """One released version of an entry; the signed entry carries the digest of its words."""

    __tablename__ = "reviewed_entry"
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    question: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    item_id: Mapped[str] = mapped_column(String(26), index=True)
    not_after: Mapped[datetime]
    at: Mapped[datetime]


@dataclass(frozen=True)
class Standing:
    """What the signed entries say of one entry."""

    key: str
    version: int
    digest: str
    item: str
    not_after: datetime
    rests: tuple[str, ...] = ()
    withdrawn: bool = False
    lapsed: bool = False


@dataclass(frozen=True)
class Known:
    """A question and its answer that may be used now; `rests` are clauses it rests on, by id."""

    key: str
    question: str
    answer: str
    item_id: str
    version: int = 1
    rests: tuple[str, ...] = ()


def digest_of(key: str, version: int, question: str, answer: str) -> str:
    """What a signed entry keeps of the words; it names one version only."""
    words = {"entry": key, "version": version, "question": question, "answer": answer}
    return seal(words)[1]


def standings(entries: Sequence[LedgerEntry]) -> dict[str, Standing]:
    """The last signed word about each entry."""
    found: dict[str, Standing] = {}
    for entry in entries:
        body, what = entry.body, entry.kind.rpartition(".")[2]
        if what == RELEASED:
            until = datetime.fromisoformat(body["not_after"])
            key = body["entry"]
            rests = tuple(body.get("rests", ()))
            found[key] = Standing(key, body["version"], body["digest"], body["item"], until, rests)
        elif what in (WITHDRAWN, LAPSED) and body["entry"] in found:
            old = found[body["entry"]]
            found[old.key] = replace(old, withdrawn=True, lapsed=what == LAPSED)
    return found


class ReviewedTexts(Withdrawing[Standing]):
    """The texts of one kind, and the shelf where their items end (review_queue/shelf.py)."""

    subject: ClassVar[str]
    noun: ClassVar[str]
    """What its entries are about, and how their kinds begin."""

    def __init__(self, ledger: Ledger) -> None:
        """Nothing is read before the first `refresh`."""
        self._ledger = ledger
        self._standing: dict[str, Standing] = {}
        self._held: dict[str, tuple[Standing, Known]] = {}
        self._following = Following(ledger, self.subject, self._load)

    async def refresh(self) -> None:
        """Read what was released or withdrawn since."""
        await self._following.refresh()

    async def compare(self) -> None:
        """Look at every row once more: a job does so."""
        await self._following.compare()

    async def _load(self, entries: Sequence[LedgerEntry], again: bool) -> bool:  # noqa: FBT001  see Load
        self._standing = standings(entries)
        rows = await self._rows()
        held: dict[str, tuple[Standing, Known]] = {}
        changed = []
        for key, standing in self._standing.items():
            if standing.withdrawn:
                continue
            words = rows.get((key, standing.version))
            if words is not None and digest_of(key, standing.version, *words) == standing.digest:
                known = Known(key, *words, standing.item, standing.version, standing.rests)
                held[key] = (standing, known)
                continue
            changed.append(standing)
        self._held = held
        for one in changed:
            await row_changed(self._ledger, ReviewedEntry.__tablename__, f"{one.key}:{one.version}")
        return not changed

    async def _rows(self) -> Mapping[tuple[str, int], tuple[str, str]]:
        row = ReviewedEntry
        query = select(row.key, row.version, row.question, row.answer)
        async with self._ledger.db.session() as session:
            rows = (await session.execute(query)).all()
        return {(key, version): (question, answer) for key, version, question, answer in rows}

    @abstractmethod
    async def faults(self, draft: Draft) -> list[Reason]:
        """See Shelf."""

    async def put(self, tx: Transaction, one: Shelved) -> None:
        """The next version of the entry, in use from the commit on."""
        entries = await self._ledger.facts(self.subject)
        # A row set back by SQL must not bring an old text into use once more.
        if any(one.release_id == entry.body.get("release") for entry in entries):
            return
        key, question, answer = one.draft.entry, one.draft.title, one.draft.body
        old = standings(entries).get(key)
        row = ReviewedEntry(
            key=key,
            version=old.version + 1 if old else 1,
            question=question,
            answer=answer,
            item_id=one.item_id,
            not_after=one.draft.not_after,
            at=now(),
        )
        row.digest = digest_of(key, row.version, question, answer)
        tx.session.add(row)
        body: dict[str, Any] = {
            "entry": key,
            "version": row.version,
            "digest": row.digest,
            "item": one.item_id,
            "release": one.release_id,
            "revision": one.digest,
            "not_after": one.draft.not_after.isoformat(),
            **({"rests": sorted(one.draft.rests)} if one.draft.rests else {}),
        }
        await tx.append(f"{self.noun}.{RELEASED}", subject=self.subject, actor="system", body=body)
        self._following.look_again()

    async def entries(self) -> list[ShelfEntry]:
        """Every entry that was ever released, for lists."""
        await self.refresh()
        return [self._listed(one) for one in self._standing.values()]

    def _listed(self, one: Standing) -> ShelfEntry:
        _, known = self._held.get(one.key, (None, None))
        state = "in_use" if known else "changed"
        if one.withdrawn:
            state = "lapsed" if one.lapsed else "withdrawn"
        elif now() > one.not_after:
            state = "expired"
        label, text = (known.question, known.answer) if known else (self.noun, "")
        return ShelfEntry(
            one.key,
            label,
            state,
            one.version,
            text,
            item_id=one.item,
            not_after=one.not_after,
            rests=one.rests,
        )

    async def _standings(self) -> Mapping[str, Standing]:
        """Of the ledger; of a broken one as it was read last: taking back must always work."""
        try:
            return standings(await self._ledger.facts(self.subject))
        except Broken:
            self._held = {}
            return self._standing

    async def _withdraw(self, tx: Transaction, one: Standing, by: str) -> None:
        body = {"entry": one.key, "version": one.version, "item": one.item}
        await tx.append(f"{self.noun}.{WITHDRAWN}", subject=self.subject, actor=by, body=body)
        self._following.look_again()
