"""The expert's page: no account, one answer, gone after an edit."""

import re

from review_queue.findings import findings_now
from tests.console.office import Browser, Office


async def link_of(office: Office, browser: Browser, item_id: str) -> str:
    fields = {"organisation": "县人社局就业科", "question": "请核对期限", "days": "5"}
    status, text = await browser.post(f"/console/items/{item_id}/experts", **fields)
    assert status == 200
    return re.search(r'value="[^"]*(/expert/[\w-]+)"', text)[1]  # type: ignore[index]


async def test_an_expert_answers_without_an_account(office: Office) -> None:
    row = await office.submitted()
    editor = await office.signed_in("editor")
    path = await link_of(office, editor, row.id)
    stranger = Browser(office.client())
    status, text = await stranger.get(path)
    assert status == 200
    assert "一句平常的话" in text
    assert "李雪" not in text
    digest = re.search(r'name="digest" value="(\w+)"', text)[1]  # type: ignore[index]
    status, text = await stranger.post(path, digest=digest, verdict="problem", name="李处长")
    assert status == 422
    assert "有问题请写明" in text
    assert 'value="李处长"' in text
    said = {"digest": digest, "verdict": "agree", "name": "李处长", "text": "无误"}
    status, text = await stranger.post(path, **said)
    assert status == 200
    assert "已收到您的答复" in text
    assert (await stranger.get(path))[0] == 410
    _, text = await editor.get(f"/console/items/{row.id}/experts")
    assert "没有问题" in text
    assert "李处长" in text


async def test_after_an_edit_the_link_says_the_content_changed(office: Office) -> None:
    row = await office.item("先写的内容。")
    editor = await office.signed_in("editor")
    path = await link_of(office, editor, row.id)
    body = {"version": row.version, "body": "改过的内容。"}
    assert (await editor.api("POST", f"/items/{row.id}/revisions", body))[0] == 200
    status, text = await Browser(office.client()).get(path)
    assert status == 410
    assert "内容已变化" in text


async def test_a_form_from_elsewhere_and_a_file_from_elsewhere_are_refused(office: Office) -> None:
    row = await office.submitted()
    editor = await office.signed_in("editor")
    path = await link_of(office, editor, row.id)
    client = office.client()
    answer = await client.post(path, data={"name": "x"}, headers={"Origin": "https://bad.example"})
    assert answer.status == 403
    assert (await client.get(f"{path}/media/{'0' * 64}")).status == 404


async def test_only_editorial_staff_ask(office: Office) -> None:
    row = await office.submitted()
    body = {"organisation": "县人社局", "question": "请核对", "days": 3}
    duty = await office.signed_in("duty1")
    assert (await duty.api("POST", f"/items/{row.id}/experts", body))[0] == 403
    reviewer = await office.signed_in("reviewer1")
    status, told = await reviewer.api("POST", f"/items/{row.id}/experts", body)
    assert status == 201
    assert "/expert/" in told["url"]
    _, listed = await reviewer.api("GET", f"/items/{row.id}/experts")
    assert [link["words"] for link in listed["experts"]] == ["等待答复"]
    assert told["url"].rsplit("/", 1)[1] not in str(listed)


async def test_an_expert_answers_a_referral_and_the_reviewer_sees_it(office: Office) -> None:
    row = await office.submitted()
    reviewer = await office.signed_in("reviewer1")
    digest, _ = await findings_now(office.deps.queue, row.id)
    ask = {"verdict": "refer", "department": "县统计局", "note": "数字对不对", "proof": "1"}
    page = f"/console/items/{row.id}"
    status, _ = await reviewer.post(f"{page}/decide", digest=digest, version=row.version, **ask)
    assert status == 303
    path = await link_of(office, reviewer, row.id)
    said = {"digest": digest, "verdict": "problem", "name": "王科长", "text": "增速应为5.2%"}
    assert (await Browser(office.client()).post(path, **said))[0] == 200
    _, told = await reviewer.api("GET", f"/items/{row.id}")
    assert told["state"] == "review"
    _, text = await reviewer.get(page)
    assert "增速应为5.2%" in text
    assert "有问题" in text


async def test_an_older_opinion_does_not_answer_a_later_referral(office: Office) -> None:
    row = await office.submitted()
    reviewer = await office.signed_in("reviewer1")
    path = await link_of(office, reviewer, row.id)
    digest, _ = await findings_now(office.deps.queue, row.id)
    ask = {"verdict": "refer", "department": "县统计局", "note": "数字对不对", "proof": "1"}
    page = f"/console/items/{row.id}"
    await reviewer.post(f"{page}/decide", digest=digest, version=row.version, **ask)
    said = {"digest": digest, "verdict": "agree", "name": "王科长", "text": ""}
    assert (await Browser(office.client()).post(path, **said))[0] == 200
    _, told = await reviewer.api("GET", f"/items/{row.id}")
    assert told["state"] == "referred"


async def test_a_link_made_by_the_author_does_not_lift_a_referral(office: Office) -> None:
    row = await office.submitted()
    reviewer, editor = await office.signed_in("reviewer1"), await office.signed_in("editor")
    digest, _ = await findings_now(office.deps.queue, row.id)
    ask = {"verdict": "refer", "department": "县统计局", "note": "数字对不对", "proof": "1"}
    page = f"/console/items/{row.id}"
    await reviewer.post(f"{page}/decide", digest=digest, version=row.version, **ask)
    path = await link_of(office, editor, row.id)
    said = {"digest": digest, "verdict": "agree", "name": "王科长", "text": ""}
    assert (await Browser(office.client()).post(path, **said))[0] == 200
    _, told = await reviewer.api("GET", f"/items/{row.id}")
    assert told["state"] == "referred"
