"""The picture a reviewer looked at is the picture both platforms receive, byte for byte."""

import hashlib
import re
import secrets
from typing import Any

import pytest
from aiohttp import FormData
from sqlalchemy import select

from bot.contract import Content, State
from bot.models import Account, Publication
from documents.ai_marks import ai_marks
from gates.work import NotDone, Work
from review_queue import drafting, publishing, submitting
from review_queue.canonical import Draft
from review_queue.drafting import Origin
from review_queue.models import Item, Revision
from storage.crypt import DataKey
from tests.bot.conftest import Platforms, platforms
from tests.console.office import Browser, Office
from tests.console.test_same_digest import accounts_at, captured, send
from tests.documents import made_pictures as made

__all__ = ["platforms"]  # the fixture of that room, used here

PICTURES: dict[str, tuple[str, bytes]] = {
    "phone photo": ("会场.jpg", made.phone_photo(1600, 1200)),
    "heic photo": ("会场.heic", made.saved(made.scene(640, 480), "HEIF")),
    "transparent": ("图标.png", made.transparent()),
    "long": ("一图读懂.png", made.long_picture()),
    "animated": ("流程.gif", made.animated()),
}


async def upload(browser: Browser, row: Item, name: str, content: bytes) -> tuple[int, Any]:
    """Through the API, as the console's button does; the status and the answer."""
    data = FormData()
    for field, value in (("version", row.version), ("origin", "本单位拍摄"), ("licence", "自有")):
        data.add_field(field, str(value))
    data.add_field("file", content, filename=name)
    path, headers = f"/api/v1/items/{row.id}/attachments", {"X-CSRF": browser.csrf}
    async with browser.client.post(path, data=data, headers=headers) as answer:
        return answer.status, await answer.json()


async def received(platforms: Platforms, *methods: str) -> list[bytes]:
    """The pictures of these calls, fetched from the platform as a reader's phone does."""
    found = []
    for method in methods:
        for call in await captured(platforms, method):
            result = call["response"].get("result", {})
            kinds = (
                result.get("photo", [None])[-1],
                result.get("animation"),
                result.get("document"),
            )
            file = next((one for one in kinds if one), None)
            at = f"/telegram/file/bot7:abc/{file['file_id']}" if file else ""
            url = f"{platforms.url}{at}" if at else call["response"]["url"]
            async with platforms.http.get(url) as answer:
                assert answer.status == 200
                found.append(await answer.read())
    return found


@pytest.mark.parametrize("name", PICTURES)
async def test_what_the_reviewer_saw_is_what_both_platforms_received(
    office: Office, platforms: Platforms, name: str
) -> None:
    crypt = DataKey(secrets.token_bytes(32))
    accounts = await accounts_at(office, platforms, crypt)
    editor = await office.signed_in("editor")
    content = Content(kind="原创", title="大厅开放时间有调整", body="开放时间为上午九点。")
    row = await drafting.create_item(
        office.deps.queue, content, Origin(editor_id=office.people["editor"], klass="重要")
    )
    status, told = await upload(editor, row, *PICTURES[name])
    assert status == 201, told
    row = await _again(office, row)
    marker = (await _draft(office, row)).attachments[0]["media"]
    changes = {"body": f"{content.body}\n![会场]({marker})", "attachments": ()}
    row = await drafting.edit(
        office.deps.queue, row.id, office.people["editor"], row.version, changes
    )
    row = await submitting.submit(office.deps.queue, row.id, office.people["editor"], row.version)

    reviewer = await office.signed_in("reviewer1")
    _, page = await reviewer.get(f"/console/items/{row.id}")
    assert f"/console/media/{marker[7:]}" in page
    looked_at = await reviewer.client.get(f"/console/media/{marker[7:]}")
    seen = await looked_at.read()
    assert "sha256:" + hashlib.sha256(seen).hexdigest() == marker

    for login in ("reviewer1", "reviewer2", "reviewer3"):
        row = await office.decide(row, login)
    await publishing.schedule(office.deps.queue, row.id, office.people["editor"])
    await send(office, platforms, accounts, crypt)
    async with office.deps.db.session() as session:
        ids = {one.platform: one.id for one in (await session.scalars(select(Account))).all()}
        states = {one.account_id: one.state for one in await session.scalars(select(Publication))}
    assert states == {ids["wechat"]: State.SUBMITTED, ids["telegram"]: State.PUBLISHED}
    # The picture is the article's cover too: WeChat receives it twice, Telegram once.
    assert await received(platforms, "media/uploadimg", "material/add_material") == [seen, seen]
    ways = {"long": "sendDocument", "animated": "sendAnimation"}
    assert await received(platforms, "sendPhoto", "sendDocument", "sendAnimation") == [seen]
    assert await received(platforms, ways.get(name, "sendPhoto")) == [seen]
    [drafted] = await captured(platforms, "draft/add")
    assert "sha256:" not in drafted["parsed"]["articles"][0]["content"]
    assert "<img" in drafted["parsed"]["articles"][0]["content"]


