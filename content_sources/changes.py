"""The source list changes only by two people: one proposes, another approves. Revoking takes one.

Each step is a signed ledger entry with hosts, validity, scope and their digest. A proposal changes
nothing before it is approved; the sender reads the signed entries, not the table (reposts.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from content_sources.list_models import SourceChange
from content_sources.models import Source
from content_sources.quarantine import lift_source, quarantine_source
from content_sources.source_fields import SourceFields, fields_of, signed_body
from content_sources.whitelist import alike
from ledger.append import Ledger, Transaction
from staff.refusal import Reason, Refused
from staff.rights import entitled
from storage.database import new_id

ACTIONS = {
    "add": "新增",
    "edit": "修改",
    "renew": "延期",
    "restore": "恢复",
}


@dataclass(frozen=True)
class WantedChange:
    """A change as proposed. `source_id` is empty for a new source."""

    action: str
    fields: SourceFields
    source_id: str = ""
    batch: str = ""


async def propose(ledger: Ledger, staff_id: str, proposal: WantedChange) -> SourceChange:
    """Record a proposal; nothing is fetched or sent by it before another person approves."""
    async with ledger.transaction() as tx:
        return await propose_in(tx, staff_id, proposal)


async def propose_in(tx: Transaction, staff_id: str, proposal: WantedChange) -> SourceChange:
    """The same inside a transaction of the caller (a whole list at once)."""
    await entitled(tx.session, staff_id, "sources.propose")
    if proposal.action == "add":
        row = _new_source(proposal.fields, staff_id)
        tx.session.add(row)
        before: dict[str, object] = {}
    else:
        row = await source_of(tx.session, proposal.source_id)
        _check_action(row, proposal)
        before = fields_of(row).to_json()
        # One at a time: two open changes would undo each other by the order of approval.
        if await open_change(tx.session, row.id) is not None:
            raise Refused(409, [Reason("state", "这家稿源已有一项变更在等批准，请先处理")])
    change = SourceChange(
        id=new_id(),
        source_id=row.id,
        action=proposal.action,
        fields=proposal.fields.to_json(),
        before=before,
        batch=proposal.batch,
        state="proposed",
        proposed_by=staff_id,
        proposed_at=now(),
    )
    tx.session.add(change)
    await tx.append(
        "source.proposed",
        subject=f"source:{row.id}",
        actor=staff_id,
        body={"change": change.id, "action": change.action} | signed_body(change.fields),
    )
    return change


def _check_action(row: Source, proposal: WantedChange) -> None:
    if proposal.action not in ACTIONS:
        raise Refused(422, [Reason("action", f"变更只能是：{'、'.join(ACTIONS.values())}")])
    if proposal.action == "restore" and row.state != "revoked":
        raise Refused(409, [Reason("state", "这家稿源没有撤销，不用恢复")])
    if proposal.action in ("edit", "renew") and row.state != "active":
        raise Refused(409, [Reason("state", "这家稿源不在名单内：请提出恢复或新增")])
    if fields_of(row).to_json() == proposal.fields.to_json() and proposal.action != "restore":
        raise Refused(422, [Reason("same", "与现在的登记相同，没有要批准的变更")])


def _new_source(fields: SourceFields, staff_id: str) -> Source:
    row = Source(id=new_id(), state="proposed", proposed_by=staff_id, approved_by=None)
    _write(row, fields.to_json())
    return row


def _write(row: Source, fields: Mapping[str, Any]) -> None:
    """Put proposed fields into the table's row."""
    for name in (
        "organisation", "hosts", "allow_http", "paths", "topics", "picture_licence", "basis",
        "basis_file", "list_version", "owner",
    ):  # fmt: skip
        setattr(row, name, fields[name])
    row.valid_from = datetime.fromisoformat(fields["valid_from"])
    row.valid_to = datetime.fromisoformat(fields["valid_to"]) if fields["valid_to"] else None


async def source_of(session: AsyncSession, source_id: str) -> Source:
    """The source, or Refused (404)."""
    row = await session.get(Source, source_id)
    if row is None:
        raise Refused(404, [Reason("missing", "没有这家稿源，可能地址不完整")])
    return row


async def open_change(session: AsyncSession, source_id: str) -> SourceChange | None:
    """The change of a source that waits for a second person."""
    query = select(SourceChange).where(
        SourceChange.source_id == source_id, SourceChange.state == "proposed"
    )
    return (await session.scalars(query.limit(1))).first()


