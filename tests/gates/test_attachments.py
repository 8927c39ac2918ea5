"""Attachments: what they hide is found and named by its place; hostile files do no harm."""

import io
import random
import struct
import time
import zipfile
from dataclasses import replace
from datetime import date

import pypdf
import pytest
from PIL import Image, ImageDraw

from documents import parts as reading
from documents.pictures import read_picture
from documents.reader import read_attachment
from gates.attachments import FileDraft, file_findings
from gates.engine import Finding, NoFacts, RuleSet
from gates.finding import STANDARD
from tests.documents import made_pictures as made
from tests.gates.office_files import (
    document,
    hidden_identities,
    identity,
    run,
    sheet,
    tracked,
    workbook,
    zipped,
)

RULES = RuleSet.load()


def _found(name: str, content: bytes) -> list[Finding]:
    file = FileDraft(name, read_attachment(name, content), "原创", date(2026, 11, 24))
    return file_findings(file, RULES, NoFacts())


def _rules(name: str, content: bytes) -> set[tuple[str, str]]:
    return {(one.rule.removeprefix("secrecy."), one.severity) for one in _found(name, content)}


def _reason(found: list[Finding], rule: str) -> str:
    (one,) = [one for one in found if one.rule == f"secrecy.{rule}"]
    return one.reason


# --- what is hidden ---------------------------------------------------------------------------


def test_a_hidden_column_of_identity_numbers_is_one_block_named_by_sheet_column_and_rows() -> None:
    found = _found("名单.xlsx", hidden_identities())
    (blocked,) = [one for one in found if one.severity == "block"]
    assert blocked.reason.startswith("工作表 名单 的 D 列（隐藏）第 2 至 51 行：公民身份号码")
    assert "共 50 处" in blocked.reason
    assert blocked.field == "attachment:名单.xlsx"
    assert not blocked.waivable
    assert _reason(found, "attachment-hidden-column").startswith("工作表 名单 的 D 列：")


def test_the_same_table_without_that_column_is_clean() -> None:
    assert _found("名单.xlsx", workbook({"名单": sheet([["序号", "村"], [1, "东村"]])})) == []


def test_hidden_sheets_hidden_rows_and_unlisted_sheets_are_read() -> None:
    rows: list[list[str | int]] = [["手机"], [13800138000]]
    sheets = {"公开": sheet([["序号"], [1], [2]], hidden_rows=[3]), "底稿": sheet(rows)}
    stray = {"xl/worksheets/sheet9.xml": sheet([["手机"], [13900139000]])}
    found = _found("表.xlsx", workbook(sheets, {"底稿": "veryHidden"}, stray))
    numbers = {one.text: one.reason for one in found if one.rule == "secrecy.mobile"}
    assert numbers["13800138000"].startswith("工作表 底稿（深度隐藏） 的 A 列第 2 行")
    assert "13900139000" in numbers
    hidden = [one for one in found if one.rule == "secrecy.attachment-hidden-row"]
    assert [one.reason.partition("：")[0] for one in hidden] == ["工作表 公开 第 3 行"]
    assert any(one.rule == "secrecy.attachment-hidden-sheet" for one in found)


def test_what_a_workbook_keeps_of_other_workbooks_is_read() -> None:
    cache = "<externalLink><row><cell><v>13800138000</v></cell></row></externalLink>"
    pivot = '<pivotCacheRecords><r><s v="手机13900139000"/></r></pivotCacheRecords>'
    more = {
        "xl/externalLinks/externalLink1.xml": cache,
        "xl/pivotCache/pivotCacheRecords1.xml": pivot,
    }
    found = _found("表.xlsx", workbook({"表": sheet([["序号"]])}, more=more))
    assert {one.reason.partition("（")[0] for one in found} == {"外部链接缓存", "数据透视表缓存"}


def test_a_number_stored_as_a_float_and_a_sum_are_told_apart_by_their_headings() -> None:
    cells = '<c r="A2"><v>1.3800138E10</v></c><c r="B2"><v>1.3800138E10</v></c>'
    row = f"<row r='2'>{cells}</row></sheetData>"
    table = sheet([["手机", "金额（元）"]]).replace("</sheetData>", row)
    found = [one for one in _found("表.xlsx", workbook({"表": table})) if one.gate == "secrecy"]
    assert [(one.rule, one.reason.partition("：")[0]) for one in found] == [
        ("secrecy.mobile", "工作表 表 的 A 列第 2 行")
    ]


