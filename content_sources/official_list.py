"""A published list of 稿源单位 as a proposed change: what it adds, drops and renames.

Lists name units only; the office maps hosts to them. A unit that stays keeps its hosts. The whole
list is one proposal of the kind `source_list`: it holds what the file said, and a digest of what
that changes, so that a source changed since then makes the list overtaken.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from content_sources.changes import put_in_force, revoke_in, state_of
from content_sources.list_compare import Difference, compare
from content_sources.list_files import Parsed, Unit, parse_list, unit_key
from content_sources.list_models import ListImport
from content_sources.models import Source
from content_sources.source_fields import SourceFields, fields_of
from content_sources.whitelist import listed_host
from ledger.append import Ledger, Transaction
from staff.models import Proposal
from staff.proposals import Approval, Proposals
from staff.proposed import seal
from staff.refusal import Reason, Refused
from staff.rights import RIGHTS, entitled
from storage.database import Database, new_id
from storage.media import keep

KIND = "source_list"
_PLAIN_NO = "不批准这份名单"
_MOST_SHOWN = 400  # lines of an effect; the list's own page has all of them


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


@dataclass(frozen=True)
class Imported:
    """A list as it was imported, and what became of it; `id` is the proposal's."""

    id: str
    list_version: str
    file_name: str
    file: str
    basis: str
    diff: Mapping[str, Any]
    state: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None


class ListKind:
    """{list_version, basis, file, file_name, replaces, units, problems}: one published list."""

    label = "稿源名单"
    proposers = RIGHTS["sources.propose"]
    approvers = RIGHTS["sources.approve"]

    def __init__(self, db: Database) -> None:
        """The table of sources, which the list is compared with."""
        self._db = db

    def subject(self, payload: Mapping[str, Any]) -> str:
        """The file by its digest: nobody else's file has it."""
        return str(payload["file"])

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the file says, beside a digest of what it changes against the sources of now."""
        checked = _checked(payload)
        async with self._db.session() as session:
            changes, found = await _plan(session, checked)
        plan = _digest(changes, found)
        if payload.get("plan", plan) != plan:
            raise _overtaken()
        return checked | {"plan": plan}

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Units that come, leave and are renamed, with the hosts the list gives them."""
        async with self._db.session() as session:
            _, found = await _plan(session, payload)
        hosts = {unit["name"]: unit["hosts"] for unit in payload["units"]}
        head = f"稿源名单 {payload['list_version']}：新增 {len(found.added)} 家，撤销 "
        head += f"{len(found.removed)} 家，更名 {len(found.renamed)} 家，不变 {found.kept} 家"
        lines = [{"sign": "-", "text": name} for _, name in found.removed]
        lines += [{"sign": "~", "text": f"{old} 更名为 {new}"} for _, old, new in found.renamed]
        for name in found.added:
            named = f"（{'、'.join(hosts[name])}）" if hosts.get(name) else ""
            lines.append({"sign": "+", "text": name + named})
        if len(lines) > _MOST_SHOWN:
            more = f"另有 {len(lines) - _MOST_SHOWN} 家，见来源页的这份名单"
            lines = [*lines[:_MOST_SHOWN], {"sign": "~", "text": more}]
        return {
            "changes": [{"sign": "~", "text": head}, *lines],
            "warnings": list(found.problems),
            "note": f"依据：{payload['basis']}。名单上没有域名的单位，登记域名以后才能转载。",
            "diff": asdict(found),
        }

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """The whole list at once; units that left are revoked with the same approval."""
        changes, found = await _plan(tx.session, payload)
        if _digest(changes, found) != payload["plan"]:
            raise _overtaken()
        for change in changes:
            row = await tx.session.get(Source, change["id"]) if change["id"] else None
            await put_in_force(tx, row or Source(id=new_id()), change, approval)
        # A unit that left the list may not be republished for a day longer.
        for source_id, _ in found.removed:
            await revoke_in(tx, approval.approved_by, await tx.session.get_one(Source, source_id))
        return {"changed": len(changes), "revoked": len(found.removed)}


