"""What `shenfa doctor` says of the processes of an office and of what they do by themselves."""

from collections.abc import AsyncIterator, Mapping

from sqlalchemy import text

from bot.delivery.processes import (
    ALL,
    KINDS,
    SCHEDULER,
    SERVE,
    WORKER,
    engine_fault,
    engine_silence,
    kinds_alive,
    lacking,
)
from bot.delivery.runs import ages
from config.settings import Settings
from office.doctor_check import FAIL, OK, WARN, Check
from storage.database import Database

NAMES = {ALL: "一体", SERVE: "网页", WORKER: "工作", SCHEDULER: "调度"}


async def alive(settings: Settings, db: Database) -> AsyncIterator[Check]:
    """Which processes live, whether the task engine works, which job is late."""
    kinds = await kinds_alive(db)
    yield await _engine(db)
    yield _processes(settings, kinds)
    if kinds[ALL] or kinds[WORKER]:
        yield await _jobs(db)
    if not db.is_sqlite:
        yield await _connections(settings, db, sum(kinds.values()))


async def _engine(db: Database) -> Check:
    """Whether what the office does by itself is done."""
    silent = await engine_silence(db)
    if silent is None:
        return Check("任务引擎", OK, "审发没有在运行")
    if fault := await engine_fault(db):
        return Check("任务引擎", FAIL, fault)
    return Check("任务引擎", OK, f"{max(0, round(silent))} 秒前有动静")


def _processes(settings: Settings, kinds: Mapping[str, int]) -> Check:
    running = "、".join(f"{NAMES[kind]}进程 {kinds[kind]} 个" for kind in KINDS if kinds.get(kind))
    if not running:
        return Check("进程", OK, "没有在运行")
    if words := "；".join(lacking(kinds).values()):
        return Check("进程", FAIL, f"{running}。{words}")
    if not settings.redis_url and sum(kinds.values()) > 1:
        why = "没有 Redis 时各进程的令牌和限速各算各的，会超出平台的限额"
        return Check("进程", WARN, f"{running}。{why}：请设 SHENFA_REDIS_URL，或只留一个进程")
    return Check("进程", OK, running)


async def _jobs(db: Database) -> Check:
    known = await ages(db)
    faults = [f"{name} {age.fault}" for name, age in sorted(known.items()) if age.fault]
    if not faults:
        return Check("定时任务", OK, f"{len(known)} 项都按时运行")
    return Check("定时任务", WARN, f"{'；'.join(faults)}：请看日志，必要时重启审发")


async def _connections(settings: Settings, db: Database, processes: int) -> Check:
    """Whether the server of the database lets in as many as may come at once."""
    async with db.session() as session:
        most = int((await session.execute(text("SHOW max_connections"))).scalar_one())
    wanted, each = processes * settings.database_connections, settings.database_connections
    words = f"服务器允许 {most} 个，{processes} 个进程各用至多 {each} 个"
    if wanted <= most:
        return Check("数据库连接", OK, words)
    remedy = f"请把 max_connections 设为 {wanted + 10} 以上，或减小 SHENFA_DATABASE_CONNECTIONS"
    return Check("数据库连接", WARN, f"{words}，忙时会有进程连不上：{remedy}")
