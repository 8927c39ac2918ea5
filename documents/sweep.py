"""The last look: numbers and addresses of people in the bytes of a file that no reader has told.

Programs keep words in hundreds of places. Whatever the place, these few shapes must not slip by.
"""

import re
from collections.abc import Iterator

from documents.office import is_picture
from documents.parts import Archive, Notes

_DIGITS = re.compile(rb"[0-9]{11,19}[Xx]?")  # quick; what they are is asked of few
_NUMBER = re.compile(
    rb"[1-9][0-9]{5}(?:19|20)[0-9]{2}[01][0-9][0-3][0-9]{4}[0-9Xx]|1[3-9][0-9]{9}|62[0-9]{14,17}"
)
# As people write them, a blank or a dash between: in scripts, styles and comments too.
_APART = re.compile(
    rb"(?<![0-9A-Za-z.])(?:[1-9][0-9]{5}([ -])(?:19|20)[0-9]{2}[01][0-9][0-3][0-9]\1[0-9]{3}[0-9Xx]"
    rb"|1[3-9][0-9]-[0-9]{4}-[0-9]{4})(?![0-9A-Za-z.-])"
)
_MAIL = re.compile(rb"@[A-Za-z0-9-]{1,60}(?:\.[A-Za-z0-9-]{1,60}){1,4}")
_NAME = re.compile(rb"[A-Za-z0-9._+-]{1,64}$")
# Of every second byte, as programs write text in their binary parts.
_WIDE = re.compile(rb"(?:[0-9]\x00){10,18}[0-9Xx]\x00|(?:\x00[0-9]){10,18}\x00[0-9Xx]")
_LONGER = re.compile(rb"</[A-Za-z0-9]*:?(?:p|c|v|si|tc|tr|row)>|<[A-Za-z0-9]*:?(?:br|tab|cr)\b")
_TAG = re.compile(rb"<[^<>]*>")
_NO_WORDS = re.compile(r"\.(?:odttf|ttf|otf|fntdata|ttc|docx|xlsx|pptx|pdf)$", re.IGNORECASE)
_MARKUP = (b"<", b"\xef\xbb\xbf<")
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
_IDENTITY = 18
_MOST = 200
_UNSEEN = "看不见但随文件发布"
_MOST_TAGS = 100_000  # of a part whose runs are joined


def sweep_archive(archive: Archive, notes: Notes) -> None:
    """Tell what stands in any entry, or beside them, and was not read."""
    known = Sweep(notes)
    for name in archive.names:
        if not (is_picture(name) or _NO_WORDS.search(name) or name.endswith("/")):
            unread = notes.full or name in archive.swollen
            place = f"没有读到的部分（{name}）" if unread else f"文件内部的 {name}（{_UNSEEN}）"
            known.tell(place, archive.bytes(name))
    known.tell(f"压缩包的附注（{_UNSEEN}）", archive.comment)


def sweep_bytes(content: bytes, notes: Notes) -> None:
    """The same for a file that is one piece; without mails, which programs sign with."""
    place = "没有读到的部分" if notes.full else f"文件内部（{_UNSEEN}）"
    Sweep(notes).tell(place, content, mails=False)


class Sweep:
    """What the readers have told, blanks left out."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._said = "".join("".join(part.text.split()) + "\n" for part in notes.parts).lower()
        self._told = 0

    def tell(self, place: str, content: bytes, *, mails: bool = True) -> None:
        """Keep what is new in the bytes."""
        for found in _shapes(content, mails=mails):
            text = found.decode("ascii")
            bare = text.replace(" ", "").lower()
            if text.lower() in self._said or bare in self._said or self._told >= _MOST:
                continue
            self._said += text.lower() + "\n"
            self._told += 1
            self._notes.found(place, text)


def _shapes(content: bytes, *, mails: bool) -> Iterator[bytes]:
    if content.startswith(_WIDE_MARKS):
        content = content.decode("utf-16", "replace").encode()
    yield from _numbers(content)
    for found in _APART.finditer(content):
        yield found[0]
    for found in _MAIL.finditer(content) if mails else ():
        if name := _NAME.search(content, max(found.start() - 64, 0), found.start()):
            yield name[0] + found[0]
    if b"\0" in content:
        for wide in _WIDE.findall(content):
            yield from _numbers(wide.replace(b"\0", b""))
    # Runs of a paragraph cut a number; cells and paragraphs do not go on in the next.
    if content.startswith(_MARKUP) and content.count(b"<") < _MOST_TAGS:
        yield from _numbers(_TAG.sub(b"", _LONGER.sub(b"\n<", content)))


def _numbers(content: bytes) -> Iterator[bytes]:
    for found in _DIGITS.finditer(content):
        before = content[max(found.start() - 1, 0) : found.start()]
        one = _NUMBER.fullmatch(found[0]) or _NUMBER.fullmatch(found[0].rstrip(b"Xx"))
        # A longer run of digits, or what follows a point, is a measure.
        if one is None or before.isdigit() or before == b".":
            continue
        # In codes of letters and digits a short run comes by chance, one with a birthday hardly.
        alone = not (before.isalnum() or content[found.end() : found.end() + 1].isalnum())
        if alone or len(one[0]) == _IDENTITY:
            yield one[0]
