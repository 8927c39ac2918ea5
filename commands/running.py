"""`shenfa init`, `serve`, `worker` and `scheduler`: make an office, and run it."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from app import Shenfa, listening
from bot.delivery.processes import SERVE, kinds_alive, lacking
from commands.files import write_private
from commands.homes import settings_for
from commands.lines import BadInput, say
from commands.loading import new_group
from commands.opening import office
from commands.options import Home
from config.setup import EXAMPLE, SetupError
from config.signals import rest, run_until_told
from office.setup import Initialised, initialise
from office.setup_check import read_setup
from storage.database import sqlite_file

group = new_group("开办和运行")


@group.command()
def init(
    *,
    setup: Annotated[Path, typer.Option("--from", help="开办文件")] = Path("setup.yaml"),
    example: Annotated[
        bool, typer.Option("--example", help="只写出一份带说明的开办文件，什么都不建立")
    ] = False,
    home: Home = None,
) -> None:
    """初始化：建库、建钥、写入创世条目；打印地址和密码（只此一次）。"""
    if example:
        write_private(setup, EXAMPLE.read_text(encoding="utf-8"))
        say(f"已写到 {setup}：照里面的说明填写，再运行 shenfa init --from {setup}")
        return
    settings = settings_for(home)

    async def run() -> Initialised:
        return await initialise(settings, read_setup(setup, settings))

    try:
        made = asyncio.run(run())
    except SetupError as error:
        # A line each, so that all of them can be mended in one go.
        sys.stderr.write("\n".join([*error.lines, ""]))
        raise SystemExit(2) from error
    say(made, as_json=True)


@group.command()
def serve(
    *,
    web: Annotated[
        bool, typer.Option("--web", help="只做网页进程，定时任务由 worker 和 scheduler 做")
    ] = False,
    home: Home = None,
) -> None:
    """启动：控制台、接口、平台回调，以及全部定时任务。"""
    if web:
        _must_be_grown(home, "网页进程")

    async def run() -> None:
        async with office(home) as opened:
            if web:
                opened.lease.kind = SERVE
            async with listening(opened):
                await _begun(opened)
                async with opened.facing() if web else opened.jobs():
                    await rest()

    run_until_told(run())


async def _equipped(opened: Shenfa) -> None:
    # A platform that cannot be told today is told at the next start; the office opens all the same.
    for problem in await opened.equip():
        sys.stderr.write(problem + "\n")


async def _begun(opened: Shenfa) -> None:
    await _equipped(opened)
    for words in lacking(await kinds_alive(opened.db)).values():
        sys.stderr.write(words + "\n")
    _told(f"审发已启动：{opened.settings.public_url}/console/")


@group.command()
def worker(*, home: Home = None) -> None:
    """启动一个工作进程：发布、推送、补发答复；可以有多个，需要 PostgreSQL 和 Redis。"""
    _must_be_grown(home, "工作进程")

    async def run() -> None:
        async with office(home) as opened, opened.working():
            # Whoever does the jobs also tells the platforms of an account that was changed.
            await _equipped(opened)
            _told("审发工作进程已启动")
            await rest()

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
