"""`shenfa restore`: an office out of one encrypted file, into an empty home or database.

Everything that can be wrong with the file, the keys or the place is said before anything is
changed.
"""

import asyncio
import os
import re
import shutil
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from sqlalchemy import delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

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
from migrations.run import known_revisions, upgrade
from office.backup import ANCHORS, FORMAT, POSTGRES, SQLITE, write_marks
from office.clear_text import clear_folder
from office.dumps import DATABASE, empty, is_empty, load_postgres
from office.keys import open_crypt, open_ledger
from storage.database import Database, sqlite_file
from storage.sealed_files import Damaged, SealedReader, WrongKey, key_name, read_header
from storage.seals import Seals
from storage.switches import set_switch

UNSURE = "从备份恢复：备份之后可能已经发出，请在平台上核对后确认"
_UNFINISHED = (State.CREATED, State.SENDING, State.RETRYING)
_PART = re.compile(rf"{re.escape(DATABASE)}|{re.escape(ANCHORS)}|[a-z0-9_]+\.copy")


@dataclass(frozen=True)
class Restored:
    """What a restore did; `lost` anchored entries are not in the backup, `unsure` need a look."""

    home: str
    made: datetime
    gap: Gap
    lost: int
    unsure: int


async def restore(settings: Settings, source: Path, anchors: Sequence[Path]) -> Restored:
    """Put an office back where none is, and sign which anchored entries it lacks.

    `anchors` are files kept elsewhere; the configured ones are read too.
    """
    place = sqlite_file(settings.database_url)
    if place is not None and place.exists():
        raise SetupError(f"{place} 已存在：恢复只写入空的数据目录，请换一个 --home")
    header = _header(source, SQLITE if place else POSTGRES)
    _keys_fit(settings, header)
    known = list(_known_marks(settings, anchors))
    if place is None:
        await _must_be_empty(settings)
    settings.home.mkdir(parents=True, exist_ok=True)
    inside = place.parent if place else settings.home  # the last rename is within one file system
    inside.mkdir(parents=True, exist_ok=True)
    with clear_folder(inside) as folder:
        key = open_crypt(settings).file_key
        await asyncio.to_thread(_unpack, source, key, folder)
        packed = AnchorFiles([folder / ANCHORS])
        known += packed.marks(packed.sizes())
        if place is None:
            return await _into_server(settings, folder, known, header)
        done = await _settled(settings, f"sqlite+aiosqlite:///{folder / DATABASE}", known, header)
        (folder / DATABASE).rename(place)
        return done


async def _into_server(
    settings: Settings, folder: Path, known: Sequence[Mark], header: Mapping[str, Any]
) -> Restored:
    db = Database(settings.database_url)
    try:
        await load_postgres(db, folder, str(header["revision"]))
        return await _settled(settings, settings.database_url, known, header)
    except BaseException:
        await empty(db)  # nothing of an office that is not whole stays
        raise
    finally:
        await db.close()


async def _settled(
    settings: Settings, url: str, known: Sequence[Mark], header: Mapping[str, Any]
) -> Restored:
    db = Database(url, Seals(open_crypt(settings).seal_key))
    try:
        return await _settle(settings, open_ledger(settings, db), known, header)
    finally:
        await db.close()


# --- before anything is changed -----------------------------------------------------------


def _header(source: Path, database: str) -> Mapping[str, Any]:
    """What the file says of itself; SetupError when this program or this place cannot take it."""
    with _readable(source), source.open("rb") as file:
        if file.read(2) == b"\x1f\x8b":
            words = "是旧版本做的备份（没有加密）：请用做它的那个版本恢复，再升级"
            raise SetupError(f"{source} {words}")
        file.seek(0)
        header, _ = read_header(file)
        number, revision = int(header["format"]), str(header["revision"])
        kind, _ = str(header["database"]), str(header["public_key"])
    if number > FORMAT or revision not in known_revisions():
        words = f"是更新的版本做的备份（结构 {revision}），这个版本读不了：请先升级审发，再恢复"
        raise SetupError(f"{source} {words}")
    if kind != database:
        want, have = _KINDS.get(kind, kind), _KINDS[database]
        raise SetupError(f"{source} 是 {want} 的备份，这里用的是 {have}：请改 SHENFA_DATABASE_URL")
    return header


_KINDS = {SQLITE: "SQLite", POSTGRES: "PostgreSQL"}


def _keys_fit(settings: Settings, header: Mapping[str, Any]) -> None:
    """Both keys lie in their places and are those the office had."""
    for path in (settings.ledger_key_file, settings.data_key_file):
        # An office would make a new one, with which nothing of the old could be read.
        if path is None or not path.is_file():
            raise SetupError(f"备份里没有密钥：请先把原来的放到 {path}，再恢复")
    # The address is never opened: the ledger is asked for its key alone.
    with _key_file(settings.ledger_key_file):
        ledger = open_ledger(settings, Database("sqlite+aiosqlite://"))
    # With another key the ledger would verify nowhere and the next entry would break it.
    if ledger.public_hex != header["public_key"]:
        raise SetupError(f"{settings.ledger_key_file} 不是这份备份的台账私钥：请放入原来的")
    with _key_file(settings.data_key_file):
        name = key_name(open_crypt(settings).file_key)
    if name != header.get("key"):
        raise SetupError(f"{settings.data_key_file} 不是这份备份的数据密钥：请放入原来的")


