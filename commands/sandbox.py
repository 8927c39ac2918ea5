"""`shenfa sandbox`: the platforms to practise on, without an office."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import aiohttp
import typer

from commands.files import write_private
from commands.lines import say
from commands.loading import new_group
from config.signals import run_until_told
from demo.cast import filled
from demo.platforms import Sandbox
from demo.registering import register
from sandbox.app import serve

group = new_group("沙箱")


@group.command()
def sandbox(
    *,
    host: str = "127.0.0.1",
    port: Annotated[int, typer.Option(help="端口，0 为任选")] = 8480,
    fill: Annotated[
        Path | None, typer.Option("--fill", help="写出填好沙箱值的开办文件，并登记两个账号")
    ] = None,
    office: Annotated[
        str, typer.Option("--office", help="审发的地址，平台往这里回调")
    ] = "http://127.0.0.1:8420",
) -> None:
    """单独启动沙箱平台（微信、Telegram、样例稿源站）。"""

    async def run() -> None:
        runner = await serve(host, port)
        bound = runner.addresses[0][1]
        url = f"http://{host}:{bound}"
        if fill is not None:
            write_private(fill, filled(url))
            async with aiohttp.ClientSession() as http:
                await register(Sandbox(url, http), office)
        say({"url": url}, as_json=True)
        # Scripts wait for this line to learn the port.
        sys.stdout.flush()
        try:
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    run_until_told(run())
