"""Changes of authority take two people: one proposes, another with the right role approves.

One mechanism for all of them. What may be proposed is a `Kind`: it checks
a payload, says what would change, and puts it into effect. Signed entries carry the digest of the
payload; the table is compared with them before anything is approved.
"""

import json
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from ledger.append import Ledger, Transaction
from ledger.verify import Broken
from staff.models import Proposal
from staff.people import Member, active_with, lacking, read_person
from staff.proposed import differences, effect_digest, seal, words_digest
from staff.refusal import Reason, Refused
from storage.database import new_id

APPROVERS = frozenset({"admin"})
"""Who approves a kind that names no `approvers` of its own."""
STAND_INS = ("supervisor", "reviewer_3")
"""Who approves a change about people where no second admin is left: the first that somebody is."""
STATES = {
    "proposed": "等待批准",
    "approved": "已批准",
    "rejected": "未批准",
    "withdrawn": "已收回",
}
_MINIMUM_REASON = 4


@dataclass(frozen=True)
class Approval:
    """Who made a change: the signed entry that approves it, proposer and approver."""

    seq: int
    proposal_id: str | None
    proposed_by: str
    approved_by: str


INIT = "init"
"""The proposer and approver of what an office starts with; the genesis entry is its proof."""


class Kind(Protocol):
    """One sort of change. `check` runs when proposed and again when approved.

    A kind that others than admins approve names them in `approvers`.
    """

    label: str
    proposers: frozenset[str]

    def subject(self, payload: Mapping[str, Any]) -> str:
        """What the change is about, for lists and the ledger; no personal data."""
        ...

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The payload in its final form; Refused names field and remedy, 409 when overtaken.

        Checking a checked payload gives the same payload.
        """
        ...

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """What would change: `changes` [{sign, text}], `warnings` [text], optional `preview`."""
        ...

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """Put it into effect; what is returned is shown to the approver once."""
        ...


Hold = Callable[[str, Kind, Mapping[str, Any]], Awaitable[Sequence[Reason]]]
"""Name, kind and payload of a change to why it waits for a person who wants it all the same."""


@runtime_checkable
class Barring(Protocol):
    """A kind that some people may not approve whatever their role: who wrote what it is about."""

    async def bars(self, payload: Mapping[str, Any], by: str) -> list[Reason]:
        """Why this person may not; empty when they may."""
        ...


@runtime_checkable
class OneOpen(Protocol):
    """A kind of which only one may wait for each subject; `one_open` says so to the second."""

    one_open: str


class AboutPeople:
    """A kind that an office with one admin must be able to carry through as well.

    Where no admin is left besides who proposed it and whom it is about, another role approves.
    Whom it is about never approves it.
    """


class Proposals:
    """Proposals of every registered kind over one ledger."""

    def __init__(self, ledger: Ledger, kinds: Mapping[str, Kind]) -> None:
        """`kinds` maps the name of a kind to what it does."""
        self.ledger = ledger
        self.kinds = dict(kinds)
        self.hold: Hold | None = None

    async def draft(
        self, kind: str, payload: Mapping[str, Any], by: str | None = None
    ) -> tuple[Mapping[str, Any], dict[str, Any]]:
        """The checked payload and its effect, for who might propose it (None: this machine)."""
        handler = self._kind(kind)
        if by is not None and (faults := await self._person_faults(by, handler.proposers)):
            raise Refused(403, faults)
        checked = await handler.check(payload)
        return checked, await self.effect_of(kind, checked)

    async def effect_of(self, kind: str, checked: Mapping[str, Any]) -> dict[str, Any]:
        """What a checked payload would do, and why it would wait."""
        handler = self._kind(kind)
        effect = dict(await handler.effect(checked))
        held = await self._held(kind, checked)
        if held:
            effect["warnings"] = [*effect.get("warnings", ()), *(one.message for one in held)]
        return effect

    async def _held(self, kind: str, checked: Mapping[str, Any]) -> Sequence[Reason]:
        return await self.hold(kind, self._kind(kind), checked) if self.hold is not None else ()

    async def propose(
        self, kind: str, payload: Mapping[str, Any], by: str, reason: str
    ) -> Proposal:
        """Put a change in front of a second person; nothing changes yet."""
        handler = self._kind(kind)
        _need_reason(reason, "请写明为什么要改")
        checked = await handler.check(payload)
        # The payload is checked first: its faults can be mended, a missing role cannot.
        if faults := await self._person_faults(by, handler.proposers):
            raise Refused(403, faults)
        effect = await self.effect_of(kind, checked)
        text, digest = seal(checked)
        row = Proposal(
            id=new_id(),
            kind=kind,
            subject=handler.subject(checked),
            payload=text,
            digest=digest,
            effect=effect,
            proposed_by=by,
            reason=reason.strip(),
            salt=secrets.token_hex(16),
            state="proposed",
            proposed_at=now(),
        )
        async with self.ledger.transaction() as tx:
            waiting = select(Proposal.id).where(
                Proposal.kind == kind, Proposal.digest == digest, Proposal.state == "proposed"
            )
            # Asked inside the write lock: two clicks must not make two proposals.
            if (await tx.session.scalars(waiting.limit(1))).first() is not None:
                raise Refused(409, [Reason("same", "同样的变更已经提出，正在等待批准")])
            await self._none_open(tx.session, row)
            tx.session.add(row)
            await tx.append(
                "proposal.made",
                subject=f"proposal:{row.id}",
                actor=by,
                body={
                    "kind": kind,
                    "about": row.subject,
                    "digest": digest,
                    "reason": words_digest(row.salt, row.reason),
                    "effect": effect_digest(row),
                },
            )
        return row

    async def _none_open(self, session: AsyncSession, row: Proposal) -> None:
        """Refused when `row` would be a second one of a kind that waits once for each subject."""
        handler = self.kinds[row.kind]
        if not isinstance(handler, OneOpen):
            return
        waiting = select(Proposal).where(
            Proposal.kind == row.kind,
            Proposal.subject == row.subject,
            Proposal.state == "proposed",
        )
        for one in (await session.scalars(waiting)).all():
            # One that nobody signed stands in nobody's way.
            if not differences(one, await self.ledger.facts(f"proposal:{one.id}")):
                raise Refused(409, [Reason("same", handler.one_open)])

    async def why_not(self, proposal_id: str, by: str) -> list[Reason]:
        """Every reason why this person cannot approve this proposal now; empty when they can."""
        return (await self._faults(await self.get(proposal_id), by))[1]

    async def approve(self, proposal_id: str, by: str, note: str = "") -> Mapping[str, Any]:
        """Put somebody else's proposal into effect; what the approver is shown once.

        A note is kept with the row, its digest in the entry; it lets go what `hold` holds. Refused:
        403 own proposal or the wrong role, 404, 409 decided, overtaken, held or changed by SQL.
        """
        row = await self.get(proposal_id)
        await self._must_be_open(row, by)
        handler, text = self._kind(row.kind), row.payload
        payload = await handler.check(json.loads(text))
        # Checked again at approval: what was read must be what takes effect, or it is proposed
        # anew.
        if seal(payload)[0] != text:
            raise Refused(409, [Reason("overtaken", "提出之后情况有变化，请收回后重新提出")])
        if not note.strip() and (held := await self._held(row.kind, payload)):
            raise Refused(409, list(held))
        async with self.ledger.transaction() as tx:
            # Read again under the lock: two admins may have pressed at the same moment.
            fresh = await _waiting(tx.session, proposal_id, text)
            seq = await tx.append(
                "proposal.approved",
                subject=f"proposal:{row.id}",
                actor=by,
                body={"kind": row.kind, "about": row.subject, "digest": row.digest}
                | ({"reason": words_digest(row.salt, note)} if note else {}),
            )
            # The entry first: what takes effect carries the number of its proof.
            approval = Approval(seq, row.id, row.proposed_by, by)
            shown = await handler.apply(tx, payload, approval)
            fresh.state, fresh.decided_by, fresh.decided_at = "approved", by, now()
            fresh.note = note
        return shown

    async def reject(self, proposal_id: str, by: str, reason: str) -> None:
        """Turn somebody else's proposal down, with a reason."""
        _need_reason(reason, "请写明不批准的理由")
        row = await self.get(proposal_id)
        await self._must_be_open(row, by)
        await self._close(row, by, "rejected", reason.strip())

    async def withdraw(self, proposal_id: str, by: str) -> None:
        """Take one's own proposal back."""
        row = await self.get(proposal_id)
        if row.proposed_by != by:
            raise Refused(403, [Reason("proposer", "只有提出人能收回，其他人请写明理由不批准")])
        if row.state != "proposed":
            raise Refused(409, [_decided(row)])
        await self._close(row, by, "withdrawn", "")

    async def _close(self, row: Proposal, by: str, state: str, note: str) -> None:
        async with self.ledger.transaction() as tx:
            fresh = await _waiting(tx.session, row.id, row.payload)
            await close_in(tx, fresh, by, state, note)

    async def get(self, proposal_id: str) -> Proposal:
        """One proposal, or Refused 404."""
        async with self.ledger.db.session() as session:
            row = await session.get(Proposal, proposal_id)
        if row is None:
            raise Refused(404, [Reason("proposal", "没有这项变更，可能地址不完整")])
        return row

    async def rows(self, state: str | None = None, limit: int = 100) -> Sequence[Proposal]:
        """Proposals, newest first."""
        query = select(Proposal).order_by(Proposal.proposed_at.desc()).limit(limit)
        if state is not None:
            query = query.where(Proposal.state == state)
        async with self.ledger.db.session() as session:
            return (await session.scalars(query)).all()

    def _kind(self, name: str) -> Kind:
        if name not in self.kinds:
            known = "、".join(self.kinds)
            raise Refused(422, [Reason("kind", f"没有“{name}”这种变更，只能是：{known}")])
        return self.kinds[name]

    # --- who may ------------------------------------------------------------------------

    async def _must_be_open(self, row: Proposal, by: str) -> None:
        status, faults = await self._faults(row, by)
        if faults:
            raise Refused(status, faults)

    async def _faults(self, row: Proposal, by: str) -> tuple[int, list[Reason]]:
        """Status and reasons; a table row that differs from its signed entry opens an incident."""
        try:
            entries = await self.ledger.facts(f"proposal:{row.id}")
        except Broken as broken:
            return 409, [Reason("ledger", f"台账核验不通过，暂时不能批准：{broken}")]
        if row.state != "proposed":
            return 409, [_decided(row)]
        # The table is only a copy; the signed entry says what was really proposed.
        if tampered := differences(row, entries):
            await self._report(row, tampered)
            return 409, [Reason("tampered", f"这项变更在数据库中被改动，不能批准：{tampered}")]
        faults = []
        # Two people: nobody approves, and nobody turns down in silence, what is their own.
        if row.proposed_by == by:
            faults.append(
                Reason("two_people", "提出人不能批准或否决自己提出的变更，请另一位有权的人处理")
            )
        handler = self.kinds.get(row.kind)
        if self._about_people(row) and row.subject == f"staff:{by}":
            faults.append(Reason("self", "与自己有关的变更要由别人批准"))
        faults += await self._person_faults(by, await self.approvers(row))
        if isinstance(handler, Barring):
            faults += await handler.bars(json.loads(row.payload), by)
        return 403, faults

    def _about_people(self, row: Proposal) -> bool:
        return isinstance(self.kinds.get(row.kind), AboutPeople)

    async def approvers(self, row: Proposal) -> frozenset[str]:
        """The roles that decide this proposal now."""
        handler = self.kinds.get(row.kind)
        # A kind of a newer version, left behind by going back to this one, is decided by nobody.
        if handler is None:
            return frozenset()
        if not self._about_people(row):
            return approvers_of(handler)
        barred = {row.proposed_by, row.subject.removeprefix("staff:")}
        async with self.ledger.db.session() as session:
            for role in (*sorted(APPROVERS), *STAND_INS):
                # Two people always: an office whose second admin is away asks somebody else.
                if set(await active_with(session, {role})) - barred:
                    return frozenset({role})
        return APPROVERS

    async def _report(self, row: Proposal, words: str) -> None:
        await self.ledger.open_incident(
            "proposal_tampered",
            subject=f"proposal:{row.id}",
            message=f"一项等待批准的变更与签名的台账不符，已拒绝：{words}",
            detail={"kind": row.kind, "about": row.subject},
        )

    async def _person_faults(self, by: str, wanted: Collection[str]) -> list[Reason]:
        """The person works here and holds one of `wanted`, by signed entry."""
        async with self.ledger.db.session() as session:
            try:
                person: Member = await read_person(session, by)
            except Refused as refused:
                return refused.reasons
        return lacking(person, wanted)