def test_tracked_changes_are_blocks_named_by_paragraph_author_and_kind() -> None:
    inside = run("公示名单。") + tracked("del", f"身份证{identity(1949)}") + tracked("ins", "已核")
    found = _found("公示.docx", document(["第一段", inside, "第三段"]))
    changes = [one for one in found if one.rule == "secrecy.attachment-tracked-change"]
    assert [one.reason.partition("：")[0] for one in changes] == [
        "第 2 段的修订（李四删除）",
        "第 2 段的修订（李四插入）",
    ]
    assert all(one.severity == "block" for one in changes)
    assert _reason(found, "id-card").startswith("第 2 段的修订（李四删除的文字）：")


def test_a_clean_document_has_no_finding() -> None:
    assert _found("通知.docx", document(["关于做好技能培训的通知", "请按时报名。"])) == []


def test_hidden_text_comments_headers_and_properties_are_read() -> None:
    base = document(
        [run("看得见") + run("手机13800138000", properties="<w:vanish/>")],
        last_modified_by="欧阳建国",
        author="张建国",
        title="机密★5年",
    )
    comment = '<w:comments xmlns:w="w"><w:comment w:author="王科长"><w:p><w:r><w:t>先别发</w:t></w:r></w:p></w:comment></w:comments>'  # noqa: E501
    header = '<w:hdr xmlns:w="w" xmlns:v="v"><w:p><w:r><w:pict><v:shape><v:textpath string="内部资料 注意保存"/></v:shape></w:pict></w:r></w:p></w:hdr>'  # noqa: E501
    found = _found(
        "文.docx", _with(base, {"word/comments.xml": comment, "word/header9.xml": header})
    )
    assert "第 1 条批注（王科长）" in _reason(found, "attachment-comment")
    assert "页眉里的水印" in _reason(found, "internal-paper")
    assert "第 1 段的隐藏文字" in _reason(found, "mobile")
    assert "第 1 段的隐藏文字" in _reason(found, "attachment-hidden")
    assert "文档属性“标题”" in _reason(found, "classification-mark")
    assert [one.text for one in found if one.rule.endswith("properties")] == ["张建国"]


