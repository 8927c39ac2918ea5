"""`shenfa staff`: who works here, and a change of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import select

from app import Shenfa
from commands.governing import Self, propose, proposed, read_mapping, run, run_as
from commands.lines import say
from commands.loading import new_group
from commands.options import Home, Json, Why
from config.setup import SetupError
from console.settings.api import proposal_json
from console.settings.staff import id_of
from escalations.leaving import Leaving, begin_leaving, hand_over, leave, leaving_of, stay
from escalations.routes import KINDS, Line, Way, allowed, line_of
from review_queue.governance.handovers import ask_reset
from review_queue.governance.staff_changes import deactivate_now
from staff.handover import confirm_person
from staff.models import Staff
from staff.roles import ROLES

group = new_group("人员：查看、提出变更、值班提醒、停用、离岗、重设密码、确认本人")


@group.command("list")
def staff_list(*, home: Home = None, as_json: Json = False) -> None:
    """人员和角色。"""

    async def work(opened: Shenfa) -> list[Mapping[str, Any]]:
        async with opened.db.session() as session:
            rows = (await session.scalars(select(Staff).order_by(Staff.login))).all()
        fields = ("login", "name", "roles", "active")
        return [{name: getattr(row, name) for name in fields} for row in rows]

    for row in run(home, work):
        if as_json:
            say(row)
            continue
        held = "、".join(ROLES[role] for role in row["roles"]) or "没有角色"
        say(f"{row['login']}  {row['name']}  {held}{'' if row['active'] else '  已停用'}")


@group.command("propose")
def staff_propose(  # noqa: PLR0913  the options of a command
    login: Annotated[str, typer.Argument(help="登录名")],
    *,
    role: Annotated[list[str], typer.Option("--role", help="角色，可以给多个")],
    by: Self,
    reason: Why,
    name: Annotated[str, typer.Option("--name", help="姓名；已有的人可以不给")] = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出增加人员或改角色，由另一位管理员批准。"""
    change = {"login": login, "name": name, "roles": role}
    proposed(propose(home, by, "staff", change, reason), as_json=as_json)


@group.command("deactivate")
def staff_deactivate(
    login: Annotated[str, typer.Argument(help="登录名")], *, by: Self, home: Home = None
) -> None:
    """停用一个人，马上生效；只是收回权限，一位管理员即可。"""

    async def work(opened: Shenfa, person: str) -> None:
        await deactivate_now(opened.ledger, login, person)

    run_as(home, by, work)
    say(f"{login} 已停用")


@group.command("alarms")
def staff_alarms(  # noqa: PLR0913  the options of a command
    login: Annotated[str, typer.Argument(help="登录名")],
    *,
    by: Self,
    file: Annotated[Path | None, typer.Option("--from", help="有 alarm 列表的 YAML")] = None,
    test: Annotated[bool, typer.Option("--test", help="发一条测试提醒")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """值班提醒方式：查看、用文件替换、测试；本人的，或由管理员办理。"""
    # From a file and not as options: an address of a chat room carries its key.
    lines = None if file is None else _alarm_lines(file)

    async def work(opened: Shenfa, person: str) -> list[Way]:
        staff_id = await id_of(opened.db, login)
        if lines is not None:
            async with opened.ledger.transaction() as tx:
                await opened.alarms.routes.change(tx, staff_id, lines, person)
        if test:
            await opened.alarms.rehearse(opened.cache, staff_id, person)
        async with opened.db.session() as session:
            await allowed(session, staff_id, person)
            return await opened.alarms.routes.read(session, staff_id)

    for number, way in enumerate(run_as(home, by, work), 1):
        why = way.fault or way.why
        if as_json:
            say({"kind": way.line.kind, "worked": way.worked, "why": why})
            continue
        words = {None: "还没有用过", True: "上次已送到", False: "上次没有送到"}[way.worked]
        name = KINDS.get(way.line.kind, way.line.kind)
        say(f"{number}. {name}  {'不能用' if way.fault else words}{f'：{why}' if why else ''}")


def _alarm_lines(file: Path) -> list[Line]:
    given = read_mapping(file).get("alarm")
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise SetupError(f"{file.name}：alarm 要写成列表，一行一种，例如 - mail: duty@example.cn")
    return [line_of(one, number) for number, one in enumerate(given, 1)]


@group.command("leaving")
def staff_leaving(  # noqa: PLR0913  the options of a command
    login: Annotated[str, typer.Argument(help="登录名")],
    *,
    by: Self,
    begin: Annotated[bool, typer.Option("--begin", help="开始交接")] = False,
    line: Annotated[str, typer.Option("--line", help="要交接的一项，例如 keys:wx")] = "",
    to: Annotated[str, typer.Option("--to", help="接手人的登录名")] = "",
    finish: Annotated[bool, typer.Option("--finish", help="办完离岗")] = False,
    back: Annotated[bool, typer.Option("--stay", help="不离岗了，收回交接")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """离岗交接：看还差什么、开始、交给别人、办完、收回；没有办完或交出的，离不了岗。"""

    async def work(opened: Shenfa, person: str) -> Leaving:
        if begin:
            await begin_leaving(opened.ledger, login, person)
        if back:
            await stay(opened.ledger, login, person)
        if line:
            await hand_over(opened.ledger, login, line, to, person)
        if finish:
            await leave(opened.ledger, login, person)
        async with opened.db.session() as session:
            return await leaving_of(session, login)

    found = run_as(home, by, work)
    for one in found.lines:
        if as_json:
            say({"line": one.name, "done": one.done, "open": one.open, "to": one.to})
            continue
        how = f"交给{one.to}" if one.to else one.open or "办完"
        say(f"[{'办完' if one.done else '未办'}] {one.label}（{one.name}）：{how}")
    if found.left and not as_json:
        say(f"{login} 已办完离岗")


@group.command("reset-password")
def staff_reset_password(
    login: Annotated[str, typer.Argument(help="登录名")],
    *,
    by: Self,
    reason: Why,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出给不能登录的人一次性口令，您的一半只显示一次；另一半由批准人看到。"""

    async def work(opened: Shenfa, person: str) -> tuple[dict[str, object], str]:
        row, half = await ask_reset(opened.governance.proposals, login, person, reason)
        return proposal_json(row), half.shown

    row, half = run_as(home, by, work)
    if as_json:
        say({**row, "half": half})
        return
    proposed(row, as_json=False)
    say(f"口令的前一半（只显示这一次，当面交给本人）：{half}")


@group.command("confirm")
def staff_confirm(
    login: Annotated[str, typer.Argument(help="登录名")], *, by: Self, home: Home = None
) -> None:
    """当面确认一个人的新登录；由没有经手重设或新建的人确认。"""

    async def work(opened: Shenfa, person: str) -> None:
        await confirm_person(opened.ledger, await id_of(opened.db, login), person)

    run_as(home, by, work)
    say(f"{login} 已确认，现在可以审核和办理")