def _overtaken() -> Refused:
    words = "稿源在导入之后又有变化：请收回后重新导入这份名单"
    return Refused(409, [Reason("overtaken", words)])


def _checked(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The texts in their final form. Refused (422) with every field that is wrong."""
    faults = []
    texts = {
        name: str(payload.get(name) or "").strip()[:most]
        for name, most in (
            ("list_version", 60), ("basis", 300), ("file", 80), ("file_name", 200), ("replaces", 60)
        )
    }  # fmt: skip
    if not texts["list_version"]:
        faults.append(Reason("list_version", "请填写名单版本，例如 2025年6月版"))
    if len(texts["basis"]) < 4:
        faults.append(Reason("basis", "请填写依据文件的名称或文号"))
    try:
        units = [
            {"name": str(unit["name"])[:120], "hosts": [listed_host(one) for one in unit["hosts"]]}
            for unit in payload["units"]
        ]
        problems = [str(one) for one in payload.get("problems", ())]
        at = datetime.fromisoformat(payload.get("at") or now().isoformat())
    except (KeyError, TypeError, ValueError) as error:
        words = "请从名单文件读取：来源页的“导入名单”，或 shenfa source import"
        raise Refused(422, [*faults, Reason("units", words)]) from error
    if not units or at.tzinfo is None:
        faults.append(Reason("units", "名单里没有单位"))
    if faults:
        raise Refused(422, faults)
    return texts | {"units": units, "problems": problems, "at": at.isoformat()}


async def _plan(
    session: AsyncSession, payload: Mapping[str, Any]
) -> tuple[list[Mapping[str, Any]], Difference]:
    """One change for each unit that comes, stays or is renamed; the same for the same sources."""
    query = select(Source).where(Source.state == "active").order_by(Source.id)
    present = (await session.scalars(query)).all()
    units = tuple(Unit(one["name"], tuple(one["hosts"])) for one in payload["units"])
    parsed = Parsed(units, tuple(payload["problems"]))
    found = await asyncio.to_thread(compare, parsed, present, payload["replaces"])
    by_id = {source.id: source for source in present}
    by_key = {unit_key(source.organisation): source for source in present}
    by_key |= {unit_key(new): by_id[source_id] for source_id, _, new in found.renamed}
    made = (_change(unit, by_key.get(unit_key(unit.name)), payload) for unit in units)
    return [change for change in made if change is not None], found


def _change(
    unit: Unit, source: Source | None, payload: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    listed = {
        "basis": payload["basis"],
        "basis_file": payload["file"],
        "list_version": payload["list_version"],
    }
    if source is None:
        begin = datetime.fromisoformat(payload["at"])
        fields = SourceFields(unit.name, unit.hosts, valid_from=begin, **listed)
        return {"id": "", "action": "add", "fields": fields.to_json(), "before": {}}
    before = fields_of(source)
    # Hosts the office mapped itself are kept: the official list names units only.
    hosts = tuple(dict.fromkeys((*before.hosts, *unit.hosts)))
    fields = replace(before, organisation=unit.name, hosts=hosts, **listed)
    if fields == before:
        return None
    change = {"id": source.id, "action": "edit", "fields": fields.to_json()}
    return change | {"before": state_of(source)}


def _digest(changes: Sequence[Mapping[str, Any]], found: Difference) -> str:
    return seal({"changes": list(changes), "removed": [list(one) for one in found.removed]})[1]


# --- a list as its page and the command line ask for it -----------------------------------


def _proposals(ledger: Ledger) -> Proposals:
    return Proposals(ledger, {KIND: ListKind(ledger.db)})


async def import_list(ledger: Ledger, staff_id: str, file: ListFile) -> Imported:
    """Propose a whole list; another person approves it with `approve_import`. Refused 403, 422."""
    async with ledger.db.session() as session:
        await entitled(session, staff_id, "sources.propose")
    parsed = await asyncio.to_thread(parse_list, file.name, file.data)
    payload = {
        "list_version": file.list_version,
        "basis": file.basis,
        "file_name": file.name,
        "replaces": file.replaces,
        "units": [asdict(unit) for unit in parsed.units],
        "problems": list(parsed.problems),
    }
    _checked(payload)  # before the file is kept: a form with faults leaves nothing behind
    async with ledger.db.session() as session:
        payload["file"] = await keep(session, file.data, "application/octet-stream")
    made = _proposals(ledger)
    return _imported(await made.propose(KIND, payload, staff_id, f"依据：{file.basis.strip()}"))


async def approve_import(ledger: Ledger, staff_id: str, import_id: str) -> Mapping[str, Any]:
    """Put a proposed list in force at once; units that left are revoked. How many of each."""
    await _open(ledger, staff_id, import_id)
    return await _proposals(ledger).approve(import_id, staff_id)


async def reject_import(ledger: Ledger, staff_id: str, import_id: str, reason: str = "") -> None:
    """Turn a proposed list down; its proposer takes it back by this."""
    row, made = await _open(ledger, staff_id, import_id), _proposals(ledger)
    if row.proposed_by == staff_id:
        await made.withdraw(import_id, staff_id)
    else:
        await made.reject(import_id, staff_id, reason.strip() or _PLAIN_NO)


async def _open(ledger: Ledger, staff_id: str, import_id: str) -> Proposal:
    async with ledger.db.session() as session:
        await entitled(session, staff_id, "sources.approve")
        row = await session.get(Proposal, import_id)
    if row is None or row.kind != KIND:
        raise Refused(404, [Reason("missing", "没有这次导入，可能地址不完整")])
    if row.state != "proposed":
        raise Refused(409, [Reason("state", "这次导入已经有结论")])
    return row


def _imported(row: Proposal) -> Imported:
    said = json.loads(row.payload)
    return Imported(
        id=row.id,
        list_version=said["list_version"],
        file_name=said["file_name"],
        file=said["file"],
        basis=said["basis"],
        diff=row.effect["diff"],
        state=row.state,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )


def _before(row: ListImport) -> Imported:
    """A list imported before lists were proposals; one that still waits is imported anew."""
    names = ("id", "list_version", "file_name", "file", "basis", "diff", "proposed_by")
    more = ("proposed_at", "decided_by", "decided_at")
    state = "lapsed" if row.state == "proposed" else row.state
    return Imported(**{name: getattr(row, name) for name in (*names, *more)}, state=state)


def _read(rows: Iterable[Proposal]) -> list[Imported]:
    found = []
    for row in rows:
        with suppress(ValueError, KeyError, TypeError):  # a row that somebody wrote past us
            found.append(_imported(row))
    return found


async def imported(session: AsyncSession, import_id: str) -> Imported | None:
    """One list; also one that an earlier version kept in a table of its own."""
    row = await session.get(Proposal, import_id)
    if row is not None and row.kind == KIND:
        return next(iter(_read([row])), None)
    old = await session.get(ListImport, import_id)
    return _before(old) if old else None


async def imports(session: AsyncSession, limit: int = 10) -> list[Imported]:
    """The lists that wait for a second person, newest first."""
    query = select(Proposal).where(Proposal.kind == KIND, Proposal.state == "proposed")
    query = query.order_by(Proposal.proposed_at.desc()).limit(limit)
    return _read((await session.scalars(query)).all())


async def last_version(session: AsyncSession) -> str:
    """The version of the list approved last, or empty: what a new list replaces unless told."""
    query = select(Proposal).where(Proposal.kind == KIND, Proposal.state == "approved")
    newest = query.order_by(Proposal.decided_at.desc()).limit(1)
    if found := _read((await session.scalars(newest)).all()):
        return found[0].list_version
    old = select(ListImport.list_version).where(ListImport.state == "approved")
    return (
        await session.scalars(old.order_by(ListImport.decided_at.desc()).limit(1))
    ).first() or ""


def plain(row: Imported) -> dict[str, object]:
    """An import for the API and the command line."""
    return {
        "id": row.id,
        "list_version": row.list_version,
        "file_name": row.file_name,
        "state": row.state,
        "diff": row.diff,
    }
