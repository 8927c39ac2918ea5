"""The list changes by two people only, and the sender believes the signed entries alone."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot.contract import NotReleased, State
from bot.models import Publication
from config.clock import now
from content_sources.changes import (
    WantedChange,
    approve,
    propose,
    put_in_force,
    reject,
    revoke,
    source_of,
    warnings_of,
)
from content_sources.models import Source
from content_sources.source_fields import read_fields, signed_body
from content_sources.tasks import settle
from content_sources.whitelist import Refusal, SourceRule
from ledger.models import Incident, LedgerEntry
from review_queue import deciding, drafting, publishing
from review_queue.models import Item
from staff.models import Proposal, Task
from staff.proposals import Approval
from staff.refusal import Refused
from staff.tasks import Settlement
from storage.database import new_id
from tests.content_sources.reposting import HOST, URL, Relay


async def verdict(relay: Relay, url: str = URL) -> str:
    judged = await relay.reposts.judge(url)
    return judged.rule if isinstance(judged, Refusal) else "ok"


async def test_a_proposal_of_one_admin_changes_nothing(relay: Relay) -> None:
    change = await propose(
        relay.ledger, relay.people["admin1"], WantedChange("add", relay.fields())
    )
    assert await verdict(relay) == "host"
    with pytest.raises(Refused) as own:
        await approve(relay.ledger, relay.people["admin1"], change.source_id)
    assert own.value.status == 403
    assert await verdict(relay) == "host"
    await approve(relay.ledger, relay.people["admin2"], change.source_id)
    assert await verdict(relay) == "ok"
    (entry,) = await relay.ledger.facts(f"source:{change.source_id}")
    assert (entry.kind, entry.actor) == ("source.approved", relay.people["admin2"])
    assert entry.body["proposed_by"] == relay.people["admin1"]
    made, approved = await relay.ledger.facts(f"proposal:{change.id}")
    assert (made.kind, made.actor) == ("proposal.made", relay.people["admin1"])
    assert (approved.kind, approved.body["about"]) == (
        "proposal.approved",
        f"source:{change.source_id}",
    )


async def test_an_edit_waits_too_and_only_then_its_host_counts(relay: Relay) -> None:
    source_id = await relay.source()
    other = "https://rsj.qinghe.gov.cn/a.html"
    proposal = WantedChange("edit", relay.fields(hosts=(HOST, "rsj.qinghe.gov.cn")), source_id)
    await propose(relay.ledger, relay.people["admin1"], proposal)
    assert await verdict(relay, other) == "host"
    with pytest.raises(Refused, match="已有一项变更"):
        await propose(relay.ledger, relay.people["admin2"], proposal)
    await reject(relay.ledger, relay.people["admin2"], source_id)
    assert await verdict(relay, other) == "host"
    assert await verdict(relay) == "ok"
    await relay.change(source_id, hosts=(HOST, "rsj.qinghe.gov.cn"))
    assert await verdict(relay, other) == "ok"


async def test_one_person_revokes_and_two_bring_it_back(relay: Relay) -> None:
    source_id = await relay.source()
    await revoke(relay.ledger, relay.people["admin1"], source_id)
    assert await verdict(relay) == "revoked"
    with pytest.raises(Refused):
        await approve(relay.ledger, relay.people["admin2"], source_id)
    await relay.change(source_id, "restore")
    assert await verdict(relay) == "ok"


async def test_revoking_ends_a_change_that_waits(relay: Relay) -> None:
    source_id = await relay.source()
    later = relay.fields(valid_to=now() + timedelta(days=9))
    await propose(relay.ledger, relay.people["admin1"], WantedChange("renew", later, source_id))
    await revoke(relay.ledger, relay.people["admin2"], source_id)
    with pytest.raises(Refused, match="没有在等批准"):
        await approve(relay.ledger, relay.people["admin2"], source_id)
    assert await verdict(relay) == "revoked"


async def test_a_host_written_into_the_table_gains_nothing(relay: Relay) -> None:
    source_id = await relay.source(valid_to=now() + timedelta(days=1))
    async with relay.db.session() as session:
        hosts = [HOST, "evil.example.com"]
        changed = update(Source).where(Source.id == source_id)
        await session.execute(
            changed.values(hosts=hosts, valid_to=now() + timedelta(days=900), allow_http=True)
        )
        session.add(
            Source(
                id="x" * 26,
                organisation="冒名",
                hosts=["other.example.com"],
                basis="x",
                valid_from=now() - timedelta(days=1),
                valid_to=None,
                state="active",
                proposed_by="a",
                approved_by="b",
            )
        )
    assert await verdict(relay, "https://evil.example.com/a") == "host"
    assert await verdict(relay, "https://other.example.com/a") == "host"
    judged = await relay.reposts.judge(URL)
    assert isinstance(judged, SourceRule)
    assert judged.valid_to is not None
    assert judged.valid_to < now() + timedelta(days=2)


async def test_a_state_written_into_the_table_does_not_undo_a_revocation(relay: Relay) -> None:
    source_id = await relay.source()
    await revoke(relay.ledger, relay.people["admin1"], source_id)
    async with relay.db.session() as session:
        await session.execute(update(Source).values(state="active"))
    assert await verdict(relay) == "revoked"


async def test_a_changed_ledger_entry_refuses_everything(relay: Relay) -> None:
    source_id = await relay.source()
    assert await verdict(relay) == "ok"
    async with relay.db.session() as session:
        query = select(LedgerEntry).where(LedgerEntry.kind == "source.approved")
        entry = (await session.scalars(query)).one()
        entry.preimage = entry.preimage.replace(HOST, "evil.example.gov.cn")
    assert await verdict(relay) == "signed"
    assert source_id


async def test_an_sql_writer_gets_nothing_sent(relay: Relay) -> None:
    source_id = await relay.source()
    item = await relay.item(await relay.article(source_id))
    item = await relay.approved(await relay.submitted(item))
    item = await publishing.schedule(relay.queue, item.id, relay.people["editor"])
    assert item.release_id is not None
    assert (await relay.releases.verify(item.release_id)).item_id == item.id
    await revoke(relay.ledger, relay.people["admin1"], source_id)
    async with relay.db.session() as session:
        await session.execute(update(Source).values(state="active"))
    with pytest.raises(NotReleased, match="撤销"):
        await relay.releases.verify(item.release_id)


async def test_fields_are_refused_with_every_fault_at_once(relay: Relay) -> None:
    given = {
        "organisation": "",
        "hosts": "https://a.gov.cn *.b.gov.cn",
        "basis": "x",
        "paths": "zwgk/",
        "topics": "nothing",
        "valid_from": "2026-02-01T00:00:00+08:00",
        "valid_to": "2026-01-01T00:00:00+08:00",
    }
    with pytest.raises(Refused) as refused:
        read_fields(given, {"employment": "就业"})
    rules = [reason.rule for reason in refused.value.reasons]
    assert rules == ["hosts", "hosts", "organisation", "basis", "paths", "topics", "valid_to"]


async def test_the_approver_is_told_of_a_look_alike(relay: Relay) -> None:
    await relay.source()
    fields = relay.fields(organisation="青禾县政府", hosts=("www.qlnghe.gov.cn",))
    change = await propose(relay.ledger, relay.people["admin1"], WantedChange("add", fields))
    async with relay.db.session() as session:
        said = await warnings_of(session, change.source_id, change.fields)
    assert any("形似而不同" in line for line in said)


async def test_scope_by_topic_is_judged_with_the_audience(relay: Relay) -> None:
    source_id = await relay.source(topics=("employment",))
    item = await relay.item(await relay.article(source_id))
    changes = {"audience": {"topics": ["health"]}}
    item = await drafting.edit(relay.queue, item.id, relay.people["editor"], item.version, changes)
    assert "source.scope" in await relay.rules(item, "block")
    changes = {"audience": {"topics": ["employment"]}}
    item = await drafting.edit(relay.queue, item.id, relay.people["editor"], item.version, changes)
    assert await relay.rules(item, "block") == []


async def three_items(relay: Relay, source_id: str) -> tuple[Item, Item, Item]:
    """One in review, one scheduled, one published."""
    made = []
    for number in range(3):
        url = f"https://{HOST}/zwgk/{number}.html"
        item = await relay.item(await relay.article(source_id, url), url=url)
        made.append(await relay.submitted(item))
    pending, scheduled, published = (
        made[0],
        *[
            await publishing.schedule(
                relay.queue,
                (await relay.approved(item)).id,
                relay.people["editor"],
                now() + timedelta(days=1),
            )
            for item in made[1:]
        ],
    )
    async with relay.db.session() as session:
        query = select(Publication).where(Publication.item_id == published.id)
        publication = (await session.scalars(query)).one()
        publication.state, publication.published_at = State.PUBLISHED, now()
        row = await session.get_one(Item, published.id)
        row.state = "published"
    return pending, scheduled, published


async def state_of(relay: Relay, item: Item) -> tuple[str, str]:
    async with relay.db.session() as session:
        query = select(Publication.state).where(Publication.item_id == item.id)
        publication = (await session.scalars(query)).first()
        return (await session.get_one(Item, item.id)).state, publication or ""


async def test_revoking_quarantines_holds_and_lists(relay: Relay) -> None:
    source_id = await relay.source()
    pending, scheduled, published = await three_items(relay, source_id)
    done = await revoke(relay.ledger, relay.people["admin1"], source_id)
    assert done == {"quarantined": 1, "held": 1, "listed": 1}
    assert await state_of(relay, pending) == ("quarantined", "")
    assert await state_of(relay, scheduled) == ("quarantined", "held")
    assert await state_of(relay, published) == ("published", "published")
    reasons = await deciding.why_not(relay.queue, pending.id, relay.people["reviewer1"])
    assert any("已撤销" in reason.message for reason in reasons)
    assert any("已隔离" in reason.message for reason in reasons)
    async with relay.db.session() as session:
        row = await session.get_one(Item, pending.id)
        task = (await session.scalars(select(Task))).one()
    with pytest.raises(Refused, match="已隔离"):
        await relay.submitted(row)
    with pytest.raises(Refused, match="已隔离"):
        await drafting.edit(
            relay.queue, row.id, relay.people["editor"], row.version, {"title": "改"}
        )
    assert (task.kind, task.item_id) == ("decision", published.id)
    assert task.assignee == relay.people["editor"]
    assert task.due_at > now()


async def test_the_published_one_is_kept_or_withdrawn_by_a_person_with_a_reason(
    relay: Relay,
) -> None:
    source_id = await relay.source()
    _, _, published = await three_items(relay, source_id)
    await revoke(relay.ledger, relay.people["admin1"], source_id)
    async with relay.db.session() as session:
        task = (await session.scalars(select(Task))).one()
    with pytest.raises(Refused, match="理由"):
        await settle(relay.queue, task.id, relay.people["editor"], Settlement("recalled", ""))
    with pytest.raises(Refused, match="只能是"):
        await settle(relay.queue, task.id, relay.people["editor"], Settlement("done", "好的"))
    how = Settlement("recalled", "稿源已不可信")
    task = await settle(relay.queue, task.id, relay.people["editor"], how)
    assert (task.state, task.done_by) == ("done", relay.people["editor"])
    assert (await state_of(relay, published))[0] == "recalled"
    with pytest.raises(Refused, match="已经处理完"):
        await settle(relay.queue, task.id, relay.people["editor"], Settlement("keep", "保留"))


async def test_what_comes_back_is_reviewed_from_the_beginning(relay: Relay) -> None:
    source_id = await relay.source()
    pending, scheduled, _ = await three_items(relay, source_id)
    await revoke(relay.ledger, relay.people["admin1"], source_id)
    await relay.change(source_id, "restore")
    assert await state_of(relay, pending) == ("draft", "")
    assert await state_of(relay, scheduled) == ("draft", "ended")
    async with relay.db.session() as session:
        row = await session.get_one(Item, scheduled.id)
    assert (row.release_id, row.workflow) == (None, None)
    assert (await relay.submitted(row)).level == 0


async def test_a_repost_that_was_typed_in_falls_with_its_source_too(relay: Relay) -> None:
    source_id = await relay.source()
    other = await relay.source(organisation="北原市", hosts=("www.beiyuan.gov.cn",))
    item = await relay.submitted(await relay.item())
    kept = await relay.item(url="https://www.beiyuan.gov.cn/a.html")
    assert (await revoke(relay.ledger, relay.people["admin1"], source_id))["quarantined"] == 1
    assert (await state_of(relay, item))[0] == "quarantined"
    assert (await state_of(relay, kept))[0] == "draft"
    await relay.change(source_id, "restore")
    assert (await state_of(relay, item))[0] == "draft"
    assert other


async def test_what_still_waits_of_a_published_item_is_held(relay: Relay) -> None:
    source_id = await relay.source()
    _, _, published = await three_items(relay, source_id)
    async with relay.db.session() as session:
        query = select(Publication).where(Publication.item_id == published.id)
        (await session.scalars(query)).one().state = State.CREATED
    await revoke(relay.ledger, relay.people["admin1"], source_id)
    assert await state_of(relay, published) == ("published", "held")


# --- the same mechanism as for every change of authority ------------------------------------


async def test_entries_of_the_earlier_form_still_determine_a_source(relay: Relay) -> None:
    """Signed as versions before the one mechanism did: two entries about the source itself."""
    body = signed_body(relay.fields().to_json())
    source_id, one_person = new_id(), new_id()
    async with relay.ledger.transaction() as tx:
        for key, proposer in ((source_id, "admin1"), (one_person, "admin2")):
            tx.session.add(
                Source(
                    id=key,
                    organisation="青禾县人民政府",
                    hosts=[HOST if key == source_id else "one.gov.cn"],
                    basis="x",
                    valid_from=now(),
                    state="active",
                    proposed_by="a",
                )
            )
            mine = body | {"hosts": [HOST if key == source_id else "one.gov.cn"]}
            mine |= {"digest": signed_body(mine)["digest"], "change": "c", "action": "add"}
            for kind, who in (("source.proposed", proposer), ("source.approved", "admin2")):
                person = relay.people[who]
                await tx.append(kind, subject=f"source:{key}", actor=person, body=mine)
    assert await verdict(relay) == "ok"
    assert await verdict(relay, "https://one.gov.cn/a") == "host"
    assert (await relay.ledger.verify_whole()).ok
    await relay.change(source_id, hosts=(HOST, "rsj.qinghe.gov.cn"))
    assert await verdict(relay, "https://rsj.qinghe.gov.cn/a") == "ok"


async def test_an_approval_that_names_its_signer_as_the_proposer_is_none(relay: Relay) -> None:
    change = await propose(
        relay.ledger, relay.people["admin1"], WantedChange("add", relay.fields())
    )
    async with relay.ledger.transaction() as tx:
        row = Source(id=change.source_id)
        own = Approval(1, change.id, relay.people["admin2"], relay.people["admin2"])
        await put_in_force(tx, row, {"action": "add", "fields": dict(change.fields)}, own)
    assert await verdict(relay) == "host"


async def test_what_was_proposed_cannot_be_exchanged_by_sql(relay: Relay) -> None:
    change = await propose(
        relay.ledger, relay.people["admin1"], WantedChange("add", relay.fields())
    )
    async with relay.db.session() as session:
        row = await session.get_one(Proposal, change.id)
        row.payload = row.payload.replace(HOST, "evil.example.cn")
    with pytest.raises(Refused, match="在数据库中被改动"):
        await approve(relay.ledger, relay.people["admin2"], change.source_id)
    async with relay.db.session() as session:
        assert (await session.scalars(select(Incident.kind))).all() == ["proposal_tampered"]
    assert await verdict(relay, "https://evil.example.cn/a") == "host"


async def test_a_change_is_overtaken_by_whatever_changed_the_source_since(relay: Relay) -> None:
    source_id = await relay.source()
    proposal = WantedChange("edit", relay.fields(hosts=(HOST, "rsj.qinghe.gov.cn")), source_id)
    await propose(relay.ledger, relay.people["admin1"], proposal)
    async with relay.db.session() as session:
        (await session.get_one(Source, source_id)).list_version = "另一版"
    with pytest.raises(Refused, match="又有变化"):
        await approve(relay.ledger, relay.people["admin2"], source_id)
    assert await verdict(relay, "https://rsj.qinghe.gov.cn/a") == "host"


async def test_the_same_source_is_not_proposed_twice(relay: Relay) -> None:
    wanted = WantedChange("add", relay.fields())
    change = await propose(relay.ledger, relay.people["admin1"], wanted)
    with pytest.raises(Refused, match="已经提出"):
        await propose(relay.ledger, relay.people["admin2"], wanted)
    await reject(relay.ledger, relay.people["admin1"], change.source_id)
    async with relay.db.session() as session:
        assert (await session.get_one(Proposal, change.id)).state == "withdrawn"
        assert (await source_of(session, change.source_id)).state == "rejected"
    await propose(relay.ledger, relay.people["admin2"], wanted)
