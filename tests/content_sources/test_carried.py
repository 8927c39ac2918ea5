"""A change of a source that waited when the office was upgraded waits on, if it was signed."""

from typing import Any

import pytest
from sqlalchemy import select

from config.clock import now
from content_sources.carried import carry_over
from content_sources.changes import approve, open_changes, source_of
from content_sources.list_models import ListImport, SourceChange, SourceException
from content_sources.models import Source
from content_sources.source_fields import signed_body
from content_sources.whitelist import Refusal
from ledger.models import LedgerEntry
from staff.refusal import Refused
from storage.database import new_id
from tests.content_sources.reposting import HOST, URL, Relay


async def waited(
    relay: Relay, source_id: str = "", *, sign: bool = True, **more: Any
) -> SourceChange:
    """A change as the earlier version left it: rows, and an entry about the source."""
    fields = relay.fields(**({} if sign else {"organisation": "冒名"})).to_json()
    if source_id:
        fields |= {"hosts": [HOST, "rsj.qinghe.gov.cn"]}
    change = SourceChange(
        id=new_id(),
        source_id=source_id or new_id(),
        action="edit" if source_id else "add",
        fields=fields,
        before={},
        batch=more.get("batch", ""),
        state="proposed",
        proposed_by=relay.people["admin1"],
        proposed_at=now(),
    )
    async with relay.ledger.transaction() as tx:
        tx.session.add(change)
        if not source_id:
            row = Source(id=change.source_id, state="proposed", proposed_by=change.proposed_by)
            for name in ("organisation", "hosts", "basis"):
                setattr(row, name, fields[name])
            row.valid_from = relay.fields().valid_from
            tx.session.add(row)
        if sign:
            body: dict[str, Any] = {"change": change.id, "action": change.action}
            await tx.append(
                "source.proposed",
                subject=f"source:{change.source_id}",
                actor=more.get("actor", change.proposed_by),
                body=body | signed_body(fields),
            )
    return change


async def verdict(relay: Relay, url: str = URL) -> str:
    judged = await relay.reposts.judge(url)
    return judged.rule if isinstance(judged, Refusal) else "ok"


async def test_a_new_source_and_an_edit_are_approved_as_they_were_proposed(relay: Relay) -> None:
    there = await relay.source(organisation="北原市", hosts=("www.beiyuan.gov.cn",))
    new, edit = await waited(relay), await waited(relay, there)
    assert await carry_over(relay.ledger) == 2
    assert await carry_over(relay.ledger) == 0
    async with relay.db.session() as session:
        assert {one.id for one in await open_changes(session)} == {new.id, edit.id}
        assert (await session.scalars(select(Source.state))).all() == ["active"]
        assert (await source_of(session, new.source_id)).state == "proposed"
    with pytest.raises(Refused, match="提出人不能批准"):
        await approve(relay.ledger, relay.people["admin1"], new.source_id)
    await approve(relay.ledger, relay.people["admin2"], new.source_id)
    assert await verdict(relay) == "ok"
    await approve(relay.ledger, relay.people["admin2"], there)
    assert await verdict(relay, "https://rsj.qinghe.gov.cn/a") == "ok"
    assert (await relay.ledger.verify_whole()).ok


@pytest.mark.parametrize("how", ["unsigned", "another's", "decided", "revoked", "exchanged"])
async def test_what_its_proposer_did_not_sign_ends(relay: Relay, how: str) -> None:
    actor = relay.people["admin2"] if how == "another's" else relay.people["admin1"]
    change = await waited(relay, sign=how != "unsigned", actor=actor)
    subject, admin = f"source:{change.source_id}", relay.people["admin2"]
    async with relay.ledger.transaction() as tx:
        if how == "decided":
            await tx.append(
                "source.rejected", subject=subject, actor=admin, body={"change": change.id}
            )
        if how == "revoked":
            await tx.append("source.revoked", subject=subject, actor=admin, body={"hosts": []})
        if how == "exchanged":
            row = await tx.session.get_one(SourceChange, change.id)
            row.fields = row.fields | {"hosts": ["evil.example.cn"]}
    assert await carry_over(relay.ledger) == 0
    async with relay.db.session() as session:
        assert await open_changes(session) == []
        assert (await session.get_one(SourceChange, change.id)).state == "lapsed"
        assert (await session.scalars(select(Source.state))).all() == ["rejected"]
        made = select(LedgerEntry).where(LedgerEntry.kind == "proposal.made")
        assert (await session.scalars(made)).all() == []


async def test_lists_and_exceptions_are_asked_for_anew(relay: Relay) -> None:
    unit = await waited(relay, batch="l" * 26)
    async with relay.db.session() as session:
        session.add(
            ListImport(
                id="l" * 26,
                list_version="2025",
                file_name="a.csv",
                file="sha256:1",
                basis="公告一份",
                diff={},
                state="proposed",
                proposed_by="x",
                proposed_at=now(),
            )
        )
        session.add(
            SourceException(
                **dict.fromkeys(("id", "item_id", "digest", "content", "host", "salt"), "e"),
                **{"url": URL, "reason": "急", "state": "asked", "asked_by": "x"},
                asked_at=now(),
            )
        )
    assert await carry_over(relay.ledger) == 0
    async with relay.db.session() as session:
        for table in (ListImport, SourceException):
            assert (await session.scalars(select(table.state))).all() == ["lapsed"]
        assert (await session.get_one(SourceChange, unit.id)).state == "lapsed"
        assert await open_changes(session) == []
