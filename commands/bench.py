"""`shenfa bench`: one measurement, a row of JSON for each figure."""

import asyncio
from typing import Annotated

import typer

from bench.names import BENCHES
from commands.lines import BadInput, say
from commands.loading import new_group

group = new_group("测速")


@group.command("bench")
def bench_command(name: Annotated[str, typer.Argument(help="项目名称")]) -> None:
    """测速：每个指标一行 JSON，附同一次运行里最短代码的时间。"""
    if name not in BENCHES:
        raise BadInput(f"没有“{name}”这一项：可用 {'、'.join(BENCHES)}")

    async def run() -> list[dict[str, object]]:
        return await BENCHES[name]()

    for row in asyncio.run(run()):
        say(row, as_json=True)
