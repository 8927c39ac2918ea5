"""`shenfa bench`: one measurement, a row of JSON for each figure."""

import asyncio
from typing import Annotated

import typer

from bench.names import BENCHES, SCALED
from commands.lines import BadInput, say
from commands.loading import new_group

group = new_group("测速")


@group.command("bench")
def bench_command(
    name: Annotated[str, typer.Argument(help="项目名称")],
    *,
    people: Annotated[int | None, typer.Option("--people", min=100, help="测多少人")] = None,
) -> None:
    """测速：每个指标一行 JSON，附同一次运行里最短代码的时间。"""
    if name not in BENCHES:
        raise BadInput(f"没有“{name}”这一项：可用 {'、'.join(BENCHES)}")

    if people is not None and name not in SCALED:
        raise BadInput(f"“{name}”不分人数：--people 只用于 {'、'.join(SCALED)}")

    async def run() -> list[dict[str, object]]:
        return await (BENCHES[name]() if people is None else BENCHES[name](people))

    for row in asyncio.run(run()):
        say(row, as_json=True)
