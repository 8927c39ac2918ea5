"""What the drafting form takes: blocks of the editor, the fields beside the text, pictures."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData

from blocks.document import Document, Made, read_document
from blocks.editor import to_editor
from config.clock import beijing
from console.web.static import library
from review_queue.canonical import Draft
from tests.console.article import article, draft_of, kept, notice, png, revision, said
from tests.console.office import Browser, Office


def fields_of(draft: Draft, version: int, **typed: Any) -> dict[str, Any]:
    """The form as a browser fills it from the draft, with what was typed."""
    moment = "%Y-%m-%dT%H:%M"
    return {
        "version": str(version),
        "title": draft.title,
        "kind": draft.kind,
        "klass": draft.klass,
        "accounts": list(draft.accounts),
        "not_before": beijing(draft.not_before).strftime(moment),
        "not_after": beijing(draft.not_after).strftime(moment),
        **typed,
    }


def tree(document: Document) -> str:
    return json.dumps(to_editor(document))


async def saved(browser: Browser, item_id: str, fields: dict[str, Any]) -> tuple[int, str]:
    form = FormData({"csrf": browser.csrf})
    for name, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            form.add_field(name, one)
    path = f"/console/items/{item_id}/edit"
    answer = await browser.client.post(path, data=form, allow_redirects=False)
    return answer.status, await answer.text()


async def test_blocks_and_the_fields_beside_them_are_saved_from_the_form(office: Office) -> None:
    row, editor = await office.item("旧文"), await office.signed_in("editor")
    media = await kept(office, png())
    typed = {
        "blocks": tree(notice(media)),
        "summary": " 补贴\n开始申请 ",
        "author": "县人社局",
        "made": "assisted",
        "cover": media,
        "crop_wide": "0,100000,1000000,725532",
    }
    draft = await draft_of(office, row.id)
    status, _ = await saved(editor, row.id, fields_of(draft, row.version, **typed))
    assert status == 303
    now = await draft_of(office, row.id)
    assert now.blocks == notice(media)
    assert (now.summary, now.author, now.made) == ("补贴 开始申请", "县人社局", Made.ASSISTED)
    assert (now.cover, now.crops) == (media, {"wide": (0, 100_000, 1_000_000, 725_532)})


async def test_the_plain_box_left_alone_keeps_the_digest_and_the_table(office: Office) -> None:
    row = await article(office, notice(await kept(office, png())))
    editor, before = await office.signed_in("editor"), await revision(office, row.id)
    _, page = await editor.get(f"/console/items/{row.id}/edit")
    assert "<textarea" in page
    draft = await draft_of(office, row.id)
    fields = fields_of(draft, row.version, body=draft.body.replace("\n", "\r\n"))
    assert (await saved(editor, row.id, fields))[0] == 303
    assert (await revision(office, row.id)).digest == before.digest
    changed = fields | {"body": draft.body.replace("学籍证明", "学生证")}
    assert (await saved(editor, row.id, changed))[0] == 303
    document = (await draft_of(office, row.id)).blocks
    assert document is not None
    kinds = [one.kind for one in document.blocks]
    assert kinds.count("table") == 2


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("县政务大厅", "县" * 301, "图片的说明最多 300 字"),
        ("办事大厅", "厅" * 301, "图片的替代文字最多 300 字"),
    ],
)
async def test_words_too_long_for_their_place_are_named_and_stay_in_the_plain_box(
    office: Office, old: str, new: str, words: str
) -> None:
    row = await article(office, notice(await kept(office, png())))
    editor, draft = await office.signed_in("editor"), await draft_of(office, row.id)
    body = draft.body.replace(old, new)
    status, page = await saved(editor, row.id, fields_of(draft, row.version, body=body))
    assert status == 422
    assert words in page
    assert new in page
    told = {"version": row.version, "body": body}
    status, answer = await editor.api("POST", f"/items/{row.id}/revisions", told)
    assert (status, answer["rule"]) == (422, "body")
    assert await draft_of(office, row.id) == draft


async def test_a_line_of_a_picture_too_long_to_be_one_stays_words(office: Office) -> None:
    line = f"![{'长' * 301}](sha256:{'a' * 64})"
    editor = await office.signed_in("editor")
    status, made = await editor.api(
        "POST", "/items", {"kind": "原创", "title": "标题", "body": f"前一段\n{line}"}
    )
    assert status == 201
    assert (await draft_of(office, made["id"])).body == f"前一段\n{line}"


@pytest.mark.parametrize(
    ("typed", "said_words"),
    [
        ({"from_url": "javascript:alert(1)"}, "原文链接只能是网址"),
        ({"from_url": "data:text/html,x"}, "原文链接只能是网址"),
        ({"summary": "补" * 121}, "摘要最多 120 字，现在是 121 字"),
        ({"author": "局" * 17}, "作者最多 16 字"),
        ({"made": "robot"}, "谁写的只能选"),
        ({"cover": "https://x/y.png"}, "封面要先上传"),
        ({"crop_wide": "5,5"}, "裁剪范围"),
        ({"crop_square": "9,0,3,5"}, "裁剪范围"),
        ({"blocks": '{"type":"doc","content":[{"type":"iframe"}]}'}, "第 1 段：不认识的内容"),
        ({"blocks": "[" * 100_000}, "正文读不出来"),
    ],
)
async def test_what_is_not_taken_is_named_and_what_was_typed_stays(
    office: Office, typed: dict[str, str], said_words: str
) -> None:
    row, editor = await office.item("旧文"), await office.signed_in("editor")
    document = read_document([{"kind": "heading", "runs": said("打好的标题行")}])
    words = {"blocks": tree(document), "summary": "打好的摘要", "cover": "sha256:" + "a" * 64}
    fields = fields_of(await draft_of(office, row.id), row.version, **(words | typed))
    status, page = await saved(editor, row.id, fields)
    assert status == 422
    assert said_words in page
    if "blocks" not in typed:
        assert (
            "打好的标题行" in page.encode().decode("unicode_escape", "ignore")
            or "打好的标题行" in page
        )
    if "summary" not in typed:
        assert "打好的摘要" in page
    for name in ("from_url", "author"):
        if name in typed:
            assert f'value="{typed[name]}"' in page
    assert (await draft_of(office, row.id)).body == "旧文"


async def test_a_repost_whose_address_was_never_one_can_still_be_edited(office: Office) -> None:
    row, editor = await office.item("旧文"), await office.signed_in("editor")
    fields = fields_of(await draft_of(office, row.id), row.version, body="新文")
    assert (await saved(editor, row.id, fields | {"from_url": "https://www.gov.cn/a"}))[0] == 303
    assert (await draft_of(office, row.id)).attribution["url"] == "https://www.gov.cn/a"


# --- pictures ---------------------------------------------------------------------------------


async def upload(browser: Browser, name: str, content: bytes) -> tuple[int, dict[str, Any]]:
    form = FormData()
    form.add_field("file", content, filename=name)
    answer = await browser.client.post(
        "/console/items/pictures", data=form, headers={"X-CSRF": browser.csrf}
    )
    return answer.status, await answer.json()


async def test_a_picture_for_the_text_is_kept_and_shown_before_it_is_in_a_draft(
    office: Office,
) -> None:
    editor = await office.signed_in("editor")
    status, told = await upload(editor, "大厅.png", png())
    assert status == 201
    answer = await editor.client.get(f"/console/media/{told['media'][7:]}")
    assert (answer.status, answer.content_type) == (200, "image/png")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("文件.docx", b"PK", "正文里只能放图片"),
        ("图.svg", b"<svg><script/></svg>", "正文里只能放图片"),
        ("坏.png", b"\x89PNG\r\n\x1a\n" + b"0" * 20, "坏.png"),
    ],
)
async def test_what_is_no_picture_is_refused_in_words(
    office: Office, name: str, content: bytes, words: str
) -> None:
    status, told = await upload(await office.signed_in("editor"), name, content)
    assert status == 422
    assert words in told["problem"]


async def test_who_does_not_write_cannot_keep_pictures(office: Office) -> None:
    browser = await office.signed_in("reviewer1")
    form = FormData()
    form.add_field("file", png(), filename="图.png")
    headers = {"X-CSRF": browser.csrf}
    answer = await browser.client.post("/console/items/pictures", data=form, headers=headers)
    assert answer.status == 403


async def test_a_picture_of_the_text_without_origin_or_licence_is_found_at_its_place(
    office: Office,
) -> None:
    media = await kept(office, png())
    picture = {"kind": "picture", "media": media, "alt": "大厅"}
    words = {"kind": "paragraph", "runs": said("开放时间")}
    row = await article(office, read_document([words, picture]))
    _, told = await (await office.signed_in("editor")).api("GET", f"/items/{row.id}")
    (found,) = [one for one in told["findings"] if one["rule"] == "law.picture-origin"]
    assert told["content"]["body"][found["start"] : found["end"]].startswith("![大厅](")
    whole = read_document([picture | {"origin": "李雪摄", "licence": "自有"}])
    row = await article(office, whole)
    _, told = await (await office.signed_in("editor")).api("GET", f"/items/{row.id}")
    assert [one for one in told["findings"] if one["rule"] == "law.picture-origin"] == []


# --- the files of the editor ------------------------------------------------------------------


async def test_the_editor_comes_from_here_packed_and_for_good(office: Office) -> None:
    editor = await office.signed_in("editor")
    _, page = await editor.get("/console/items/new")
    found = re.findall(r'(?:src|href)="([^"]+\.(?:js|css))', page)
    assert all(path.startswith("/console/static/") for path in found)
    path = next(path for path in found if path.endswith("/prose-editor.js"))
    answer = await editor.client.get(path, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "immutable" in answer.headers["Cache-Control"]
    source = library()
    assert source is not None
    assert await answer.read() == source.read_bytes()
    assert len(gzip.compress(source.read_bytes(), 6)) < 200_000
    plain = await editor.client.get(path, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert (await editor.client.get("/console/static/0123456789ab/../app.py")).status == 404


async def test_no_other_page_loads_the_editor(office: Office) -> None:
    editor = await office.signed_in("editor")
    for path in ("/console/", "/console/items"):
        assert "prose-editor" not in (await editor.get(path))[1]


def test_a_missing_package_is_no_editor() -> None:
    assert library("no_such_package_here") is None
    assert library("pytest") is None
    assert isinstance(library(), Path)


# --- the API ----------------------------------------------------------------------------------


async def test_the_api_takes_blocks_and_what_stands_beside_them(office: Office) -> None:
    editor, media = await office.signed_in("editor"), await kept(office, png())
    body = {
        "kind": "原创",
        "title": "补贴开始申请",
        "blocks": notice(media).data(),
        "summary": "开始申请",
        "author": "县人社局",
        "made": "generated",
        "cover": media,
        "crops": {"square": [0, 0, 666_667, 1_000_000]},
    }
    status, made = await editor.api("POST", "/items", body)
    assert status == 201, made
    draft = await draft_of(office, made["id"])
    assert draft.blocks == notice(media)
    assert (draft.summary, draft.author, draft.made) == ("开始申请", "县人社局", Made.GENERATED)
    assert draft.crops == {"square": (0, 0, 666_667, 1_000_000)}
    change = {"version": made["version"], "summary": "另一句", "cover": ""}
    status, _ = await editor.api("POST", f"/items/{made['id']}/revisions", change)
    assert status == 200
    now = await draft_of(office, made["id"])
    assert (now.summary, now.cover, now.blocks) == ("另一句", "", draft.blocks)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"blocks": [{"kind": "script"}]}, "blocks.0"),
        ({"blocks": []}, "正文不能为空"),
        ({"summary": "补" * 121}, "摘要最多 120 字"),
        ({"made": "robot"}, "字段 made 不对"),
        ({"crops": {"round": [0, 0, 1, 1]}}, "封面裁剪只有"),
        ({"cover": "javascript:x"}, "封面要先上传"),
        ({"attribution": {"url": "javascript:alert(1)"}}, "原文链接只能是网址"),
        ({"title": "标题\x00"}, "标题里有换行或看不见的控制字符"),
        ({"title": "标题\n另起一段"}, "标题里有换行或看不见的控制字符"),
        ({"attribution": {"source": "县局\n\n另起一段"}}, "署名里有换行或看不见的控制字符"),
        (
            {"blocks": [{"kind": "quote", "runs": said("文", link="https://a.cn/\x00")}]},
            "链接只能是网址",
        ),
    ],
)
async def test_the_api_names_the_part_that_is_wrong(
    office: Office, wrong: dict[str, Any], words: str
) -> None:
    editor = await office.signed_in("editor")
    body = {"kind": "原创", "title": "标题", "blocks": [{"kind": "paragraph", "runs": said("文")}]}
    status, told = await editor.api("POST", "/items", body | wrong)
    assert status == 422
    assert words in told["message"]
