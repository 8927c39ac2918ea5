"""`shenfa init` and `shenfa serve`: make an office, and run it."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from app import listening
from commands.files import write_private
from commands.homes import settings_for
from commands.lines import say
from commands.loading import new_group
from commands.opening import office
from commands.options import Home
from config.setup import EXAMPLE, SetupError
from config.signals import run_until_told
from office.setup import Initialised, initialise
from office.setup_check import read_setup

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
def serve(*, home: Home = None) -> None:
    """启动：控制台、接口、平台回调；嵌入式时也跑全部定时任务。"""

    async def run() -> None:
        async with office(home) as opened, listening(opened):
            # A platform that cannot be told today is told at the next start; the office opens all
            # the same.
            for problem in await opened.equip():
                sys.stderr.write(problem + "\n")
            say(f"审发已启动：{opened.settings.public_url}/console/")
            sys.stdout.flush()
            async with opened.jobs():
                await asyncio.Event().wait()

    run_until_told(run())
