"""Returns with a marked passage, takeovers, waivers, referrals, emergencies, absence in pages."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from config.clock import beijing, now
from console.items.marks import find_span
from review_queue import drafting, publishing, recalling, submitting
from review_queue.models import Decision, Item
from staff.models import Absence
from tests.console.office import BODY, Browser, Office
from tests.console.test_review import EVERY, answers, fields_of

TEXT = "开头写明申请对象。\n标准为每人1500元，一次发放。\n对象为每人一次。"
SLOGAN = "落实一带一路战略，办好交流活动。"


async def panel(browser: Browser, row: Item) -> dict[str, str]:
    _, text = await browser.get(f"/console/items/{row.id}")
    return fields_of(text)


async def test_a_return_marks_the_passage_its_gate_and_reason_for_editor_and_next_reviewer(
    office: Office,
) -> None:
    row = await office.submitted(TEXT, "求职补贴")
    browser = await office.signed_in("reviewer1")
    path = f"/console/items/{row.id}/decide"
    fields = await panel(browser, row) | {
        "verdict": "return",
        "note": "金额与通知不符",
        "mark_gate": "policy",
    }
    status, text = await browser.post(path, **fields, mark_text="每人2000元")
    assert status == 422
    assert "找不到您标出的这段文字" in text
    assert "每人2000元</textarea>" in text
    assert (await browser.post(path, **fields, mark_text="每人1500元，"))[0] == 303
    async with office.deps.db.session() as session:
        decision = (await session.scalars(select(Decision))).one()
    assert decision.gate == "policy"
    assert decision.span is not None
    start, end = decision.span["start"], decision.span["end"]
    assert TEXT[start:end] == "每人1500元，"

    editor = await office.signed_in("editor")
    for page in ("", "/edit"):
        _, text = await editor.get(f"/console/items/{row.id}{page}")
        assert "张海（初审）" in text
        assert "退回：政策关" in text
        assert "金额与通知不符" in text
        assert '<mark class="block">每人1500元，</mark>' in text
    _, text = await editor.get(f"/console/items/{row.id}")
    assert '<mark class="returned"><a href="#returned">每人1500元，</a>' in text
    async with office.deps.db.session() as session:
        item = await session.get(Item, row.id)
    assert item is not None
    changed = await drafting.edit(
        office.deps.queue,
        row.id,
        office.people["editor"],
        item.version,
        {"body": TEXT.replace("1500", "1800")},
    )
    await submitting.submit(office.deps.queue, row.id, office.people["editor"], changed.version)
    _, text = await browser.get(f"/console/items/{row.id}")
    assert '<mark class="block">每人1500元，</mark>' in text
    assert "<del>1500</del><ins>1800</ins>" in text
    assert "2 段没有改动" in text or "1 段没有改动" in text
    assert re.search(r'id="view-diff" checked', text)


@given(st.text("甲乙 \n", max_size=12), st.text("甲乙 \n", max_size=20), st.integers(0, 30))
def test_whatever_is_selected_is_found_where_it_stands(title: str, body: str, near: int) -> None:
    words = body[near % (len(body) + 1) :]
    span = find_span(title, body, words, near)
    if not words.strip():
        assert span is None
    elif span is not None:
        whole = title if span["field"] == "title" else body
        assert whole[span["start"] : span["end"]] == span["text"]
        assert "".join(span["text"].split()) == "".join(words.split())


def test_of_two_equal_passages_the_one_that_was_selected_is_taken() -> None:
    found = [find_span("每人", TEXT, "每人", near) for near in (0, 14, 30)]
    assert [(one["field"], one["start"]) for one in found if one] == [
        ("title", 0),
        ("text", 13),
        ("text", 30),
    ]


async def test_two_browsers_see_who_holds_it_and_a_takeover_needs_its_reason(
    office: Office,
) -> None:
    row = await office.item(TEXT, "日常", "求职补贴")
    row = await submitting.submit(office.deps.queue, row.id, office.people["editor"], row.version)
    row = await office.decide(row, "reviewer1")
    holder, other = await office.signed_in("reviewer3"), await office.signed_in("admin1")
    assert (await holder.post(f"/console/items/{row.id}/claim"))[0] == 303
    _, text = await other.get(f"/console/items/{row.id}")
    assert "正在由赵国强审核" in text
    assert re.search("还有 (20|19) 分钟", text)
    path = f"/console/items/{row.id}/takeover"
    assert (await other.post(path, reason=""))[0] == 422
    assert (await other.post(path, reason="赵国强已离开办公室"))[0] == 303
    _, text = await holder.get(f"/console/items/{row.id}")
    assert "收回别人领取的稿件" in text
    assert "接手审核的理由：赵国强已离开办公室" in text
    assert "正在由" not in text


async def test_ending_a_session_elsewhere_frees_what_was_held_there(office: Office) -> None:
    row = await office.submitted()
    lost, here = await office.signed_in("reviewer1"), await office.signed_in("reviewer1")
    await lost.post(f"/console/items/{row.id}/claim")
    assert (await here.post("/console/me/sessions"))[0] == 303
    async with office.deps.db.session() as session:
        item = await session.get_one(Item, row.id)
    assert item.claimed_by is None
    assert (await lost.get("/console/"))[0] == 303


async def test_signing_out_everywhere_frees_what_was_held(office: Office) -> None:
    row = await office.submitted(TEXT, "求职补贴")
    first, second = [await office.signed_in("reviewer1") for _ in range(2)]
    assert (await first.post(f"/console/items/{row.id}/claim"))[0] == 303
    other = await office.signed_in("reviewer2")
    for browser, held in ((first, True), (second, False)):
        await browser.post("/console/signout")
        _, text = await other.get(f"/console/items/{row.id}")
        assert ("正在由张海审核" in text) is held


async def test_a_blocking_finding_is_waived_by_a_reviewer_and_seen_at_later_levels(
    office: Office,
) -> None:
    row = await office.submitted(TEXT + "\n" + SLOGAN, "求职补贴")
    browser = await office.signed_in("reviewer3")
    _, text = await browser.get(f"/console/items/{row.id}")
    [form] = re.findall(r'action="/console/items/\w+/waive".*?</form>', text, re.DOTALL)[:1]
    fields = dict(re.findall('name="(gate|rule|field|start|end)" value="([^"]*)"', form))
    path = f"/console/items/{row.id}/waive"
    assert (await browser.post(path, **fields, reason=" "))[0] == 422
    status, text = await browser.post(path, **fields, reason="原文如此，引自讲话")
    assert status == 303, text
    other = await office.signed_in("reviewer1")
    _, text = await other.get(f"/console/items/{row.id}")
    assert "赵国强放行" in text
    assert "原文如此，引自讲话" in text
    assert not re.search(r'value="approve" disabled', text)


async def test_what_nobody_here_can_judge_goes_to_the_department_and_comes_back(
    office: Office,
) -> None:
    row = await office.submitted(TEXT, "求职补贴")
    browser = await office.signed_in("reviewer1")
    path = f"/console/items/{row.id}/decide"
    fields = await panel(browser, row) | {"verdict": "refer"}
    status, text = await browser.post(path, **fields, department="县统计局")
    assert status == 422
    assert 'value="县统计局"' in text
    status, _ = await browser.post(path, **fields, department="县统计局", note="1500元是年度口径吗")
    assert status == 303
    _, text = await browser.get(f"/console/items/{row.id}")
    assert "已转县统计局" in text
    answered = await browser.post(f"/console/items/{row.id}/referral", text="是，按年度计算")
    assert answered[0] == 303
    _, text = await browser.get(f"/console/items/{row.id}")
    assert "县统计局答复" in text
    assert "初审意见" in text
    assert text.count("是，按年度计算") == 2  # the note above, and the timeline


def every(text: str, *gates: str) -> Mapping[str, Any]:
    return fields_of(text) | {"verdict": "approve", "proof": "1"} | answers(*gates, note="已核对")


async def test_an_emergency_shows_its_clocks_until_the_levels_that_follow_are_done(
    office: Office,
) -> None:
    row = await office.item("暴雨蓝色预警，请注意安全。", "重要", "暴雨预警")
    editor = await office.signed_in("editor")
    path = f"/console/items/{row.id}/emergency"
    assert (await editor.post(path, version=str(row.version), reason=""))[0] == 422
    status, text = await editor.post(path, version=str(row.version), reason="暴雨已经开始")
    assert status == 303, text
    _, text = await editor.get("/console/")
    assert "应急审核中" in text
    assert "发布权威信息" in text
    for login in ("reviewer3", "reviewer1"):  # both levels at once, in any order
        browser = await office.signed_in(login)
        _, text = await browser.get(f"/console/items/{row.id}")
        decided = await browser.post(f"/console/items/{row.id}/decide", **every(text, *EVERY))
        assert decided[0] == 303, decided[1]
    _, text = await editor.get(f"/console/items/{row.id}")
    assert "应急已发布，等待补审" in text or "等待补审" in text
    assert "补终审" in text
    supervisor = await office.signed_in("admin1")
    _, text = await supervisor.get(f"/console/items/{row.id}/form")
    assert "应急终审" in text


async def test_an_absence_names_a_substitute_and_only_an_admin_proposes_it_for_others(
    office: Office,
) -> None:
    browser = await office.signed_in("reviewer1")
    path, moment = "/console/me/absence", beijing(now())
    times = {
        "starts": f"{moment:%Y-%m-%dT%H:%M}",
        "ends": f"{moment + timedelta(days=2):%Y-%m-%dT%H:%M}",
    }
    status, text = await browser.post(path, **times, substitute=office.people["reviewer1"])
    assert status == 422
    assert "代理人不能是本人" in text
    other = {"staff": office.people["reviewer2"], "substitute": office.people["reviewer3"]}
    assert (await browser.post(path, **times, **other))[0] == 403
    admin, why = await office.signed_in("admin1"), "他在外地开会"
    assert (await admin.post(path, **times, **other))[0] == 422
    assert (await admin.post(path, **times, **other, why=why))[0] == 303
    assert (await browser.post(path, **times, substitute=office.people["reviewer2"]))[0] == 303
    async with office.deps.db.session() as session:
        (only,) = (await session.scalars(select(Absence))).all()
    assert only.staff_id == office.people["reviewer1"]  # the other one waits for a second person
    row = await office.submitted(TEXT, "求职补贴")
    stand_in = await office.signed_in("reviewer2")
    _, text = await stand_in.get(f"/console/items/{row.id}")
    assert "代张海审核" in text


async def test_every_reason_against_publishing_stands_before_the_button(office: Office) -> None:
    row = await office.approved()
    editor = await office.signed_in("editor")
    _, text = await editor.get(f"/console/items/{row.id}/schedule")
    assert "现在发不出去" not in text
    await recalling.recall(office.deps.queue, row.id, office.people["editor"], "有误")
    _, text = await editor.get(f"/console/items/{row.id}/schedule")
    reasons = await publishing.why_not_publish(office.deps.queue, row.id)
    assert len(reasons) >= 2
    for reason in reasons:
        assert reason.message in text


@pytest.mark.parametrize("login", ["editor", "duty1", "nobody"])
async def test_nobody_without_the_role_gets_at_the_actions(office: Office, login: str) -> None:
    row = await office.submitted(BODY)
    browser = await office.signed_in(login)
    for action in ("takeover", "waive", "referral", "class"):
        status, _ = await browser.post(
            f"/console/items/{row.id}/{action}", reason="试试", to="日常"
        )
        assert status == 403, action
