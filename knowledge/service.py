"""Questions against the stored library: the index finds, the database decides."""

import asyncio
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from gates.finding import PolicyFact
from gates.policies import Entry, PolicyIndex, deadlines
from knowledge.answering import Answer, Hit, answer, asked_day, guard, ranked_hits, without_day
from knowledge.models import Clause, Policy
from knowledge.search import Doc, Found, Index
from knowledge.speech import Speech, starting_speech
from knowledge.told import tell, told_of
from knowledge.validity import clause_status, life_of, status_at
from storage.database import Database

_HITS = 10
_RANK = ("in_force", "amended", "not_yet", "expired", "repealed")
_FORMAT = 1  # of the index; a new number makes every stored index be built again


@dataclass(frozen=True)
class _State:
    """Grows with every approved change: how many policies are active, and all their versions."""

    policies: int
    versions: int


class KnowledgeService:
    """Answers, facts for the gates, and who was told what. One per process."""

    def __init__(
        self,
        db: Database,
        directory: Path | None = None,
        speech: Callable[[], Speech] = starting_speech,
    ) -> None:
        """`directory` keeps the derived index between starts; None keeps it in memory.

        `speech`: the words of this office that hold now.
        """
        self._db = db
        self._speech = speech
        self._directory = directory
        self._index: Index | None = None
        self._indexed: _State | None = None
        self._lock = asyncio.Lock()
        self.facts = PolicyIndex(())

    async def refresh(self) -> None:
        """Bring index and facts up to the library; cheap when nothing changed."""
        async with self._lock:
            async with self._db.session() as session:
                state = await _state(session)
                if state == self._indexed:
                    return
                self.facts = PolicyIndex(await _known(session))
            self._index = await self._opened(state)
            self._indexed = state

    async def facts_now(self) -> PolicyIndex:
        """What the gates may ask of the library as it is now."""
        await self.refresh()
        return self.facts

    async def _opened(self, state: _State) -> Index:
        if self._directory is None:
            return await asyncio.to_thread(Index.build, await self._docs())
        place = self._directory / f"{_FORMAT}-{state.policies}-{state.versions}"
        if not place.exists():
            await asyncio.to_thread(_store, await self._docs(), place)
        return await asyncio.to_thread(Index.open, place)

    async def _docs(self) -> list[Doc]:
        query = (
            select(Clause.id, Clause.heading, Clause.text, Policy.title, Policy.doc_number)
            .join(Policy, Policy.id == Clause.policy_id)
            .where(Policy.state == "active")
            .order_by(Clause.policy_id, Clause.number)
        )
        async with self._db.session() as session:
            rows = (await session.execute(query)).all()
        return [
            Doc(key, " ".join(part for part in (title, number, heading) if part), text)
            for key, heading, text, title, number in rows
        ]

    async def ask(self, question: str, as_of: date) -> Answer:
        """The answer from clauses valid on `as_of`, or on the past day the question names."""
        speech = self._speech()
        if guard(question, speech) is not None:
            return answer(question, (), as_of, speech=speech)
        await self.refresh()
        past = asked_day(question, as_of)
        day = past or as_of
        if past is not None:
            question = without_day(question)
        index, said = self._index, speech.synonyms
        found = index.search(question, _HITS, said) if index is not None else []
        async with self._db.session() as session:
            hits = await _decided(session, found, day)
        ranked, in_past = ranked_hits(hits), past is not None
        return answer(question, ranked, day, asked_past=in_past, speech=speech)

    async def told(self, contact_id: str, clause_ids: Sequence[str]) -> None:
        """Keep that a contact was told these clauses."""
        async with self._db.session() as session:
            await tell(session, contact_id, clause_ids)

    async def who_was_told(self, clause_ids: Sequence[str]) -> list[str]:
        """The contacts who were told one of these clauses, each once."""
        async with self._db.session() as session:
            return await told_of(session, clause_ids)


async def _state(session: AsyncSession) -> _State:
    query = select(func.count(), func.coalesce(func.sum(Policy.version), 0)).where(
        Policy.state == "active"
    )
    count, versions = (await session.execute(query)).one()
    return _State(int(count), int(versions))


async def _known(session: AsyncSession) -> list[Entry]:
    """What gates may ask of the library, from memory."""
    policies = (await session.scalars(select(Policy).where(Policy.state == "active"))).all()
    names = {policy.id: policy.doc_number or policy.title for policy in policies}
    return [_entry(policy, names.get(policy.successor_id or "", "")) for policy in policies]


def _entry(policy: Policy, successor: str) -> Entry:
    life = life_of(policy)
    fact = PolicyFact(
        title=policy.title,
        doc_number=policy.doc_number,
        status="in_force",
        starts=life.effective_from,
        ends=life.effective_to,
        apply_by=tuple(day for _, _, day in deadlines(policy.text)),
    )

    def on(day: date) -> PolicyFact:
        status = status_at(life, day)
        return replace(fact, status=status, successor="" if status == "in_force" else successor)

    return Entry(policy.title, policy.doc_number, on)


def _store(docs: list[Doc], place: Path) -> None:
    """Build beside and move into place, so that a half-built index is never opened."""
    building = place.with_name(f"{place.name}.{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    Index.build(docs, building)
    try:
        building.rename(place)
    except OSError:  # another process was first with the same state
        shutil.rmtree(building, ignore_errors=True)
    for old in place.parent.iterdir():
        if old.is_dir() and "." not in old.name and old != place:
            shutil.rmtree(old, ignore_errors=True)


async def _decided(session: AsyncSession, found: Sequence[Found], day: date) -> list[Hit]:
    """What the database says about the found clauses: their text, policy and validity on `day`."""
    ids = [hit.key for hit in found]
    query = (
        select(Clause, Policy)
        .join(Policy, Policy.id == Clause.policy_id)
        .where(Clause.id.in_(ids), Policy.state == "active")
    )
    rows = {clause.id: (clause, policy) for clause, policy in (await session.execute(query)).all()}
    wanted = {policy.successor_id for _, policy in rows.values() if policy.successor_id}
    later = select(Policy).where(Policy.id.in_(wanted), Policy.state == "active")
    successors = {policy.id: policy for policy in (await session.scalars(later)).all()}
    return [_hit(hit, *rows[hit.key], successors, day) for hit in found if hit.key in rows]


def _hit(
    found: Found, clause: Clause, policy: Policy, successors: Mapping[str, Policy], day: date
) -> Hit:
    successor = successors.get(policy.successor_id or "")
    return Hit(
        key=clause.id,
        policy_id=policy.id,
        title=policy.title,
        text=clause.text,
        offset=clause.start,
        score=found.score,
        coverage=found.coverage,
        validity=clause_status(policy, clause, day),
        doc_number=policy.doc_number,
        issuer=policy.issuer,
        issued_on=policy.issued_on or "",
        url=policy.url,
        label=clause.label,
        ended_on=clause.repealed_on or policy.repealed_on or policy.effective_to or "",
        successor=successor.title if successor else "",
        successor_number=successor.doc_number if successor else "",
        successor_url=successor.url if successor else "",
    )
