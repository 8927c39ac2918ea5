"""Hits beside the rows of this moment and what was signed of them: only what agrees is told. Pure.

`rows_of(session, ids)` reads; `agreeing(library, found, rows, day)` compares.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.answering import Hit
from knowledge.indexes import named
from knowledge.models import Clause, Policy
from knowledge.proof import (
    CLAUSE_COLUMNS,
    FIELDS,
    POLICY_COLUMNS,
    Changed,
    SignedPolicy,
    Verified,
    clause_hash,
    successor_of,
)
from knowledge.search import Found
from knowledge.validity import CITABLE, clause_status, end_of, is_worded, policy_status


class Looked(NamedTuple):
    """What one search gave: hits that were compared, rows that were changed, a forged index."""

    hits: list[Hit]
    changed: list[Changed]
    forged: bool


class Rows(NamedTuple):
    """Clauses and policies as the database holds them at this moment, by id."""

    clauses: Mapping[str, Any]
    policies: Mapping[str, Any]


def rows_of(session: Session, ids: Sequence[str]) -> Rows:
    """These clauses and their policies."""
    asked = select(*CLAUSE_COLUMNS).where(Clause.id.in_(ids))
    clauses = {row.id: row for row in session.execute(asked)}
    wanted = {row.policy_id for row in clauses.values()}
    rows = session.execute(select(*POLICY_COLUMNS).where(Policy.id.in_(wanted)))
    return Rows(clauses, {row.id: row for row in rows})


def beside(session: Session, clause_id: str) -> Sequence[str]:
    """The clauses of the policy that this one stands in."""
    policy = select(Clause.policy_id).where(Clause.id == clause_id).scalar_subquery()
    return session.scalars(select(Clause.id).where(Clause.policy_id == policy)).all()


def agreeing(library: Verified, found: Sequence[Found], rows: Rows, day: date) -> Looked:
    """The hits whose rows are what was signed; a policy with one changed row gives none."""
    known = [hit for hit in found if hit.key in library.clauses]
    faults: dict[str, Changed] = {}
    for hit in known:
        policy_id, digest = library.clauses[hit.key]
        fault = fault_of(library.signed[policy_id], hit, digest, rows)
        if fault is not None:
            faults.setdefault(policy_id, fault)
    good = [hit for hit in known if library.clauses[hit.key][0] not in faults]
    # Of a right row the index must say the very words: what it covers is weighed by them.
    honest = all(
        hit.text == rows.clauses[hit.key].text
        and hit.title == named(library.policies[library.clauses[hit.key][0]], rows.clauses[hit.key])
        for hit in good
    )
    if len(known) < len(found) or not honest:
        return Looked([], list(faults.values()), forged=True)
    # Another wording of the same clause holds on that day, or none yet.
    worded = [hit for hit in good if is_worded(rows.clauses[hit.key], day)]
    hits = [hit_of(hit, rows.clauses[hit.key], library, day) for hit in worded]
    return Looked(hits, list(faults.values()), forged=False)


def fault_of(state: SignedPolicy, hit: Found, digest: bytes, rows: Rows) -> Changed | None:
    """Where the row of a hit says something else than was signed, or found."""
    clause, policy = rows.clauses.get(hit.key), rows.policies.get(state.id)
    if clause is None:
        return Changed(state.id, "clause", hit.key, "row")
    if clause_hash(clause) != digest:
        field = "text" if clause.text != hit.text else "row"
        return Changed(state.id, "clause", hit.key, field)
    if policy is None:
        return Changed(state.id, "policy", state.id, "row")
    changed = (name for name in FIELDS if getattr(policy, name) != getattr(state, name))
    field = next(changed, "")
    return Changed(state.id, "policy", state.id, field) if field else None


def hit_of(found: Found, clause: Any, library: Verified, day: date) -> Hit:
    """A clause that was found, with what is signed of its policy on that day."""
    policy = library.policies[clause.policy_id]
    successor = successor_of(policy, library, day)
    end = end_of(policy, clause, day)
    return Hit(
        key=clause.id,
        policy_id=policy.id,
        title=policy.title,
        text=clause.text,
        offset=clause.start,
        score=found.score,
        coverage=found.coverage,
        validity=clause_status(policy, clause.repealed_on, day),
        doc_number=policy.doc_number,
        issuer=policy.issuer,
        issued_on=policy.issued_on or "",
        url=policy.url,
        label=clause.label,
        ended_on=str(end.on) if end is not None else "",
        reworded=end is not None and end.how == "replaced",
        policy_stands=policy_status(policy, day) in CITABLE,
        successor=successor.title if successor else "",
        successor_number=successor.doc_number if successor else "",
        successor_url=successor.url if successor else "",
        successor_id=successor.id if successor else "",
    )
