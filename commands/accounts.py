"""`shenfa account`: which accounts there are, what each may do, its menu, and a change of one."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import select

from app import Shenfa
from bot.abilities import NOT_LOOKED, Looked, known, look
from bot.models import Account
from commands.governing import Self, propose, proposed, read_mapping, run
from commands.lines import BadInput, say
from commands.loading import new_group
from commands.options import Home, Json, Why
from handlers.commands import MENU

group = new_group("账号：查看、查接口权限、设菜单、提出变更")


@group.command("list")
def accounts_list(*, home: Home = None, as_json: Json = False) -> None:
    """账号、平台、地址；不显示密钥。"""

    async def work(opened: Shenfa) -> list[Mapping[str, Any]]:
        async with opened.db.session() as session:
            rows = (await session.scalars(select(Account).order_by(Account.slug))).all()
        fields = ("slug", "platform", "name", "api_base", "settings", "enabled", "owner")
        found = await known(opened.db)
        return [
            {name: getattr(row, name) for name in fields}
            | {"abilities": _said(found.get(row.slug))}
            for row in rows
        ]

    for row in run(home, work):
        state = "" if row["enabled"] else "  已停用"
        words = f"{row['slug']}  {row['platform']}  {row['name']}  {row['api_base']}{state}"
        say(row if as_json else words)
        if not as_json and row["abilities"]["at"]:
            say(f"    {row['abilities']['at']} 查得{row['abilities']['words']}")


Slug = Annotated[list[str] | None, typer.Argument(help="账号（slug）；不写就是全部")]


@group.command("probe")
def accounts_probe(slugs: Slug = None, *, home: Home = None, as_json: Json = False) -> None:
    """问平台每个账号能用哪些接口（只读，不发任何东西）；缺少用得到的，退出码为 1。"""

    async def work(opened: Shenfa) -> list[Looked]:
        await _must_be_known(opened, slugs or [])
        return await look(opened.db, opened.accounts, opened.channels, slugs or [])

    missing = False
    for one in run(home, work):
        missing = missing or bool(one.missing)
        say({"slug": one.slug, **_said(one)} if as_json else f"{one.slug}  {one.words}")
    if missing:
        raise typer.Exit(1)


@group.command("menu")
def accounts_menu(slugs: Slug = None, *, home: Home = None) -> None:
    """把菜单和回调地址设到平台上；没有设成的，说明原因，退出码为 1。"""

    async def work(opened: Shenfa) -> list[str]:
        await _must_be_known(opened, slugs or [])
        return await opened.equip(slugs or [])

    problems = run(home, work)
    for problem in problems:
        say(problem)
    if problems:
        raise typer.Exit(1)
    groups = "；".join(f"{label}：{'、'.join(name for name, _ in inner)}" for label, inner in MENU)
    say(f"菜单已设好（手机上五分钟内换新）：{groups}")


async def _must_be_known(opened: Shenfa, slugs: Collection[str]) -> None:
    """BadInput for a slug that no enabled account has."""
    async with opened.db.session() as session:
        query = select(Account.slug).where(Account.enabled.is_(True))
        there = set(await session.scalars(query))
    if wrong := sorted(set(slugs) - there):
        raise BadInput(
            f"没有这个账号，或它已停用：{'、'.join(wrong)}。请用 shenfa account list 查看"
        )


def _said(one: Looked | None) -> dict[str, Any]:
    if one is None:
        return {"at": "", "words": NOT_LOOKED, "abilities": []}
    return {"at": one.at, "words": one.words, "abilities": [asdict(each) for each in one.abilities]}


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
