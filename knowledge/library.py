"""The policy library as the command line, the console and the demo change it: by two people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from knowledge.documents import PolicyDraft
from knowledge.forms import END, IMPORT, KINDS, clauses_of, must_agree, signed_now
from knowledge.models import Clause, Policy
from knowledge.proof import SignedPolicy
from staff.models import Proposal
from staff.proposals import Proposals
from staff.refusal import Reason, Refused

_MOST = 200
_IMPORTING = "政策文件入库，请对照原件核对"
_ENDING = "政策废止，请对照文件核对"


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
class Amendment:
    """Other words from `on` (their first day): number of the clause, or None to add one, to words.

    Clauses that are not named stay as they are.
    """

    policy_id: str
    on: date
    clauses: Sequence[tuple[int | None, str]]


def repeal_payload(repeal: Repeal) -> Mapping[str, Any]:
    """What is proposed to end a policy, or one clause of it."""
    return {
        "policy_id": repeal.policy_id,
        "on": repeal.on.isoformat(),
        "successor_id": repeal.successor_id,
        "clause": repeal.clause_number,
    }


def amendment_payload(amendment: Amendment) -> Mapping[str, Any]:
    """What is proposed to give clauses other words."""
    words = [{"number": number, "text": text} for number, text in amendment.clauses]
    return {"policy_id": amendment.policy_id, "on": amendment.on.isoformat(), "clauses": words}


def import_payload(draft: PolicyDraft) -> Mapping[str, Any]:
    """What is proposed to bring a document in."""
    return {
        "title": draft.title,
        "text": draft.text,
        "doc_number": draft.doc_number,
        "issuer": draft.issuer,
        "url": draft.url,
        "issued_on": draft.issued_on and draft.issued_on.isoformat(),
        "effective_from": draft.effective_from and draft.effective_from.isoformat(),
        "effective_to": draft.effective_to and draft.effective_to.isoformat(),
        "repealed_on": draft.repealed_on and draft.repealed_on.isoformat(),
        "status": draft.status,
    }


class PolicyLibrary:
    """Documents and repeals as proposals of staff/proposals.py; what stands is in proof.py."""

    def __init__(self, proposals: Proposals) -> None:
        """The proposals of an office whose kinds hold those of changes.py."""
        self._proposals = proposals

    async def propose_import(
        self, drafts: Sequence[PolicyDraft], staff_id: str, reason: str = _IMPORTING
    ) -> list[Proposed]:
        """Put policies in front of a second person, cut into clauses: all of them or none.

        Refused 403 (role), 409 (there or waiting already), 422 (a field, or the secrecy gate).
        """
        kind = self._proposals.kinds[IMPORT]
        # Checked before the first is proposed, so that one fault leaves nothing half done.
        checked = [await kind.check(import_payload(draft)) for draft in drafts]
        await self._none_waits(checked)
        made = [await self._proposals.propose(IMPORT, one, staff_id, reason) for one in checked]
        return [
            Proposed(row.id, one["id"], one["title"], len(one["clauses"]))
            for row, one in zip(made, checked, strict=True)
        ]

    async def _none_waits(self, payloads: Sequence[Mapping[str, Any]]) -> None:
        asked = {f"policy:{one['id']}": one["title"] for one in payloads}
        query = select(Proposal.subject).where(
            Proposal.kind == IMPORT, Proposal.state == "proposed", Proposal.subject.in_(asked)
        )
        async with self._proposals.ledger.db.session() as session:
            known = (await session.scalars(query.limit(1))).first()
        if known is not None:
            words = f"《{asked[known]}》已经提出，正在等待批准"
            raise Refused(409, [Reason("same", words)])
        if len(asked) < len(payloads):
            raise Refused(409, [Reason("same", "同一份文件出现了两次，请去掉一份")])

    async def changes(
        self, policy_id: str | None = None, *, state: str | None = None
    ) -> Sequence[Proposal]:
        """Changes of the library, newest first: of one policy, or in one state."""
        query = select(Proposal).where(Proposal.kind.in_(KINDS))
        if policy_id is not None:
            query = query.where(Proposal.subject == f"policy:{policy_id}")
        if state is not None:
            query = query.where(Proposal.state == state)
        async with self._proposals.ledger.db.session() as session:
            query = query.order_by(Proposal.proposed_at.desc()).limit(_MOST)
            return (await session.scalars(query)).all()

    async def why_not(self, change_id: str, staff_id: str) -> list[Reason]:
        """Every reason why this person cannot approve this change now."""
        return await self._proposals.why_not(change_id, staff_id)

    async def effect(self, change: Proposal) -> Mapping[str, Any]:
        """What a change would do, worked out now: the stored effect is not what was signed.

        Empty when the row holds no payload of its kind.
        """
        try:
            return await self._proposals.effect_of(change.kind, json.loads(change.payload))
        except (Refused, ValueError, KeyError, TypeError, AttributeError, OverflowError):
            return {"changes": [], "warnings": []}

    async def propose_repeal(self, repeal: Repeal, staff_id: str) -> Proposed:
        """Propose that a policy or one of its clauses ends. Refused 403, 404, 409."""
        payload = repeal_payload(repeal)
        return await self.propose(END, payload, staff_id, repeal.reason or _ENDING)

    async def propose(
        self, kind: str, payload: Mapping[str, Any], staff_id: str, reason: str
    ) -> Proposed:
        """Propose a change of one policy that stands (END, AMEND, EDIT). Refused as its kind."""
        row = await self._proposals.propose(kind, payload, staff_id, reason)
        policy_id = row.subject.removeprefix("policy:")
        return Proposed(row.id, policy_id, row.effect["changes"][0]["text"], 0)

    async def draft(
        self, kind: str, payload: Mapping[str, Any], staff_id: str
    ) -> Mapping[str, Any]:
        """What a change would do, for who might propose it."""
        return (await self._proposals.draft(kind, payload, staff_id))[1]

    async def standing(self) -> list[SignedPolicy]:
        """Every policy as signed, the newest documents first. Refused 409 without a ledger."""
        signed = await signed_now(self._proposals.ledger)
        return sorted(signed.values(), key=lambda one: (one.issued_on or "", one.id), reverse=True)

    async def whole(self, words: str) -> tuple[SignedPolicy, Sequence[Clause]]:
        """The policy of these words (`find`) and its clauses, which are what was signed.

        Refused 404, or 409 with an incident.
        """
        state, ledger = await self.find(words), self._proposals.ledger
        async with ledger.db.session() as session:
            row = await session.get(Policy, state.id)
            clauses = await clauses_of(session, state.id)
        await must_agree(ledger, state, row, clauses)
        return state, clauses

    async def find(self, words: str) -> SignedPolicy:
        """The policy of that id, number or title; the newest in force when several have it.

        Refused 404.
        """
        signed = await signed_now(self._proposals.ledger)
        bare = words.strip().strip("《》")
        found = [
            one
            for one in signed.values()
            if bare and bare in (one.id, one.doc_number, one.title.strip("《》"))
        ]
        if not found:
            raise Refused(404, [Reason("policy", f"政策库里没有“{words}”：写编号、文号或标题")])
        return max(found, key=lambda one: (one.repealed_on is None, one.issued_on or ""))

    async def approve(self, change_id: str, staff_id: str, note: str = "") -> None:
        """Put somebody else's proposal into effect at once. Refused 403, 404, 409 (held too)."""
        await self._ours(change_id)
        await self._proposals.approve(change_id, staff_id, note)

    async def reject(self, change_id: str, staff_id: str, reason: str) -> None:
        """Turn somebody else's proposal down. Refused 403, 404, 409, 422 (no reason)."""
        await self._ours(change_id)
        await self._proposals.reject(change_id, staff_id, reason)

    async def _ours(self, change_id: str) -> None:
        """Only changes of the library are decided here: an address of its pages names no other."""
        if (await self._proposals.get(change_id)).kind not in KINDS:
            raise Refused(404, [Reason("change", "没有这项政策变更")])
