"""What the library reads past in a damaged PDF: it only logs that, and an office has to know."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from documents.parts import Notes

_MOST = 2_000
# Others it mends without a loss: a wrong table of places, a key written twice.
_LOSES = re.compile(
    r"Pdf(?:Read|Stream)Error\(|Error -\d+ while decompressing"
    r"|Expected StreamObject|Form field is not a dictionary"
)
_POINTED = re.compile(r"Ignoring wrong pointing object (\d+)")
_GONE = re.compile(r"Object (\d+) \d+ not defined")

_ANEW = "incorrect startxref"

_heard: ContextVar[list[str] | None] = ContextVar("heard", default=None)


class _Ear(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Keep it for who listens; nobody reads it in the log."""
        kept = _heard.get()
        if kept is not None and len(kept) < _MOST:
            kept.append(record.getMessage())


_LOGGER = logging.getLogger("pypdf")
_LOGGER.setLevel(logging.WARNING)
_LOGGER.propagate = False
_LOGGER.addHandler(_Ear())


@contextmanager
def damage_told(notes: Notes) -> Iterator[None]:
    """Say at the end whether something of the file was lost on the way."""
    kept: list[str] = []
    before = _heard.set(kept)
    try:
        yield
    finally:
        _heard.reset(before)
        if _lost(kept):
            reason = "PDF 里有损坏的地方，可能没有读全，请打开核对，重新生成或打印成新的 PDF 后上传"
            notes.fault("damaged", "warn", reason)


def _lost(messages: list[str]) -> bool:
    if any(_LOSES.match(one) for one in messages):
        return True
    # A reference to nothing is allowed; one that the table of places leads astray is a loss.
    pointed, gone = (
        {found[1] for one in messages if (found := pattern.match(one))}
        for pattern in (_POINTED, _GONE)
    )
    # Where the table was made anew from what is left, every gap is one.
    return bool(pointed & gone) or bool(gone and any(one.startswith(_ANEW) for one in messages))
