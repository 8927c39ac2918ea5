"""`shenfa sandbox`: the platforms to practise on, without an office."""

import asyncio
import sys
from typing import Annotated

import typer

from commands.lines import say
from commands.loading import new_group
from config.signals import run_until_told
from sandbox.app import serve

group = new_group("沙箱")


@group.command()
def sandbox(
    *,
    host: str = "127.0.0.1",
    port: Annotated[int, typer.Option(help="端口，0 为任选")] = 8480,
) -> None:
    """单独启动沙箱平台（微信、Telegram、样例稿源站）。"""

    async def run() -> None:
        runner = await serve(host, port)
        bound = runner.addresses[0][1]
        say({"url": f"http://{host}:{bound}"}, as_json=True)
        # Scripts wait for this line to learn the port.
        sys.stdout.flush()
        try:
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    run_until_told(run())
