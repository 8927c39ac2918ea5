"""The source list changes only by two people: one proposes, another approves. Revoking takes one.

A change is a proposal of the kind `source` (staff/proposals.py). What is approved becomes a signed
entry with hosts, validity, scope and their digest; the sender reads these, not the table
(reposts.py). Revoking only takes away, works at once, and ends a change that waits.
"""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from content_sources.models import Source
from content_sources.quarantine import lift_source, quarantine_source
from content_sources.source_fields import (
    SourceFields,
    difference,
    fields_from,
    fields_of,
    signed_body,
)
from content_sources.whitelist import alike
from ledger.append import Ledger, Transaction
from staff.models import Proposal
from staff.proposals import Approval, Proposals, close_in
from staff.refusal import Reason, Refused
from staff.rights import RIGHTS, entitled
from storage.database import Database, new_id

KIND = "source"
ACTIONS = {
    "add": "新增",
    "edit": "修改",
    "renew": "延期",
    "restore": "恢复",
}
_PLAIN_NO = "不批准这项稿源变更"
_ID = re.compile(r"[0-9a-z]{26}")


@dataclass(frozen=True)
class WantedChange:
    """A change as proposed. `source_id` is empty for a new source.

    Without a reason of its own the authorising document is the reason.
    """

    action: str
    fields: SourceFields
    source_id: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Change:
    """A proposed change of one source, read from its proposal; `id` is the proposal's."""

    id: str
    source_id: str
    action: str
    fields: Mapping[str, Any]
    before: Mapping[str, Any]
    state: str
    reason: str
    proposed_by: str
    proposed_at: datetime

    @classmethod
    def of(cls, row: Proposal) -> "Change":
        """What a proposal of the kind `source` says."""
        said = json.loads(row.payload)
        fields_from(said["fields"], said["fields"]["hosts"])
        return cls(
            id=row.id,
            source_id=said["id"],
            action=said["action"],
            fields=said["fields"],
            before=said["before"],
            state=row.state,
            reason=row.reason,
            proposed_by=row.proposed_by,
            proposed_at=row.proposed_at,
        )


class SourceKind:
    """{action, id, fields}: one source as it shall be; `id` only of one that is there."""

    label = "稿源变更"
    proposers = RIGHTS["sources.propose"]
    approvers = RIGHTS["sources.approve"]

    def __init__(self, db: Database) -> None:
        """The table of sources; the signed entries are written by `apply`."""
        self._db = db

    def subject(self, payload: Mapping[str, Any]) -> str:
        """The source."""
        return f"source:{payload['id']}"

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The whole source as it would be, beside what it is now."""
        action, source_id = str(payload.get("action", "add")), str(payload.get("id", ""))
        async with self._db.session() as session:
            row = await session.get(Source, source_id) if source_id else None
            if action != "add" and row is None:
                raise _missing()
            if action == "add" and row is not None:
                raise _overtaken()
            fields = fields_from(payload.get("fields"), row.hosts if row else ())
            before = {} if row is None else state_of(row)
            if "before" in payload and payload["before"] != before:
                raise _overtaken()
            if row is not None:
                _check_action(row, action, fields)
            if "before" not in payload:
                await _one_at_a_time(session, source_id, fields)
        checked = {"action": action, "fields": fields.to_json(), "before": before}
        return checked | {"id": source_id if _ID.fullmatch(source_id) else new_id()}

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Every field that changes, and hosts to look at twice."""
        async with self._db.session() as session:
            warnings = await warnings_of(session, payload["id"], payload["fields"])
        return {"changes": change_lines(payload), "warnings": warnings, "note": ""}

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """In force from the commit on; what its end had quarantined goes back to draft."""
        row = await tx.session.get(Source, payload["id"], populate_existing=True)
        # Once more under the lock: it may have been revoked since it was checked.
        if ({} if row is None else state_of(row)) != payload["before"]:
            raise _overtaken()
        if row is None:
            row = Source(id=payload["id"])
        await put_in_force(tx, row, payload, approval)
        return {"source": row.id}


def change_lines(payload: Mapping[str, Any]) -> list[dict[str, str]]:
    """What a change does to its source, a line for each field before and after."""
    head = f"{ACTIONS[payload['action']]}稿源：{payload['fields']['organisation']}"
    lines = [{"sign": "~" if payload["before"] else "+", "text": head}]
    for label, old, new in difference(payload["before"], payload["fields"]):
        if new == payload["fields"]["organisation"] and not old:
            continue  # the headline has said it
        lines += [{"sign": "-", "text": f"{label}：{old}"}] if old else []
        lines += [{"sign": "+", "text": f"{label}：{new}"}] if new else []
    return lines


def _missing() -> Refused:
    return Refused(404, [Reason("missing", "没有这家稿源，可能地址不完整")])


def _overtaken() -> Refused:
    words = "这家稿源在提出之后又有变化：请收回后按现在的登记重新提出"
    return Refused(409, [Reason("overtaken", words)])


