"""What bytes are by their beginning, and whether that fits the content type they came with."""

import re

_MAGIC = (
    (b"%PDF-", "pdf"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"\x1f\x8b", "gzip"),
    (b"MZ", "program"),
    (b"\x7fELF", "program"),
    (b"#!", "program"),
    (b"Rar!\x1a\x07", "rar"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
)
_PAGE = re.compile(
    rb"^\s*(?:<!--.{0,4000}?-->\s*)*(?:<!doctype\s+html|<html|<head|<body|<script|<title)",
    re.IGNORECASE | re.DOTALL,
)
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_PICTURES = {
    "image/jpeg": "jpeg",
    "image/jpg": "jpeg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
}
_FILES = {
    "application/pdf": {"pdf"},
    "application/zip": {"zip"},
    "application/msword": {"ole", "zip", "rtf", "page"},  # 1990s Word pages are HTML
    "application/vnd.ms-excel": {"ole", "zip", "page", "text", "xml"},
    "application/wps-office.doc": {"ole", "zip"},
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": {"zip", "ole"},
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {"zip", "ole"},
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": {"zip", "ole"},
    "application/gzip": {"gzip", "xml"},
    "application/x-gzip": {"gzip", "xml"},
}
_ODD = bytes([*range(9), *range(14, 27), *range(28, 32)])  # no text has them
_WEB = {"page", "xml", "json", "text"}


def kind_of(body: bytes) -> str:
    """page, xml, json, text, a file family (pdf, zip, ole, png ...), program or binary."""
    for magic, name in _MAGIC:
        if body.startswith(magic) and not (magic == b"MZ" and not _binary(body[:2048])):
            return name
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "webp"
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text"  # UTF-16 with its mark; the reader decides
    head = body[:8192]
    for mark in _BOMS:
        head = head.removeprefix(mark)
    if _wide(head):
        return "text"
    if _binary(head):
        return "binary"
    return _text_kind(head)


def fits(mime: str, body: bytes) -> bool:
    """Whether the bytes can be what the content type says; an empty type is judged by them alone.

    A page that comes as a picture or a file is refused, a program always.
    """
    kind = kind_of(body)
    if not body or kind == "program":
        return not body
    if mime in _PICTURES:
        return kind in _PICTURES.values()  # which of them, sites often mix up
    if mime in _FILES:
        return kind in _FILES[mime]
    if mime == "application/octet-stream":
        return kind not in ("page", "binary")
    if not mime:
        return kind in ("page", "xml")
    return kind in _WEB


def true_mime(mime: str, body: bytes) -> str:
    """The content type of a picture by its bytes; of anything else as it was declared."""
    kind = kind_of(body)
    return f"image/{kind}" if kind in _PICTURES.values() else mime


def _text_kind(head: bytes) -> str:
    start = head.lstrip()[:2000]
    if start.startswith(b"{\\rtf"):
        return "rtf"
    if _PAGE.match(start):
        return "page"
    if start.startswith(b"<"):
        return "xml"
    return "json" if start.startswith((b"{", b"[")) else "text"


def _binary(head: bytes) -> bool:
    """Control characters that no text has."""
    odd = len(head) - len(head.translate(None, _ODD))
    return odd > 0 and (odd * 100 > len(head) or b"\x00\x00" in head)


def _wide(head: bytes) -> bool:
    """UTF-16 without its mark: every second byte of the markup is zero."""
    return head[:64].startswith((b"<\x00", b"\x00<"))
