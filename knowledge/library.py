"""The policy library: two-person changes with signed entries, and who was told which clause."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from facets.tagger import tag
from facets.taxonomy import DIMENSIONS, Taxonomy
from knowledge.clauses import cut
from knowledge.documents import PolicyDraft
from knowledge.models import Clause, Policy, PolicyChange
from knowledge.validity import Defaults, Life, last_day
from ledger.append import Ledger, Transaction
from review_queue.desk import ROBOT
from staff.models import Staff
from staff.proposals import words_digest
from staff.refusal import Reason, Refused
from storage.database import new_id

PROPOSERS = frozenset({"editor", "admin"})
APPROVERS = frozenset({"admin"})
_STATUTE_ENDINGS = ("法", "条例")
_LABEL, _HEADING = 60, 300


@dataclass(frozen=True)
class Proposed:
    """A change that waits for a second person."""

    change_id: str
    policy_id: str
    title: str
    clauses: int


@dataclass(frozen=True)
class Repeal:
    """What ends on `on` (its first day without force): the policy, or one clause of it."""

    policy_id: str
    on: date
    successor_id: str | None = None
    clause_number: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Filling:
    """What fills in a policy that does not say it itself; None: as the program starts with."""

    taxonomy: Taxonomy | None = None
    defaults: Defaults | None = None


class PolicyLibrary:
    """Every change of the library: one person proposes, another approves, the ledger keeps both."""

    def __init__(self, ledger: Ledger, filling: Filling | None = None) -> None:
        """The ledger brings the database with it; `filling` are the settings of the office."""
        self._ledger = ledger
        self._filling = filling or Filling()

    async def propose_import(self, drafts: Sequence[PolicyDraft], staff_id: str) -> list[Proposed]:
        """Put policies in front of a second person, cut into clauses: all of them or none.

        Refused 403 (role), 409 (already in the library), 422 (no title or text).
        """
        async with self._ledger.transaction() as tx:
            await _person(tx.session, staff_id, PROPOSERS)
            return [await self._import(tx, draft, staff_id) for draft in drafts]

    async def _import(self, tx: Transaction, draft: PolicyDraft, staff_id: str) -> Proposed:
        await _check_new(tx.session, draft)
        policy = _policy(draft, staff_id, self._filling)
        clauses = [_clause(policy.id, part) for part in cut(draft.text)]
        tx.session.add_all([policy, *clauses])
        change = await _record(tx, policy.id, {"kind": "import"}, staff_id)
        body = {
            "change": change.id,
            "title": policy.title,
            "doc_number": policy.doc_number,
            "text_sha256": hashlib.sha256(policy.text.encode()).hexdigest(),
            "effective_from": policy.effective_from,
            "effective_to": policy.effective_to,
        }
        await tx.append("policy.proposed", subject=f"policy:{policy.id}", actor=staff_id, body=body)
        return Proposed(change.id, policy.id, policy.title, len(clauses))

    async def propose_repeal(self, repeal: Repeal, staff_id: str) -> Proposed:
        """Propose that a policy or one of its clauses ends. Refused 403, 404, 409."""
        async with self._ledger.transaction() as tx:
            await _person(tx.session, staff_id, PROPOSERS)
            policy = await _active(tx.session, repeal.policy_id)
            if repeal.successor_id is not None:
                await _active(tx.session, repeal.successor_id)
            if repeal.clause_number is not None:
                await _clause_of(tx.session, policy.id, repeal.clause_number)
            elif policy.repealed_on is not None:
                raise Refused(409, [Reason("state", f"《{policy.title}》已经废止")])
            body: dict[str, object] = {
                "kind": "repeal",
                "on": repeal.on.isoformat(),
                "successor_id": repeal.successor_id,
                "clause": repeal.clause_number,
                "reason": repeal.reason[:300],
                "salt": secrets.token_hex(16),
            }
            change = await _record(tx, policy.id, body, staff_id)
            await tx.append(
                "policy.proposed",
                subject=f"policy:{policy.id}",
                actor=staff_id,
                body={"change": change.id, **_signed(body)},
            )
        return Proposed(change.id, policy.id, policy.title, 0)

    async def approve(self, change_id: str, staff_id: str) -> None:
        """Put somebody else's proposal into effect at once. Refused 403, 404, 409."""
        async with self._ledger.transaction() as tx:
            change, policy = await _waiting(tx.session, change_id, staff_id)
            change.state, change.approved_by = "approved", staff_id
            policy.version += 1
            if change.change["kind"] == "import":
                policy.state, policy.approved_by = "active", staff_id
            else:
                await _end(tx.session, policy, change.change)
            kind = "policy.approved" if change.change["kind"] == "import" else "policy.repealed"
            await tx.append(
                kind,
                subject=f"policy:{policy.id}",
                actor=staff_id,
                body={"change": change.id, **_signed(change.change)},
            )

    async def reject(self, change_id: str, staff_id: str, reason: str) -> None:
        """Turn somebody else's proposal down. Refused 403, 404, 409, 422 (no reason)."""
        if not reason.strip():
            raise Refused(422, [Reason("reason", "请写明不批准的理由")])
        async with self._ledger.transaction() as tx:
            change, policy = await _waiting(tx.session, change_id, staff_id)
            change.state, change.approved_by = "rejected", staff_id
            why = {"reason": reason.strip()[:300], "salt": secrets.token_hex(16)}
            change.change = change.change | {"rejected": why}
            if change.change["kind"] == "import":
                policy.state = "rejected"
            await tx.append(
                "policy.rejected",
                subject=f"policy:{policy.id}",
                actor=staff_id,
                body={"change": change.id, **_signed(why)},
            )