def _with(content: bytes, more: dict[str, str]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return zipped({**{name: archive.read(name) for name in archive.namelist()}, **more})


def test_tables_of_a_document_are_read_under_their_headings() -> None:
    table = "".join(
        f"<w:tr>{''.join(f'<w:tc><w:p>{run(cell)}</w:p></w:tc>' for cell in row)}</w:tr>"
        for row in (("姓名", "身份证号"), ("张三", "110105194912310021"))
    )
    inside = f"<w:tbl>{table}</w:tbl>"
    base = document(["附件"])
    with zipfile.ZipFile(io.BytesIO(base)) as archive:
        body = archive.read("word/document.xml").decode()
    found = _found("表.docx", _with(base, {"word/document.xml": body.replace("<w:sectPr", inside + "<w:sectPr", 1)}))  # fmt: skip  # noqa: E501
    assert _reason(found, "id-card-invalid").startswith("表格 1 第 2 列第 2 行：")


def test_csv_html_and_text_name_row_column_and_line() -> None:
    table = "姓名,手机\n张三,13800138000\n李四,13900139000\n"
    assert _reason(_found("a.csv", table.encode("gb18030")), "mobile").startswith(
        "第 2 列第 2 至 3 行："
    )
    assert _reason(_found("a.txt", "甲\n手机13800138000".encode()), "mobile").startswith(
        "第 2 行："
    )
    page = "<p>好</p><!-- 手机13800138000 --><p style='display:none'>机密★</p>"
    found = _found("a.html", page.encode())
    assert _reason(found, "mobile").startswith("网页源码的注释：")
    assert _reason(found, "classification-mark").startswith("网页里看不见的文字：")


# --- pages and pictures -----------------------------------------------------------------------


def _pdf(author: str = "", password: str = "") -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(200, 200)
    if author:
        writer.add_metadata({"/Author": author})
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def test_a_page_without_a_text_layer_is_for_a_person() -> None:
    found = _found("扫描.pdf", _pdf("张建国"))
    assert _reason(found, "attachment-look").startswith("第 1 页没有文字层")
    assert _reason(found, "attachment-properties").startswith("文档属性“作者”")


def _picture(text_lines: int = 0, *, gps: bool = False) -> bytes:
    picture = Image.new("RGB", (300, 200), "white")
    pen = ImageDraw.Draw(picture)
    for line in range(text_lines):
        for at in range(10, 280, 6):
            pen.rectangle((at, 10 + 20 * line, at + 2, 20 + 20 * line), fill="black")
    exif = Image.Exif()
    if gps:
        exif.get_ifd(0x8825)[1] = "N"
        exif[0x8825] = {1: "N", 2: (40.0, 1.0, 2.0)}
    stream = io.BytesIO()
    picture.save(stream, "JPEG", exif=exif, quality=95)
    return stream.getvalue()


def test_a_picture_is_for_a_person_and_its_place_is_told() -> None:
    assert _rules("图.jpg", _picture()) == {("attachment-look", "warn")}
    assert ("attachment-gps", "warn") in _rules("图.jpg", _picture(gps=True))


def test_a_picture_in_the_text_is_flagged_when_it_looks_written() -> None:
    assert read_picture(_picture()).faults == ()
    (fault,) = read_picture(_picture(6)).faults
    assert fault.rule == "secrecy.attachment-look"


def test_the_words_of_a_long_picture_are_seen_too() -> None:
    (fault,) = read_picture(made.long_picture()).faults
    assert fault.rule == "secrecy.attachment-look"
    blank = made.saved(Image.new("RGB", (1080, 12_000), "white"), "PNG")
    assert read_picture(blank).faults == ()


def test_a_picture_that_is_far_too_large_is_a_bomb_and_no_fault_of_the_program() -> None:
    assert _rules("大.png", made.bomb()) == {("attachment-bomb", "block")}


def test_old_formats_and_unknown_ones_are_for_a_person() -> None:
    ole = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600
    assert _rules("旧.doc", ole) == {("attachment-unreadable", "warn")}
    assert _rules("旧.xls", ole) == {("attachment-unreadable", "warn")}
    assert _rules("程序.exe", b"MZ") == {("attachment-unreadable", "warn")}


def test_a_file_named_by_its_link_is_known_by_its_content() -> None:
    found = _found("补贴申请表", hidden_identities())
    assert _reason(found, "id-card").startswith("工作表 名单 的 D 列")
    assert _rules("公示", document(["各村名单已经公布。"])) == set()


# --- hostile files ----------------------------------------------------------------------------

LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><w:document xmlns:w="w">&b;</w:document>'  # noqa: E501


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("炸弹.docx", zipped({"word/document.xml": b"<a>" + b" " * 40_000_000}), "bomb"),
        ("比例.xlsx", zipped({"xl/workbook.xml": b" " * 20_000_000}), "bomb"),
        ("许多.docx", zipped({f"{number}.xml": b"" for number in range(3_100)}), "bomb"),
        ("实体.docx", zipped({"word/document.xml": LAUGHS}), "malformed"),
        ("实体.xlsx", workbook({"表": LAUGHS}), "malformed"),
        ("半截.docx", document(["一"])[:400], "broken"),
        ("空.xlsx", b"", "broken"),
        ("加密.docx", bytes.fromhex("d0cf11e0a1b11ae1") + b"EncryptedPackage", "encrypted"),
        ("加密.pdf", _pdf(password="x"), "encrypted"),
        ("半截.pdf", _pdf()[:90], "broken"),
        ("改名.pdf", b"MZ\x90", "disguised"),
        ("改名.docx", b"%PDF-1.7", "disguised"),
        ("半截.jpg", _picture()[:30], "broken"),
        ("宏.docm", zipped({"word/document.xml": "<d/>", "word/vbaProject.bin": b"x"}), "macro"),
        (
            "乱.xlsx",
            workbook({"表": sheet([["x"]]).replace('r="1"', 'r="9' + "9" * 5000 + '"')}),
            "malformed",
        ),
        ("深.docx", zipped({"word/document.xml": "<a>" * 9_000 + "</a>" * 9_000}), "malformed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_hostile_file_is_one_block_at_once(name: str, content: bytes, rule: str) -> None:
    started = time.process_time()
    blocks = {one.rule: one for one in _found(name, content) if one.severity == "block"}
    assert f"secrecy.attachment-{rule}" in blocks
    assert not blocks[f"secrecy.attachment-{rule}"].waivable
    assert time.process_time() - started < 10


def test_a_picture_of_a_billion_pixels_is_not_decoded() -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + header + b"\0" * 4
    assert {rule for rule, _ in _rules("大.png", png)} <= {"attachment-bomb", "attachment-broken"}


def test_a_file_with_too_much_text_says_that_not_all_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "MOST_TEXT", 2_000)
    content = ("好" * 100 + "\n").encode() * 30
    assert _rules("长.txt", content) == {("attachment-too-long", "block")}


def test_two_hundred_damaged_copies_never_raise() -> None:
    chance = random.Random(7)  # noqa: S311  damage, not secrecy
    originals = {
        "名单.xlsx": hidden_identities(3),
        "公示.docx": document(["一", tracked("del", "二")], author="张建国"),
        "扫描.pdf": _pdf("张建国"),
        "图.jpg": _picture(gps=True),
        "页.html": b"<!-- a --><table><tr><td>1</table><p hidden>b",
    }
    for name, content in originals.items():
        for _ in range(40):
            damaged = bytearray(content)
            for _ in range(chance.randint(1, 8)):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            for broken in (bytes(damaged), content[: chance.randrange(len(content))]):
                assert isinstance(read_attachment(name, broken), reading.Reading)


# --- what is cut in pieces --------------------------------------------------------------------

_ID = identity(1950)
_APART = f"{_ID[:6]} {_ID[6:14]} {_ID[14:]}"
_HALF = _ID[:9], _ID[9:]


def _slides(inside: str) -> bytes:
    a = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    return zipped({
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f'<Relationships><Relationship Id="a" Type="{rel}/officeDocument" '
        'Target="ppt/presentation.xml"/></Relationships>',
        "ppt/presentation.xml": "<presentation/>",
        "ppt/slides/slide1.xml": f"<sld {a}><a:p><a:t>公告</a:t></a:p>{inside}</sld>",
    })  # fmt: skip


def _box(words: str) -> str:
    return f"<a:p><a:r><a:t>{words}</a:t></a:r></a:p>"


def _grid(*rows: tuple[str, ...]) -> str:
    cells = ("".join(f"<a:tc>{_box(one)}</a:tc>" for one in row) for row in rows)
    return "<a:tbl>" + "".join(f"<a:tr>{row}</a:tr>" for row in cells) + "</a:tbl>"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("段落.docx", document(["公告", *_HALF])),
        ("一格一字.docx", document(["身份证号", *_ID])),
        ("同列.xlsx", workbook({"表": sheet([["姓名", "身份证号"], ["张三", _HALF[0]],
                                            ["注", _HALF[1]]])})),
        ("同行.xlsx", workbook({"表": sheet([["张三", _ID[:6], _ID[6:14], _ID[14:]]])})),
        ("两框.pptx", _slides(_box(_HALF[0]) + _box(_HALF[1]))),
        ("同列.pptx", _slides(_grid(("姓名", "证号"), ("张三", _HALF[0]), ("注", _HALF[1])))),
        ("格.html", f"<table><tr><td>甲<td>{_HALF[0]}<tr><td>注<td>{_HALF[1]}</table>".encode()),
        ("行.txt", "\n".join(("公告", *_HALF)).encode()),
        ("点.txt", f"身份证{_ID[:6]}·{_ID[6:14]}－{_ID[14:]}".encode()),
        ("页脚.xlsx", workbook({"表": sheet([["公告"]]).replace(
            "</worksheet>", f"<oddFooter>&amp;C{_ID}</oddFooter></worksheet>")})),
        ("表名.xlsx", workbook({f"张三{_ID}": sheet([["公告"]])})),
        ("公式.xlsx", workbook({"表": sheet([["公告"]]).replace("</sheetData>",
            f'<row><c><f>"{_HALF[0]}"&amp;"{_HALF[1]}"</f></c></row></sheetData>')})),
        ("内嵌.html",
         f'<iframe srcdoc="&lt;p&gt;{_HALF[0]}&lt;b&gt;{_HALF[1]}"></iframe>'.encode()),
        ("标签.html", f'<p aria-label="{_APART}">公告</p>'.encode()),
        ("数据.html", f'<p data-a="{_APART}">公告</p>'.encode()),
        ("脚本.html", f"<p>公告</p><script>f('{_APART}')</script>".encode()),
    ],
)  # fmt: skip
def test_an_identity_number_in_pieces_or_beside_the_text_blocks(name: str, content: bytes) -> None:
    assert ("id-card", "block") in _rules(name, content)


def test_figures_in_cells_of_their_own_stay_figures() -> None:
    rows: list[list[str | int]] = [["年份", "数"], [2025, 110105], [19501231, "0020"]]
    rows += [[110105, 19501331, 1002], [11010519, 5012310028]]
    assert _rules("统计.xlsx", workbook({"表": sheet(rows)})) == set()
    assert ("id-card", "block") not in _rules("行.txt", f"公告{_HALF[0]}号\n第{_HALF[1]}".encode())


def test_a_number_behind_all_that_is_read_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_TEXT", 40)
    monkeypatch.setattr("gates.attachments.STANDARD", replace(STANDARD, attachment=40))
    rows: list[list[str | int]] = [["公告如下，请各单位认真执行。"]] * 3
    found = _rules("长.xlsx", workbook({"表": sheet([*rows, [_ID]])}))
    assert found == {("attachment-too-long", "block"), ("id-card", "block")}


def test_a_sheet_named_for_its_secrecy_is_told() -> None:
    content = workbook({"机密★1年": sheet([["公告"]])})
    assert _rules("表.xlsx", content) == {("classification-mark", "block")}
