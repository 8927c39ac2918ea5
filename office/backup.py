"""`shenfa backup` and `shenfa restore`: one file that holds an office, and back.

The file is a tar.gz: `manifest.json` (what, when, SHA-256 of each part), `shenfa.db` (a consistent
snapshot with all media), `anchors.jsonl`, and with keys `ledger.key` and `data.key`.
"""

import asyncio
import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import CursorResult, delete, select, update

from bot.contract import State
from bot.models import AccountRest, Delivery, InboundMessage, Process, Publication
from bot.sealing import rewrite
from config.clock import now
from config.settings import Settings
from config.setup import SetupError
from ledger.anchors import AnchorFiles, Mark
from ledger.append import Ledger
from ledger.restoring import declare_restored
from ledger.verify import Broken, Gap
from migrations.run import upgrade
from office.keys import open_crypt, open_ledger
from storage.database import Database, sqlite_file
from storage.seals import Seals
from storage.switches import set_switch

FORMAT = 1
DATABASE, ANCHORS, MANIFEST = "shenfa.db", "anchors.jsonl", "manifest.json"
LEDGER_KEY, DATA_KEY = "ledger.key", "data.key"
UNSURE = "从备份恢复：备份之后可能已经发出，请在平台上核对后确认"
_UNFINISHED = (State.CREATED, State.SENDING, State.RETRYING)


def _database_file(settings: Settings) -> Path:
    path = sqlite_file(settings.database_url)
    if path is None:
        raise SetupError(
            "PostgreSQL 请用 pg_dump -Fc 备份、pg_restore 恢复，并另存密钥和锚定文件；"
            "恢复后运行 shenfa ledger restored --anchor 锚定文件，登记恢复"
        )
    return path


# --- backup -------------------------------------------------------------------------------


