"""Reading policies from files people have."""

import io
import json
import zipfile
from datetime import date
from pathlib import Path

import docx
import pytest
from pypdf import PdfWriter

from knowledge.ask import Library
from knowledge.documents import MAX_BYTES, DocumentError, read_bytes, read_documents

TEXT = """青禾县人民政府关于促进消费的若干措施
青政发[2025]012号
2025年4月1日

一、发放消费券
面向居民发放。
二、支持以旧换新
给予补贴。
本措施自2025年5月1日起施行，有效期3年。
"""


def test_a_text_file_gives_title_number_issuer_and_dates() -> None:
    (draft,) = read_bytes("a.txt", TEXT.encode("gb18030"))
    assert draft.title == "青禾县人民政府关于促进消费的若干措施"
    assert draft.doc_number == "青政发〔2025〕12号"
    assert draft.issuer == "青禾县人民政府"
    assert draft.issued_on == date(2025, 4, 1)
    assert draft.effective_from == date(2025, 5, 1)
    assert draft.effective_to == date(2028, 4, 30)


def test_a_number_cited_in_the_body_is_not_its_own() -> None:
    body = (
        "某某通知\n" + "根据国办发〔2020〕1号文件的要求，" + "各单位要认真做好相关工作，" * 5 + "。"
    )
    assert read_bytes("a.txt", body.encode())[0].doc_number == ""


def test_html_keeps_paragraphs_and_drops_scripts() -> None:
    page = (
        "<html><head><meta charset='utf-8'><meta name='ArticleTitle' content='青禾县消费券公告'>"
        "<script>alert(1)</script></head><body><nav>首页</nav><p>一、对象</p><p>居民。</p>"
        "<table><tr><td>甲</td><td>乙</td></tr></table><script>x()</script></body></html>"
    )
    (draft,) = read_bytes("a.html", page.encode())
    assert draft.title == "青禾县消费券公告"
    assert draft.text.split("\n")[:2] == ["一、对象", "居民。"]
    assert "x()" not in draft.text
    assert "首页" not in draft.text


def _docx_bytes() -> bytes:
    document = docx.Document()
    for line in TEXT.strip().split("\n"):
        document.add_paragraph(line)
    table = document.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "项目", "标准"
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def test_docx_gives_paragraphs_and_tables() -> None:
    (draft,) = read_bytes("a.docx", _docx_bytes())
    assert draft.doc_number == "青政发〔2025〕12号"
    assert "项目\t标准" in draft.text


def test_a_docx_with_entities_or_a_bomb_is_refused() -> None:
    source = zipfile.ZipFile(io.BytesIO(_docx_bytes()))
    for name, content, word in (
        ("word/document.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "word/document.xml"),
        ("word/big.bin", b"0" * 40_000_000, "异常地大"),
    ):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
            for info in source.infolist():
                if info.filename != name:
                    target.writestr(info.filename, source.read(info))
            target.writestr(name, content)
        with pytest.raises(DocumentError, match=word):
            read_bytes("a.docx", file.getvalue())


def test_a_scanned_pdf_says_there_is_no_text() -> None:
    writer, file = PdfWriter(), io.BytesIO()
    writer.add_blank_page(100, 100)
    writer.write(file)
    with pytest.raises(DocumentError, match=r"a\.pdf：没有读到文字"):
        read_bytes("a.pdf", file.getvalue())


def test_jsonl_gives_one_policy_a_line_and_names_the_bad_line(tmp_path: Path) -> None:
    good = '{"text": "正文。", "title": "某办法", "effective_to": "2027-01-01", "status": null}\n\n'
    path = tmp_path / "lib.jsonl"
    path.write_text(good, encoding="utf-8")
    assert read_documents(path)[0].effective_to == date(2027, 1, 1)
    for bad, words in (
        ("{", "第 3 行：不是完整的 JSON"),
        ('{"title": "a"}', "第 3 行：text"),
        ('{"text": "a", "date": "x"}', "第 3 行：date"),
        ("[]", "第 3 行"),
    ):
        path.write_text(good + bad, encoding="utf-8")
        with pytest.raises(DocumentError, match=words):
            read_documents(path)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.exe", b"MZ", "不支持"),
        ("a.docx", b"PK nonsense", "docx"),
        ("a.pdf", b"%PDF-1.4 nonsense", "PDF"),
        ("a.txt", b"  \n ", "没有读到文字"),
        ("a.html", b"", "没有读到文字"),
        ("a.txt", b"a" * (MAX_BYTES + 1), "超过"),
    ],
)
def test_unreadable_files_are_refused_by_name(name: str, data: bytes, words: str) -> None:
    with pytest.raises(DocumentError, match=words) as error:
        read_bytes(name, data)
    assert str(error.value).startswith(name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"no\.txt：文件打不开"):
        read_documents(tmp_path / "no.txt")


def test_a_pdf_gives_its_text_with_the_page_breaks_undone() -> None:
    lines = b"BT /F1 12 Tf 20 80 Td (Notice 2026) Tj 0 -20 Td (Article one applies.) Tj ET"
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(lines), lines),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    data, offsets = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj" % number + part + b"endobj\n"
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    data += (
        b"xref\n0 6\n0000000000 65535 f \n"
        + table
        + b"trailer\n<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(data))
    )
    (draft,) = read_bytes("a.pdf", data)
    assert draft.text.split("\n") == ["Notice 2026", "Article one applies."]


def test_jsonl_takes_the_statuses_of_government_sites_and_names_a_bad_one(tmp_path: Path) -> None:
    path = tmp_path / "lib.jsonl"
    statuses = ["有效", "已修改", "失效", "废止", "in_force", "repealed", None]
    lines = [json.dumps({"title": "某办法", "text": "一、正文。", "status": s}) for s in statuses]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert [draft.status for draft in read_documents(path)] == [
        *("in_force", "amended", "expired", "repealed", "in_force", "repealed", None)
    ]
    libraries = [Library.from_lines([{**json.loads(line), "id": 1}]) for line in lines[:4]]
    assert [one.find("正文", date(2026, 11, 24))[0].validity for one in libraries] == [
        *("in_force", "amended", "expired", "repealed")
    ]
    lines.append(json.dumps({"title": "某办法", "text": "一、正文。", "status": "暂停执行"}))
    path.write_text("\n".join(lines), encoding="utf-8")
    wanted = "lib.jsonl 第 8 行：status：应当是 有效、已修改、失效、废止、尚未施行 之一.*“暂停执行”"
    with pytest.raises(DocumentError, match=wanted):
        read_documents(path)
    with pytest.raises(DocumentError, match="政策库第 1 行：status：应当是 有效、"):
        Library.from_lines([{"id": 1, "text": "一", "status": "暂停执行"}])