@contextmanager
def _key_file(path: Path | None) -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError) as error:
        raise SetupError(f"密钥文件 {path} 读不出：请放入原来的") from error


async def _must_be_empty(settings: Settings) -> None:
    db = Database(settings.database_url)
    try:
        if not await is_empty(db):
            raise SetupError("数据库里已有表：恢复只写入空的数据库，请新建一个（createdb）")
    except (OSError, SQLAlchemyError) as error:
        raise SetupError("数据库连不上：请检查 SHENFA_DATABASE_URL") from error
    finally:
        await db.close()


def _known_marks(settings: Settings, anchors: Sequence[Path]) -> Iterator[Mark]:
    kept = [path for path in (settings.anchor_file, *settings.anchor_paths) if path is not None]
    for path in (*anchors, *kept):
        # A path given by hand must exist; the configured ones may be new on this machine.
        if path not in kept and not path.is_file():
            raise SetupError(f"没有锚定文件 {path}：请检查路径")
        files = AnchorFiles([path])
        yield from files.marks(files.sizes())


def _unpack(source: Path, key: bytes, folder: Path) -> None:
    """Every part of the file into `folder`; SetupError unless all of it is as it was made."""
    with _readable(source), source.open("rb") as file:
        sealed = SealedReader(file, key)
        with tarfile.open(fileobj=cast(BinaryIO, sealed), mode="r|gz") as archive:
            for member in archive:
                part = archive.extractfile(member)
                # Names of our own and no others: an archive could name a path outside the folder.
                if part is None or not _PART.fullmatch(member.name):
                    raise Damaged(f"a part named {member.name}")
                handle = os.open(folder / member.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as held:
                    shutil.copyfileobj(part, held)
        while sealed.read(1 << 20):
            """What follows the archive is filling; that it is whole has to be seen."""
        if not (folder / ANCHORS).exists():
            raise Damaged("parts are missing")


@contextmanager
def _readable(source: Path) -> Iterator[None]:
    """Whatever is wrong with the file becomes one line."""
    try:
        yield
    except WrongKey as error:
        raise SetupError(f"{source} 是用别的数据密钥做的：请放入原来的") from error
    except (OSError, EOFError, tarfile.TarError, zlib.error, ValueError, KeyError) as error:
        raise SetupError(f"{source} 读不出，或不是完整的备份：{error}") from error


# --- afterwards ---------------------------------------------------------------------------


async def _settle(
    settings: Settings, ledger: Ledger, known: Sequence[Mark], header: Mapping[str, Any]
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
    write_marks(ledger.anchor_path, [one for key, one in sorted(fresh.items()) if key not in have])
    unsure = await _hold_back(ledger, lost)
    made = datetime.fromisoformat(header["at"])
    return Restored(str(settings.home), made, gap, lost, unsure)


async def _hold_back(ledger: Ledger, lost: int) -> int:
    """How many that were due are now unknown; with entries lost, nothing goes out at all."""
    async with ledger.transaction() as tx:
        late = select(Publication).where(
            Publication.state.in_(_UNFINISHED), Publication.due_at <= now()
        )
        # What was due after the backup may be out: sending it again is worse than asking a person.
        rows = (await tx.session.scalars(late)).all()
        for row in rows:
            row.state, row.next_at, row.reason = State.UNKNOWN, None, UNSURE
        values = {"state": State.UNKNOWN, "next_at": None, "why": UNSURE}
        unsure = len(rows) + await rewrite(tx.session, Delivery.state.in_(_UNFINISHED), **values)
        # Whoever waited for an answer then has it by now, or has asked again.
        await tx.session.execute(update(InboundMessage).values(waits=""))
        for table in (Process, AccountRest):
            await tx.session.execute(delete(table))
        for name, words in (await _stops(tx.session, lost)).items():
            await set_switch(tx.session, name, stopped=True, reason=words, by="system")
            body = {"stopped": True}
            await tx.append("switch.set", subject=f"switch:{name}", actor="system", body=body)
    return unsure


async def _stops(session: AsyncSession, lost: int) -> dict[str, str]:
    """What goes out no more until a person has looked, and why."""
    if lost:  # entries are missing: perhaps a recall among them
        words = f"从备份恢复，丢失 {lost} 条锚定过的台账：核对撤回和已发内容后再恢复"
        return {"publishing": words, "push": words}
    began = select(Publication.id).where(
        Publication.state == State.PUBLISHED, Publication.pushed_at.is_(None)
    )
    if (await session.scalars(began.limit(1))).first() is None:
        return {}
    return {"push": "从备份恢复，备份时有推送还没有发完：到平台上核对是否已推送，再恢复"}