def make_backup(settings: Settings, target: Path, *, with_keys: bool) -> Mapping[str, Any]:
    """Write the office to `target` while it may be running; what was written, for people."""
    source = _database_file(settings)
    if not source.exists():
        raise SetupError(f"{settings.home} 还没有初始化，没有可备份的内容")
    # The last good backup must never be the one that is overwritten.
    if target.exists():
        raise SetupError(f"{target} 已存在：请换一个文件名，旧备份不会被覆盖")
    ledger = open_ledger(settings, Database(settings.database_url))
    # Beside the target: the last rename is whole only within one file system.
    with tempfile.TemporaryDirectory(prefix="shenfa-backup-", dir=target.parent) as name:
        folder = Path(name)
        anchored = list(ledger.files.marks(ledger.files.sizes()))  # none lies beyond the snapshot
        _write_marks(folder / ANCHORS, anchored)
        _snapshot(source, folder / DATABASE)
        parts = [DATABASE, ANCHORS]
        if with_keys:
            for part, path in _keys(settings).items():
                shutil.copyfile(path, folder / part)
                parts.append(part)
        entries, head = _head_of(folder / DATABASE)
        manifest = {
            "format": FORMAT,
            "at": now().isoformat(),
            "public_key": ledger.public_hex,
            "entries": entries,
            "head": head,
            "parts": {part: _sha256(folder / part) for part in parts},
        }
        (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
        _pack(folder, [MANIFEST, *parts], target)
    return {
        "file": str(target),
        "bytes": target.stat().st_size,
        "entries": entries,
        "keys": with_keys,
    }


def _keys(settings: Settings) -> dict[str, Path]:
    paths = {LEDGER_KEY: settings.ledger_key_file, DATA_KEY: settings.data_key_file}
    return {name: path for name, path in paths.items() if path is not None}


def _snapshot(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        # SQLite's own way: a copy of the file of a running office could be torn.
        old.backup(new)


def _head_of(path: Path) -> tuple[int, str]:
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT seq, hash FROM ledger_entry ORDER BY seq DESC LIMIT 1"
        return tuple(connection.execute(query).fetchone() or (0, ""))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pack(folder: Path, parts: Iterable[str], target: Path) -> None:
    """Readable by its owner alone, and never half there."""
    unfinished = folder / "unfinished"
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as raw, tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for part in parts:
            archive.add(folder / part, part)
    # Only a whole file ever has the name of a backup.
    unfinished.rename(target)


def _write_marks(path: Path, marks: Iterable[Mark]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="ascii") as file:
        file.writelines(json.dumps(mark) + "\n" for mark in marks)


# --- restore ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Restored:
    """What a restore did; `lost` anchored entries are not in the backup, `unsure` need a look."""

    home: str
    made: datetime
    gap: Gap
    lost: int
    unsure: int


async def restore(settings: Settings, source: Path, anchors: Sequence[Path]) -> Restored:
    """Put an office back into an empty home, and sign which anchored entries it lacks.

    `anchors` are files kept elsewhere; the configured ones are read too.
    """
    database = _database_file(settings)
    if database.exists():
        raise SetupError(f"{database} 已存在：恢复只写入空的数据目录，请换一个 --home")
    # Read before anything is written: a mistyped path ends here.
    known = list(_known_marks(settings, anchors))
    database.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="restore-", dir=database.parent) as name:
        folder = Path(name)
        manifest = await asyncio.to_thread(_unpack, source, folder)
        _place_keys(settings, folder)
        # The key that seals may be kept elsewhere and come back later.
        seals = Seals(open_crypt(settings).seal_key) if _is_there(settings.data_key_file) else None
        db = Database(f"sqlite+aiosqlite:///{folder / DATABASE}", seals)
        try:
            ledger = open_ledger(settings, db)
            # With another key the ledger would verify nowhere and the next entry would break it.
            if ledger.public_hex != manifest["public_key"]:
                raise SetupError(f"{settings.ledger_key_file} 不是这份备份的台账私钥：请放入原来的")
            packed = AnchorFiles([folder / ANCHORS])
            known += packed.marks(packed.sizes())
            restored = await _settle(settings, ledger, known, manifest)
        finally:
            await db.close()
        (folder / DATABASE).rename(database)
    return restored


def _is_there(path: Path | None) -> bool:
    return path is not None and path.exists()


def _known_marks(settings: Settings, anchors: Sequence[Path]) -> Iterator[Mark]:
    kept = [path for path in (settings.anchor_file, *settings.anchor_paths) if path is not None]
    for path in (*anchors, *kept):
        # A path given by hand must exist; the configured ones may be new on this machine.
        if path not in kept and not path.is_file():
            raise SetupError(f"没有锚定文件 {path}：请检查路径")
        files = AnchorFiles([path])
        yield from files.marks(files.sizes())


async def _settle(
    settings: Settings, ledger: Ledger, known: Sequence[Mark], manifest: Mapping[str, Any]
) -> Restored:
    """Migrate, fill up the anchor file, declare the gap, and leave nothing to be sent twice."""
    await upgrade(ledger.db)
    # The anchor file of this machine may have survived; its lines are not written twice.
    have = {(mark["seq"], mark["hash"]) for mark in ledger.files.unread()}
    fresh = {(mark["seq"], mark["hash"]): mark for mark in known}
    try:
        gap, lost = await declare_restored(ledger, fresh.values())
    except Broken as broken:
        raise SetupError(f"备份里的台账已损坏，没有恢复：{broken}") from broken
    missing = [mark for key, mark in sorted(fresh.items()) if key not in have]
    _write_marks(ledger.anchor_path, missing)
    async with ledger.transaction() as tx:
        moment, unsure = now(), 0
        # What was due after the backup may be out: sending it again is worse than asking a person.
        due = Delivery.state.in_(_UNFINISHED)
        values = {"state": State.UNKNOWN, "next_at": None, "why": UNSURE}
        if ledger.db.seals is not None:
            late = select(Publication).where(
                Publication.state.in_(_UNFINISHED), Publication.due_at <= moment
            )
            for row in (await tx.session.scalars(late)).all():
                row.state, row.next_at, row.reason = State.UNKNOWN, None, UNSURE
                unsure += 1
            unsure += await rewrite(tx.session, due, **values)
        for statement in (
            update(Publication)
            .where(Publication.state.in_(_UNFINISHED), Publication.due_at <= moment)
            .values(state=State.UNKNOWN, next_at=None, reason=UNSURE),
            update(Delivery).where(due).values(**values),
        ):
            result = await tx.session.execute(statement)
            unsure += result.rowcount if isinstance(result, CursorResult) else 0
        # Whoever waited for an answer then has it by now, or has asked again.
        await tx.session.execute(update(InboundMessage).values(waits=""))
        for table in (Process, AccountRest):
            await tx.session.execute(delete(table))
        # Entries are missing: perhaps a recall among them. Nothing goes out until a person has
        # looked.
        if lost:
            words = f"从备份恢复，丢失 {lost} 条锚定过的台账：核对撤回和已发内容后再恢复"
            for name in ("publishing", "push"):
                await set_switch(tx.session, name, stopped=True, reason=words, by="system")
                body = {"stopped": True}
                await tx.append("switch.set", subject=f"switch:{name}", actor="system", body=body)
    made = datetime.fromisoformat(manifest["at"])
    return Restored(str(settings.home), made, gap, lost, unsure)


def _unpack(source: Path, folder: Path) -> Mapping[str, Any]:
    """The manifest; every part it names lies in `folder` and has the SHA-256 it names."""
    with _readable(source):
        with tarfile.open(source, "r:gz") as archive:
            # Five names of our own and no others: an archive could name a path outside the folder.
            for part in (MANIFEST, DATABASE, ANCHORS, LEDGER_KEY, DATA_KEY):
                member = archive.extractfile(part) if part in archive.getnames() else None
                if member is None:
                    continue
                # Keys are among the parts, so nobody else may read them even for a moment.
                handle = os.open(folder / part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as file:
                    shutil.copyfileobj(member, file)
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        parts = dict(manifest["parts"])
        if manifest["format"] != FORMAT or not {DATABASE, ANCHORS} <= set(parts):
            raise ValueError("not a backup of this version")
        for part, digest in parts.items():
            if _sha256(folder / part) != digest:
                raise ValueError(f"{part} changed")
    return dict(manifest)


@contextmanager
def _readable(source: Path) -> Iterator[None]:
    """Whatever is wrong with the file becomes one line."""
    try:
        yield
    except (OSError, EOFError, tarfile.TarError, zlib.error, ValueError, KeyError) as error:
        raise SetupError(f"{source} 读不出，或不是完整的备份：{error}") from error


def _place_keys(settings: Settings, folder: Path) -> None:
    """Keys of the backup where there are none yet; the configured ones are never overwritten."""
    for name, path in _keys(settings).items():
        held = folder / name
        # A key in place may be newer than the backup; overwriting it could lose a ledger for good.
        if path.exists():
            continue
        if not held.exists():
            raise SetupError(f"备份里没有密钥：请先把原来的 {name} 放到 {path}，再恢复")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(held, path)
        path.chmod(0o600)
