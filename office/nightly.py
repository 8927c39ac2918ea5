"""The backup an office makes by itself every night, and what is said when none came."""

import os
import re
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from config.clock import BEIJING, beijing, now
from config.settings import Settings
from config.setup import SetupError
from ledger.append import Ledger
from ledger.models import LedgerEntry
from office.backup import make_backup
from office.doctor_check import FAIL, OK, WARN, Check
from storage.database import Database, sqlite_file

NIGHT = 2  # o'clock in Beijing: from then on a day has to have its backup
OLD = timedelta(hours=36)  # a night was missed, and the day after it
_NAME = "shenfa-%Y%m%d-%H%M%S.backup"
_OURS = re.compile(r"shenfa-\d{8}-\d{6}\.backup")
_log = structlog.get_logger("office.nightly")


async def back_up_due(settings: Settings, ledger: Ledger) -> str:
    """The name of the backup that was made; empty when none was due or it could not be made.

    1. Once a day, from two o'clock on, or at once when the newest is too old; what failed is tried
    again in an hour.
    2. Of the office's own, so many are kept as the settings say.
    3. When the newest is too old, people are told, with the reason.
    """
    if not settings.backup_keep:
        return ""
    made, why = "", ""
    # An office that stood still over a night, or was upgraded after midnight, misses none yet.
    if _due(settings) or await _old(settings, ledger.db):
        try:
            made = await _back_up(settings)
        except (SetupError, OSError, SQLAlchemyError) as error:
            # hide_parameters keeps rows out of the text of a database error
            why = " ".join(str(error).split())[:200]
            _log.warning("backup_failed", error=type(error).__name__)
    if not made and await _old(settings, ledger.db):
        words = (
            f"{_age(settings)}，{why or '没有做成'}：请看日志，腾出空间或改正 SHENFA_BACKUP_FOLDER"
        )
        await ledger.open_incident("backup_old", subject="backup", message=words, detail={})
    return made


def _due(settings: Settings) -> bool:
    last, present = newest(settings), beijing(now())
    if present.hour < NIGHT:
        return False
    return last is None or beijing(last).date() < present.date()


async def _back_up(settings: Settings) -> str:
    folder = _folder(settings)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = beijing(now()).strftime(_NAME)
    await make_backup(settings, folder / name)
    for old in _own(folder)[: -settings.backup_keep]:
        old.unlink(missing_ok=True)
    return name


def newest(settings: Settings) -> datetime | None:
    """When the newest backup of the office's own was made; None when there is none."""
    own = _own(_folder(settings))
    return _moment(own[-1]) if own else None


def _moment(path: Path) -> datetime:
    return datetime.strptime(path.name, _NAME).replace(tzinfo=BEIJING)


def _folder(settings: Settings) -> Path:
    return settings.backup_folder or settings.home / "backups"


def _own(folder: Path) -> list[Path]:
    """Oldest first; what others put there is neither counted nor deleted.

    Nor is what a clock that was wrong named for a day to come: no night is left out for it.
    """
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if _is_ours(path))


def _is_ours(path: Path) -> bool:
    if not _OURS.fullmatch(path.name):
        return False
    try:
        return _moment(path) <= now()
    except ValueError:  # digits that are no day
        return False


async def _old(settings: Settings, db: Database) -> bool:
    """Whether the newest backup, or an office without any, is older than OLD."""
    since = newest(settings)
    if since is None:
        async with db.session() as session:
            first = select(LedgerEntry.at).order_by(LedgerEntry.seq).limit(1)
            since = (await session.scalars(first)).first()
    return since is not None and now() - since > OLD


def _age(settings: Settings) -> str:
    last = newest(settings)
    if last is None:
        return f"{_folder(settings)} 里还没有备份"
    return f"最近的备份是 {beijing(last):%Y-%m-%d %H:%M}"


async def backups_check(settings: Settings, db: Database) -> Check:
    """What `shenfa doctor` says of them."""
    folder, words = _folder(settings), _age(settings)
    if not settings.backup_keep:
        return Check("备份", WARN, "SHENFA_BACKUP_KEEP=0，审发不做备份：请另外备份，或改为 14")
    if await _old(settings, db):
        remedy = f"请看日志，确认 {folder} 写得进、有空间，再运行 shenfa backup 文件"
        return Check("备份", FAIL, f"{words}，超过 {OLD.total_seconds() / 3600:.0f} 小时：{remedy}")
    if newest(settings) is None:
        return Check("备份", OK, f"{words}，运行中每天 {NIGHT} 点以后做一次")
    if _same_disk(settings, folder):
        remedy = "请把 SHENFA_BACKUP_FOLDER 设到别的磁盘"
        return Check("备份", WARN, f"{words}，和数据库在同一块磁盘上，坏了一起丢：{remedy}")
    return Check("备份", OK, words)


def _same_disk(settings: Settings, folder: Path) -> bool:
    store = sqlite_file(settings.database_url)
    return store is not None and os.stat(folder).st_dev == os.stat(store).st_dev
