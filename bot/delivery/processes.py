"""Processes of an office as its database knows them: who is alive, who has ended, who works."""

import os
from collections import Counter
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

from sqlalchemy import ColumnElement, case, func, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import Process
from storage.database import Database

LEASE = 15.0  # seconds a process counts as alive after its last sign of life
SILENT = 60.0  # seconds after which a task engine that did nothing has stopped; its pulse is 5
STOPPED = "任务引擎已有 {seconds} 秒没有动静：发布、推送和答复都停着。请看日志，并重启审发"
ALL, SERVE, WORKER, SCHEDULER = "all", "serve", "worker", "scheduler"
KINDS = (ALL, SERVE, WORKER, SCHEDULER)
"""What a process is for: `all` does everything alone, the others share it."""
_WORKING = (ALL, WORKER)
LACKING: Mapping[str, str] = {
    SERVE: "没有网页进程在运行：控制台打不开，平台的来信收不到。请启动 shenfa serve --web",
    WORKER: "没有工作进程在运行：到点的发布、推送和补发的答复都停着。请启动 shenfa worker",
    SCHEDULER: "没有调度进程在运行：到点也没有人叫工作进程动手。请启动 shenfa scheduler",
}


def clock(db: Database) -> ColumnElement[float]:
    """The database's own time, in seconds since 1970."""
    said = "(julianday('now') - 2440587.5) * 86400.0"
    return literal_column(said if db.is_sqlite else "extract(epoch from clock_timestamp())::float8")


@cache
def place() -> str:
    """Where this process runs, so that whoever starts here next sees that it has ended.

    Empty where the system does not tell: then its lease runs out.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = Path("/proc/self/ns/pid").readlink().name
        return f"{boot}/{space}/{os.getpid()}/{_began(os.getpid())}"
    except OSError:
        return ""


def _began(number: int) -> str:
    """When a process of this system began, in its own count; OSError for none."""
    said = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    return said.rpartition(")")[2].split()[19]


def ended(where: str) -> bool:
    """Whether the process at this place was one of this very system and is there no more."""
    head, _, began = where.rpartition("/")
    here, _, number = head.rpartition("/")
    if not number.isdecimal() or not place().startswith(f"{here}/"):
        return False
    try:
        return _began(int(number)) != began
    except OSError:
        return True


async def living(session: AsyncSession, db: Database) -> tuple[set[str], set[str]]:
    """Processes that are alive, and all that the table knows.

    No process signs for longer than a lease: after a clock set back, or written by hand, such a row
    counts for one lease from now, so that nobody living looks dead and nobody dead lives on.
    """
    at = clock(db)
    far = Process.until > at + 2 * LEASE
    rows = (await session.execute(select(Process.id, Process.place, Process.until > at, far))).all()
    if any(row[3] for row in rows):
        await session.execute(update(Process).where(far).values(until=at + LEASE))
    alive = {one for one, where, fresh, _ in rows if fresh and not ended(where)}
    return alive, {row[0] for row in rows}


async def engine_silence(db: Database) -> float | None:
    """Seconds since any task engine of this office did a job; None when none is running."""
    async with db.session() as session:
        # A moment that is still to come is none: it must not hide a silence.
        past = clock(db) + 1.0
        last = func.max(
            case((Process.worked <= past, Process.worked), (Process.since <= past, Process.since))
        )
        query = select(clock(db) - last).where(Process.kind.in_(_WORKING))
        silent: float | None = await session.scalar(query)
    return silent


async def kinds_alive(db: Database) -> Counter[str]:
    """How many processes of each kind live."""
    query = select(Process.kind, Process.place).where(Process.until > clock(db))
    async with db.session() as session:
        rows = (await session.execute(query)).all()
    return Counter(kind for kind, where in rows if not ended(where))


def lacking(alive: Mapping[str, int]) -> dict[str, str]:
    """Which kinds are missing while others run that need them, in words by kind."""
    if not any(alive.get(kind) for kind in LACKING) or alive.get(ALL):
        return {}
    return {kind: words for kind, words in LACKING.items() if not alive.get(kind)}


async def faults(db: Database, besides: Collection[str] = ()) -> dict[str, str]:
    """What is missing or has stopped, in words; without the kinds in `besides`."""
    found = lacking(await kinds_alive(db))
    found = {kind: words for kind, words in found.items() if kind not in besides}
    if not found and (stopped := await engine_fault(db)):
        found["engine"] = stopped
    return found


async def engine_fault(db: Database) -> str:
    """Why the task engine is thought to have stopped, in words; empty when it has not."""
    silent = await engine_silence(db)
    return "" if silent is None or silent < SILENT else STOPPED.format(seconds=round(silent))
