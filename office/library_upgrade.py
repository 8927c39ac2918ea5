"""A library approved before its entries said how a policy stands: signed once, as it stood."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from content_sources.models import Article
from knowledge.models import Clause, Policy, PolicyChange
from knowledge.proof import Changed, as_signed, sign, signed_policies, tell_changed
from ledger.append import Ledger, Transaction
from ledger.incidents import open_incident_in
from ledger.models import LedgerEntry
from ledger.verify import Broken, Entry
from review_queue.desk import ROBOT

APPROVED = "policy.approved"  # of the version before; none is written any more
_FIELDS = ("title", "doc_number", "effective_from", "effective_to")
_PARAGRAPH = re.compile(r"第\d+段")  # a label the text itself does not print
_TOLD = 10


async def sign_library(ledger: Ledger) -> int:
    """Sign each policy that two people approved before, if its rows are what they approved.

    Returns how many. A row that differs from its old entries is left out and told; what an old
    entry does not cover (issuer, address, day of issue) is taken as it stands. What waited for a
    second person is to be proposed again.
    """
    await _lapse_what_waited(ledger)
    query = select(LedgerEntry.subject).where(LedgerEntry.kind == APPROVED).distinct()
    async with ledger.db.session() as session:
        subjects = (await session.scalars(query)).all()
    if not subjects:
        return 0
    try:
        signed = await signed_policies(ledger)
        ids = [one.removeprefix("policy:") for one in subjects]
        old = {
            key: await ledger.facts(f"policy:{key}", age=math.inf)
            for key in sorted(ids)
            if key not in signed
        }
    except Broken:  # the console opens all the same and shows where
        return 0
    return await _sign(ledger, old)


async def _sign(ledger: Ledger, old: Mapping[str, Sequence[Entry]]) -> int:
    changed: list[Changed] = []
    count = 0
    async with ledger.transaction() as tx:
        for key, entries in old.items():
            stood = _approved(entries)
            if stood is None:
                continue
            fault = await _take(tx, key, entries, stood)
            changed += [fault] if fault is not None else []
            count += fault is None
    await tell_changed(ledger, changed)
    return count


def _approved(entries: Sequence[Entry]) -> Entry | None:
    """The signed proposal of the document that a second person approved."""
    changes = {one.body["change"] for one in entries if one.kind == APPROVED}
    proposed = [one for one in entries if one.kind == "policy.proposed" and "title" in one.body]
    return next((one for one in proposed if one.body["change"] in changes), None)


async def _take(
    tx: Transaction, key: str, entries: Sequence[Entry], proposed: Entry
) -> Changed | None:
    policy = await tx.session.get(Policy, key)
    if policy is None:
        return Changed(key, "policy", key, "row")
    query = select(Clause).where(Clause.policy_id == key)
    clauses = (await tx.session.scalars(query)).all()
    repeals = [one.body for one in entries if one.kind == "policy.repealed"]
    field = _differs(policy, proposed.body, repeals)
    if field:
        return Changed(key, "policy", key, field)
    state = as_signed(policy, clauses)
    if state.text_sha256 != proposed.body["text_sha256"]:
        return Changed(key, "policy", key, "text")
    clause = _clause_that_differs(policy.text, clauses, repeals)
    if clause is not None:
        return Changed(key, "clause", clause.id, "text")
    await sign(tx, state, "system", {"stood": proposed.seq})
    return None


def _differs(
    policy: Policy, proposed: Mapping[str, Any], repeals: Sequence[Mapping[str, Any]]
) -> str:
    """The field of the row that is not what the old entries say; empty when all agree."""
    ended = [one for one in repeals if one["clause"] is None]
    parts = [one["on"] for one in repeals if one["clause"] is not None]
    said = {name: proposed[name] for name in _FIELDS} | {
        "state": "active",
        "repealed_on": ended[-1]["on"] if ended else None,
        "successor_id": ended[-1]["successor_id"] if ended else None,
        "amended_on": parts[0] if parts else None,
    }
    return next((name for name, value in said.items() if getattr(policy, name) != value), "")


def _clause_that_differs(
    text: str, clauses: Sequence[Clause], repeals: Sequence[Mapping[str, Any]]
) -> Clause | None:
    """A clause that is no slice of the signed text, is named otherwise, or ends on another day."""
    ended = {one["clause"]: one["on"] for one in repeals if one["clause"] is not None}
    for one in clauses:
        whole = isinstance(one.start, int) and isinstance(one.end, int)
        if not whole or text[one.start : one.end] != one.text:
            return one
        named = one.label in one.text or _PARAGRAPH.fullmatch(one.label)
        headed = all(part in text for part in one.heading.split(" > "))
        if not named or not headed or one.repealed_on != ended.get(one.number):
            return one
    return None


async def _lapse_what_waited(ledger: Ledger) -> None:
    """Changes that wait in the table of the version before: nobody can approve them any more."""
    async with ledger.transaction() as tx:
        query = select(PolicyChange).where(PolicyChange.state == "proposed")
        waiting = (await tx.session.scalars(query)).all()
        if not waiting:
            return
        titles = [await _lapse(tx.session, change) for change in waiting]
        named = "、".join(f"《{title}》" for title in titles[:_TOLD])
        more = "等" if len(titles) > _TOLD else ""
        await open_incident_in(
            tx,
            "policies_again",
            subject="library",
            message=f"升级前等待批准的 {len(titles)} 项政策变更已作废，请重新提出：{named}{more}",
            detail={"changes": [change.id for change in waiting]},
        )


async def _lapse(session: AsyncSession, change: PolicyChange) -> str:
    change.state = "lapsed"
    policy = await session.get(Policy, change.policy_id)
    if policy is None:
        return ""
    if policy.state == "proposed":
        policy.state = "lapsed"
    if change.proposed_by == ROBOT:  # a fetched page: an editor looks at it now
        again = update(Article).where(Article.url == policy.url, Article.library == "proposed")
        await session.execute(again.values(library="waiting"))
    return policy.title
