"""What a person has seen, what changed since, notes, the timeline, and forms filled too early."""

import re

from sqlalchemy import func, select

from console.items.models import ItemView
from review_queue import drafting, submitting
from review_queue.models import Item
from tests.console.office import BODY, Office, busy_morning
from tests.console.test_review import answers, fields_of

TEXT = "开头写明申请对象。\n标准为每人1500元，一次发放。\n截止到十二月底。"


async def returned_and_changed(office: Office, body: str) -> Item:
    """Seen and returned by reviewer1, changed by the editor, submitted again."""
    row = await office.submitted(TEXT, "求职补贴")
    browser = await office.signed_in("reviewer1")
    await browser.get(f"/console/items/{row.id}")
    row = await office.decide(row, "reviewer1", "return")
    editor = office.people["editor"]
    row = await drafting.edit(office.deps.queue, row.id, editor, row.version, {"body": body})
    return await submitting.submit(office.deps.queue, row.id, editor, row.version)


async def test_the_next_look_shows_only_what_changed_since_the_last(office: Office) -> None:
    row = await returned_and_changed(office, TEXT.replace("1500", "1800"))
    browser = await office.signed_in("reviewer1")
    for _ in range(2):  # a second look at the same version shows the same change
        _, text = await browser.get(f"/console/items/{row.id}")
        assert "<del>1500</del><ins>1800</ins>" in text
        assert re.search(r'id="view-diff" checked', text)
        assert "1 段没有改动" in text
        assert "我上次看过的" in text
    other = await office.signed_in("reviewer2")
    _, text = await other.get(f"/console/items/{row.id}")
    assert "我上次看过的" not in text
    assert "上次送审的" in text
    assert not re.search(r'id="view-diff" checked', text)


async def test_a_moved_paragraph_is_said_to_have_moved(office: Office) -> None:
    first, second, third = TEXT.split("\n")
    row = await returned_and_changed(office, f"{first}\n{third}\n{second}")
    browser = await office.signed_in("reviewer1")
    _, body = await browser.api("GET", f"/items/{row.id}/changes")
    assert [line["kind"] for line in body["lines"]].count("moved") == 1
    assert {one["kind"] for line in body["lines"] for one in line["changes"]} == {"same"}


async def test_a_text_is_compared_with_its_source_when_asked(office: Office) -> None:
    ids = await busy_morning(office)
    browser = await office.signed_in("reviewer2")
    _, text = await browser.get(f"/console/items/{ids['reviewing']}?since=source")
    assert "抓取的原文 → 第 2 稿" in text
    assert "本公告自发布之日起施行。" in text.split("新加的一段", 1)[1]
    _, body = await browser.api("GET", f"/items/{ids['reviewing']}/changes?since=nonsense")
    assert body["since"] == body["choices"][0]


async def test_what_a_person_saw_is_kept_once_per_version(office: Office) -> None:
    row = await office.submitted()
    browser = await office.signed_in("reviewer1")
    for _ in range(3):
        await browser.get(f"/console/items/{row.id}")
    async with office.deps.db.session() as session:
        assert (await session.execute(select(func.count()).select_from(ItemView))).scalar() == 1


async def test_a_note_reaches_colleagues_and_leaves_approvals_alone(office: Office) -> None:
    row = await office.submitted()
    row = await office.decide(row, "reviewer1")
    browser = await office.signed_in("reviewer1")
    path = f"/console/items/{row.id}/notes"
    status, text = await browser.post(path, text="  ")
    assert status == 422
    assert "备注不能为空" in text
    assert (await browser.post(path, text="数字已向<县人社局>核实"))[0] == 303
    other = await office.signed_in("reviewer2")
    _, text = await other.get(f"/console/items/{row.id}")
    assert "数字已向&lt;县人社局&gt;核实" in text
    assert "张海（初审）" in text
    async with office.deps.db.session() as session:
        item = await session.get(Item, row.id)
    assert item is not None
    assert (item.level, item.version) == (1, row.version)
    assert (await (await office.signed_in("duty1")).post(path, text="我也说"))[0] == 403


async def test_the_timeline_tells_every_act_in_words(office: Office) -> None:
    ids = await busy_morning(office)
    browser = await office.signed_in("editor")
    _, body = await browser.api("GET", f"/items/{ids['published']}/timeline")
    told = [step["what"] for step in body["steps"]]
    for words in (
        "建立稿件",
        "提交审核（重要：初审 → 复审 → 终审）",
        "初审批准",
        "终审批准",
        "各级审核全部通过，放行",
        "青禾政务（微信）：未确认是否发出",
    ):
        assert words in told
    assert not [words for words in told if re.search(r"[a-z]\.[a-z]", words)]
    _, body = await browser.api("GET", f"/items/{ids['returned']}/timeline")
    assert {"初审退回"} <= {step["what"] for step in body["steps"]}
    assert "请核对数字" in [line for step in body["steps"] for line in step["lines"]]


async def test_a_decision_filled_too_early_keeps_its_words_beside_both_versions(
    office: Office,
) -> None:
    row = await office.submitted(TEXT, "求职补贴")
    browser = await office.signed_in("reviewer1")
    _, text = await browser.get(f"/console/items/{row.id}")
    fields = fields_of(text) | {"verdict": "approve"} | answers("policy", "wording")
    editor = office.people["editor"]
    changed = await drafting.edit(
        office.deps.queue, row.id, editor, row.version, {"body": TEXT.replace("1500", "1800")}
    )
    status, text = await browser.post(
        f"/console/items/{row.id}/decide",
        **fields,
        note="第二段我算过，是对的",
        mark_text="一次发放",
        department="县统计局",
    )
    assert status == 409
    assert "一次发放</dd>" in text
    assert "县统计局</dd>" in text
    assert "您填写时的内容" in text
    assert "<del>1500</del>" in text
    assert "第二段我算过，是对的" in text.split("您刚才填写的", 1)[1]
    await submitting.submit(office.deps.queue, row.id, editor, changed.version)
    status, text = await browser.post(
        f"/console/items/{row.id}/decide", **fields, note="第二段我算过，是对的"
    )
    assert status == 409
    assert "第二段我算过，是对的</textarea>" in text


async def test_an_edit_typed_too_early_is_shown_beside_what_was_saved_meanwhile(
    office: Office,
) -> None:
    row = await office.item(BODY, "日常", "求职补贴")
    browser = await office.signed_in("editor")
    _, text = await browser.get(f"/console/items/{row.id}/edit")
    fields = {
        name: re.findall(f'name="{name}" value="([^"]*)"', text)[0]
        for name in ("version", "not_before", "not_after", "title")
    }
    accounts = re.findall(r'name="accounts" value="([^"]+)"', text)
    await drafting.edit(
        office.deps.queue,
        row.id,
        office.people["editor"],
        row.version,
        {"body": "同事先保存的一段。"},
    )
    typed = fields | {"kind": "原创", "klass": "日常", "accounts": accounts}
    status, text = await browser.post(
        f"/console/items/{row.id}/edit", **typed, body="我写了很久的一段。"
    )
    assert status == 409
    assert "您填写的和现在保存的有" in text
    assert "我写了很久的一段。</textarea>" in text
    assert "<del>同事先保存" in text.split("现在保存的</h3>", 1)[1]
    newer = re.findall('name="version" value="([^"]*)"', text)[0]
    assert (
        await browser.post(
            f"/console/items/{row.id}/edit",
            **(typed | {"version": newer}),
            body="我写了很久的一段。",
        )
    )[0] == 303
