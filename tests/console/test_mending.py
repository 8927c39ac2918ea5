"""Attachments added through page and API, and suggestions accepted in one click."""

import json
from typing import Any

from aiohttp import FormData
from sqlalchemy import select

from review_queue import submitting
from review_queue.canonical import Draft
from review_queue.models import Item, Revision
from tests.console.office import Browser, Office
from tests.console.test_editing import fields_of
from tests.gates.office_files import document, hidden_identities, tracked, zipped

PHONE = "公示名单如下。\n张建国，身份证号11010519491231002X，手机13812345678。"


async def _draft(office: Office, item: Item) -> Draft:
    query = select(Revision.canonical).where(Revision.item_id == item.id)
    async with office.deps.db.session() as session:
        text = (await session.scalars(query.order_by(Revision.number.desc()))).first()
    return Draft.from_canonical(str(text))


def _form(name: str, content: bytes, version: int, **fields: str) -> FormData:
    form = FormData({"version": str(version), **fields})
    form.add_field("file", content, filename=name)
    return form


async def _upload(browser: Browser, item: Item, form: FormData) -> tuple[int, Any]:
    answer = await browser.client.post(
        f"/api/v1/items/{item.id}/attachments", data=form, headers={"X-CSRF": browser.csrf}
    )
    return answer.status, await answer.json()


# --- attachments ------------------------------------------------------------------------------


async def test_a_hidden_column_and_tracked_changes_stop_approval_on_page_and_api(
    office: Office,
) -> None:
    item, browser = await office.item("一句平常的话。", "日常"), await office.signed_in("editor")
    status, row = await _upload(
        browser, item, _form("名单.xlsx", hidden_identities(), item.version)
    )
    assert status == 201
    changed = document(["第一段", tracked("del", "内部口径") + tracked("ins", "对外口径")])
    status, row = await _upload(browser, item, _form("公示.docx", changed, row["version"]))
    assert status == 201
    _, told = await browser.api("GET", f"/items/{item.id}")
    blocked = [one["reason"] for one in told["findings"] if one["severity"] == "block"]
    assert any("名单.xlsx，工作表 名单 的 D 列（隐藏）第 2 至 51 行" in one for one in blocked)
    assert any("公示.docx，第 2 段的修订（李四删除）" in one for one in blocked)
    _, page = await browser.get(f"/console/items/{item.id}")
    assert "工作表 名单 的 D 列（隐藏）第 2 至 51 行" in page
    assert "第 2 段的修订（李四删除）" in page
    await submitting.submit(office.deps.queue, item.id, office.people["editor"], row["version"])
    reviewer = await office.signed_in("reviewer1")
    _, why = await reviewer.api("GET", f"/items/{item.id}/why-not")
    assert sum(one["rule"] == "finding" for one in why["reasons"]) >= 3


async def test_an_attachment_is_replaced_by_name_and_taken_off_through_the_page(
    office: Office,
) -> None:
    item, browser = await office.item("一句平常的话。"), await office.signed_in("editor")
    for content in (b"one", b"two"):
        current = await _version(office, item)
        form = _form("说明.txt", content, current, csrf=browser.csrf)
        answer = await browser.client.post(
            f"/console/items/{item.id}/attachments", data=form, allow_redirects=False
        )
        assert answer.status == 303
    assert [part["name"] for part in (await _draft(office, item)).attachments] == ["说明.txt"]
    _, page = await browser.get(f"/console/items/{item.id}/edit")
    assert "说明.txt" in page
    status, _ = await browser.post(
        f"/console/items/{item.id}/attachments/drop",
        name="说明.txt",
        version=str(await _version(office, item)),
    )
    assert status == 303
    assert (await _draft(office, item)).attachments == ()


async def _version(office: Office, item: Item) -> int:
    async with office.deps.db.session() as session:
        row = await session.get(Item, item.id)
    assert row is not None
    return row.version


async def test_useless_and_dangerous_files_are_refused_with_the_reason(office: Office) -> None:
    item, browser = await office.item("一句平常的话。"), await office.signed_in("editor")
    bomb = zipped({"word/document.xml": b" " * 40_000_000})
    for name, content, said in (
        ("炸弹.docx", bomb, "异常地大"),
        ("病毒.exe", b"MZ", "不能上传 .exe"),
        ("改名.pdf", b"MZ", "与后缀 .pdf 不符"),
        ("没有后缀", b"x", "不能上传 没有后缀"),
    ):
        status, told = await _upload(browser, item, _form(name, content, item.version))
        assert (status, said in told["message"]) == (422, True), told
    status, _ = await _upload(browser, item, _form("过时.txt", b"x", item.version - 1))
    assert status == 409
    reviewer = await office.signed_in("reviewer1")
    status, _ = await _upload(reviewer, item, _form("别人.txt", b"x", item.version))
    assert status == 403
    assert (await _draft(office, item)).attachments == ()


async def test_origin_and_licence_of_a_picture_are_part_of_the_digest(office: Office) -> None:
    item, browser = await office.item("一句平常的话。"), await office.signed_in("editor")
    form = _form("说明.txt", b"x", item.version, origin="李雪摄", licence="自有")
    await _upload(browser, item, form)
    (part,) = (await _draft(office, item)).attachments
    assert (part["origin"], part["licence"]) == ("李雪摄", "自有")


# --- suggestions ------------------------------------------------------------------------------


