"""XML of strangers: no DTD, nothing large as a tree, and no tree where names and words are enough.

A tree takes thirty times what it was written in, so its marks are counted before it is built.
"""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree  # after `_refuse_dtd`: without a DTD there are no entities
from xml.parsers import expat

from defusedxml.common import DTDForbidden

MALFORMED = (ElementTree.ParseError, LookupError, ValueError)
"""What is raised for XML that cannot be read; a DTD raises DTDForbidden, one of these."""

Started = Callable[[str, dict[str, str]], None]
_MOST_TAGS = 1_000_000
SWOLLEN_PAGE = "网页异常地大（标签太多），机器没有读，请拆分，或打印成 PDF 核对后上传"
_PIECE = 1_000_000
_BETWEEN = "}"
_OFFICE = ("http://schemas.openxmlformats.org/", "http://purl.oclc.org/ooxml/")
_ENDS = tuple(_BETWEEN + name for name in ("p", "tab", "br", "cr", "tc", "si", "c", "v", "lpwstr"))
_TELLS = re.compile(r"[\u4e00-\u9fff]{2}|\d{11}|\w@\w")


# How a long list in Word looks, written into each of its cells; no reader asks for it.
_LOOKS = re.compile(
    rb"<w:(?:rFonts(?![^<>]*(?:Wingdings|Symbol))|szCs|bCs|iCs|kern|lang|spacing|tcW|vAlign|noWrap"
    rb"|widowControl|snapToGrid|cantSplit|trHeight|gridCol|tblLook|adjustRightInd|autoSpace\w{2}"
    rb"|textAlignment|top|left|bottom|right|start|end|insideH|insideV)(?:\s[^<>]*)?/>"
    # What hides nothing: black, and a size that can be read.
    rb'|<w:(?:color w:val="(?:0{6}|auto)"|sz w:val="[1-9]\d"|jc w:val="(?:center|left)"'
    rb'|shd w:val="clear" w:color="auto" w:fill="auto")/>'
    rb'|\s(?:w:rsid\w*|w14:paraId|w14:textId)="[^"<>]*"'
)
_EMPTY = re.compile(rb"<w:((?:tc|r|p|tr)Pr|(?:tc|tbl)Borders)>\s*</w:\1>|<w:(?:r|p|tc|tr)Pr/>")


class _Enough(Exception):
    """What was looked for is found."""


def marks(content: bytes) -> int:
    """At least as many as its tags and attributes: what a tree of it costs."""
    return content.count(b"<") + content.count(b"=")


def plainer(content: bytes) -> bytes:
    """A part of Word without what says how its cells look: the same words, a third of the marks."""
    said, at = bytearray(), 0
    while at < len(content):  # piece by piece: what is replaced is kept until a piece ends
        end = content.find(b">", at + _PIECE) + 1 or len(content)
        piece = _LOOKS.sub(b"", content[at:end])
        for _ in range(2):  # properties of a run lie in those of a paragraph
            piece = _EMPTY.sub(b"", piece)
        said += piece
        at = end
    return bytes(said)


def is_swollen(page: str | bytes) -> bool:
    """Whether a web page has more tags than one that people write: each is kept in a tree."""
    return (page.count("<") if isinstance(page, str) else page.count(b"<")) > _MOST_TAGS


def tree(content: bytes) -> Any:
    """The outermost element. MALFORMED."""
    _refuse_dtd(content)
    return ElementTree.fromstring(content)  # noqa: S314  a DTD was refused


def ended(content: bytes) -> Iterator[Any]:
    """The elements as they end. MALFORMED."""
    _refuse_dtd(content)
    stream = io.BytesIO(content)
    for _, node in ElementTree.iterparse(stream):  # noqa: S314  a DTD was refused
        yield node


def root(content: bytes) -> str:
    """The name of the outermost element, once all has been read to its end. MALFORMED."""
    found: list[str] = []
    parser = _parser()

    def start(name: str, attributes: dict[str, str]) -> None:
        found.append(name.rpartition(_BETWEEN)[2])
        parser.StartElementHandler = None

    parser.StartElementHandler = start
    _fed(parser, content)
    return found[0]


def each_start(content: bytes, take: Started) -> None:
    """Call `take` for every element with its attributes, named as `namespace}name`. MALFORMED."""
    parser = _parser()
    parser.StartElementHandler = take
    _fed(parser, content)


def words(content: bytes, most: int) -> str:
    """The text between the tags and what attributes say, until there is more than `most`.

    What is one word in a document of an office stays one where its runs end. MALFORMED.
    """
    said: list[str] = []
    room = most

    def text(some: str) -> None:
        nonlocal room
        said.append(some)
        room -= len(some)
        if room < 0:
            raise _Enough

    def start(name: str, attributes: dict[str, str]) -> None:
        for value in attributes.values():
            if _TELLS.search(value):
                text(f" {value} ")

    def end(name: str) -> None:
        if not name.startswith(_OFFICE) or name.endswith(_ENDS):
            said.append(" ")

    parser = _parser()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    with suppress(_Enough):
        _fed(parser, content)
    return " ".join("".join(said).split())


def _refuse_dtd(content: bytes) -> None:
    """A DTD can only stand before the first element."""
    parser = _parser()

    def start(name: str, attributes: dict[str, str]) -> None:
        raise _Enough

    parser.StartElementHandler = start
    with suppress(_Enough):
        _fed(parser, content)


def _parser() -> Any:
    def refuse(name: str, system: str | None, public: str | None, _: object) -> None:
        raise DTDForbidden(name, system, public)

    parser = expat.ParserCreate(namespace_separator=_BETWEEN)
    parser.StartDoctypeDeclHandler = refuse
    return parser


def _fed(parser: Any, content: bytes) -> None:
    try:
        parser.ParseFile(io.BytesIO(content))
    except expat.ExpatError as error:
        raise ElementTree.ParseError(str(error)) from error
