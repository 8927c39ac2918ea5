"""The last look at a PDF: numbers of people in its strings and streams that no reader has told."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pypdf
from pypdf.generic import ArrayObject, StreamObject

from documents.parts import Notes, Unreadable
from documents.pdf_annotations import dictionary
from documents.sweep import Sweep

# All that a damaged file makes pypdf raise: this look only adds to what the readers told, and one
# broken part must not end it for the others.
_BROKEN = (
    *(pypdf.errors.PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError),
    *(RecursionError, OverflowError, NotImplementedError, AssertionError, OSError, MemoryError),
)
_OCTAL = re.compile(rb"\\([0-3][0-7]{2})")
_HEX = re.compile(rb"<((?:[0-9A-Fa-f]{2}){11,2000})>")


def sweep_pdf(reader: pypdf.PdfReader, content: bytes, notes: Notes) -> None:
    """Look through the file as it is written, and through what is packed in it."""
    swept = Sweep(notes)
    place = "没有读到的部分" if notes.full else "文件内部（看不见但随文件发布）"
    with suppress(Unreadable):  # that there is too much of it is told already
        swept.tell(place, _unescaped(content), mails=False)
        for stream in _packed(reader):
            swept.tell(place, _unescaped(stream), mails=False)


def _unescaped(content: bytes) -> bytes:
    """Strings as they are meant: octal and hexadecimal writing undone."""
    if b"\\" in content:
        content = _OCTAL.sub(lambda one: bytes([int(one[1], 8)]), content)
    strings = (bytes.fromhex(one.decode("ascii")) for one in _HEX.findall(content))
    return b"\n".join((content, *strings))


def _packed(reader: pypdf.PdfReader) -> Iterator[bytes]:
    """What is compressed: objects, forms of XFA, data of pages, words for those who cannot see."""
    held: list[Any] = [_object(reader, number) for number in _containers(reader)]
    xfa = dictionary(dictionary(reader.trailer.get("/Root")).get("/AcroForm")).get("/XFA")
    xfa = xfa.get_object() if xfa is not None else None
    held += xfa if isinstance(xfa, ArrayObject) else [xfa]
    for page in reader.pages:
        held.append(page.get("/Metadata"))
        with suppress(*_BROKEN):
            shown = page.get_contents()
            said = shown.get_data() if shown is not None else b""
            if b"/ActualText" in said:
                yield said
    for one in held:
        with suppress(*_BROKEN):
            stream = one.get_object() if one is not None else None
            if isinstance(stream, StreamObject):
                yield stream.get_data()


def _containers(reader: pypdf.PdfReader) -> set[int]:
    return {number for number, _ in reader.xref_objStm.values()}


def _object(reader: pypdf.PdfReader, number: int) -> Any:
    with suppress(*_BROKEN):
        return reader.get_object(number)
    return None
