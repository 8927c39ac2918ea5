"""Bytes of a web page to text: header, byte order mark, meta tag, then a guess."""

import codecs
import re

from charset_normalizer import from_bytes

_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_XML = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)""", re.IGNORECASE)
_HEADER = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "iso-8859-1": "cp1252"}


def decode(body: bytes, content_type: str = "") -> str:
    """The text of a page. A declared charset that does not fit is passed over.

    gb2312 and gbk are read as gb18030, which holds them both; what nothing explains is read as
    UTF-8 with replacement characters.
    """
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body.decode(name, "replace")
    for name in _declared(body, content_type):
        try:
            return body.decode(name)
        except (LookupError, UnicodeDecodeError):
            continue
    return _nearly(body, content_type)


def header_charset(content_type: str) -> str:
    """The charset a Content-Type header names, or empty."""
    match = _HEADER.search(content_type)
    return match[1] if match else ""


def _declared(body: bytes, content_type: str) -> list[str]:
    head = body[:4096]
    names = [name for name in [header_charset(content_type)] if name]
    names += [match[1].decode() for match in (_META.search(head), _XML.search(head)) if match]
    return [_WIDER.get(name.lower(), name.lower()) for name in [*names, "utf-8", "gb18030"]]


def _nearly(body: bytes, content_type: str) -> str:
    """One broken byte should not lose a page: the declared charset with few replacements wins."""
    for name in _declared(body, content_type):
        try:
            text = body.decode(name, "replace")
        except LookupError:
            continue
        if text.count("\ufffd") * 200 < len(text):
            return text
    best = from_bytes(body[:200_000]).best()
    return body.decode(best.encoding if best else "utf-8", "replace")
