"""How questions would be answered if a change stood: rehearsed, and nothing of it is kept."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import inspect

from knowledge.answering import Answer, answer, asked_day, guard, without_day
from knowledge.forms import clauses_of
from knowledge.indexes import named
from knowledge.looked import hit_of
from knowledge.models import Clause, Policy
from knowledge.proof import SignedPolicy, Verified, as_signed, clause_hash
from knowledge.search import Doc, Index
from knowledge.service import KnowledgeService
from knowledge.speech import Speech
from knowledge.validity import is_worded
from ledger.append import Ledger
from staff.proposals import Approval, Kind

AskOn = Callable[[str, date], Awaitable[Answer]]
_FETCHED = 10


class Altered(NamedTuple):
    """One policy as it would stand, with rows of its clauses."""

    policy: SignedPolicy
    clauses: Mapping[str, Any]


@dataclass(frozen=True)
class _Stands:
    """A library with its index, and the rows that differ from those of the table."""

    library: Verified
    index: Index
    altered: Mapping[str, Any]


class _Enough(Exception):
    """Takes a rehearsal back."""


class _Row:
    """A row of a clause without its session."""

    def __init__(self, clause: Clause) -> None:
        for column in inspect(Clause).column_attrs:
            setattr(self, column.key, getattr(clause, column.key))


async def rehearse(ledger: Ledger, kind: Kind, payload: Mapping[str, Any]) -> Altered:
    """What a change of the library would write: applied, read, and taken back at once."""
    found: list[Altered] = []
    try:
        async with ledger.transaction() as tx:
            await kind.apply(tx, payload, Approval(0, None, "", ""))
            await tx.session.flush()
            key = payload.get("policy_id") or payload["id"]
            policy = await tx.session.get_one(Policy, key)
            clauses = await clauses_of(tx.session, key)
            rows = {one.id: _Row(one) for one in clauses}
            found.append(Altered(as_signed(policy, clauses), rows))
            raise _Enough
    except _Enough:
        return found[0]
    raise AssertionError("a rehearsal always ends with its own end")


async def trial(
    service: KnowledgeService, altered: Altered | None = None, speech: Speech | None = None
) -> AskOn:
    """Answers as they would be with this policy, or with these words; else as they are."""
    await service.refresh()
    library, index = service.standing()
    words = speech or service.speech()
    rows: Mapping[str, Any] = {}
    if altered is not None:
        was = {key for key, (policy, _) in library.clauses.items() if policy == altered.policy.id}
        new = _with(library, altered)
        known = library.policies.get(altered.policy.id)
        same = known is not None and (known.title, known.doc_number) == (
            altered.policy.title,
            altered.policy.doc_number,
        )
        library, rows = new, altered.clauses
        if not same or was != set(rows):
            docs = await service.docs(without=altered.policy.id)
            docs += [
                Doc(key, named(altered.policy, one), one.text, altered.policy.id)
                for key, one in rows.items()
            ]
            index = await asyncio.to_thread(Index.build, docs)
    return partial(_ask, service, _Stands(library, index, rows), words)


def _with(library: Verified, altered: Altered) -> Verified:
    policy = altered.policy
    clauses = {key: one for key, one in library.clauses.items() if one[0] != policy.id}
    clauses |= {key: (policy.id, clause_hash(one)) for key, one in altered.clauses.items()}
    return replace(
        library,
        signed={**library.signed, policy.id: policy},
        policies={**library.policies, policy.id: policy},
        clauses=clauses,
    )


async def _ask(
    service: KnowledgeService, stands: _Stands, speech: Speech, question: str, today: date
) -> Answer:
    library = stands.library
    if guard(question, speech) is not None:
        return answer(question, (), today, speech=speech)
    past = asked_day(question, today)
    day = past or today
    wanted = without_day(question) if past is not None else question
    found = [
        one
        for one in stands.index.search(wanted, _FETCHED, speech.synonyms)
        if one.key in library.clauses
    ]
    rows = {**await service.rows([one.key for one in found]), **stands.altered}
    hits = [
        hit_of(one, rows[one.key], library, day)
        for one in found
        if one.key in rows and is_worded(rows[one.key], day)
    ]
    return answer(wanted, hits, day, asked_past=past is not None, speech=speech)
