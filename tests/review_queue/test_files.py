"""Files of a draft are checked with it: at every look, decision and sending."""

import asyncio
import io
import json
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from PIL import Image, PngImagePlugin

from blocks.document import read_document
from documents.sight import Eyes, Seen
from gates.engine import NoFacts, RuleSet
from review_queue.canonical import Draft
from review_queue.files import Files
from storage.database import Database
from storage.media import Blob, keep, marker
from tests.gates.office_files import hidden_identities

RULES = RuleSet.load()
FACTS = NoFacts()
MOMENT = datetime(2026, 11, 24, tzinfo=UTC)


async def _draft(database: Database, name: str, content: bytes, **more: str) -> Draft:
    async with database.session() as session:
        media = await keep(session, content, "application/octet-stream")
    files = ({"name": name, "media": media, **more},)
    return Draft("原创", "日常", "题", "文", (), MOMENT, MOMENT, attachments=files)


async def test_a_hidden_column_in_an_attachment_blocks_the_draft(database: Database) -> None:
    draft = await _draft(database, "名单.xlsx", hidden_identities())
    found = await Files(database).findings(draft, RULES, FACTS)
    blocked = [one for one in found if one.severity == "block"]
    assert [one.field for one in blocked] == ["attachment:名单.xlsx"]
    assert not blocked[0].waivable


async def test_a_known_file_is_not_read_again_but_another_name_or_rule_set_is(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft, files = await _draft(database, "名单.xlsx", hidden_identities()), Files(database)
    first = await files.findings(draft, RULES, FACTS)
    reads: list[object] = []
    real = files._read

    async def counted(file):
        reads.append(file)
        return await real(file)

    monkeypatch.setattr(files, "_read", counted)
    assert await files.findings(draft, RULES, FACTS) == first
    assert reads == []
    await files.findings(draft, RuleSet(RULES.rules[1:]), FACTS)
    assert len(reads) == 1
    renamed = replace(draft, attachments=({**draft.attachments[0], "name": "表.xlsx"},))
    await files.findings(renamed, RULES, FACTS)
    assert len(reads) == 2


async def test_bytes_changed_in_the_database_or_missing_are_a_block(database: Database) -> None:
    draft = await _draft(database, "a.txt", "好".encode())
    async with database.session() as session:
        blob = await session.get(Blob, draft.attachments[0]["media"].removeprefix("sha256:"))
        assert blob is not None
        await session.delete(blob)
    (lost,) = await Files(database).findings(draft, RULES, FACTS)
    assert (lost.rule, lost.severity) == ("secrecy.attachment-lost", "block")


async def test_a_picture_of_the_office_says_whose_it_is(database: Database) -> None:
    draft = await _draft(database, "图.png", b"not a picture")
    rules = [one.rule for one in await Files(database).findings(draft, RULES, FACTS)]
    assert "law.picture-origin" in rules
    told = await _draft(database, "图.png", b"not a picture", origin="本单位", licence="自有")
    rules = [one.rule for one in await Files(database).findings(told, RULES, FACTS)]
    assert "law.picture-origin" not in rules
    reposted = replace(draft, kind="转载")
    rules = [one.rule for one in await Files(database).findings(reposted, RULES, FACTS)]
    assert "law.picture-origin" not in rules


async def test_a_name_of_a_file_is_read_too(database: Database) -> None:
    draft = await _draft(database, "张建国13800138000（送审稿）.txt", "好".encode())
    found = await Files(database).findings(draft, RULES, FACTS)
    assert {one.rule for one in found} == {"secrecy.mobile", "secrecy.draft-mark"}
    assert all("文件名：" in one.reason for one in found)


async def test_a_missing_picture_of_the_text_is_marked_where_it_stands(database: Database) -> None:
    body = f"甲\n![]({marker(b'x')})\n乙"
    draft = Draft("原创", "日常", "题", body, (), MOMENT, MOMENT)
    (lost,) = await Files(database).findings(draft, RULES, FACTS)
    assert (lost.field, body[lost.start : lost.end]) == ("text", f"![]({marker(b'x')})")


async def test_a_picture_of_the_text_without_origin_or_licence_is_told_at_its_place(
    database: Database,
) -> None:
    picture = {"kind": "picture", "media": marker(b"x"), "alt": "现场"}
    bare = read_document([{"kind": "paragraph", "runs": [{"text": "见图"}]}, picture])
    full = read_document([picture | {"origin": "本单位", "licence": "自有"}])
    draft = Draft("原创", "日常", "题", "文", (), MOMENT, MOMENT)
    files = Files(database)
    found = await files.findings(draft.changed({"blocks": bare}), RULES, FACTS)
    assert [(one.field, one.start) for one in found if one.rule == "law.picture-origin"] == [
        ("text", 3)
    ]
    found = await files.findings(draft.changed({"blocks": full}), RULES, FACTS)
    assert [one for one in found if one.rule == "law.picture-origin"] == []


def _marked(label: str) -> bytes:
    """A picture whose PNG text says what GB 45438 has it say."""
    info, out = PngImagePlugin.PngInfo(), io.BytesIO()
    info.add_text("AIGC", json.dumps({"Label": label, "ContentProducer": "某平台"}))
    Image.new("RGB", (200, 120), "green").save(out, "PNG", pnginfo=info)
    return out.getvalue()


async def _with_picture(database: Database, made: str, where: str) -> Draft:
    async with database.session() as session:
        media = await keep(session, _marked("1"), "image/png")
    picture = {"kind": "picture", "media": media, "origin": "县融媒体中心", "licence": "自有"}
    draft = Draft(
        "原创", "日常", "题", "文", (), MOMENT, MOMENT, cover=media if where == "cover" else ""
    )
    return draft.changed({"blocks": read_document([picture | {"made": made}])})


@pytest.mark.parametrize("where", ["text", "cover"])
async def test_a_picture_that_says_it_is_generated_blocks_until_somebody_declares_it(
    database: Database, where: str
) -> None:
    files, places = Files(database), 2 if where == "cover" else 1
    for made, count in (("", places), ("human", places), ("assisted", 0), ("generated", 0)):
        draft = await _with_picture(database, made, where)
        found = await files.findings(draft, RULES, FACTS)
        told = [one for one in found if one.rule == "law.ai-label"]
        assert [one.severity for one in told] == ["block"] * count, made
    assert all("AIGC" in one.reason and "AI 生成" in one.reason for one in told)


class _Slow(Eyes):
    """Counts who waits in a thread for the one process."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = self.most = 0

    def read(self, name: str, content: bytes) -> Seen:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        time.sleep(0.02)
        self.waiting -= 1
        return Seen(pictures=1)


async def test_drafts_that_wait_for_pictures_to_be_read_keep_no_threads(
    database: Database,
) -> None:
    eyes = _Slow()
    files = Files(database, eyes=eyes)
    drafts = [await _draft(database, f"{number}.png", _png()) for number in range(4)]
    await asyncio.gather(*(files.findings(one, RULES, FACTS) for one in drafts))
    assert eyes.most == 1


def _png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (80, 80), "white").save(out, "PNG")
    return out.getvalue()
