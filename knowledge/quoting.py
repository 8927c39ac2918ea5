"""A clause read once more as it is quoted, against what two people signed."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.answering import Hit
from knowledge.models import Clause, Policy
from knowledge.validity import clause_status
from ledger.append import Ledger
from ledger.verify import Broken, Entry

OnChanged = Callable[[str, str], Awaitable[object]]


class Quotations:
    """Reads clauses for whoever is about to say them."""

    def __init__(self, ledger: Ledger, on_changed: OnChanged) -> None:
        """`on_changed(table, row)` is told of a policy that differs from its signed entries."""
        self._ledger = ledger
        self._changed = on_changed

    async def hit(self, clause_id: str, day: date) -> Hit | None:
        """The clause with its policy as it stands on `day`; None when it may not be told."""
        async with self._ledger.db.session() as session:
            found = await _read(session, clause_id)
            if found is None:
                return None
            clause, policy = found
            successor = await session.get(Policy, policy.successor_id or "")
        try:
            if not await self._holds(policy, clause):
                await self._changed("policy", policy.id)
                return None
            if successor is not None and not await self._holds(successor):
                await self._changed("policy", successor.id)
                successor = None
        except Broken:  # nothing is quoted from a ledger that is broken
            return None
        return _hit(clause, policy, successor, day)

    async def _holds(self, policy: Policy, clause: Clause | None = None) -> bool:
        """Whether the rows say what was proposed, approved and ended by signed entries."""
        entries = await self._ledger.facts(f"policy:{policy.id}")
        proposed = next((one for one in entries if "text_sha256" in one.body), None)
        if proposed is None or not _approved(entries, proposed):
            return False
        stands = (
            hashlib.sha256(policy.text.encode()).hexdigest(),
            *(policy.title, policy.doc_number, policy.effective_from, policy.effective_to),
            policy.repealed_on,
        )
        said = proposed.body
        signed = (
            *(said["text_sha256"], said["title"], said["doc_number"]),
            *(said["effective_from"], said["effective_to"], _ended(entries, None)),
        )
        if stands != signed:
            return False
        return clause is None or (
            policy.text[clause.start : clause.end] == clause.text
            and clause.repealed_on == _ended(entries, clause.number)
        )


def _approved(entries: Sequence[Entry], proposed: Entry) -> bool:
    return any(
        one.kind == "policy.approved" and one.body.get("change") == proposed.body["change"]
        for one in entries
    )


def _ended(entries: Sequence[Entry], clause: int | None) -> str | None:
    """The day the policy, or one clause of it, ended by the last signed word."""
    days = [
        str(one.body["on"])
        for one in entries
        if one.kind == "policy.repealed" and one.body.get("clause") == clause
    ]
    return days[-1] if days else None


async def _read(session: AsyncSession, clause_id: str) -> tuple[Clause, Policy] | None:
    query = (
        select(Clause, Policy)
        .join(Policy, Policy.id == Clause.policy_id)
        .where(Clause.id == clause_id, Policy.state == "active")
    )
    row = (await session.execute(query)).first()
    return None if row is None else (row[0], row[1])


def _hit(clause: Clause, policy: Policy, successor: Policy | None, day: date) -> Hit:
    return Hit(
        key=clause.id,
        policy_id=policy.id,
        title=policy.title,
        text=clause.text,
        offset=clause.start,
        score=0.0,
        coverage=0.0,
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