def _signed(change: Mapping[str, Any]) -> dict[str, object]:
    """What a signed entry keeps of a change: its reason as a salted digest only."""
    kept = {name: value for name, value in change.items() if name != "salt"}
    if "reason" in change:
        kept["reason"] = words_digest(change.get("salt", ""), change["reason"])
    return kept


def _policy(draft: PolicyDraft, staff_id: str, filling: Filling) -> Policy:
    """The row, its period filled in by the default so that the second person sees and checks it."""
    starts = draft.effective_from or draft.issued_on
    statute = draft.title.endswith(_STATUTE_ENDINGS)
    life = Life(draft.title, draft.issued_on, starts, draft.effective_to, statute=statute)
    ends = last_day(life, filling.defaults)
    found = tag(draft.text, draft.title, filling.taxonomy)
    return Policy(
        id=new_id(),
        title=draft.title,
        doc_number=draft.doc_number[:60],
        issuer=draft.issuer[:120],
        url=draft.url[:500],
        issued_on=_iso(draft.issued_on),
        effective_from=_iso(starts),
        effective_to=_iso(ends),
        text=draft.text,
        facets={name: [entry["key"] for entry in found[name][:3]] for name in DIMENSIONS},
        state="proposed",
        proposed_by=staff_id,
        version=1,
        created_at=now(),
    )


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _clause(policy_id: str, part: Any) -> Clause:
    return Clause(
        id=new_id(),
        policy_id=policy_id,
        number=part.number,
        label=part.label[:_LABEL],
        heading=" > ".join(part.heading)[:_HEADING],
        text=part.text,
        start=part.start,
        end=part.end,
    )


async def _record(
    tx: Transaction, policy_id: str, change: Mapping[str, Any], staff_id: str
) -> PolicyChange:
    row = PolicyChange(
        id=new_id(),
        policy_id=policy_id,
        change=change,
        state="proposed",
        proposed_by=staff_id,
        created_at=now(),
    )
    tx.session.add(row)
    await tx.session.flush()
    return row


async def _person(session: AsyncSession, staff_id: str, roles: frozenset[str]) -> None:
    if staff_id == ROBOT and roles is PROPOSERS:  # a fetched page, which a person then approves
        return
    person = await session.get(Staff, staff_id)
    if person is None or not person.active or not roles & set(person.roles):
        raise Refused(403, [Reason("role", "您的角色不能这样变更政策库，请联系管理员")])


async def _check_new(session: AsyncSession, draft: PolicyDraft) -> None:
    if not draft.title.strip() or not draft.text.strip():
        raise Refused(422, [Reason("title", "政策的标题和正文不能为空，请补上")])
    query = select(Policy).where(
        Policy.title == draft.title,
        Policy.doc_number == draft.doc_number[:60],
        Policy.state != "rejected",
    )
    for row in (await session.scalars(query)).all():
        if row.text == draft.text or (draft.doc_number and row.repealed_on is None):
            raise Refused(
                409, [Reason("doc_number", f"政策库里已有《{draft.title}》，不必重复录入")]
            )


async def _active(session: AsyncSession, policy_id: str) -> Policy:
    policy = await session.get(Policy, policy_id)
    if policy is None or policy.state != "active":
        raise Refused(404, [Reason("policy", "政策库里没有这项政策")])
    return policy


async def _clause_of(session: AsyncSession, policy_id: str, number: int) -> Clause:
    query = select(Clause).where(Clause.policy_id == policy_id, Clause.number == number)
    clause = (await session.scalars(query)).first()
    if clause is None:
        raise Refused(404, [Reason("clause", f"这项政策没有第 {number} 条")])
    return clause


async def _waiting(
    session: AsyncSession, change_id: str, staff_id: str
) -> tuple[PolicyChange, Policy]:
    await _person(session, staff_id, APPROVERS)
    change = await session.get(PolicyChange, change_id)
    policy = await session.get(Policy, change.policy_id) if change else None
    if change is None or policy is None:
        raise Refused(404, [Reason("change", "没有这项变更")])
    if change.proposed_by == staff_id:
        raise Refused(403, [Reason("two_people", "不能批准自己提出的变更，请另一位管理员批准")])
    if change.state != "proposed":
        raise Refused(409, [Reason("state", "这项变更不在等待批准")])
    return change, policy


async def _end(session: AsyncSession, policy: Policy, change: Mapping[str, Any]) -> None:
    if change["clause"] is not None:
        (await _clause_of(session, policy.id, change["clause"])).repealed_on = change["on"]
        policy.amended_on = policy.amended_on or change["on"]
        return
    policy.repealed_on, policy.successor_id = change["on"], change["successor_id"]
