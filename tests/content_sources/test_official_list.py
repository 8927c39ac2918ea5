"""A published list becomes a proposal with a difference; another person puts it in force."""

import csv
import io

import docx
import openpyxl
import pytest
from sqlalchemy import select

from config.clock import now
from content_sources.changes import revoke
from content_sources.list_files import parse_list
from content_sources.list_models import ListImport
from content_sources.models import Source
from content_sources.official_list import (
    ListFile,
    approve_import,
    import_list,
    imported,
    last_version,
    reject_import,
)
from content_sources.whitelist import Refusal
from staff.refusal import Refused
from tests.content_sources.reposting import HOST, URL, Relay

ROWS = [
    ["序号", "单位名称", "所属地区", "域名"],
    ["1", "青禾县人民政府", "青禾", ""],
    ["2", "北原日报社", "北原", "www.beiyuan.example.cn"],
    ["3", "", "北原", ""],
    ["4", "北原日报社", "北原", ""],
    ["5", "草原通讯社", "北原", "http://坏 *.example.cn"],
]


def as_xlsx(rows: list[list[str]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["互联网新闻信息稿源单位名单"])
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_docx(rows: list[list[str]]) -> bytes:
    document = docx.Document()
    table = document.add_table(rows=0, cols=len(rows[0]))
    for row in rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def as_csv(rows: list[list[str]], encoding: str = "gb18030") -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode(encoding)


def as_html(rows: list[list[str]]) -> bytes:
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<html><body><table>{lines}</table></body></html>".encode()


@pytest.mark.parametrize(
    ("name", "data", "line"),
    [
        ("名单.xlsx", as_xlsx(ROWS), 5),
        ("名单.docx", as_docx(ROWS), 4),
        ("名单.csv", as_csv(ROWS), 4),
        ("名单.html", as_html(ROWS), 4),
    ],
)
def test_each_kind_of_file_gives_units_and_names_bad_rows(
    name: str, data: bytes, line: int
) -> None:
    parsed = parse_list(name, data)
    assert [unit.name for unit in parsed.units] == ["青禾县人民政府", "北原日报社", "草原通讯社"]
    assert parsed.units[1].hosts == ("www.beiyuan.example.cn",)
    assert parsed.problems[0] == f"第 {line} 行第 2 列：没有单位名称"
    assert parsed.problems[1].startswith(f"第 {line + 1} 行第 2 列：“北原日报社”重复")
    assert all(said.startswith(f"第 {line + 2} 行第 4 列") for said in parsed.problems[2:])
    assert len(parsed.problems) == 4


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("名单.xlsx", b"PK\x03\x04 broken"),
        ("名单.docx", as_xlsx(ROWS)),
        ("名单.pdf", b"%PDF-1.7"),
        ("名单.csv", b"1,2,3\n4,5,6\n"),
        ("名单.html", b""),
    ],
)
def test_a_file_that_is_no_list_is_refused_in_one_line(name: str, data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        parse_list(name, data)
    assert refused.value.status == 422
    assert "\n" not in str(refused.value)
    assert name in str(refused.value)


def listed(*names: str, version: str = "2025年6月版", replaces: str = "") -> ListFile:
    rows = [["单位名称"], *([name] for name in names)]
    return ListFile("名单.csv", as_csv(rows), version, "稿源单位名单公告", replaces)


async def sources(relay: Relay) -> dict[str, tuple[str, list[str], str]]:
    async with relay.db.session() as session:
        rows = (await session.scalars(select(Source))).all()
    return {row.organisation: (row.state, row.hosts, row.list_version) for row in rows}


async def test_an_import_is_in_force_only_after_a_second_person(relay: Relay) -> None:
    await relay.source()
    row = await import_list(
        relay.ledger, relay.people["admin1"], listed("青禾县人民政府", "北原日报社")
    )
    assert row.diff["added"] == ("北原日报社",)
    assert row.diff["kept"] == 1
    assert "北原日报社" not in await sources(relay)
    with pytest.raises(Refused, match="提出人不能批准"):
        await approve_import(relay.ledger, relay.people["admin1"], row.id)
    done = await approve_import(relay.ledger, relay.people["admin2"], row.id)
    assert done == {"changed": 2, "revoked": 0}
    assert await sources(relay) == {
        "青禾县人民政府": ("active", [HOST], "2025年6月版"),
        "北原日报社": ("active", [], "2025年6月版"),
    }
    async with relay.db.session() as session:
        assert await last_version(session) == "2025年6月版"
    assert not isinstance(await relay.reposts.judge(URL), Refusal)


async def test_a_new_version_drops_what_left_and_keeps_hosts_of_what_was_renamed(
    relay: Relay,
) -> None:
    await relay.source(list_version="2024版", organisation="青禾县人民政府网站")
    await relay.source(list_version="2024版", organisation="北原晚报", hosts=("a.example.cn",))
    await relay.source(organisation="本县融媒体中心", hosts=("b.example.cn",))
    file = listed("青禾县人民政府网", "草原通讯社", version="2025版", replaces="2024版")
    row = await import_list(relay.ledger, relay.people["admin1"], file)
    assert [(old, new) for _, old, new in row.diff["renamed"]] == [
        ("青禾县人民政府网站", "青禾县人民政府网")
    ]
    assert [name for _, name in row.diff["removed"]] == ["北原晚报"]
    assert row.diff["added"] == ("草原通讯社",)
    await approve_import(relay.ledger, relay.people["admin2"], row.id)
    assert await sources(relay) == {
        "青禾县人民政府网": ("active", [HOST], "2025版"),
        "北原晚报": ("revoked", ["a.example.cn"], "2024版"),
        "本县融媒体中心": ("active", ["b.example.cn"], ""),
        "草原通讯社": ("active", [], "2025版"),
    }
    judged = await relay.reposts.judge("https://a.example.cn/x")
    assert isinstance(judged, Refusal)
    assert judged.rule == "revoked"


async def test_a_rejected_list_leaves_nothing_waiting(relay: Relay) -> None:
    await relay.source()
    file = listed("青禾县人民政府", "北原日报社")
    row = await import_list(relay.ledger, relay.people["admin1"], file)
    await reject_import(relay.ledger, relay.people["admin2"], row.id)
    assert await sources(relay) == {
        "青禾县人民政府": ("active", [HOST], ""),
    }
    with pytest.raises(Refused, match="已经有结论"):
        await approve_import(relay.ledger, relay.people["admin2"], row.id)


async def test_an_office_of_the_same_body_is_another_unit(relay: Relay) -> None:
    await relay.source(list_version="2024版", organisation="青禾县人民政府")
    file = listed("青禾县人民政府办公室", version="2025版", replaces="2024版")
    row = await import_list(relay.ledger, relay.people["admin1"], file)
    assert row.diff["renamed"] == ()
    assert row.diff["added"] == ("青禾县人民政府办公室",)
    assert [name for _, name in row.diff["removed"]] == ["青禾县人民政府"]


async def test_a_list_is_overtaken_by_a_source_that_changed_since(relay: Relay) -> None:
    source_id = await relay.source()
    file = listed("青禾县人民政府", "北原日报社")
    row = await import_list(relay.ledger, relay.people["admin1"], file)
    await revoke(relay.ledger, relay.people["admin2"], source_id)
    with pytest.raises(Refused, match="重新导入这份名单"):
        await approve_import(relay.ledger, relay.people["admin2"], row.id)
    again = await import_list(relay.ledger, relay.people["admin2"], file)
    assert (await approve_import(relay.ledger, relay.people["admin1"], again.id))["changed"] == 2


async def test_a_list_of_an_earlier_version_is_still_shown(relay: Relay) -> None:
    diff = {"added": [], "removed": [], "renamed": [], "kept": 0, "problems": []}
    given = {"file_name": "a.csv", "file": "sha256:1", "basis": "公告一份", "diff": diff}
    async with relay.db.session() as session:
        for key, state in (("a" * 26, "approved"), ("b" * 26, "proposed")):
            session.add(
                ListImport(
                    id=key,
                    list_version=f"{state}版",
                    state=state,
                    proposed_by="x",
                    proposed_at=now(),
                    decided_at=now(),
                    **given,
                )
            )
    async with relay.db.session() as session:
        assert await last_version(session) == "approved版"
        seen = await imported(session, "b" * 26)
    assert seen is not None
    assert (seen.list_version, seen.state) == ("proposed版", "lapsed")
    with pytest.raises(Refused, match="没有这次导入"):
        await approve_import(relay.ledger, relay.people["admin2"], "b" * 26)
