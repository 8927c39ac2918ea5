"""`shenfa backup`: one encrypted file that holds an office, without its keys.

Inside is a tar.gz: the database (a consistent copy with all media, office/dumps.py) and
`anchors.jsonl`. The key is derived from the data key; whoever restores brings both keys from where
they are kept (office/restore.py).
"""

import asyncio
import gzip
import json
import os
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from config.clock import now
from config.settings import Settings
from config.setup import SetupError
from ledger.anchors import Mark
from office.clear_text import clear_folder
from office.dumps import Dump, dump_postgres, dump_sqlite
from office.keys import open_crypt, open_ledger
from storage.database import Database, sqlite_file
from storage.sealed_files import SealedWriter

FORMAT = 2
ANCHORS = "anchors.jsonl"
SQLITE, POSTGRES = "sqlite", "postgresql"
_PACKED = 3  # pictures are packed already; the rest is text, of which more work saves little


async def make_backup(settings: Settings, target: Path) -> Mapping[str, Any]:
    """Write the office to `target` while it may be running; what was written, for people."""
    source = sqlite_file(settings.database_url)
    _must_be_possible(settings, source, target)
    db = Database(settings.database_url)
    try:
        ledger = open_ledger(settings, db)
        # What is copied in the clear stays where the office is, and does not go to another disk.
        with clear_folder(settings.home) as folder:
            anchored = list(ledger.files.marks(ledger.files.sizes()))  # none lies beyond the copy
            write_marks(folder / ANCHORS, anchored)
            dump = await _dump(db, source, folder)
            header = {
                "format": FORMAT,
                "at": now().isoformat(),
                "database": SQLITE if source else POSTGRES,
                "revision": dump.revision,
                "public_key": ledger.public_hex,
                "entries": dump.entries,
                "head": dump.head,
            }
            key, parts = open_crypt(settings).file_key, [ANCHORS, *dump.files]
            files = [folder / part for part in parts]
            size = await asyncio.to_thread(_pack, files, target, key, header)
    finally:
        await db.close()
    return {"file": str(target), "bytes": size, "entries": dump.entries}


def _must_be_possible(settings: Settings, source: Path | None, target: Path) -> None:
    if source is not None and not source.exists():
        raise SetupError(f"{settings.home} 还没有初始化，没有可备份的内容")
    # The last good backup must never be the one that is overwritten.
    if target.exists():
        raise SetupError(f"{target} 已存在：请换一个文件名，旧备份不会被覆盖")
    if not target.parent.is_dir():
        raise SetupError(f"没有目录 {target.parent}：请先建立，或换一个地方")
    for path in (settings.data_key_file, settings.ledger_key_file):
        if path is None or not path.is_file():
            raise SetupError(f"没有密钥文件 {path}：没有它做出的备份无法恢复，请放入原来的密钥")


async def _dump(db: Database, source: Path | None, folder: Path) -> Dump:
    if source is not None:
        return await asyncio.to_thread(dump_sqlite, source, folder)
    return await dump_postgres(db, folder)


def _pack(parts: Iterable[Path], target: Path, key: bytes, header: Mapping[str, Any]) -> int:
    """Readable by its owner alone, and never half there; its size."""
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            sealed = SealedWriter(file, key, header)
            with (
                gzip.GzipFile(fileobj=sealed, mode="wb", compresslevel=_PACKED) as packed,
                tarfile.open(fileobj=packed, mode="w|") as archive,
            ):
                for part in parts:
                    archive.add(part, part.name)
            sealed.close()
            file.flush()
            os.fsync(file.fileno())
        # Only a whole file ever has the name of a backup.
        unfinished.rename(target)
        return target.stat().st_size
    finally:
        unfinished.unlink(missing_ok=True)


def write_marks(path: Path, marks: Iterable[Mark]) -> None:
    """Add anchors to a file of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="ascii") as file:
        file.writelines(json.dumps(mark) + "\n" for mark in marks)
