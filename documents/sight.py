"""Words in pictures, read by a process of its own with a limit, where the extra `ocr` is installed.

The reader of pictures takes half a gigabyte and seconds a page: no check waits in the process that
checks, and a picture made to harm ends that process alone.
"""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path, PurePath
from threading import Lock, Timer
from typing import Any, NamedTuple

from config.child_environment import child_environment
from documents.parts import Fault, Part, Reading, Spot

SECONDS = 60.0  # for one file
_ROOT = Path(__file__).parents[1]
_COMMAND = (sys.executable, "-m", "documents.sight_process")
ZIPPED = (
    *(".docx", ".docm", ".dotx", ".xlsx", ".xlsm", ".xltx", ".pptx", ".ppsx", ".pptm", ".ofd"),
)
_HOLD_PICTURES = frozenset((".pdf", *ZIPPED))
_TALLEST = 1_000.0  # widths of a picture
_READ = "图中文字由机器识别，可能有错，请对照原图"
# What of the things a person has to look at is a picture.
_BY_EYE = ("图片", "图中", "没有文字层", "没有读到文字", "乱码")
_LOG = logging.getLogger("shenfa.sight")


class Word(NamedTuple):
    """A stretch of words and its box: left, top, right, bottom as parts of the picture's width."""

    text: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Seen:
    """What was read in the pictures of a file, row by row, and why it is not all."""

    rows: tuple[tuple[str, tuple[Word, ...]], ...] = ()  # each with its place
    pictures: int = 0
    unread: str = ""


def is_installed() -> bool:
    """Whether pictures can be read at all."""
    return find_spec("rapidocr_onnxruntime") is not None


def may_show(name: str, pictures: Sequence[str]) -> bool:
    """Whether a file of this name is a picture or may hold some."""
    suffix = PurePath(name).suffix.lower()
    return suffix in _HOLD_PICTURES or suffix in pictures


class Eyes:
    """The process that reads pictures: started when first needed, ended by what takes too long."""

    def __init__(self, seconds: float = SECONDS, command: Sequence[str] = _COMMAND) -> None:
        """One file may take `seconds`."""
        self._seconds, self._command = seconds, command
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, name: str, content: bytes) -> Seen:
        """The words in a picture, or in the pictures of a file; never raises for what is in it."""
        with self._lock:
            process = self._running()
            timer = Timer(self._seconds, process.kill)
            timer.start()
            try:
                return _seen(_asked(process, name, content))
            # It was ended, by the clock or by the picture: the next file gets a new one.
            except (OSError, ValueError, KeyError, TypeError) as error:
                _LOG.warning("a picture was not read: %s", type(error).__name__)
                self._end()
                return Seen(unread="读图没有完成（太大、太多或太慢）")
            finally:
                timer.cancel()

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = subprocess.Popen(  # noqa: S603  our own module, no words of others
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=_ROOT,
                env=child_environment(),  # it opens strangers' pictures: no secret of ours
            )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _asked(process: subprocess.Popen[bytes], name: str, content: bytes) -> Any:
    if process.stdin is None or process.stdout is None:
        raise ValueError("the process has no pipes")
    head = json.dumps({"name": name, "size": len(content)}).encode()
    process.stdin.write(head + b"\n" + content)
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def _seen(said: Any) -> Seen:
    rows = tuple(
        (str(place), tuple(Word(str(text), _box(box)) for text, *box in words))
        for place, words in said["rows"]
    )
    return Seen(rows, int(said["pictures"]), str(said["unread"]))


def _box(said: Sequence[Any]) -> tuple[float, float, float, float]:
    left, top, right, bottom = (min(max(float(one), 0.0), _TALLEST) for one in said)
    return left, top, right, bottom


# --- into a reading ---------------------------------------------------------------------------


def with_seen(reading: Reading, seen: Seen | None) -> Reading:
    """The reading with what was seen in its pictures; None when nobody could look."""
    if not any(_asks_to_look(one) for one in reading.faults):
        return reading
    why = "没有读图" if seen is None else seen.unread
    if seen is not None and not seen.pictures and not why:
        return reading
    faults = tuple(_looked(reading.faults, why))
    parts = () if seen is None else tuple(_parts(seen))
    return replace(reading, parts=(*reading.parts, *parts), faults=faults)


def _asks_to_look(fault: Fault) -> bool:
    told = any(word in fault.reason for word in _BY_EYE) and "矢量图" not in fault.reason
    return told and fault.rule == "secrecy.attachment-look" and fault.part < 0


def _looked(faults: Sequence[Fault], why: str) -> Iterator[Fault]:
    for fault in faults:
        if not _asks_to_look(fault) or "乱码" in fault.reason:
            yield fault
        elif why:
            yield replace(fault, reason=f"{why}：{fault.reason}")
        else:
            yield replace(fault, severity="hint", reason=_READ)


def _parts(seen: Seen) -> Iterator[Part]:
    for place, words in seen.rows:
        spots, at = [], 0
        for word in words:
            spots.append(Spot(at, at + len(word.text), word.box))
            at += len(word.text) + 1
        yield Part(place, " ".join(word.text for word in words), spots=tuple(spots))
