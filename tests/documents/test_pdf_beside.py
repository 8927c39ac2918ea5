"""What a PDF shows besides the lines of its pages, and where its lines go on."""

import io
import re
from typing import Any

import pypdf
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    NullObject,
    TextStringObject,
)

from documents.parts import Reading
from documents.reader import read_attachment


def _texts(reading: Reading) -> list[tuple[str, str]]:
    return [(part.place, part.text) for part in reading.parts]


def _pdf(*annotations: dict[str, Any], fields: dict[str, str] | None = None) -> Reading:
    writer = pypdf.PdfWriter()
    page: Any = writer.add_blank_page(200, 200)
    page[NameObject("/Annots")] = ArrayObject([_object(one) for one in annotations])
    filled = [_object({"/T": TextStringObject(key), "/FT": NameObject("/Tx"),
                       "/V": TextStringObject(said)})
              for key, said in (fields or {}).items()]  # fmt: skip
    if filled:
        form = DictionaryObject(
            {NameObject("/Fields"): ArrayObject(map(writer._add_object, filled))}
        )
        writer._root_object[NameObject("/AcroForm")] = form
    out = io.BytesIO()
    writer.write(out)
    return read_attachment("表.pdf", out.getvalue())


def _form(number: str) -> bytes:
    """A page with a field, a pinned file, a free text and a link, each in an object of its own."""
    writer = pypdf.PdfWriter()
    page: Any = writer.add_blank_page(200, 200)
    field = {"/Subtype": NameObject("/Widget"), "/FT": NameObject("/Tx"),
             "/T": TextStringObject("N"), "/V": TextStringObject(number)}  # fmt: skip
    action = _object({"/S": NameObject("/URI"), "/URI": TextStringObject("mailto:a@example.com")})
    link = {"/Subtype": NameObject("/Link"), "/A": action}
    note = {"/Subtype": NameObject("/FreeText"), "/Contents": TextStringObject("note")}
    held = [writer._add_object(_object(one)) for one in (field, link, note)]
    page[NameObject("/Annots")] = writer._add_object(ArrayObject(held))
    form = DictionaryObject({NameObject("/Fields"): ArrayObject(held[:1])})
    writer._root_object[NameObject("/AcroForm")] = form
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_no_damage_to_annotations_and_forms_is_silent() -> None:
    """A value is read all the same, or somebody is told to look."""
    whole = _form("13900139000")
    texts = {part.text for part in read_attachment("a.pdf", whole).parts}
    assert {"13900139000", "mailto:a@example.com", "note"} <= texts
    assert not any("读不全" in one.reason for one in read_attachment("a.pdf", whole).faults)
    keys = (b"/Annots", b"/AcroForm", b"/Fields", b"/Subtype", b"/Widget", b"/Link", b"/FreeText",
            b"/A ", b"/FT", b"/V ", b"/URI", b"/Contents", b"/Kids")  # fmt: skip
    for key in keys:
        broken = whole.replace(key, key.replace(b"/", b"/~", 1))
        found = read_attachment("a.pdf", broken)
        lost = texts - {part.text for part in found.parts}
        named = any(one.rule != "secrecy.attachment-comment" for one in found.faults)
        assert not lost or named, (key, lost)
    for put in (b"[", b"9999 0 R", b"null", b"(x)"):
        broken = re.sub(rb"/Annots \d+ 0 R", b"/Annots " + put, whole)
        assert broken != whole
        assert any("读不全" in one.reason for one in read_attachment("a.pdf", broken).faults), put


def _stream(said: bytes, **entries: Any) -> Any:
    made = DecodedStreamObject()
    made.set_data(said)
    made.update(_object({f"/{key}": value for key, value in entries.items()}))
    return made.flate_encode()


