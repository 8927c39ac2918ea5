"""The columns of a source: added, switched off and on, each as a signed entry."""

from dataclasses import dataclass

from config.clock import now
from content_sources.changes import source_of
from content_sources.models import Column, Source
from content_sources.whitelist import SourceRule, judge
from ledger.append import Ledger
from staff.refusal import Reason, Refused
from staff.rights import entitled
from storage.database import new_id


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
    if new.kind not in ("feed", "list", "sitemap", "opendata"):
        faults.append(Reason("kind", "栏目种类只能是订阅源、栏目页、网站地图或开放数据"))
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
        await entitled(tx.session, staff_id, "sources.propose")
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
        await entitled(tx.session, staff_id, "sources.propose")
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
