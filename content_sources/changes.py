"""The source list changes only by two people: one proposes, another approves. Revoking takes one.

Each step is a signed ledger entry with hosts, validity, scope and their digest. A proposal changes
nothing before it is approved; the sender reads the signed entries, not the table (reposts.py).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

import rfc8785
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import BEIJING, now
from content_sources.list_models import SourceChange
from content_sources.models import Column, Source
from content_sources.quarantine import lift_source, quarantine_source
from content_sources.whitelist import SourceRule, alike, judge, listed_host
from ledger.append import Ledger, Transaction
from staff.refusal import Reason, Refused
from storage.database import new_id

ACTIONS = {
    "add": "新增",
    "edit": "修改",
    "renew": "延期",
    "restore": "恢复",
}
SIGNED = (
    "organisation", "hosts", "allow_http", "paths", "topics", "picture_licence", "basis",
    "basis_file", "list_version", "valid_from", "valid_to",
)  # fmt: skip
"""What a signed entry carries of a source; the owner is a person and stays out of the ledger."""


@dataclass(frozen=True)
class SourceFields:
    """A source as it shall be: unit, exact hosts, scope, authorising document, validity, owner."""

    organisation: str
    hosts: tuple[str, ...]
    basis: str
    valid_from: datetime
    valid_to: datetime | None = None
    list_version: str = ""
    owner: str = ""
    basis_file: str = ""
    paths: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    picture_licence: str = ""
    allow_http: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; moments as ISO 8601."""
        return {
            "organisation": self.organisation,
            "hosts": list(self.hosts),
            "allow_http": self.allow_http,
            "paths": list(self.paths),
            "topics": list(self.topics),
            "picture_licence": self.picture_licence,
            "basis": self.basis,
            "basis_file": self.basis_file,
            "list_version": self.list_version,
            "owner": self.owner,
            "valid_from": self.valid_from.isoformat(),
            "valid_to": self.valid_to.isoformat() if self.valid_to else None,
        }


def read_fields(given: Mapping[str, str], topics: Mapping[str, str]) -> SourceFields:
    """A form's texts, or Refused (422) with every field that is wrong.

    `hosts`, `paths` and `topics` are parted by spaces or commas; `topics` of the office are known.
    Dates are ISO 8601; a day means its midnight in Beijing, which `read_moment` of the caller did.
    """
    faults: list[Reason] = []
    hosts = _hosts(given.get("hosts", ""), faults)
    if not given.get("organisation", "").strip():
        faults.append(Reason("organisation", "请填写稿源单位名称"))
    if len(given.get("basis", "").strip()) < 4:
        faults.append(Reason("basis", "请填写依据文件的名称或文号"))
    paths = _words(given.get("paths", ""))
    for path in paths:
        if not path.startswith("/") or ".." in path or "%" in path:
            faults.append(Reason("paths", f"栏目路径“{path[:60]}”不对：以 / 开头，例如 /zwgk/"))
    chosen = _words(given.get("topics", ""))
    if unknown := [key for key in chosen if key not in topics]:
        faults.append(Reason("topics", f"不认识的主题：{'、'.join(unknown)}"))
    begin = _moment(given.get("valid_from", ""), "生效时间", faults) or now()
    end = _moment(given.get("valid_to", ""), "有效期", faults)
    if end is not None and end <= begin:
        faults.append(Reason("valid_to", "有效期必须晚于生效时间"))
    if faults:
        raise Refused(422, faults)
    return SourceFields(
        organisation=given["organisation"].strip()[:120],
        hosts=hosts,
        basis=given["basis"].strip()[:300],
        valid_from=begin,
        valid_to=end,
        list_version=given.get("list_version", "").strip()[:60],
        owner=given.get("owner", "").strip()[:60],
        basis_file=given.get("basis_file", ""),
        paths=paths,
        topics=chosen,
        picture_licence=given.get("picture_licence", "").strip()[:200],
    )


def day_text(text: str) -> str:
    """A date field as midnight of Beijing in ISO 8601; what is no date is left for the check."""
    try:
        day = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (day if day.tzinfo else datetime.combine(day.date(), time(), BEIJING)).isoformat()


def _words(text: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(text.replace("，", " ").replace(",", " ").replace("、", " ").split())
    )


def _hosts(text: str, faults: list[Reason]) -> tuple[str, ...]:
    hosts = []
    for word in _words(text):
        try:
            hosts.append(listed_host(word))
        except ValueError as error:
            faults.append(Reason("hosts", str(error)))
    if not _words(text):
        faults.append(Reason("hosts", "请填写网站域名，例如 www.example.gov.cn"))
    return tuple(dict.fromkeys(hosts))


def _moment(text: str, name: str, faults: list[Reason]) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        faults.append(Reason("time", f"{name}不是有效时间：请按 2026-11-24 的格式填写"))
        return None
    return moment


def fields_of(row: Source) -> SourceFields:
    """A source as it stands in the table."""
    return SourceFields(
        organisation=row.organisation,
        hosts=tuple(row.hosts),
        basis=row.basis,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        list_version=row.list_version,
        owner=row.owner,
        basis_file=row.basis_file,
        paths=tuple(row.paths),
        topics=tuple(row.topics),
        picture_licence=row.picture_licence,
        allow_http=row.allow_http,
    )


