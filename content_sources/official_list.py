"""A published list of 稿源单位 as a proposed change: what it adds, drops and renames.

Lists name units only; the office maps hosts to them. A unit that stays keeps its hosts.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from content_sources.changes import (
    WantedChange,
    approve_in,
    open_change,
    propose_in,
    reject_in,
    revoke_in,
)
from content_sources.list_compare import Difference, compare
from content_sources.list_files import Parsed, Unit, parse_list, unit_key
from content_sources.list_models import ListImport, SourceChange
from content_sources.models import Source
from content_sources.source_fields import SourceFields, fields_of
from ledger.append import Ledger, Transaction
from staff.refusal import Reason, Refused
from staff.rights import entitled
from storage.database import new_id
from storage.media import keep


@dataclass(frozen=True)
class ListFile:
    """A published list and the document that authorises it.

    `replaces` names the version whose units leave when they are not on this list; empty: none do.
    """

    name: str
    data: bytes
    list_version: str
    basis: str
    replaces: str = ""


# --- reading ----------------------------------------------------------------------------


# --- comparing --------------------------------------------------------------------------


# --- proposing and approving -----------------------------------------------------------


async def _present(session: AsyncSession) -> Sequence[Source]:
    return (await session.scalars(select(Source).where(Source.state == "active"))).all()


async def import_list(ledger: Ledger, staff_id: str, file: ListFile) -> ListImport:
    """Propose a whole list; another person approves it with `approve_import`. Refused 403, 422."""
    faults = []
    if not file.list_version.strip():
        faults.append(Reason("list_version", "请填写名单版本，例如 2025年6月版"))
    if len(file.basis.strip()) < 4:
        faults.append(Reason("basis", "请填写依据文件的名称或文号"))
    if faults:
        raise Refused(422, faults)
    parsed = await asyncio.to_thread(parse_list, file.name, file.data)
    async with ledger.transaction() as tx:
        await entitled(tx.session, staff_id, "sources.propose")
        present = await _present(tx.session)
        found = await asyncio.to_thread(compare, parsed, present, file.replaces)
        row = ListImport(
            id=new_id(),
            list_version=file.list_version.strip()[:60],
            file_name=file.name[:200],
            file=await keep(tx.session, file.data, "application/octet-stream"),
            basis=file.basis.strip()[:300],
            diff={},
            state="proposed",
            proposed_by=staff_id,
            proposed_at=now(),
        )
        tx.session.add(row)
        await tx.append(
            "source.imported",
            subject=f"import:{row.id}",
            actor=staff_id,
            body={"file": row.file, "list_version": row.list_version, "units": len(parsed.units)},
        )
        skipped = await _propose_units(tx, row, parsed, present=present, found=found)
        row.diff = asdict(replace(found, problems=(*found.problems, *skipped)))
    return row


async def _propose_units(
    tx: Transaction,
    row: ListImport,
    parsed: Parsed,
    *,
    present: Sequence[Source],
    found: Difference,
) -> list[str]:
    """One proposed change for each unit that comes, stays or is renamed."""
    by_key = {unit_key(source.organisation): source for source in present}
    by_key |= {
        unit_key(new): source
        for source_id, _, new in found.renamed
        for source in present
        if source.id == source_id
    }
    skipped = []
    for unit in parsed.units:
        source = by_key.get(unit_key(unit.name))
        if source is not None and await open_change(tx.session, source.id) is not None:
            skipped.append(f"“{unit.name}”已有一项变更在等批准，这次没有改动")
            continue
        proposal = _proposal(unit, source, row)
        if proposal is not None:
            await propose_in(tx, row.proposed_by, proposal)
    return skipped


def _proposal(unit: Unit, source: Source | None, row: ListImport) -> WantedChange | None:
    if source is None:
        fields = SourceFields(
            organisation=unit.name,
            hosts=unit.hosts,
            basis=row.basis,
            valid_from=now(),
            list_version=row.list_version,
            basis_file=row.file,
        )
        return WantedChange("add", fields, batch=row.id)
    before = fields_of(source)
    fields = replace(
        before,
        organisation=unit.name,
        # Hosts the office mapped itself are kept: the official list names units only.
        hosts=tuple(dict.fromkeys((*before.hosts, *unit.hosts))),
        basis=row.basis,
        basis_file=row.file,
        list_version=row.list_version,
    )
    return None if fields == before else WantedChange("edit", fields, source.id, batch=row.id)


async def _waiting(session: AsyncSession, import_id: str) -> tuple[ListImport, list[SourceChange]]:
    row = await session.get(ListImport, import_id)
    if row is None:
        raise Refused(404, [Reason("missing", "没有这次导入，可能地址不完整")])
    if row.state != "proposed":
        raise Refused(409, [Reason("state", "这次导入已经有结论")])
    query = select(SourceChange).where(
        SourceChange.batch == import_id, SourceChange.state == "proposed"
    )
    return row, list((await session.scalars(query.order_by(SourceChange.id))).all())


async def approve_import(ledger: Ledger, staff_id: str, import_id: str) -> dict[str, int]:
    """Put a proposed list in force at once; units that left are revoked. How many of each."""
    async with ledger.transaction() as tx:
        await entitled(tx.session, staff_id, "sources.approve")
        row, changes = await _waiting(tx.session, import_id)
        if row.proposed_by == staff_id:
            raise Refused(403, [Reason("two_people", "不能批准自己导入的名单，请另一位管理员批准")])
        for change in changes:
            await approve_in(tx, staff_id, change.source_id)
        revoked = 0
        # Revoked with the same approval: a unit that left the list may not be republished for a day
        # longer.
        for source_id, _ in row.diff["removed"]:
            source = await tx.session.get(Source, source_id)
            # Revoked by hand since the list was proposed: that is done already.
            if source is not None and source.state == "active":
                await revoke_in(tx, staff_id, source_id)
                revoked += 1
        row.state, row.decided_by, row.decided_at = "approved", staff_id, now()
    return {"changed": len(changes), "revoked": revoked}


async def reject_import(ledger: Ledger, staff_id: str, import_id: str) -> None:
    """Turn a proposed list down, with everything it proposed."""
    async with ledger.transaction() as tx:
        await entitled(tx.session, staff_id, "sources.approve")
        row, changes = await _waiting(tx.session, import_id)
        for change in changes:
            await reject_in(tx, staff_id, change.source_id)
        row.state, row.decided_by, row.decided_at = "rejected", staff_id, now()


async def last_version(session: AsyncSession) -> str:
    """The version of the list approved last, or empty: what a new list replaces unless told."""
    query = select(ListImport.list_version).where(ListImport.state == "approved")
    return (
        await session.scalars(query.order_by(ListImport.decided_at.desc()).limit(1))
    ).first() or ""


def plain(row: ListImport) -> dict[str, object]:
    """An import for the API and the command line."""
    return {
        "id": row.id,
        "list_version": row.list_version,
        "file_name": row.file_name,
        "state": row.state,
        "diff": row.diff,
    }
