""" "原则上": one repost from a place that is not on the list, asked for and signed by another.

A request is a proposal of the kind `source_exception`; a final reviewer or supervisor approves it,
nobody who wrote the text. The signed entry names the content, so the sender finds it by the draft.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.picture_message import KIND as PICTURES
from content_sources.list_models import SourceException
from content_sources.reposts import EXCUSABLE, SIGNERS, Reposts, content_key
from content_sources.whitelist import SourceRule, host_of
from ledger.append import Ledger, Transaction
from review_queue.canonical import Draft
from review_queue.models import Item, Revision
from review_queue.quarantine import lift
from review_queue.states import ItemState
from staff.models import Proposal
from staff.proposals import Approval, Proposals
from staff.refusal import Reason, Refused
from staff.rights import RIGHTS, entitled

KIND = "source_exception"
STATES = {
    "proposed": "asked",
    "approved": "granted",
    "rejected": "refused",
    "withdrawn": "withdrawn",
}
"""How the states of a proposal are called for an exception."""
_SHORTEST = 6


@dataclass(frozen=True)
class Exceptional:
    """A request for an exception and what became of it; `id` is the proposal's."""

    id: str
    item_id: str
    digest: str
    url: str
    host: str
    reason: str
    state: str
    asked_by: str
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    note: str


class ExceptionKind:
    """{item}: this item, as it is now, may be republished although its source is not listed."""

    label = "例外转载"
    proposers = RIGHTS["exceptions.ask"]
    approvers = frozenset(SIGNERS)

    def __init__(self, reposts: Reposts) -> None:
        """`reposts` says whether an address needs an exception, and may have one."""
        self._reposts = reposts
        self._ledger = reposts.ledger

    def subject(self, payload: Mapping[str, Any]) -> str:
        """The item."""
        return f"item:{payload['item']}"

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The item with the digests of its newest text: an edit since needs a new request."""
        async with self._ledger.db.session() as session:
            item, draft, digest = await _latest(session, str(payload.get("item", "")))
        if payload.get("digest", digest) != digest:
            raise _stale()
        url = draft.attribution.get("url", "")
        judged, place, faults = await self._reposts.judge(url), host_of(url), []
        if draft.kind not in ("转载", PICTURES):
            faults.append(Reason("kind", "只有转载的稿件和写了原文链接的图片消息需要申请例外"))
        if isinstance(judged, SourceRule):
            faults.append(Reason("state", "这个网址已在稿源名单内，不需要例外"))
        elif judged.rule not in EXCUSABLE or place is None:
            faults.append(Reason(judged.rule, f"{judged.message}（这种情况不能申请例外）"))
        if faults or place is None:
            raise Refused(422, faults)
        return {
            "item": item.id,
            "digest": digest,
            "content": content_key(draft),
            "url": url[:500],
            "host": place[1],
        }

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Which item, from where, and what stands against it."""
        async with self._ledger.db.session() as session:
            item, _, _ = await _latest(session, payload["item"])
        judged = await self._reposts.judge(payload["url"])
        head = {"sign": "+", "text": f"例外转载《{item.said_title}》"}
        return {
            "changes": [head, {"sign": "~", "text": f"原文：{payload['url']}"}],
            "warnings": [] if isinstance(judged, SourceRule) else [judged.message],
            "note": "只对这一稿有效，修改后要重新申请；批准后照常逐级审核。",
        }

    async def bars(self, payload: Mapping[str, Any], by: str) -> list[Reason]:
        """Nobody who wrote any revision: an exception covers the whole text."""
        facts = await self._ledger.facts(f"item:{payload.get('item')}")
        if by in {one.actor for one in facts if one.kind == "revision.created"}:
            return [Reason("two_people", "申请人、作者和编辑不能给自己的稿件签字例外")]
        return []

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """The sender finds the entry by the draft's content; a quarantined item becomes a draft."""
        item, _, digest = await _latest(tx.session, payload["item"])
        if digest != payload["digest"]:
            raise _stale()
        await tx.append(
            "source.exception",
            subject=f"exception:{payload['content']}",
            actor=approval.approved_by,
            body={
                "item": item.id,
                "digest": digest,
                "host": payload["host"],
                "change": approval.proposal_id,
            },
        )
        # Lifted back to draft only: it is reviewed from the beginning all the same.
        if item.state == ItemState.QUARANTINED:
            await lift(tx, item, "已批准例外转载，请核对后提交审核")
        return {"item": item.id}