def signed_body(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What the ledger keeps of a source, with the digest over it."""
    body = {name: fields[name] for name in SIGNED}
    return body | {"digest": hashlib.sha256(rfc8785.dumps(body)).hexdigest()}


@dataclass(frozen=True)
class Proposal:
    """A change as proposed. `source_id` is empty for a new source."""

    action: str
    fields: SourceFields
    source_id: str = ""
    batch: str = ""


async def propose(ledger: Ledger, staff_id: str, proposal: Proposal) -> SourceChange:
    """Record a proposal; nothing is fetched or sent by it before another person approves."""
    async with ledger.transaction() as tx:
        return await propose_in(tx, staff_id, proposal)


async def propose_in(tx: Transaction, staff_id: str, proposal: Proposal) -> SourceChange:
    """The same inside a transaction of the caller (a whole list at once)."""
    if proposal.action == "add":
        row = _new_source(proposal.fields, staff_id)
        tx.session.add(row)
        before: dict[str, Any] = {}
    else:
        row = await source_of(tx.session, proposal.source_id)
        _check_action(row, proposal)
        before = fields_of(row).to_json()
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


def _check_action(row: Source, proposal: Proposal) -> None:
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
    """The same inside a transaction of the caller."""
    row = await source_of(tx.session, source_id)
    change = await open_change(tx.session, source_id)
    if change is None:
        raise Refused(409, [Reason("state", "这家稿源没有在等批准的变更")])
    if change.proposed_by == staff_id:
        raise Refused(403, [Reason("two_people", "不能批准自己提出的稿源，请另一位管理员批准")])
    _write(row, change.fields)
    row.state, row.proposed_by, row.approved_by = "active", change.proposed_by, staff_id
    row.told = ""
    change.state, change.decided_by, change.decided_at = "approved", staff_id, now()
    await tx.append(
        "source.approved",
        subject=f"source:{source_id}",
        actor=staff_id,
        body={"change": change.id, "action": change.action} | signed_body(change.fields),
    )
    if change.action != "add":  # a new source has no items to bring back
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
    """The same inside a transaction of the caller."""
    row = await source_of(tx.session, source_id)
    change = await open_change(tx.session, source_id)
    if change is None:
        raise Refused(409, [Reason("state", "这家稿源没有在等批准的变更")])
    change.state, change.decided_by, change.decided_at = "rejected", staff_id, now()
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
    """The same inside a transaction of the caller."""
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


@dataclass(frozen=True)
class NewColumn:
    """A feed or list page to be polled; `item` is a CSS selector where detection is not enough."""

    name: str
    url: str
    kind: str = "list"
    item: str = ""
    every_minutes: int = 30


def column_of(source: Source, new: NewColumn) -> Column:
    """The column as it would be; Refused (422) unless the source itself covers its address."""
    faults = []
    if not new.name.strip():
        faults.append(Reason("name", "请填写栏目名称"))
    if new.kind not in ("feed", "list", "sitemap"):
        faults.append(Reason("kind", "栏目种类只能是订阅源、栏目页或网站地图"))
    if not 5 <= new.every_minutes <= 1440:
        faults.append(Reason("every_minutes", "抓取间隔在 5 到 1440 分钟之间"))
    rule = SourceRule(
        id=source.id,
        organisation=source.organisation,
        hosts=tuple(source.hosts),
        allow_http=source.allow_http,
        valid_from=source.valid_from,
        valid_to=source.valid_to,
        paths=tuple(source.paths),
        revoked=source.state != "active",
    )
    judged = judge(new.url, [rule], now())
    if not isinstance(judged, SourceRule):
        faults.append(Reason(judged.rule, judged.message))
    if faults:
        raise Refused(422, faults)
    return Column(
        id=new_id(),
        source_id=source.id,
        name=new.name.strip()[:120],
        url=new.url[:500],
        kind=new.kind,
        selectors={"item": new.item} if new.item else {},
        every_minutes=new.every_minutes,
        next_at=now(),
        etag="",
        last_modified="",
        last_ok_at=None,
    )


async def add_column(ledger: Ledger, staff_id: str, source_id: str, new: NewColumn) -> Column:
    """Poll a column of a source in force from now on; what it brings is a draft, as always."""
    async with ledger.transaction() as tx:
        column = column_of(await source_of(tx.session, source_id), new)
        tx.session.add(column)
        await tx.append(
            "column.added",
            subject=f"source:{source_id}",
            actor=staff_id,
            body={"column": column.id, "url": column.url, "kind": column.kind},
        )
    return column


async def switch_column(ledger: Ledger, staff_id: str, column_id: str, wanted: str) -> Column:
    """Stop polling a column (`off`), poll it again (`on`), or note that its build is right."""
    async with ledger.transaction() as tx:
        column = await tx.session.get(Column, column_id)
        if column is None or wanted not in ("on", "off", "accept"):
            raise Refused(404, [Reason("missing", "没有这个栏目")])
        column.enabled, column.next_at = wanted != "off", now()
        await tx.append(
            "column.switched",
            subject=f"source:{column.source_id}",
            actor=staff_id,
            body={"column": column_id, "enabled": column.enabled},
        )
    return column


async def warnings_of(session: AsyncSession, change: SourceChange) -> list[str]:
    """What the approver should look at twice: hosts that look like listed ones, or are listed."""
    query = select(Source).where(Source.state == "active", Source.id != change.source_id)
    rows = (await session.scalars(query)).all()
    said = []
    for host in change.fields["hosts"]:
        for row in rows:
            if host in row.hosts:
                said.append(f"{host} 已登记在“{row.organisation}”名下")
            elif twin := alike(host, row.hosts):
                said.append(f"{host} 与“{row.organisation}”的 {twin} 形似而不同：谨防假冒网站")
    return said