def state_of(row: Source) -> dict[str, object]:
    """A source as it is, with whether it is in force: what a change is compared with."""
    return fields_of(row).to_json() | {"state": row.state}


def _check_action(row: Source, action: str, fields: SourceFields) -> None:
    if action not in ACTIONS:
        raise Refused(422, [Reason("action", f"变更只能是：{'、'.join(ACTIONS.values())}")])
    if action == "restore" and row.state != "revoked":
        raise Refused(409, [Reason("state", "这家稿源没有撤销，不用恢复")])
    if action in ("edit", "renew") and row.state != "active":
        raise Refused(409, [Reason("state", "这家稿源不在名单内：请提出恢复或新增")])
    if fields_of(row).to_json() == fields.to_json() and action != "restore":
        raise Refused(422, [Reason("same", "与现在的登记相同，没有要批准的变更")])


async def _one_at_a_time(session: AsyncSession, source_id: str, fields: SourceFields) -> None:
    """Two open changes of one source would only overtake each other."""
    if source_id and await open_change(session, source_id) is not None:
        raise Refused(409, [Reason("state", "这家稿源已有一项变更在等批准，请先处理")])
    same = (fields.organisation, list(fields.hosts))
    for one in () if source_id else await open_changes(session):
        if (one.fields["organisation"], one.fields["hosts"]) == same:
            raise Refused(409, [Reason("same", "这家稿源已经提出，正在等待批准")])


async def put_in_force(
    tx: Transaction, row: Source, change: Mapping[str, Any], approval: Approval
) -> None:
    """Write an approved change into the table and sign it; `change` has `action` and `fields`."""
    fields = change["fields"]
    for name in (
        "organisation", "hosts", "allow_http", "paths", "topics", "picture_licence", "basis",
        "basis_file", "list_version", "owner",
    ):  # fmt: skip
        setattr(row, name, fields[name])
    row.valid_from = datetime.fromisoformat(fields["valid_from"])
    row.valid_to = datetime.fromisoformat(fields["valid_to"]) if fields["valid_to"] else None
    row.state = "active"
    row.proposed_by, row.approved_by = approval.proposed_by, approval.approved_by
    # Reminders begin anew with the new term.
    row.told = ""
    tx.session.add(row)
    # The proposer stands in the entry itself: the sender sees two people without a second reading.
    body = {
        "change": approval.proposal_id,
        "action": change["action"],
        "proposed_by": approval.proposed_by,
    }
    await tx.append(
        "source.approved",
        subject=f"source:{row.id}",
        actor=approval.approved_by,
        body=body | signed_body(fields),
    )
    if change["action"] != "add":  # a new source has no items to bring back
        # The lifted items are found by the row's new state.
        await tx.session.flush()
        await lift_source(tx, row)


async def determine(tx: Transaction, row: Source, actor: str = "init") -> None:
    """The signed entry for a source of the setup file; the row is in force at once."""
    tx.session.add(row)
    await tx.append(
        "source.approved",
        subject=f"source:{row.id}",
        actor=actor,
        body={"change": "", "action": "add"} | signed_body(fields_of(row).to_json()),
    )


# --- one source, as its page and the command line ask for it ------------------------------


def _proposals(ledger: Ledger) -> Proposals:
    return Proposals(ledger, {KIND: SourceKind(ledger.db)})


async def propose(ledger: Ledger, staff_id: str, wanted: WantedChange) -> Change:
    """Record a proposal; nothing is fetched or sent by it before another person approves."""
    async with ledger.db.session() as session:
        await entitled(session, staff_id, "sources.propose")
    payload = {"action": wanted.action, "fields": wanted.fields.to_json()}
    if wanted.source_id:
        payload |= {"id": wanted.source_id}
    reason = wanted.reason.strip() or f"依据：{wanted.fields.basis}"
    return Change.of(await _proposals(ledger).propose(KIND, payload, staff_id, reason))


async def approve(ledger: Ledger, staff_id: str, source_id: str) -> None:
    """Approve the waiting change of a source that somebody else proposed. Refused 403, 404, 409."""
    change = await _waiting(ledger, staff_id, source_id)
    await _proposals(ledger).approve(change.id, staff_id)


async def reject(ledger: Ledger, staff_id: str, source_id: str, reason: str = "") -> None:
    """Turn a waiting change down; its proposer takes it back by this. Refused 403, 404, 409."""
    change = await _waiting(ledger, staff_id, source_id)
    made = _proposals(ledger)
    if change.proposed_by == staff_id:
        await made.withdraw(change.id, staff_id)
    else:
        await made.reject(change.id, staff_id, reason.strip() or _PLAIN_NO)