def test_a_number_is_read_wherever_a_pdf_keeps_words() -> None:
    """Packed or not: what no page shows is found, or told."""
    number = "11010519491231002X"
    shown = f"BT /F 9 Tf ({number}) Tj ET".encode()
    font = _object({"/Type": NameObject("/Font"), "/Subtype": NameObject("/Type1"),
                    "/BaseFont": NameObject("/Helvetica")})  # fmt: skip
    fonts = _object({"/Font": _object({"/F": font})})
    rich = TextStringObject(f"<body><p>{number}</p></body>")
    drawn = _stream(shown, Subtype=NameObject("/Form"), Resources=fonts)
    link = _object({"/S": NameObject("/URI"), "/URI": TextStringObject(f"http://a.cn/{number}")})
    field = _object({"/T": TextStringObject("a"), "/FT": NameObject("/Tx"), "/RV": rich})
    spoken = f"/Span <</ActualText ({number})>> BDC BT /F 9 Tf (word by word) Tj ET EMC".encode()

    def form(writer: Any, **entries: Any) -> None:
        writer._root_object[NameObject("/AcroForm")] = _object(
            {f"/{key}": value for key, value in entries.items()}
        )

    def noted(page: Any, kind: str, **entries: Any) -> None:
        named = {f"/{key}": value for key, value in entries.items()}
        one = _object({"/Subtype": NameObject(f"/{kind}"), **named})
        page[NameObject("/Annots")] = ArrayObject([one])

    for place, plant in {
        "rich note": lambda w, p: noted(p, "FreeText", RC=rich),
        "stamp": lambda w, p: noted(p, "Stamp", AP=_object({"/N": w._add_object(drawn)})),
        "link": lambda w, p: noted(p, "Link", A=link),
        "rich field": lambda w, p: form(w, Fields=ArrayObject([w._add_object(field)])),
        "xfa": lambda w, p: form(w, XFA=w._add_object(_stream(f"<x>{number}</x>".encode()))),
        "packet": lambda w, p: p.update(
            _object({"/Metadata": w._add_object(_stream(number.encode()))})
        ),
        "spoken": lambda w, p: p.update(
            _object({"/Resources": fonts, "/Contents": w._add_object(_stream(spoken))})
        ),
    }.items():
        writer, out = pypdf.PdfWriter(), io.BytesIO()
        plant(writer, writer.add_blank_page(200, 200))
        writer.write(out)
        found = read_attachment("a.pdf", out.getvalue())
        assert any(number in part.text for part in found.parts), place


def _object(entries: dict[str, Any]) -> DictionaryObject:
    return DictionaryObject({NameObject(key): value for key, value in entries.items()})


def test_what_was_filled_into_a_form_is_read() -> None:
    found = _pdf(fields={"电话": "13900139000", "同意": "/Yes"})
    assert _texts(found) == [("表单栏“电话”", "13900139000")]


def test_the_address_behind_a_link_is_read_and_a_web_address_is_not() -> None:
    links = [
        {
            "/Subtype": NameObject("/Link"),
            "/A": _object({"/S": NameObject("/URI"), "/URI": TextStringObject(target)}),
        }
        for target in ("mailto:wang@example.com", "https://example.com/")
    ]
    assert _texts(_pdf(*links)) == [("第 1 页的超链接", "mailto:wang@example.com")]


def test_a_file_pinned_to_a_page_is_called_a_file_and_named() -> None:
    held = _object({"/Type": NameObject("/Filespec"), "/UF": TextStringObject("花名册.xls")})
    found = _pdf({"/Subtype": NameObject("/FileAttachment"), "/FS": held})
    assert _texts(found) == [("第 1 页的附件", "花名册.xls")]
    assert [one.rule for one in found.faults if one.severity == "block"] == [
        "secrecy.attachment-embedded"
    ]


def test_a_note_that_is_damaged_is_said() -> None:
    writer = pypdf.PdfWriter()
    page: Any = writer.add_blank_page(200, 200)
    page[NameObject("/Annots")] = ArrayObject([NullObject()])
    out = io.BytesIO()
    writer.write(out)
    faults = read_attachment("表.pdf", out.getvalue()).faults
    assert any("第 1 页有批注" in one.reason for one in faults)


def test_a_field_that_shows_words_without_a_value_is_said() -> None:
    for entries, told in (({}, True), ({"/V": TextStringObject("13900139000")}, False)):
        writer = pypdf.PdfWriter()
        page: Any = writer.add_blank_page(200, 200)
        shown = DecodedStreamObject()
        shown.set_data(b"BT /F 9 Tf (13900139000) Tj ET")
        states = _object({"/N": writer._add_object(shown)})
        field = {"/Subtype": NameObject("/Widget"), "/AP": states, **entries}
        page[NameObject("/Annots")] = ArrayObject([_object(field)])
        out = io.BytesIO()
        writer.write(out)
        faults = read_attachment("表.pdf", out.getvalue()).faults
        assert any("没有存下它的值" in one.reason for one in faults) is told
