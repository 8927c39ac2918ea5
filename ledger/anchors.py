"""Anchor files outside the database: written and synced before an entry is acknowledged."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from ledger.verify import read_anchor

Mark = dict[str, Any]


class AnchorFiles:
    """The same lines in every file; the first one is read back to find a cut tail."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """At least one path; keep each on another file system than the database."""
        self.paths = list(paths)
        self._read = 0

    def write(self, mark: Mark) -> None:
        """Append one line to every file and sync it; OSError when one cannot be written."""
        line = json.dumps(mark).encode() + b"\n"
        for path in self.paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a+b") as file:
                # A line torn by a power cut stays alone.
                torn = file.seek(0, os.SEEK_END) > 0 and _last_byte(file) != b"\n"
                file.write(b"\n" + line if torn else line)
                file.flush()
                os.fsync(file.fileno())

    def unread(self) -> list[Mark]:
        """What the first file gained since the last look, whoever wrote it.

        A file that became shorter is read from its beginning.
        """
        path = self.paths[0]
        size = path.stat().st_size if path.exists() else 0
        if size < self._read:
            self._read = 0
        if size == self._read:
            return []
        with path.open("rb") as file:
            file.seek(self._read)
            whole = file.read(size - self._read).rpartition(b"\n")[0]
        self._read += len(whole) + 1 if whole else 0
        lines = whole.decode(errors="replace").split("\n")
        return [mark for line in lines if (mark := read_anchor(line)) is not None]

    def sizes(self) -> list[int]:
        """How long each file is now, for `marks`."""
        return [path.stat().st_size if path.exists() else 0 for path in self.paths]

    def marks(self, sizes: Sequence[int]) -> Iterator[Mark]:
        """Every anchor of every file, up to the sizes taken before, one line at a time."""
        for path, size in zip(self.paths, sizes, strict=True):
            if not size:
                continue
            with path.open("rb") as file:
                while file.tell() < size:
                    mark = read_anchor(file.readline().decode(errors="replace"))
                    if mark is not None:
                        yield mark


def _last_byte(file: BinaryIO) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)
