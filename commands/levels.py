"""`shenfa levels`: who must approve what, and a change of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import select

from app import Shenfa
from commands.governing import Self, propose, proposed, run
from commands.lines import say
from commands.loading import new_group
from commands.options import Home, Json, Why
from config.setup import SetupError
from review_queue.governance.levels import level_words
from review_queue.workflow import load_workflows, unfillable
from staff.models import Staff

group = new_group("审核级次：查看、检查、提出变更")


@group.command("list")
def levels_list(*, home: Home = None, as_json: Json = False) -> None:
    """现在批准的审核级次，和人手不够的类别。"""

    async def work(opened: Shenfa) -> tuple[list[Mapping[str, Any]], list[str]]:
        flows = opened.governance.levels
        # The running server may have approved other levels since this home was opened.
        await flows.refresh()
        return [flow.to_json() for flow in flows.values()], await flows.unfilled()

    flows, unfilled = run(home, work)
    if as_json:
        say({"levels": flows, "unfillable": unfilled})
        return
    for flow in flows:
        say(f"{flow['klass']}（第 {flow['version']} 版）")
        for kind, group in {"": flow, **flow.get("kinds", {})}.items():
            for level in group["levels"]:
                say(f"  {f'{kind}：' if kind else ''}{level_words(level)}")
    for words in unfilled:
        say(f"注意：{words}")


@group.command("check")
def levels_check(
    file: Annotated[Path, typer.Argument(help="与 config/workflows.yaml 同样写法的文件")],
    *,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """检查一个级次文件，指出现有人员走不完的类别；有问题时退出码为 1。"""
    flows = load_workflows(file)

    async def work(opened: Shenfa) -> list[str]:
        async with opened.db.session() as session:
            rows = (await session.scalars(select(Staff).where(Staff.active.is_(True)))).all()
        return unfillable(flows, {row.id: row.roles for row in rows})

    problems = run(home, work)
    if as_json:
        say({"ok": not problems, "classes": list(flows), "unfillable": problems})
    else:
        for words in problems or [f"{file.name}：可以使用，共 {len(flows)} 个类别"]:
            say(words)
    if problems:
        raise SystemExit(1)


@group.command("propose")
def levels_propose(  # noqa: PLR0913  the options of a command
    file: Annotated[Path, typer.Argument(help="与 config/workflows.yaml 同样写法的文件")],
    *,
    klass: Annotated[str, typer.Option("--class", help="改哪一个类别")],
    by: Self,
    reason: Why,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出改一个类别的级次，由另一位管理员批准。"""
    flows = load_workflows(file)
    if klass not in flows:
        raise SetupError(f"{file.name} 里没有类别“{klass}”，只有：{'、'.join(flows)}")
    payload = {name: value for name, value in flows[klass].to_json().items() if name != "version"}
    proposed(propose(home, by, "workflow", payload, reason), as_json=as_json)
