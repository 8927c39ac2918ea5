"""The one door: a file's name and bytes in, its parts with their places and faults out."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import PurePath

from documents.excel import read_excel
from documents.ofd import read_ofd
from documents.office import read_slides
from documents.parts import LARGEST, Archive, Notes, Reading, Unreadable
from documents.pdf import read_pdf
from documents.pictures import STRUCTURE_ERRORS, read_picture_file
from documents.plain import read_page, read_table, read_text
from documents.sweep import sweep_archive, sweep_bytes
from documents.whole import tell_damage, tell_lost_references
from documents.word import read_word

_DEEPEST = 2  # files within files
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def read_attachment(name: str, content: bytes) -> Reading:
    """What one file says and hides. Never raises for what is in the file: that is a fault."""
    return _reading(name, content, 0)


def _reading(name: str, content: bytes, depth: int) -> Reading:
    """As above, for a file that lies `depth` files deep in another."""

    def opened(inner: str, held: bytes) -> Reading:
        return _reading(inner, held, depth + 1)

    notes = Notes(opened=opened if depth < _DEEPEST else None)
    try:
        # Before anything is opened: the cap holds against files that unpack to gigabytes too.
        if len(content) > LARGEST:
            limit = LARGEST // 1_000_000
            raise Unreadable("too-large", "block", f"文件超过 {limit} MB，无法检查，请拆分")
        suffix = PurePath(name).suffix.lower()
        # Fetched files are often named by a number; what they are shows in their first bytes.
        suffix = suffix if suffix in SUFFIXES else _sniffed(content) or suffix
        _reader(suffix, content)(content, notes)
    except Unreadable as refused:
        notes.faults.append(refused.fault)
    except STRUCTURE_ERRORS:
        notes.fault("malformed", "block", "文件结构不合规，打不开，请另存后重新上传")
    # A file of which nothing was read is never clean.
    if notes.unsaid():
        notes.fault("look", "warn", "没有读到文字，需要人工打开查看")
    return notes.reading()


_STARTS = {
    b"%PDF": ".pdf",
    b"\x89PNG": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"GIF8": ".gif",
    _OLE: ".doc",
}

_INSIDE = {"word/document.xml": ".docx", "xl/workbook.xml": ".xlsx", "OFD.xml": ".ofd",
           "ppt/presentation.xml": ".pptx"}  # fmt: skip


def _sniffed(content: bytes) -> str:
    """The suffix a file without one should have; fetched attachments are named by their link."""
    for start, suffix in _STARTS.items():
        if content.startswith(start):
            return suffix
    if content.startswith(b"PK"):
        names = set(Archive(content).names)
        return next((suffix for name, suffix in _INSIDE.items() if name in names), "")
    return ""


def _reader(suffix: str, content: bytes) -> Callable[[bytes, Notes], None]:
    """By suffix, once the first bytes agree with it."""
    if not content:
        raise Unreadable("broken", "block", "文件是空的，请重新上传")
    if content.startswith(_OLE):
        # Office programs wrap an encrypted document in the old container format.
        if suffix in _ZIPPED:
            raise Unreadable("encrypted", "block", "文件已加密，无法检查，请上传没有密码的文件")
        if suffix in _OLD:
            reason = "旧格式文件机器读不了，请另存为 .docx 或 .xlsx，或由人打开逐页查看"
            raise Unreadable("unreadable", "warn", reason)
    readers = _ZIPPED | _PLAIN
    if suffix not in readers:
        reason = f"不认识的文件类型 {suffix or '（没有后缀）'}，机器没有检查，请由人打开查看"
        raise Unreadable("unreadable", "warn", reason)
    starts = _MAGIC.get(suffix, ())
    # A renamed file would be read by the wrong reader, and what it holds would be missed.
    if starts and not content.startswith(starts):
        reason = f"文件内容与后缀 {suffix} 不符，可能损坏或改过名，请重新上传"
        raise Unreadable("disguised", "block", reason)
    return readers[suffix]


def _zipped(read: Callable[[Archive, Notes], None]) -> Callable[[bytes, Notes], None]:
    def opened(content: bytes, notes: Notes) -> None:
        archive = Archive(content, read_on="past-damage")
        try:
            read(archive, notes)
        except Unreadable as refused:
            notes.faults.append(refused.fault)
        finally:  # what stopped the reader may be the damage
            tell_damage(archive, notes)
            tell_lost_references(archive, notes)
            with suppress(Unreadable):  # that there is too much of it is told already
                sweep_archive(archive, notes)

    return opened


def _swept(read: Callable[[bytes, Notes], None]) -> Callable[[bytes, Notes], None]:
    def opened(content: bytes, notes: Notes) -> None:
        try:
            read(content, notes)
        finally:  # what is damaged may still tell a number
            with suppress(Unreadable):
                sweep_bytes(content, notes)

    return opened


_ZIPPED = {
    **dict.fromkeys((".docx", ".docm", ".dotx"), _zipped(read_word)),
    **dict.fromkeys((".xlsx", ".xlsm", ".xltx"), _zipped(read_excel)),
    **dict.fromkeys((".pptx", ".ppsx", ".pptm"), _zipped(read_slides)),
    ".ofd": _zipped(read_ofd),
}

PICTURES = (
    *(".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff"),
    *(".heic", ".heif", ".avif"),
)

_PLAIN: dict[str, Callable[[bytes, Notes], None]] = {
    **dict.fromkeys((".txt", ".md"), _swept(read_text)),
    ".csv": _swept(read_table),
    **dict.fromkeys((".html", ".htm"), _swept(read_page)),
    ".pdf": _swept(read_pdf),
    **dict.fromkeys(PICTURES, _swept(read_picture_file)),
}

_OLD = frozenset((".doc", ".xls", ".ppt", ".wps", ".et", ".dps"))

_MAGIC = dict.fromkeys(_ZIPPED, (b"PK",)) | {".pdf": (b"%PDF", b"\xef\xbb\xbf%PDF")}

SUFFIXES = frozenset(_ZIPPED) | frozenset(_PLAIN) | _OLD
