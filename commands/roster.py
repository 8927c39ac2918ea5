"""`shenfa roster`: who is called for a question, and a change of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import select

from app import Shenfa
from commands.governing import Self, propose, proposed, read_mapping, run
from commands.lines import say
from commands.loading import new_group
from commands.options import Home, Json, Why
from escalations.roster import roster_now
from staff.models import Staff

group = new_group("值班表：查看、提出变更")


@group.command("list")
def roster_list(*, home: Home = None, as_json: Json = False) -> None:
    """现在生效的值班表。"""

    async def work(opened: Shenfa) -> list[Mapping[str, Any]]:
        async with opened.db.session() as session:
            lines = await roster_now(session)
            logins = {
                row.id: row.login for row in await session.execute(select(Staff.id, Staff.login))
            }
        return [
            {"login": logins.get(line.staff, line.staff), "topic": line.topic, "tier": line.tier}
            for line in lines
        ]

    for row in run(home, work):
        words = f"{row['login']}  {row['topic'] or '各主题'}  第 {row['tier'] + 1} 梯次"
        say(row if as_json else words)


@group.command("propose")
def roster_propose(
    file: Annotated[Path, typer.Argument(help="YAML：lines 下每行有 login、topic、tier")],
    *,
    by: Self,
    reason: Why,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出一份新的值班表，由另一位管理员批准。"""
    proposed(propose(home, by, "roster", read_mapping(file), reason), as_json=as_json)
