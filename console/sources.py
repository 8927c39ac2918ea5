"""Determined sources change only by two people: one proposes, another approves. Revoking takes one.

Each step is a signed ledger entry.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from config.clock import now
from console.deps import found
from console.words import read_field_time
from content_sources.models import Source
from ledger.append import Ledger
from review_queue.workflow import Reason, Refused
from storage.database import new_id

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*(?::\d{2,5})?")


@dataclass(frozen=True)
class Proposal:
    """A source as proposed: organisation, exact hosts, authorising document, validity."""

    organisation: str
    hosts: tuple[str, ...]
    basis: str
    list_version: str
    valid_to: datetime | None


def read_proposal(fields: Mapping[str, str]) -> Proposal:
    """The form, or Refused with every field that is wrong."""
    hosts = tuple(fields.get("hosts", "").lower().replace("，", " ").replace(",", " ").split())
    faults = []
    if not fields.get("organisation"):
        faults.append(Reason("organisation", "请填写稿源单位名称"))
    if len(fields.get("basis", "")) < 4:
        faults.append(Reason("basis", "请填写依据文件的名称或文号"))
    if not hosts:
        faults.append(Reason("hosts", "请填写网站域名，例如 www.example.gov.cn"))
    faults += [
        Reason("hosts", f"“{host[:60]}”不是完整的域名：请只写域名，不带 http 和路径")
        for host in hosts
        if not _HOST.fullmatch(host)
    ]
    if faults:
        raise Refused(422, faults)
    until = fields.get("valid_to", "")
    return Proposal(
        organisation=fields["organisation"][:120],
        hosts=hosts,
        basis=fields["basis"][:300],
        list_version=fields.get("list_version", "")[:60],
        valid_to=read_field_time(until, "有效期") if until else None,
    )


async def propose(ledger: Ledger, staff_id: str, proposal: Proposal) -> Source:
    """Record a proposal; nothing is fetched from it before it is approved."""
    async with ledger.transaction() as tx:
        row = Source(
            id=new_id(),
            organisation=proposal.organisation,
            hosts=list(proposal.hosts),
            basis=proposal.basis,
            list_version=proposal.list_version,
            valid_from=now(),
            valid_to=proposal.valid_to,
            state="proposed",
            proposed_by=staff_id,
        )
        tx.session.add(row)
        await tx.append(
            "source.proposed",
            subject=f"source:{row.id}",
            actor=staff_id,
            body={"organisation": row.organisation, "hosts": row.hosts, "basis": row.basis},
        )
    return row


async def approve(ledger: Ledger, staff_id: str, source_id: str) -> None:
    """Approve a proposal of somebody else."""
    async with ledger.transaction() as tx:
        row = found(await tx.session.get(Source, source_id), "家稿源")
        if row.proposed_by == staff_id:
            raise Refused(403, [Reason("two_people", "不能批准自己提出的稿源，请另一位管理员批准")])
        if row.state != "proposed":
            raise Refused(409, [Reason("state", "这家稿源不在等待批准")])
        row.state, row.approved_by = "active", staff_id
        await tx.append(
            "source.approved",
            subject=f"source:{source_id}",
            actor=staff_id,
            body={"organisation": row.organisation, "hosts": row.hosts, "basis": row.basis},
        )


async def revoke(ledger: Ledger, staff_id: str, source_id: str) -> None:
    """Stop republishing a source at once."""
    async with ledger.transaction() as tx:
        row = found(await tx.session.get(Source, source_id), "家稿源")
        if row.state == "revoked":
            raise Refused(409, [Reason("state", "这家稿源已经撤销")])
        row.state = "revoked"
        await tx.append(
            "source.revoked",
            subject=f"source:{source_id}",
            actor=staff_id,
            body={"hosts": row.hosts},
        )