async def test_one_click_masks_all_personal_data_as_a_new_revision(office: Office) -> None:
    item, browser = await office.item(PHONE), await office.signed_in("editor")
    _, before = await browser.api("GET", f"/items/{item.id}")
    assert any(one["severity"] == "block" for one in before["findings"])
    _, page = await browser.get(f"/console/items/{item.id}")
    assert "一键遮盖 3 处个人信息" in page
    status, _ = await browser.post(
        f"/console/items/{item.id}/accept",
        version=str(item.version),
        personal="1",
        profile="strict",
    )
    assert status == 303
    _, after = await browser.api("GET", f"/items/{item.id}")
    assert after["content"]["body"] == (
        f"公示名单如下。\n张某，身份证号11{'*' * 16}，手机138{'*' * 8}。"
    )
    assert after["digest"] != before["digest"]
    assert after["revision"] == before["revision"] + 1
    assert [one for one in after["findings"] if one["gate"] == "secrecy"] == []


async def test_another_profile_keeps_more(office: Office) -> None:
    item, browser = await office.item(PHONE), await office.signed_in("editor")
    _, told = await browser.api("GET", "/redaction")
    assert [one["key"] for one in told["profiles"]] == ["strict", "street", "list"]
    body = {"version": item.version, "personal": True, "profile": "street"}
    status, _ = await browser.api("POST", f"/items/{item.id}/accept", body)
    assert status == 200
    text = (await _draft(office, item)).body
    assert text.endswith(f"身份证号11{'*' * 13}02X，手机138****5678。")
    status, told = await browser.api(
        "POST", f"/items/{item.id}/accept", body | {"version": item.version + 1}
    )
    assert (status, told["rule"]) == (422, "personal")


async def test_one_suggestion_is_accepted_and_a_stale_or_made_up_one_is_not(
    office: Office,
) -> None:
    item, browser = await office.item(PHONE), await office.signed_in("editor")
    _, told = await browser.api("GET", f"/items/{item.id}")
    (mobile,) = [one for one in told["findings"] if one["rule"] == "secrecy.mobile"]
    body = {key: mobile[key] for key in ("rule", "field", "start")} | {"version": item.version}
    path = f"/items/{item.id}/accept"
    assert (await browser.api("POST", path, body | {"replacement": "随便"}))[0] == 422
    assert (await browser.api("POST", path, body | {"start": 0}))[0] == 409
    assert (await browser.api("POST", path, body | {"version": item.version - 1}))[0] == 409
    assert (await browser.api("POST", path, {"version": item.version}))[0] == 422
    reviewer = await office.signed_in("reviewer1")
    assert (await reviewer.api("POST", path, body))[0] == 403
    status, _ = await browser.api("POST", path, body)
    assert status == 200
    assert "手机138********。" in (await _draft(office, item)).body


async def test_masking_voids_the_approvals_given_before(office: Office) -> None:
    row = await office.submitted("联系张某，邮箱zhang@example.com。")
    row = await office.decide(row, "reviewer1")
    browser = await office.signed_in("editor")
    body = {"version": row.version, "personal": True}
    status, told = await browser.api("POST", f"/items/{row.id}/accept", body)
    assert (status, told["state"]) == (200, "draft"), json.dumps(told, ensure_ascii=False)


async def test_a_file_from_the_form_brings_its_unsaved_words_back(office: Office) -> None:
    row, editor = await office.item("旧文"), await office.signed_in("editor")
    draft = await _draft(office, row)
    fields = fields_of(draft, row.version, body="打好没有保存", push="1", topics="employment")
    path = f"/console/items/{row.id}/attachments"

    async def sent(path: str, name: str, **more: str) -> tuple[int, str, str]:
        form = FormData({"csrf": editor.csrf})
        for key, value in (fields | more).items():
            for one in value if isinstance(value, list) else [value]:
                form.add_field(key, one)
        form.add_field("file", "办理说明".encode(), filename=name)
        answer = await editor.client.post(path, data=form, allow_redirects=False)
        return answer.status, answer.headers.get("Location", ""), await answer.text()

    # Refused, the form comes back with the reason and everything that was typed.
    status, _, page = await sent(path, "坏.exe", origin="李雪摄")
    assert status == 422
    assert "不能上传 .exe 的文件" in page
    assert "打好没有保存" in page
    assert 'value="李雪摄"' in page
    status, there, _ = await sent(path, "说明.txt")
    assert (status, there.split("#")[0]) == (
        303,
        f"/console/items/{row.id}/edit?restore=1&done=filed",
    )
    _, page = await editor.get(there)
    assert "打好没有保存" in page
    now = await _draft(office, row)
    assert [part["name"] for part in now.attachments] == ["说明.txt"]
    assert now.body == "旧文"
    # The words fit the version of now: saving them is no clash. Nothing unsaved, nothing kept.
    version = page.split('name="version" value="', 1)[1].split('"', 1)[0]
    again = fields | {"version": version}
    assert (await editor.post(f"/console/items/{row.id}/edit", **again))[0] == 303
    assert (await _draft(office, row)).body == "打好没有保存"
    fields["version"] = str(int(version) + 1)
    _, there, _ = await sent(f"{path}/drop", "", drop="说明.txt")
    assert there.split("#")[0] == f"/console/items/{row.id}/edit?done=saved"
    assert (await _draft(office, row)).attachments == ()