async def _waiting(ledger: Ledger, staff_id: str, source_id: str) -> Proposal:
    async with ledger.db.session() as session:
        await entitled(session, staff_id, "sources.approve")
        await source_of(session, source_id)
        row = (await session.scalars(_open(source_id).limit(1))).first()
    # Read without judging it: a row that somebody changed must be refused with its incident.
    if row is None:
        raise Refused(409, [Reason("state", "这家稿源没有在等批准的变更")])
    return row


async def revoke(ledger: Ledger, staff_id: str, source_id: str) -> dict[str, int]:
    """Stop republishing a source at once; one person may, since it only takes away.

    Its waiting items are quarantined, scheduled ones held, published ones listed for decision:
    how many of each. Refused 403, 404, 409.
    """
    async with ledger.transaction() as tx:
        await entitled(tx.session, staff_id, "sources.approve")
        row = await tx.session.get(Source, source_id)
        if row is None:
            await source_of(tx.session, source_id)
            raise Refused(409, [Reason("state", "这家稿源还没有批准，不用撤销")])
        if row.state == "revoked":
            raise Refused(409, [Reason("state", "这家稿源已经撤销")])
        return await revoke_in(tx, staff_id, row)


async def revoke_in(tx: Transaction, staff_id: str, row: Source) -> dict[str, int]:
    """The same inside a transaction of the caller, who has asked for the right."""
    row.state = "revoked"
    for change in (await tx.session.scalars(_open(row.id))).all():
        # A waiting change must not bring it back by a late approval.
        end = "withdrawn" if change.proposed_by == staff_id else "rejected"
        await close_in(tx, change, staff_id, end, "稿源已撤销")
    await tx.append(
        "source.revoked",
        subject=f"source:{row.id}",
        actor=staff_id,
        body={"hosts": list(row.hosts)},
    )
    return await quarantine_source(tx, row, f"稿源“{row.organisation}”已撤销")


# --- reading --------------------------------------------------------------------------------


def _open(source_id: str = "") -> Select[Proposal]:
    query = select(Proposal).where(Proposal.kind == KIND, Proposal.state == "proposed")
    if source_id:
        query = query.where(Proposal.subject == f"source:{source_id}")
    return query.order_by(Proposal.proposed_at)


def _read(rows: Iterable[Proposal]) -> list[Change]:
    """What proposals say; one that nobody could have made here is left to its own page."""
    found = []
    for row in rows:
        with suppress(ValueError, KeyError, TypeError, Refused):
            found.append(Change.of(row))
    return found


async def open_changes(session: AsyncSession) -> list[Change]:
    """Every change of a source that waits for a second person, oldest first."""
    return _read((await session.scalars(_open())).all())


async def open_change(session: AsyncSession, source_id: str) -> Change | None:
    """The change of a source that waits for a second person."""
    return next(iter(_read((await session.scalars(_open(source_id))).all())), None)


async def source_of(session: AsyncSession, source_id: str) -> Source:
    """The source; of one that was only proposed, what was proposed. Refused (404)."""
    row = await session.get(Source, source_id)
    if row is not None:
        return row
    query = select(Proposal).where(Proposal.kind == KIND, Proposal.subject == f"source:{source_id}")
    made = _read((await session.scalars(query.order_by(Proposal.proposed_at.desc()))).all())
    if not made:
        raise _missing()
    return as_proposed(made[0])


def as_proposed(change: Change) -> Source:
    """A new source as it would be: for pages, never stored and never in force."""
    fields = fields_from(change.fields, change.fields["hosts"])
    return Source(
        id=change.source_id,
        state="proposed" if change.state == "proposed" else "rejected",
        proposed_by=change.proposed_by,
        approved_by=None,
        told="",
        **(fields.to_json() | {"valid_from": fields.valid_from, "valid_to": fields.valid_to}),
    )


async def all_sources(session: AsyncSession) -> list[Source]:
    """Every source of the table and every new one that waits or was rejected, by name."""
    rows = list((await session.scalars(select(Source))).all())
    known = {row.id for row in rows}
    query = select(Proposal).where(
        Proposal.kind == KIND, Proposal.state.in_(("proposed", "rejected"))
    )
    made = _read((await session.scalars(query.order_by(Proposal.proposed_at))).all())
    new = {one.source_id: one for one in made if one.action == "add"}
    rows += [as_proposed(one) for key, one in new.items() if key not in known]
    return sorted(rows, key=lambda row: row.organisation)


async def warnings_of(
    session: AsyncSession, source_id: str, fields: Mapping[str, Any]
) -> list[str]:
    """What the approver should look at twice: hosts that look like listed ones, or are listed."""
    query = select(Source).where(Source.state == "active", Source.id != source_id)
    rows = (await session.scalars(query)).all()
    said = []
    for host in fields["hosts"]:
        for row in rows:
            if host in row.hosts:
                said.append(f"{host} 已登记在“{row.organisation}”名下")
            # Look-alike hosts are how false official sites are slipped into a list.
            elif twin := alike(host, row.hosts):
                said.append(f"{host} 与“{row.organisation}”的 {twin} 形似而不同：谨防假冒网站")
    return said