def _stale() -> Refused:
    return Refused(409, [Reason("stale", "稿件在申请之后有修改，请重新申请例外")])


async def _latest(session: AsyncSession, item_id: str) -> tuple[Item, Draft, str]:
    item = await session.get(Item, item_id)
    query = select(Revision).where(Revision.item_id == item_id)
    revision = (await session.scalars(query.order_by(Revision.number.desc()).limit(1))).first()
    if item is None or revision is None:
        raise Refused(404, [Reason("item", "没有这篇稿件")])
    return item, Draft.from_canonical(revision.canonical), revision.digest


def _proposals(ledger: Ledger) -> Proposals:
    return Proposals(ledger, {KIND: ExceptionKind(Reposts(ledger))})


async def ask_exception(ledger: Ledger, item_id: str, staff_id: str, reason: str) -> Exceptional:
    """Ask that one item may be republished although its source is not determined."""
    async with ledger.db.session() as session:
        await entitled(session, staff_id, "exceptions.ask")
    if len(reason.strip()) < _SHORTEST:
        words = f"请写明为什么要例外转载，至少 {_SHORTEST} 个字"
        raise Refused(422, [Reason("reason", words)])
    return _exceptional(await _proposals(ledger).propose(KIND, {"item": item_id}, staff_id, reason))


async def decide_exception(
    ledger: Ledger, exception_id: str, staff_id: str, verdict: str, note: str
) -> Exceptional:
    """The extra sign-off: grant or refuse, by a final reviewer or supervisor, with a reason."""
    made = _proposals(ledger)
    row = await made.get(exception_id)
    if row.kind != KIND:
        raise Refused(404, [Reason("missing", "没有这项例外申请")])
    if row.state != "proposed":
        raise Refused(409, [Reason("state", "这项例外申请已经有结论")])
    if not note.strip():
        raise Refused(422, [Reason("note", "请写明同意或不同意的理由")])
    if verdict == "grant":
        await made.approve(row.id, staff_id, note.strip())
    else:
        await made.reject(row.id, staff_id, note)
    return _exceptional(await made.get(row.id))


async def exceptions(session: AsyncSession, limit: int = 200) -> Sequence[Exceptional]:
    """Every request, newest first; those an earlier version kept in a table of their own too."""
    query = select(Proposal).where(Proposal.kind == KIND)
    rows = (await session.scalars(query.order_by(Proposal.proposed_at.desc()).limit(limit))).all()
    old = select(SourceException).order_by(SourceException.asked_at.desc()).limit(limit)
    found = []
    for row in rows:
        with suppress(ValueError, KeyError, TypeError):  # a row that somebody wrote past us
            found.append(_exceptional(row))
    found += [_before(row) for row in (await session.scalars(old)).all()]
    return sorted(found, key=lambda one: one.asked_at, reverse=True)[:limit]


def _exceptional(row: Proposal) -> Exceptional:
    said = json.loads(row.payload)
    return Exceptional(
        id=row.id,
        item_id=said["item"],
        digest=said["digest"],
        url=said["url"],
        host=said["host"],
        reason=row.reason,
        state=STATES.get(row.state, row.state),
        asked_by=row.proposed_by,
        asked_at=row.proposed_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        note=row.note,
    )


def _before(row: SourceException) -> Exceptional:
    """A request made before exceptions were proposals; one that still waits is asked anew."""
    return Exceptional(
        id=row.id,
        item_id=row.item_id,
        digest=row.digest,
        url=row.url,
        host=row.host,
        reason=row.reason,
        state="lapsed" if row.state == "asked" else row.state,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        note=row.note,
    )
