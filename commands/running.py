"""`shenfa init`, `serve`, `worker` and `scheduler`: make an office, and run it."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from app import Shenfa, listening
from bot.delivery.processes import SERVE, kinds_alive, lacking
from commands.homes import settings_for
from commands.lines import BadInput, say
from commands.loading import new_group
from commands.opening import office
from commands.options import Home
from config.setup import read_setup
from config.signals import run_until_told
from office.setup import Initialised, initialise
from storage.database import sqlite_file

group = new_group("开办和运行")


@group.command()
def init(
    *,
    setup: Annotated[Path, typer.Option("--from", help="setup.yaml")],
    home: Home = None,
) -> None:
    """初始化：建库、建钥、写入创世条目；打印地址和密码（只此一次）。"""

    async def run() -> Initialised:
        return await initialise(settings_for(home), read_setup(setup))

    say(asyncio.run(run()), as_json=True)


@group.command()
def serve(*, home: Home = None) -> None:
    """启动：控制台、接口、平台回调；单机时也做全部定时任务。"""

    async def run() -> None:
        async with office(home) as opened:
            if opened.settings.grown:
                opened.lease.kind = SERVE
            async with listening(opened):
                await _begun(opened)
                async with opened.reading() if opened.settings.grown else opened.jobs():
                    await asyncio.Event().wait()

    run_until_told(run())


async def _begun(opened: Shenfa) -> None:
    # A platform that cannot be told today is told at the next start; the office opens all the same.
    for problem in await opened.equip():
        sys.stderr.write(problem + "\n")
    for words in lacking(await kinds_alive(opened.db)).values():
        sys.stderr.write(words + "\n")
    _told(f"审发已启动：{opened.settings.public_url}/console/")


@group.command()
def worker(*, home: Home = None) -> None:
    """启动一个工作进程：发布、推送、补发答复；可以有多个，需要 PostgreSQL 和 Redis。"""
    _must_be_grown(home, "工作进程")

    async def run() -> None:
        async with office(home) as opened, opened.working():
            _told("审发工作进程已启动")
            await asyncio.Event().wait()

    run_until_told(run())


@group.command()
def scheduler(*, home: Home = None) -> None:
    """启动调度进程：到点叫工作进程动手；可以有多个，只有一个在做，其余待命。"""
    _must_be_grown(home, "调度进程")

    async def run() -> None:
        async with office(home) as opened:
            _told("审发调度进程已启动")
            await opened.schedule()

    run_until_told(run())


def _must_be_grown(home: Path | None, name: str) -> None:
    """BadInput where `shenfa serve` does everything by itself."""
    settings = settings_for(home)
    if settings.grown:
        return
    if sqlite_file(settings.database_url) is not None:
        why = "数据库是 SQLite，只供一台机器上的 shenfa serve 使用，它已包办全部定时任务"
        what = "请设 SHENFA_DATABASE_URL（postgresql+asyncpg://…）和 SHENFA_REDIS_URL"
    else:
        why = "没有设 SHENFA_REDIS_URL，shenfa serve 已包办全部定时任务"
        what = "请先设 SHENFA_REDIS_URL"
    raise BadInput(f"{name}没有启动：{why}。要分成多个进程运行，{what}")


def _told(words: str) -> None:
    say(words)
    sys.stdout.flush()
