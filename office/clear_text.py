"""Folders that hold an office in the clear for as long as it is packed or unpacked.

Whoever is killed meanwhile leaves one behind. Each is locked by who uses it, and the lock ends with
the process, so that a folder nobody holds is known to be left and is swept.
"""

import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from config.settings import Settings
from storage.database import sqlite_file

_NAME = ".clear-"
_LOCK = ".in-use"
_EARLIER = re.compile(r"(backup|restore)-[a-z0-9_]{8}")
"""What versions before called them; those had no lock."""
_PARTS = re.compile(r"anchors\.jsonl|shenfa\.db(-wal|-shm|-journal)?|[a-z_]+\.copy")
_DAY = 86_400.0  # seconds no backup takes
_log = structlog.get_logger("office.clear_text")


@contextmanager
def clear_folder(place: Path) -> Iterator[Path]:
    """A folder in `place` for its owner alone; what others left there before is swept first."""
    sweep(place)
    folder = Path(tempfile.mkdtemp(prefix=_NAME, dir=place))  # mode 0700
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(handle)
        shutil.rmtree(folder, ignore_errors=True)


def sweep(place: Path) -> int:
    """Remove what a killed process left in `place`; how many folders that were."""
    left = [one for one in _folders(place) if _is_left(one)]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(left)


def sweep_all(settings: Settings) -> None:
    """The same in every place of an office where such folders are made, when it opens."""
    database = sqlite_file(settings.database_url)
    for place in {settings.home, database.parent if database else settings.home}:
        if number := sweep(place):
            _log.warning("clear_text_swept", folders=number)


def _folders(place: Path) -> list[Path]:
    if not place.is_dir():
        return []
    return [one for one in place.iterdir() if one.is_dir() and not one.is_symlink()]


def _is_left(folder: Path) -> bool:
    if _EARLIER.fullmatch(folder.name):
        return _is_of_earlier(folder)
    if not folder.name.startswith(_NAME):
        return False
    try:
        handle = os.open(folder / _LOCK, os.O_RDWR)
    except FileNotFoundError:  # killed, or just about to lock it
        return _is_old(folder)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def _is_of_earlier(folder: Path) -> bool:
    """Ours and nobody's own folder of that name: closed to others, and nothing else inside."""
    ours = all(_PARTS.fullmatch(one.name) for one in folder.iterdir())
    return ours and folder.stat().st_mode & 0o777 == 0o700 and _is_old(folder)


def _is_old(folder: Path) -> bool:
    return time.time() - folder.stat().st_mtime > _DAY