async def approve(ledger: Ledger, staff_id: str, source_id: str) -> None:
    """Approve the waiting change of a source that somebody else proposed."""
    async with ledger.transaction() as tx:
        await approve_in(tx, staff_id, source_id)


async def approve_in(tx: Transaction, staff_id: str, source_id: str) -> None:
    """The same inside a transaction of the caller. Refused 403, 404, 409."""
    await entitled(tx.session, staff_id, "sources.approve")
    row = await source_of(tx.session, source_id)
    change = await open_change(tx.session, source_id)
    if change is None:
        raise Refused(409, [Reason("state", "这家稿源没有在等批准的变更")])
    # Two people (稿源 are determined, not taken): what one person may do alone is only take away.
    if change.proposed_by == staff_id:
        raise Refused(403, [Reason("two_people", "不能批准自己提出的稿源，请另一位管理员批准")])
    _write(row, change.fields)
    row.state, row.proposed_by, row.approved_by = "active", change.proposed_by, staff_id
    # Reminders begin anew with the new term.
    row.told = ""
    change.state, change.decided_by, change.decided_at = "approved", staff_id, now()
    await tx.append(
        "source.approved",
        subject=f"source:{source_id}",
        actor=staff_id,
        body={"change": change.id, "action": change.action} | signed_body(change.fields),
    )
    if change.action != "add":  # a new source has no items to bring back
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


async def reject(ledger: Ledger, staff_id: str, source_id: str) -> None:
    """Turn a waiting change down; its proposer may do so too."""
    async with ledger.transaction() as tx:
        await reject_in(tx, staff_id, source_id)


async def reject_in(tx: Transaction, staff_id: str, source_id: str) -> None:
    """The same inside a transaction of the caller. Refused 403, 404, 409."""
    await entitled(tx.session, staff_id, "sources.approve")
    row = await source_of(tx.session, source_id)
    change = await open_change(tx.session, source_id)
    if change is None:
        raise Refused(409, [Reason("state", "这家稿源没有在等批准的变更")])
    change.state, change.decided_by, change.decided_at = "rejected", staff_id, now()
    # A source that was never in force ends with its proposal; one in force stays as it was.
    if row.state == "proposed":
        row.state = "rejected"
    await tx.append(
        "source.rejected",
        subject=f"source:{source_id}",
        actor=staff_id,
        body={"change": change.id},
    )


async def revoke(ledger: Ledger, staff_id: str, source_id: str) -> dict[str, int]:
    """Stop republishing a source at once; one person may, since it only takes away.

    Its waiting items are quarantined, scheduled ones held, published ones listed for decision:
    how many of each.
    """
    async with ledger.transaction() as tx:
        return await revoke_in(tx, staff_id, source_id)


async def revoke_in(tx: Transaction, staff_id: str, source_id: str) -> dict[str, int]:
    """The same inside a transaction of the caller. Refused 403, 404, 409."""
    await entitled(tx.session, staff_id, "sources.approve")
    row = await source_of(tx.session, source_id)
    if row.state == "revoked":
        raise Refused(409, [Reason("state", "这家稿源已经撤销")])
    row.state = "revoked"
    change = await open_change(tx.session, source_id)
    if change is not None:  # a waiting change must not bring it back by a late approval
        change.state, change.decided_by, change.decided_at = "rejected", staff_id, now()
    await tx.append(
        "source.revoked",
        subject=f"source:{source_id}",
        actor=staff_id,
        body={"hosts": list(row.hosts)},
    )
    return await quarantine_source(tx, row, f"稿源“{row.organisation}”已撤销")


async def warnings_of(session: AsyncSession, change: SourceChange) -> list[str]:
    """What the approver should look at twice: hosts that look like listed ones, or are listed."""
    query = select(Source).where(Source.state == "active", Source.id != change.source_id)
    rows = (await session.scalars(query)).all()
    said = []
    for host in change.fields["hosts"]:
        for row in rows:
            if host in row.hosts:
                said.append(f"{host} 已登记在“{row.organisation}”名下")
            # Look-alike hosts are how false official sites are slipped into a list.
            elif twin := alike(host, row.hosts):
                said.append(f"{host} 与“{row.organisation}”的 {twin} 形似而不同：谨防假冒网站")
    return said