def approvers_of(kind: Kind) -> frozenset[str]:
    """The roles that approve a kind: its own, else admins."""
    own: frozenset[str] = getattr(kind, "approvers", APPROVERS)
    return own


async def close_in(tx: Transaction, row: Proposal, by: str, state: str, note: str) -> None:
    """End an open proposal without effect inside a transaction of the caller; who may is theirs.

    For what ends a proposal by itself: what it is about was taken away at once.
    """
    row.state, row.decided_by, row.decided_at, row.note = state, by, now(), note
    await tx.append(
        f"proposal.{state}",
        subject=f"proposal:{row.id}",
        actor=by,
        body={"digest": row.digest, "reason": words_digest(row.salt, note)},
    )


async def _waiting(session: AsyncSession, proposal_id: str, text: str) -> Proposal:
    """The row inside the write lock, still open and still what was checked."""
    row = await session.get(Proposal, proposal_id, populate_existing=True)
    if row is None or row.payload != text:
        raise Refused(409, [Reason("tampered", "这项变更刚刚被改动，请重新打开")])
    if row.state != "proposed":
        raise Refused(409, [_decided(row)])
    return row


def _decided(row: Proposal) -> Reason:
    return Reason("state", f"这项变更{STATES.get(row.state, row.state)}，不能再处理")


def _need_reason(reason: str, words: str) -> None:
    if len(reason.strip()) < _MINIMUM_REASON:
        raise Refused(422, [Reason("reason", f"{words}（至少 {_MINIMUM_REASON} 个字）")])
