"""Ordered levels, separation of duties, returns: what the queue lets people do."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.contract import Content
from config.clock import now
from review_queue import claims, deciding, drafting, publishing, submitting
from review_queue.desk import ROBOT
from review_queue.drafting import Origin
from review_queue.findings import findings_now
from review_queue.forms import ReviewForm
from review_queue.workflow import GATES, WorkflowError, read_workflow, unfillable
from staff.refusal import Refused
from tests.made import a_finding

BLOCK = a_finding()


def rules(caught: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {reason.rule for reason in caught.value.reasons}


async def test_three_levels_by_three_people_make_a_release(office: Any) -> None:
    item = await office.approved()
    assert item.state == "approved"
    release = await office.releases.verify(item.release_id)
    assert set(release.renderings) == {"wx", "tg"}


async def test_a_later_level_cannot_decide_first(office: Any) -> None:
    item = await office.submitted()
    with pytest.raises(Refused) as caught:
        await office.decide(item, "reviewer3")
    assert caught.value.status == 403
    assert rules(caught) == {
        "role",
    }


async def test_the_author_with_every_role_cannot_approve(office: Any) -> None:
    content = Content(kind="原创", title="标题", body="正文")
    who = office.people["everything"]
    item = await drafting.create_item(office.queue, content, Origin(editor_id=who))
    item = await submitting.submit(office.queue, item.id, who, item.version)
    with pytest.raises(Refused) as caught:
        await office.decide(item, "everything")
    assert caught.value.status == 403
    assert "author" in rules(caught)


async def test_who_edits_a_fetched_item_cannot_approve_it(office: Any) -> None:
    content = Content(kind="原创", title="标题", body="正文")
    item = await drafting.create_item(office.queue, content, Origin(editor_id=ROBOT))
    who = office.people["editor2"]
    item = await drafting.edit(office.queue, item.id, who, item.version, {"body": "改过的正文"})
    item = await submitting.submit(office.queue, item.id, who, item.version)
    with pytest.raises(Refused) as caught:
        await office.decide(item, "editor2")
    assert rules(caught) == {"last_editor"}


async def test_nobody_fills_two_levels(office: Any) -> None:
    item = await office.submitted()
    item = await office.decide(item, "everything")
    with pytest.raises(Refused) as caught:
        await office.decide(item, "everything")
    assert rules(caught) == {"two_levels"}


async def test_every_gate_must_be_answered_and_a_failed_gate_cannot_be_approved(
    office: Any,
) -> None:
    item = await office.submitted()
    with pytest.raises(Refused) as caught:
        await office.decide(item, "reviewer1", gates={"policy": {"ok": False, "note": "过期"}})
    assert rules(caught) == {"gate_failed", "gate_missing"}
    assert len(caught.value.reasons) == 2


async def test_all_reasons_are_shown_at_once(office: Any) -> None:
    item = await office.submitted()
    office.blocking.append(BLOCK)
    await claims.claim(office.queue, item.id, office.people["reviewer1"])
    reasons = await deciding.why_not(office.queue, item.id, office.people["editor"], {})
    assert {reason.rule for reason in reasons} == {
        "role",
        "author",
        "claimed",
        "finding",
        "gate_missing",
        "proof",
    }


async def test_a_blocking_finding_stops_the_chain(office: Any) -> None:
    item = await office.submitted()
    office.blocking.append(BLOCK)
    with pytest.raises(Refused) as caught:
        await office.decide(item, "reviewer1")
    assert rules(caught) == {"finding"}


async def test_a_warning_needs_a_note(office: Any) -> None:
    item = await office.submitted()
    office.blocking.append(a_finding(severity="warn", gate="wording"))
    with pytest.raises(Refused) as caught:
        await office.decide(item, "reviewer1")
    assert rules(caught) == {"note_missing"}
    noted = {gate: {"ok": True, "note": "引用原文"} for gate in GATES}
    item = await office.decide(item, "reviewer1", gates=noted)
    assert item.level == 1


async def test_a_return_needs_a_reason_and_starts_over(office: Any) -> None:
    item = await office.submitted()
    with pytest.raises(Refused):
        await office.decide(item, "reviewer1", "return")
    item = await office.decide(item, "reviewer1", "return", note="金额有误")
    assert (item.state, item.return_reason) == ("draft", "金额有误")
    item = await submitting.submit(office.queue, item.id, office.people["editor"], item.version)
    assert item.level == 0


async def test_a_stale_form_is_refused(office: Any) -> None:
    item = await office.submitted()
    await office.decide(item, "reviewer1")
    with pytest.raises(Refused) as caught:
        await deciding.decide(
            office.queue,
            item.id,
            office.people["reviewer2"],
            ReviewForm("approve", (await findings_now(office.queue, item.id))[0], item.version - 1),
        )
    assert caught.value.status == 409


async def test_two_approvals_at_once_count_once(office: Any) -> None:
    item = await office.submitted()
    results = await asyncio.gather(
        office.decide(item, "reviewer1"),
        office.decide(item, "everything"),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Refused) for result in results) == 1


async def test_an_edit_voids_approval_and_an_unchanged_save_keeps_it(office: Any) -> None:
    item = await office.approved()
    editor = office.people["editor"]
    same = await drafting.edit(office.queue, item.id, editor, item.version, {"title": item.title})
    assert same.state == "approved"
    edited = await drafting.edit(office.queue, item.id, editor, item.version, {"title": "新的标题"})
    assert (edited.state, edited.release_id) == ("draft", None)


async def test_a_claimed_item_waits_for_its_holder(office: Any) -> None:
    item = await office.submitted()
    await claims.claim(office.queue, item.id, office.people["reviewer1"])
    with pytest.raises(Refused) as caught:
        await office.decide(item, "everything")
    assert rules(caught) == {"claimed"}


async def test_the_running_item_keeps_its_frozen_levels(office: Any) -> None:
    item = await office.submitted()
    office.queue.levels["重要"] = office.queue.levels["日常"]
    for who in ("reviewer1", "reviewer2"):
        item = await office.decide(item, who)
    assert item.state == "review"


async def test_the_time_must_lie_in_the_approved_window(office: Any) -> None:
    item = await office.approved()
    late = now() + timedelta(days=400)
    with pytest.raises(Refused) as caught:
        await publishing.schedule(office.queue, item.id, office.people["editor"], late)
    assert rules(caught) == {"window"}
    item = await publishing.schedule(office.queue, item.id, office.people["editor"])
    assert item.state == "scheduled"


async def test_a_repost_without_attribution_cannot_be_submitted(office: Any) -> None:
    content = Content(kind="转载", title="标题", body="正文")
    item = await drafting.create_item(
        office.queue, content, Origin(editor_id=office.people["editor"])
    )
    with pytest.raises(Refused) as caught:
        await submitting.submit(office.queue, item.id, office.people["editor"], item.version)
    assert len([r for r in caught.value.reasons if r.rule == "attribution"]) == 3


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        ([], "至少要有两级"),
        ([{"name": "终审", "roles": ["secrecy"], "gates": list(GATES), "hours": 1}], "至少"),
        ([{"name": "初审"}, {"name": "终审"}], "缺少或写错字段"),
        (
            [
                {"name": "初审", "roles": ["reviewer_1"], "gates": list(GATES), "hours": 1},
                {"name": "终审", "roles": ["reviewer_2"], "gates": ["law"], "hours": 1},
            ],
            "最后一级",
        ),
    ],
)
def test_a_workflow_that_could_be_bypassed_is_refused(levels: list[Any], words: str) -> None:
    with pytest.raises(WorkflowError, match=words):
        read_workflow("日常", 1, {"levels": levels})


def test_the_loader_names_classes_the_staff_cannot_fill(office: Any) -> None:
    flows = office.queue.levels
    two = {"a": ["reviewer_1"], "b": ["reviewer_3", "secrecy"]}
    sentences = unfillable(flows, two)
    assert len(sentences) == 2
    assert any("重要" in sentence for sentence in sentences)
