"""Small .xlsx and .docx files built by hand, so that a test says what is hidden in them."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

import docx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from stdnum.cn import ric

_SHEET = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_REL = f'xmlns:r="{_OFFICE}"'
_RELS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'


def zipped(entries: Mapping[str, str | bytes]) -> bytes:
    """A zip with these entries."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream.getvalue()


def identity(year: int) -> str:
    """A made-up number with a right check digit."""
    body = f"110105{year}1231002"
    return body + ric.calc_check_digit(body + "0")


def sheet(
    rows: Sequence[Sequence[str | int]], columns: str = "", hidden_rows: Sequence[int] = ()
) -> str:
    """The XML of one sheet; `columns` is the inside of <cols>."""
    lines = []
    for number, row in enumerate(rows, 1):
        hidden = ' hidden="1"' if number in hidden_rows else ""
        cells = "".join(
            f'<c r="{chr(65 + at)}{number}"><v>{value}</v></c>'
            if isinstance(value, int)
            else f'<c r="{chr(65 + at)}{number}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
            for at, value in enumerate(row)
        )
        lines.append(f'<row r="{number}"{hidden}>{cells}</row>')
    cols = f"<cols>{columns}</cols>" if columns else ""
    return f"<worksheet {_SHEET}>{cols}<sheetData>{''.join(lines)}</sheetData></worksheet>"


def workbook(
    sheets: Mapping[str, str],
    states: Mapping[str, str] | None = None,
    more: Mapping[str, str | bytes] | None = None,
) -> bytes:
    """An .xlsx of named sheets; `states` may hide some, `more` are further entries."""
    names, rels, entries = "", "", {}
    for number, (name, xml) in enumerate(sheets.items(), 1):
        state = (states or {}).get(name, "visible")
        names += f'<sheet name="{name}" sheetId="{number}" state="{state}" r:id="r{number}"/>'
        target = f"worksheets/sheet{number}.xml"
        rels += f'<Relationship Id="r{number}" Type="{_OFFICE}/worksheet" Target="{target}"/>'
        entries[f"xl/worksheets/sheet{number}.xml"] = xml
    book = f"<workbook {_SHEET} {_REL}><sheets>{names}</sheets></workbook>"
    links = f"<Relationships {_RELS}>{rels}</Relationships>"
    main = f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    shell = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f"<Relationships {_RELS}>{main}</Relationships>",
    }
    return zipped({**shell, "xl/workbook.xml": book, "xl/_rels/workbook.xml.rels": links, **entries,
                   **(more or {})})  # fmt: skip


def hidden_identities(count: int = 50) -> bytes:
    """名单.xlsx: four columns, the fourth hidden and full of ID numbers from row 2 on."""
    rows: list[list[str | int]] = [["序号", "姓名", "村", "身份证号"]]
    rows += [[number, "张三", "东村", identity(1940 + number)] for number in range(1, count + 1)]
    return workbook({"名单": sheet(rows, '<col min="4" max="4" hidden="1"/>')})


def document(paragraphs: Sequence[str], **properties: str) -> bytes:
    """A .docx; a paragraph that starts with < is the inside of w:p in WordprocessingML."""
    made = docx.Document()
    made.core_properties.author = ""
    for name, value in properties.items():
        setattr(made.core_properties, name, value)
    for text in paragraphs:
        if text.startswith("<"):
            inside = parse_xml(f"<w:p {nsdecls('w')}>{text}</w:p>")
            made.element.body.insert(len(made.paragraphs), inside)
        else:
            made.add_paragraph(text)
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def run(text: str, tag: str = "t", properties: str = "") -> str:
    """One run of text."""
    return f"<w:r><w:rPr>{properties}</w:rPr><w:{tag}>{escape(text)}</w:{tag}></w:r>"


def tracked(kind: str, text: str, author: str = "李四") -> str:
    """A tracked insertion (ins) or deletion (del)."""
    tag = "delText" if kind == "del" else "t"
    return f'<w:{kind} w:id="7" w:author="{author}">{run(text, tag)}</w:{kind}>'


def packed_docx() -> bytes:
    """A .docx of two thousand bytes that holds close to a megabyte of single characters."""
    names = nsdecls("w")
    pieces = "<w:t>机</w:t><w:t>密</w:t>" * 38_000
    body = f"<w:document {names}><w:body><w:p>{pieces}</w:p></w:body></w:document>"
    return zipped({"word/document.xml": body})
