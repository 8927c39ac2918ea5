"""Text in white, without size or outside the page is named, and what can be seen is left alone."""

import io
from typing import Any

import pypdf
import pytest
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from documents.reader import read_attachment
from knowledge.documents import DocumentError, read_bytes
from tests.documents.raw_word import docx, paragraph, text

_WHITE = '<w:color w:val="FFFFFF"/>'
_DARK = '<w:shd w:val="clear" w:fill="1F4E79"/>'


def _rules(name: str, content: bytes) -> list[str]:
    faults = read_attachment(name, content).faults
    return [one.rule.removeprefix("secrecy.attachment-") for one in faults]


def _cell(properties: str) -> str:
    cell = f"<w:tcPr>{properties}</w:tcPr>{paragraph(text('表头', _WHITE))}"
    return f"<w:tbl><w:tr><w:tc>{cell}</w:tc></w:tr></w:tbl>"


@pytest.mark.parametrize(
    ("body", "hidden"),
    [
        (paragraph(text("公告") + text("王某低保", _WHITE)), True),
        (paragraph(text("公告") + text("王某", '<w:color w:themeColor="background1"/>')), True),
        (paragraph(text("公告") + text("王某", '<w:color w:val="FDFDFD"/>')), True),
        (paragraph(text("公告") + text("王某", '<w:sz w:val="2"/>')), True),
        (_cell('<w:shd w:val="clear" w:fill="auto"/>'), True),
        (_cell(_DARK), False),
        (paragraph(text("公告", _WHITE + _DARK)), False),
        (paragraph(text("公告", _WHITE), _DARK), False),
        (paragraph(text("公告", '<w:color w:val="FF0000"/><w:sz w:val="21"/>')), False),
    ],
)
def test_word_tells_white_and_tiny_text(body: str, *, hidden: bool) -> None:
    assert ("hidden" in _rules("a.docx", docx(body))) is hidden


@pytest.mark.parametrize(
    ("page", "hidden"),
    [
        ("<p>公告<span style='color:#fff'>王某</span></p>", True),
        ("<p>公告<font color='white'>王某</font></p>", True),
        ("<style>.n, #m{display:none}</style><p>公告</p><p class='n'>王某</p>", True),
        ("<style>/* x */ p.w { color: white }</style><p>公告</p><p class='w'>王某</p>", True),
        ("<p>公告<span style='text-indent:-9999px'>王某</span></p>", True),
        ("<p>公告<span style='opacity:0'>王某</span></p>", True),
        ("<style>@media print{.n{display:none}}</style><p class='n'>公告</p>", False),
        (
            "<style>.b{background:#c00} .w{color:#fff}</style><p class='b'><b class='w'>公告</b>",
            False,
        ),
        ("<td bgcolor='#c00'><font color='white'>公告</font></td>", False),
        ("<style>a:hover{display:none}</style><p>公告<a>附件</a></p>", False),
        ("<p style='font-size:0.8em;opacity:0.9'>公告</p>", False),
    ],
)
def test_a_page_tells_what_its_styles_hide(page: str, *, hidden: bool) -> None:
    assert ("hidden" in _rules("a.html", page.encode())) is hidden


def _pdf(content: bytes) -> bytes:
    writer = pypdf.PdfWriter()
    page: Any = writer.add_blank_page(300, 300)
    stream = DecodedStreamObject()
    stream.set_data(content)
    font = DictionaryObject({NameObject("/Type"): NameObject("/Font"),
                             NameObject("/Subtype"): NameObject("/Type1"),
                             NameObject("/BaseFont"): NameObject("/Helvetica")})  # fmt: skip
    page[NameObject("/Contents")] = writer._add_object(stream)
    fonts = DictionaryObject({NameObject("/F1"): font})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


_SEEN = b"BT /F1 12 Tf 20 200 Td (Public notice) Tj ET "


@pytest.mark.parametrize(
    ("content", "hidden"),
    [
        (_SEEN + b"1 1 1 rg BT /F1 12 Tf 20 100 Td (Wang) Tj ET", True),
        (_SEEN + b"1 g BT /F1 12 Tf 20 100 Td (Wang) Tj ET", True),
        (_SEEN + b"BT 3 Tr /F1 12 Tf 20 100 Td (Wang) Tj ET", True),
        (_SEEN + b"BT /F1 1 Tf 20 100 Td (Wang) Tj ET", True),
        (_SEEN + b"0 g 20 150 200 0.5 re f 1 g BT /F1 12 Tf 20 100 Td (Wang) Tj ET", True),
        (_SEEN + b"q 1 g 0 0 300 300 re f Q BT /F1 12 Tf 20 100 Td (Notice) Tj ET", False),
        (_SEEN + b"0 0 .5 rg 0 90 300 30 re f 1 g BT /F1 12 Tf 20 100 Td (Head) Tj ET", False),
    ],
)
def test_a_pdf_tells_white_and_tiny_text(content: bytes, *, hidden: bool) -> None:
    assert ("hidden" in _rules("a.pdf", _pdf(content))) is hidden


def test_a_policy_with_white_text_is_refused_by_name() -> None:
    content = docx(paragraph(text("关于公开的通知")) + paragraph(text("王某", _WHITE)))
    with pytest.raises(DocumentError, match="有隐藏文字"):
        read_bytes("a.docx", content)


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        ("<title>安全验证</title><p>请完成下方验证后继续访问</p>", "验证页"),
        ("<h1>404 Not Found</h1><hr>nginx", "报错页"),
        ("<title>统一身份认证</title><form>账号<input><input type='password'></form>", "登录页"),
        ("<meta http-equiv='refresh' content='0; url=/a'><p>正在跳转</p>", "跳转页"),
    ],
)
def test_a_saved_page_without_a_policy_is_refused(page: str, kind: str) -> None:
    with pytest.raises(DocumentError, match=f"这不是政策，是{kind}"):
        read_bytes("a.html", page.encode())


def test_a_policy_about_such_pages_is_imported() -> None:
    page = "<h1>关于规范验证码管理的通知</h1><p>各单位：</p><p>登录页面应当要求输入验证码。</p>"
    assert read_bytes("a.html", page.encode())[0].title == "关于规范验证码管理的通知"
