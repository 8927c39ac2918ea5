"""`shenfa account`: which accounts there are, and a change of one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import select

from app import Shenfa
from bot.models import Account
from commands.governing import Self, propose, proposed, read_mapping, run
from commands.lines import say
from commands.loading import new_group
from commands.options import Home, Json, Why

group = new_group("账号：查看、提出变更")


@group.command("list")
def accounts_list(*, home: Home = None, as_json: Json = False) -> None:
    """账号、平台、地址；不显示密钥。"""

    async def work(opened: Shenfa) -> list[Mapping[str, Any]]:
        async with opened.db.session() as session:
            rows = (await session.scalars(select(Account).order_by(Account.slug))).all()
        fields = ("slug", "platform", "name", "api_base", "settings", "enabled", "owner")
        return [{name: getattr(row, name) for name in fields} for row in rows]

    for row in run(home, work):
        state = "" if row["enabled"] else "  已停用"
        words = f"{row['slug']}  {row['platform']}  {row['name']}  {row['api_base']}{state}"
        say(row if as_json else words)


@group.command("propose")
def accounts_propose(
    file: Annotated[Path, typer.Argument(help="YAML：slug 和要改的项（密钥也写在这里）")],
    *,
    by: Self,
    reason: Why,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出增加或变更一个账号，由另一位管理员批准；密钥提出时就加密。"""
    proposed(propose(home, by, "account", read_mapping(file), reason), as_json=as_json)
