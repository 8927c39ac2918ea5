"""Policies from files as Word, office PDFs and old web sites write them."""

import pytest

from knowledge.documents import DocumentError, read_bytes
from tests.documents.raw_word import docx, level, paragraph, point, text


def test_content_controls_and_counted_clauses_are_kept() -> None:
    levels = level(0, "chineseCounting", "第%1条")
    numbering = (
        f'<w:numbering NAMES><w:abstractNum w:abstractNumId="1">{levels}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num></w:numbering>'
    )
    kept = f"<w:sdt><w:sdtContent>{paragraph(text('各区执行。'))}</w:sdtContent></w:sdt>"
    body = paragraph(text("某县养犬管理办法")) + point("养犬应当登记。", 1) + kept
    (draft,) = read_bytes("办法.docx", docx(body, {"numbering": numbering}))
    assert "各区执行。" in draft.text
    assert "第一条" in draft.text


def test_an_open_revision_or_a_hidden_text_is_refused_by_name() -> None:
    added = f'<w:ins w:author="李四">{text("六百")}</w:ins>'
    with pytest.raises(DocumentError, match=r"办法\.docx：.*修订"):
        read_bytes("办法.docx", docx(paragraph(text("补贴") + added + text("元。"))))
    hidden = text("不对外", "<w:vanish/>")
    with pytest.raises(DocumentError, match="隐藏文字"):
        read_bytes("办法.docx", docx(paragraph(text("补贴办法") + hidden)))


def test_xhtml_with_a_declaration_is_read_as_without() -> None:
    page = "<html><head><title>停水通知</title></head><body><p>明日停水。</p></body></html>"
    declared = '<?xml version="1.0" encoding="utf-8"?>\n<!-- 模板 -->' + page
    assert read_bytes("a.html", declared.encode()) == read_bytes("a.html", page.encode())
