"""Quorum, parallel levels, proof rounds, attachments, returns, referrals, takeover, all reasons."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from bot.contract import Content, NotReleased
from config.clock import now
from review_queue import claims, deciding, drafting, publishing, referrals, rounds, submitting
from review_queue.drafting import Origin
from review_queue.findings import findings_now
from review_queue.forms import ReviewForm
from review_queue.models import Decision, GateRun, Item, Referral
from review_queue.workflow import Workflow
from staff.refusal import Refused
from tests.made import a_finding
from tests.review_queue.conftest import all_ok

MARKER = "sha256:" + "a" * 64


def rules(caught: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {reason.rule for reason in caught.value.reasons}


async def use(office: Any, klass: str, **level: Any) -> None:
    """Change the first level of a class, approved as an office would approve it."""
    flow = office.queue.levels[klass]
    levels = (replace(flow.levels[0], **level), *flow.levels[1:])
    await approve_levels(office, replace(flow, levels=levels, version=flow.version + 1))


async def approve_levels(office: Any, flow: Workflow) -> None:
    async with office.queue.ledger.transaction() as tx:
        await tx.append(
            "workflow.approved",
            subject="workflows",
            actor="a",
            body={"klass": flow.klass, "version": flow.version, "digest": flow.digest},
        )
    office.queue.levels[flow.klass] = flow


async def test_a_quorum_of_two_needs_two_different_people(office: Any) -> None:
    await use(office, "日常", quorum=2)
    item = await office.submitted("日常")
    item = await office.decide(item, "reviewer1")
    assert (item.level, item.state) == (0, "review")
    with pytest.raises(Refused) as caught:
        await office.decide(item, "reviewer1")
    assert rules(caught) == {"two_levels"}
    item = await office.decide(item, "editor2")
    assert item.level == 1
    item = await office.decide(item, "reviewer3")
    assert (await office.releases.verify(item.release_id)).item_id == item.id


async def test_levels_nobody_approved_release_nothing(office: Any) -> None:
    flow = office.queue.levels["重要"]
    office.queue.levels["重要"] = replace(flow, levels=flow.levels[1:])
    item = await office.submitted()
    for who in ("reviewer2", "reviewer3"):
        item = await office.decide(item, who)
    with pytest.raises(NotReleased, match="不是经批准的版本"):
        await office.releases.verify(item.release_id)


async def test_each_level_of_an_important_item_records_a_proof_round(office: Any) -> None:
    item = await office.submitted()
    with pytest.raises(Refused) as caught:
        await office.decide(item, "reviewer1", proof=False)
    assert rules(caught) == {"proof"}
    for who in ("reviewer1", "reviewer2", "reviewer3"):
        item = await office.decide(item, who)
    chain = await office.releases.chain(item.id)
    assert [entry.body["proof"] for entry in chain.of("decision")] == [True, True, True]


async def with_attachment(office: Any) -> Any:
    content = Content(
        kind="原创",
        title="申请表",
        body="见附件。",
        attachments=({"name": "申请表.docx", "media": MARKER},),
    )
    item = await drafting.create_item(office.queue, content, Origin(office.people["editor"]))
    return await submitting.submit(office.queue, item.id, office.people["editor"], item.version)


async def test_secrecy_is_answered_for_every_attachment(office: Any) -> None:
    item = await with_attachment(office)
    item = await office.decide(item, "reviewer1")
    for answers, rule in (({}, "attachment_missing"), ({MARKER: False}, "attachment_failed")):
        with pytest.raises(Refused) as caught:
            await office.decide(item, "reviewer3", attachments=answers)
        assert rules(caught) == {rule}
    item = await office.decide(item, "reviewer3", attachments={MARKER: True})
    chain = await office.releases.chain(item.id)
    assert chain.of("decision")[-1].body["attachments"] == {MARKER: True}
    await office.releases.verify(item.release_id)


async def test_a_level_without_the_secrecy_gate_cannot_answer_for_an_attachment(
    office: Any,
) -> None:
    item = await with_attachment(office)
    await office.decide(item, "reviewer1", attachments={MARKER: True})
    chain = await office.releases.chain(item.id)
    assert chain.of("decision")[-1].body["attachments"] == {}


async def test_a_return_keeps_gate_and_marked_place(office: Any) -> None:
    item = await office.submitted()
    span = {"field": "text", "start": 0, "end": 3, "text": "第一段"}
    wrong = span | {"text": "第二段"}
    with pytest.raises(Refused) as caught:
        await office.decide(item, "reviewer1", "return", note="有误", gate="law", span=wrong)
    assert rules(caught) == {"span"}
    await office.decide(item, "reviewer1", "return", note="有误", gate="law", span=span)
    async with office.queue.db.session() as session:
        row = (await session.scalars(select(Decision))).one()
    assert (row.gate, row.span, row.note) == ("law", span, "有误")
    entry = (await office.releases.chain(item.id)).of("decision")[-1]
    assert "有误" not in str(entry.body)


async def test_what_cannot_be_decided_goes_to_a_department_and_comes_back(office: Any) -> None:
    item = await office.submitted()
    with pytest.raises(Refused) as caught:
        await office.decide(item, "reviewer1", "refer", note="")
    assert rules(caught) == {"department", "note"}
    due = now() + timedelta(days=2)
    item = await office.decide(
        item, "reviewer1", "refer", note="数字对吗", department="县统计局", due_at=due
    )
    assert (item.state, item.level, item.level_due_at) == ("referred", 0, due)
    with pytest.raises(Refused):
        await office.decide(item, "reviewer1")
    with pytest.raises(Refused) as caught:
        await referrals.answer_referral(office.queue, item.id, office.people["editor"], "没有问题")
    assert "author" in rules(caught)
    item = await referrals.answer_referral(
        office.queue, item.id, office.people["reviewer2"], "没有问题"
    )
    assert (item.state, item.level) == ("review", 0)
    async with office.queue.db.session() as session:
        row = (await session.scalars(select(Referral))).one()
    assert (row.department, row.answer) == ("县统计局", "没有问题")
    for who in ("reviewer1", "reviewer2", "reviewer3"):
        item = await office.decide(item, who)
    await office.releases.verify(item.release_id)


async def test_a_claim_names_its_holder_and_can_be_taken_over(office: Any) -> None:
    item = await office.submitted()
    await claims.claim(office.queue, item.id, office.people["reviewer1"])
    with pytest.raises(Refused, match="正在由reviewer1审核"):
        await claims.claim(office.queue, item.id, office.people["editor2"])
    with pytest.raises(Refused) as caught:
        await claims.take_over(office.queue, item.id, office.people["reviewer2"])
    assert rules(caught) == {"role"}
    item = await claims.take_over(office.queue, item.id, office.people["editor2"])
    assert item.claimed_by == office.people["editor2"]
    entry = (await office.releases.chain(item.id)).of("item.taken_over")[-1]
    assert entry.body["from"] == office.people["reviewer1"]
    with pytest.raises(Refused, match="可以直接领取"):
        await claims.take_over(office.queue, item.id, office.people["editor2"])


async def test_a_stale_form_is_told_what_stands_there_now(office: Any) -> None:
    item = await office.submitted()
    await office.decide(item, "reviewer1")
    digest, _ = await findings_now(office.queue, item.id)
    with pytest.raises(Refused) as caught:
        await deciding.decide(
            office.queue,
            item.id,
            office.people["reviewer2"],
            ReviewForm("approve", digest, 1, all_ok()),
        )
    assert caught.value.status == 409
    assert caught.value.current is not None
    assert caught.value.current["body"] == "第一段\n第二段"


async def test_all_reasons_against_publishing_are_listed_before_the_button(office: Any) -> None:
    item = await office.submitted()
    office.blocking.append(a_finding())
    late = now() + timedelta(days=400)
    reasons = await publishing.why_not_publish(office.queue, item.id, late)
    words = "；".join(reason.message for reason in reasons)
    for part in ("审核中", "缺少初审", "缺少复审", "缺少终审", "绝对化用语", "最晚发布时间"):
        assert part in words
    with pytest.raises(Refused) as caught:
        await publishing.schedule(office.queue, item.id, office.people["editor"], late)
    assert set(caught.value.reasons) >= set(reasons)


async def test_of_two_approvals_of_the_last_level_at_once_one_counts(office: Any) -> None:
    item = await office.submitted("日常")
    item = await office.decide(item, "reviewer1")
    results = await asyncio.gather(
        office.decide(item, "reviewer3"),
        office.decide(item, "everything"),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Refused) for result in results) == 1
    chain = await office.releases.chain(item.id)
    assert len(chain.of("decision")) == 2
    assert len(chain.of("release.created")) == 1


async def test_the_queue_of_a_person_holds_what_they_may_decide(office: Any) -> None:
    item = await office.submitted()
    assert [
        row.id for row in await rounds.waiting_for(office.queue.db, office.people["reviewer1"])
    ] == [item.id]
    for who in ("editor", "reviewer2", "reviewer3"):
        assert await rounds.waiting_for(office.queue.db, office.people[who]) == []


async def test_what_others_must_do_first_does_not_hide_what_waits_for_me(office: Any) -> None:
    mine = await office.submitted("重要")
    for who in ("reviewer1", "reviewer2"):
        mine = await office.decide(mine, who)
    urgent = await office.submitted("重要")
    async with office.queue.db.session() as session:
        row = {column.name: getattr(urgent, column.name) for column in Item.__table__.columns}
        row["level_due_at"] = now() - timedelta(days=9)
        many = [row | {"id": f"urgent-{number}"} for number in range(260)]
        await session.execute(insert(Item), many)
    waiting = {
        who: await rounds.waiting_for(office.queue.db, office.people[who]) for who in office.people
    }
    assert [item.id for item in waiting["reviewer3"]] == [mine.id]
    assert len(waiting["reviewer1"]) == 200
    assert waiting["reviewer2"] == waiting["editor"] == waiting["supervisor"] == []


async def test_what_i_may_not_decide_does_not_hide_what_i_may(office: Any) -> None:
    mine = await office.submitted("重要")
    other = await office.submitted("重要")
    other = await office.decide(other, "everything")  # 初审, so not 复审 as well
    async with office.queue.db.session() as session:
        row = {column.name: getattr(other, column.name) for column in Item.__table__.columns}
        row |= {"level_due_at": now() - timedelta(days=9), "waiting": "*"}
        many = [row | {"id": f"urgent-{number}"} for number in range(260)]
        decided = (await session.scalars(select(Decision))).one()
        said = {column.name: getattr(decided, column.name) for column in Decision.__table__.columns}
        copies = [said | {"id": one["id"], "item_id": one["id"]} for one in many]
        await session.execute(insert(Item), many)
        await session.execute(insert(Decision), copies)
    found = await rounds.waiting_for(office.queue.db, office.people["everything"])
    assert [item.id for item in found] == [mine.id]


async def test_what_is_signed_names_the_rules_looked_with_and_no_row_of_the_table(
    office: Any,
) -> None:
    """A look dated far ahead, as somebody writes it past this program, is not the newest one."""
    item = await office.submitted()
    digest, _ = await findings_now(office.queue, item.id)
    forged = {"id": "z" * 26, "item_id": item.id, "digest": digest, "ruleset": "f" * 64}
    async with office.queue.db.session() as session:
        later = now().replace(year=2099)
        await session.execute(insert(GateRun).values(**forged, findings=[], at=later))
    for who in ("reviewer1", "reviewer2", "reviewer3"):
        item = await office.decide(item, who)
    assert item.state == "approved"
    facts = await office.queue.ledger.facts(f"item:{item.id}")
    signed = [entry for entry in facts if entry.kind in {"decision", "release.created"}]
    assert {entry.kind for entry in signed} == {"decision", "release.created"}
    assert {entry.body["ruleset"] for entry in signed} == {"rules-1"}
    assert (await office.releases.verify(item.release_id)).item_id == item.id
