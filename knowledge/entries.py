"""Reviewed questions and answers: items of kind 问答 that passed review and go to no account.

The newest signed word about an entry decides: `entry.released`, `entry.withdrawn` or, when a
clause it rests on is not in force any more, `entry.lapsed`. The table keeps question and answer. An
entry that was withdrawn, has lapsed or expired, or cannot be proved is not used.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from config.clock import beijing, now
from knowledge.answering import content
from knowledge.resting import Rest, Rested, rested
from knowledge.same_question import questions_in, same_question
from knowledge.search import pairs
from knowledge.speech import Speech, starting_speech
from ledger.append import Ledger, Transaction
from ledger.changed import row_changed
from ledger.following import Following
from ledger.verify import Broken
from ledger.verify import Entry as LedgerEntry
from review_queue.canonical import QA, Draft
from review_queue.shelf import ShelfEntry, Shelved, Withdrawing
from staff.proposed import seal
from staff.refusal import Reason
from storage.database import Base

SUBJECT = "entries"
RELEASED, WITHDRAWN, LAPSED = "entry.released", "entry.withdrawn", "entry.lapsed"
LONGEST = 600
"""Characters of an answer: one message of every channel, as of a staff reply."""
LONGEST_RESTING, MOST_RESTS = 400, 2
"""The same of one with its sources below it, and how many clauses these may be."""
_ALIKE = 0.5  # share of the words of the shorter question


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
        body = entry.body
        if entry.kind == RELEASED:
            until = datetime.fromisoformat(body["not_after"])
            key = body["entry"]
            rests = tuple(body.get("rests", ()))
            found[key] = Standing(key, body["version"], body["digest"], body["item"], until, rests)
        elif entry.kind in (WITHDRAWN, LAPSED) and body["entry"] in found:
            old = found[body["entry"]]
            found[old.key] = replace(old, withdrawn=True, lapsed=entry.kind == LAPSED)
    return found


class ReviewedEntries(Withdrawing[Standing]):
    """The entries of one office, and the shelf where their items end (review_queue/shelf.py)."""

    def __init__(self, ledger: Ledger, speech: Callable[[], Speech] = starting_speech) -> None:
        """Nothing is read before the first `refresh`. `speech`: the office's words of now."""
        self._ledger = ledger
        self._speech = speech
        self._standing: dict[str, Standing] = {}
        self._held: dict[str, tuple[Standing, Known]] = {}
        self._following = Following(ledger, SUBJECT, self._load)

    async def refresh(self) -> None:
        """Read what was released or withdrawn since."""
        await self._following.refresh()

    async def compare(self) -> None:
        """Look at every row once more: a job does so."""
        await self._following.compare()

    async def near(self, questions: Sequence[str]) -> list[Known]:
        """Entries in use whose question shares its words with one of these, the best first."""
        await self.refresh()
        found = []
        for standing, known in self._held.values():
            alike = max((_alike(one, known.question) for one in questions), default=0.0)
            if alike >= _ALIKE and now() <= standing.not_after:
                found.append((alike, known))
        return await self._resting([known for _, known in sorted(found, key=lambda one: -one[0])])

    async def answering(self, question: str) -> Known | None:
        """The entry that answers this very question with the clauses it rests on in force.

        One that rests on no clause is for people alone: a citizen is told no answer without one.
        """
        await self.refresh()
        speech = self._speech()
        found = [
            known
            for standing, known in self._held.values()
            if known.rests
            and now() <= standing.not_after
            and any(same_question(question, one, speech) for one in questions_in(known.question))
        ]
        return next(iter(await self._resting(found)), None)

    async def words(self, key: str, version: int) -> str | None:
        """The answer of this version, while it may be said; for whoever says it."""
        await self.refresh()
        standing, known = self._held.get(key, (None, None))
        if standing is None or known is None or known.version != version:
            return None
        if now() > standing.not_after or not await self._resting([known]):
            return None
        return known.answer

    async def _resting(self, found: Sequence[Known]) -> list[Known]:
        """Those whose clauses are all in force today."""
        stand = await rested(self._ledger, {one for known in found for one in known.rests})
        today = beijing(now()).date()
        return [one for one in found if stand.on(one.rests, today) is Rest.HOLDS]

    async def lapse_due(self) -> int:
        """End what rests on a clause that is not in force any more, and tell; how many."""
        await self.refresh()
        held = [standing for standing, known in self._held.values() if known.rests]
        stand = await rested(self._ledger, {one for each in held for one in each.rests})
        today = beijing(now()).date()
        gone = [one for one in held if stand.on(one.rests, today) is Rest.ENDED]
        return sum([await self._lapse(one, stand, today) for one in gone])

    async def _lapse(self, one: Standing, stand: Rested, today: date) -> bool:
        ended = [key for key in one.rests if stand.on([key], today) is Rest.ENDED]
        async with self._ledger.transaction() as tx:
            now_stands = (await self._standings()).get(one.key)
            if now_stands != one:  # another process was first, or it was withdrawn meanwhile
                return False
            body = {"entry": one.key, "version": one.version, "item": one.item, "ended": ended}
            await tx.append(LAPSED, subject=SUBJECT, actor="system", body=body)
        self._following.look_again()
        names = "、".join(
            sorted({f"《{stand.clauses[key].policy.title.strip('《》')}》" for key in ended})
        )
        await self._ledger.open_incident(
            "entry_lapsed",
            subject=f"item:{one.item}",
            message=f"这条问答所依据的 {names} 的条文已修改、废止或失效，机器人已不再说它："
            "请按现行条文另起草一条，或者不再使用",
            detail={"entry": one.key, "clauses": ended},
        )
        return True

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

    # --- the shelf ------------------------------------------------------------------------

    async def faults(self, draft: Draft) -> list[Reason]:
        """What could not be said to a citizen is refused before anybody reads it."""
        most = LONGEST_RESTING if draft.rests else LONGEST
        faults = []
        if not 0 < len(draft.body.strip()) <= most:
            faults.append(Reason("entry", f"问答条目的答复应为 1 至 {most} 字：请缩短"))
        return faults + await self._rest_faults(draft.rests)

    async def _rest_faults(self, rests: Collection[str]) -> list[Reason]:
        if len(rests) > MOST_RESTS:
            return [Reason("rests", f"依据的条文最多 {MOST_RESTS} 条，请只留最主要的")]
        stand = await rested(self._ledger, rests)
        if stand.on(rests, beijing(now()).date()) is not Rest.HOLDS:
            return [Reason("rests", "依据的条文现在不是现行有效的条文：请重新选择")]
        return []

    async def put(self, tx: Transaction, one: Shelved) -> None:
        """The next version of the entry, in use from the commit on."""
        entries = await self._ledger.facts(SUBJECT)
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
        await tx.append(RELEASED, subject=SUBJECT, actor="system", body=body)
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
        label, text = (known.question, known.answer) if known else (QA, "")
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
            return standings(await self._ledger.facts(SUBJECT))
        except Broken:
            self._held = {}
            return self._standing

    async def _withdraw(self, tx: Transaction, one: Standing, by: str) -> None:
        body = {"entry": one.key, "version": one.version, "item": one.item}
        await tx.append(WITHDRAWN, subject=SUBJECT, actor=by, body=body)
        self._following.look_again()


def _alike(one: str, other: str) -> float:
    ours, theirs = set(pairs(content(one))), set(pairs(content(other)))
    return len(ours & theirs) / max(1, min(len(ours), len(theirs)))
