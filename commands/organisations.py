"""`shenfa organisation`: public bodies in a tree, and who belongs to which."""

from typing import Annotated, Any

import typer
from sqlalchemy import select

from app import Shenfa
from commands.governing import Self, propose, proposed, run
from commands.lines import say
from commands.loading import new_group
from commands.options import Home, Json, Why
from staff.models import Staff
from supervision.registry import bodies_now

group = new_group("单位：查看上下级，提出增加、改名、换上级，定人员属于哪个单位")


@group.command("list")
def organisation_list(*, home: Home = None, as_json: Json = False) -> None:
    """单位的上下级，和属于它的人。"""

    async def work(opened: Shenfa) -> list[dict[str, Any]]:
        async with opened.db.session() as session:
            tree = await bodies_now(session)
            found = await session.execute(select(Staff.id, Staff.login).order_by(Staff.login))
            people = [(row.login, tree.places.get(row.id)) for row in found]
        return [
            {
                "name": tree.path(key),
                "staff": [login for login, body in people if body == key],
            }
            for key in sorted(tree.names, key=tree.path)
        ]

    for row in run(home, work):
        who = "、".join(row["staff"])
        say(row if as_json else f"{row['name']}{f'  {who}' if who else ''}")


@group.command("propose")
def organisation_propose(  # noqa: PLR0913  the options of a command
    name: Annotated[str, typer.Argument(help="单位全称")],
    *,
    by: Self,
    reason: Why,
    parent: Annotated[str, typer.Option("--parent", help="上级单位；已有的单位可以不给")] = "",
    rename: Annotated[str, typer.Option("--rename", help="新的名称")] = "",
    close: Annotated[bool, typer.Option("--close", help="撤销这个单位")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出增加一个单位，或改名、换上级，由另一位管理员批准。"""
    change = {"name": name, "parent": parent, "rename": rename, "close": "yes" if close else ""}
    proposed(propose(home, by, "organisation", change, reason), as_json=as_json)


@group.command("place")
def organisation_place(  # noqa: PLR0913  the options of a command
    login: Annotated[str, typer.Argument(help="登录名")],
    name: Annotated[str, typer.Argument(help="单位全称；给空的 '' 是不属于哪个单位")],
    *,
    by: Self,
    reason: Why,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出一个人属于哪个单位；监督人员在总览和账号页只看得到本单位和下级单位的账号。"""
    change = {"login": login, "organisation": name}
    proposed(propose(home, by, "placement", change, reason), as_json=as_json)