async def test_an_ai_label_of_the_picture_is_in_the_file_that_is_reviewed_and_sent(
    office: Office,
) -> None:
    told = made.exif(6)
    told.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0AIGC" + made.AIGC.encode()
    photo = made.saved(made.scene(160, 120), "JPEG", exif=told)
    editor = await office.signed_in("editor")
    row = await office.item()
    status, answer = await upload(editor, row, "海报.jpg", photo)
    assert status == 201
    assert "已带上原有的人工智能生成标识" in answer["notes"]
    _, page = await editor.get(f"/console/items/{row.id}")
    [digest] = set(re.findall(r"/console/media/([0-9a-f]{64})", page))
    kept = await (await editor.client.get(f"/console/media/{digest}")).read()
    assert ai_marks(kept) == (made.AIGC_MARK,)
    assert b"Zhang" not in kept


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("图.svg", made.SVG, "SVG"),
        ("图.png", made.SVG, "SVG"),
        ("大.png", made.bomb(), "5000 万像素"),
        ("半截.jpg", made.phone_photo()[:9_000], "已损坏"),
        ("半截.heic", PICTURES["heic photo"][1][:3_000], "已损坏"),
        ("图.jpg", b"<html>login</html>", "不是认识的图片"),
        ("点.png", made.picture(2, 2), "太小"),
    ],
)
async def test_a_picture_that_cannot_be_used_is_refused_at_its_field_and_nothing_changes(
    office: Office, name: str, content: bytes, words: str
) -> None:
    editor = await office.signed_in("editor")
    row = await office.item()
    status, answer = await upload(editor, row, name, content)
    assert status == 422
    assert words in answer["reasons"][0]["message"]
    async with office.deps.db.session() as session:
        assert (await session.get_one(Item, row.id)).version == row.version


async def test_a_heic_photo_is_kept_as_jpg_and_replaces_no_other_picture(office: Office) -> None:
    editor = await office.signed_in("editor")
    row = await office.item()
    status, answer = await upload(editor, row, *PICTURES["heic photo"])
    assert status == 201
    assert "已由 HEIC 转为 JPG" in answer["notes"]
    row = await _again(office, row)
    assert [part["name"] for part in (await _draft(office, row)).attachments] == ["会场.jpg"]
    status, answer = await upload(editor, row, *PICTURES["heic photo"])
    assert status == 422
    assert "已有同名文件" in answer["reasons"][0]["message"]


async def test_a_picture_that_takes_too_long_is_told_of_as_a_picture(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def late(work: Work) -> None:
        raise NotDone("check-timeout", "检查超时：没有在 5 秒内查完，请删减或拆分后再提交")

    monkeypatch.setattr(office.deps.queue.runner, "run", late)
    editor = await office.signed_in("editor")
    status, answer = await upload(editor, await office.item(), *PICTURES["phone photo"])
    assert status == 422
    assert "请缩小后再上传" in answer["reasons"][0]["message"]


async def _again(office: Office, row: Item) -> Item:
    async with office.deps.db.session() as session:
        return await session.get_one(Item, row.id)


async def _draft(office: Office, row: Item) -> Draft:
    query = select(Revision.canonical).where(Revision.item_id == row.id)
    async with office.deps.db.session() as session:
        text = await session.scalar(query.order_by(Revision.number.desc()).limit(1))
    return Draft.from_canonical(str(text))
