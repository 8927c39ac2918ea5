"""Somebody with SQL write access: whatever is changed, nothing goes out."""

import json
from typing import Any

import pytest
from sqlalchemy import select, text

from bot.contract import NotReleased
from ledger.models import Incident
from review_queue import drafting, recalling, submitting
from review_queue.forms import ReviewForm
from tests.made import a_finding

ATTACKS = {
    "the text of the revision": (
        "UPDATE revision SET canonical = replace(canonical,'第一段','第壹段')"
    ),
    "the text and its stored digest": (
        "UPDATE revision SET canonical = replace(canonical,'第一段','第壹段'), digest = 'x'"
    ),
    "who approved": "UPDATE decision SET staff_id = 'someone' WHERE level = 1",
    "the verdict": "UPDATE decision SET verdict = 'return' WHERE level = 2",
    "a deleted decision": "DELETE FROM decision WHERE level = 0",
    "the release's digest": "UPDATE release SET digest = 'x'",
    "a signature": "UPDATE ledger_entry SET signature = 'ab' WHERE kind = 'decision'",
    "a ledger entry": (
        "UPDATE ledger_entry SET preimage = replace(preimage,'approve','approvf')"
        " WHERE kind = 'decision'"
    ),
    "a deleted ledger entry": (
        "DELETE FROM ledger_entry WHERE kind = 'decision' AND seq ="
        " (SELECT max(seq) FROM ledger_entry WHERE kind = 'decision')"
    ),
    "the level": "UPDATE decision SET level = 2 WHERE level = 1",
    "the gate answers": "UPDATE decision SET gates = '{}' WHERE level = 0",
    "the note": "UPDATE decision SET note = '同意' WHERE level = 0",
    "a proof round": "UPDATE decision SET proof = false WHERE level = 1",
    "in whose place": "UPDATE decision SET in_place_of = 'overdue' WHERE level = 1",
    "the rule set of the release": "UPDATE release SET ruleset = 'rules-0'",
    "the frozen levels": "UPDATE item SET workflow = '{}'",
    "the kind": "UPDATE item SET kind = '回复模板'",
    "a decision moved from another item": (
        "UPDATE decision SET item_id = 'another' WHERE level = 2"
    ),
    "a decision stored twice": (
        "INSERT INTO decision (id, item_id, digest, level, level_name, staff_id, verdict, gates,"
        " note, at, ledger_seq) SELECT 'copy', item_id, digest, level, level_name, staff_id,"
        " verdict, gates, note, at, ledger_seq FROM decision WHERE level = 0"
    ),
    "a deleted revision": "DELETE FROM revision",
    "an inserted revision": (
        "INSERT INTO revision (id, item_id, number, digest, canonical, editor_id, created_at)"
        " SELECT 'copy', item_id, 9, digest, replace(canonical, '第一段', '第壹段'), editor_id,"
        " created_at FROM revision"
    ),
    "a replayed ledger entry": (
        "INSERT INTO ledger_entry (seq, kind, subject, actor, at, preimage, hash, signature)"
        " SELECT (SELECT max(seq) + 1 FROM ledger_entry), kind, subject, actor, at, preimage, hash,"
        " signature FROM ledger_entry WHERE kind = 'decision' ORDER BY seq LIMIT 1"
    ),
    "an approval of levels": (
        "UPDATE ledger_entry SET preimage = replace(preimage, 'workflows', 'workflowz')"
        " WHERE kind = 'genesis'"
    ),
    "role history": "UPDATE ledger_entry SET preimage = '{}' WHERE kind = 'staff.set'",
}


@pytest.mark.parametrize("statement", ATTACKS.values(), ids=ATTACKS.keys())
async def test_an_sql_change_is_refused_with_an_incident(office: Any, statement: str) -> None:
    item = await office.approved()
    await office.releases.verify(item.release_id)
    async with office.queue.db.session() as session:
        await session.execute(text(statement))
    with pytest.raises(NotReleased):
        await office.releases.verify(item.release_id)
    async with office.queue.db.session() as session:
        incidents = (await session.scalars(select(Incident))).all()
    assert [incident.subject for incident in incidents] == [f"item:{item.id}"]
    assert "停止发送" in incidents[0].message


async def test_a_state_set_by_sql_releases_nothing(office: Any) -> None:
    item = await office.submitted()
    async with office.queue.db.session() as session:
        revision = (await session.execute(text("SELECT digest FROM revision"))).scalar_one()
        await session.execute(text("UPDATE item SET state = 'approved', release_id = 'forged'"))
        await session.execute(
            text(
                "INSERT INTO release (id, item_id, digest, ruleset, created_at)"
                f" VALUES ('forged', '{item.id}', '{revision}', 'r', '2026-01-01')"
            )
        )
    with pytest.raises(NotReleased, match="没有签名的台账依据"):
        await office.releases.verify("forged")


async def test_an_inserted_decision_is_noticed(office: Any) -> None:
    item = await office.approved()
    async with office.queue.db.session() as session:
        await session.execute(
            text(
                "INSERT INTO decision (id, item_id, digest, level, level_name, staff_id, verdict,"
                " gates, note, at, ledger_seq) SELECT 'copy', item_id, digest, level, level_name,"
                " staff_id, verdict, gates, note, at, 999 FROM decision WHERE level = 0"
            )
        )
    with pytest.raises(NotReleased, match="没有签名的台账依据"):
        await office.releases.verify(item.release_id)


async def test_old_decisions_do_not_carry_to_a_new_revision(office: Any) -> None:
    item = await office.approved()
    release = item.release_id
    editor = office.people["editor"]
    item = await drafting.edit(
        office.queue, item.id, editor, item.version, {"body": "换成别的内容"}
    )
    with pytest.raises(NotReleased, match="最后一次修改"):
        await office.releases.verify(release)
    item = await submitting.submit(office.queue, item.id, editor, item.version)
    with pytest.raises(NotReleased):
        await office.releases.verify(release)


async def test_one_broken_item_does_not_stop_another(office: Any) -> None:
    first, second = await office.approved(), await office.approved()
    async with office.queue.db.session() as session:
        await session.execute(
            text(f"UPDATE revision SET canonical = '' WHERE item_id = '{first.id}'")
        )
    with pytest.raises(NotReleased):
        await office.releases.verify(first.release_id)
    assert (await office.releases.verify(second.release_id)).item_id == second.id


async def test_a_recalled_item_is_not_released(office: Any) -> None:
    item = await office.approved()
    release = item.release_id
    await recalling.recall(office.queue, item.id, office.people["reviewer1"], "内容有误")
    with pytest.raises(NotReleased, match="撤回"):
        await office.releases.verify(release)


async def test_gates_run_again_at_send(office: Any) -> None:
    item = await office.approved()
    office.blocking.append(a_finding(reason="新规则命中"))
    with pytest.raises(NotReleased, match="新规则命中"):
        await office.releases.verify(item.release_id)


async def test_a_role_taken_later_does_not_undo_and_a_role_never_held_does_not_count(
    office: Any,
) -> None:
    item = await office.approved()
    chain = await office.releases.chain(item.id)
    signed = [entry for entry in chain.entries if entry.kind == "decision"]
    assert len(signed) == 3
    assert all("note" not in json.dumps(entry.body["gates"]) for entry in signed)


async def test_the_release_carries_the_approved_bytes(office: Any) -> None:
    item = await office.approved()
    release = await office.releases.verify(item.release_id)
    assert release.renderings["wx"]["text"] == "关于发放就业补贴的通知\n第一段\n第二段"
    with pytest.raises(TypeError):
        ReviewForm()  # type: ignore[call-arg]
