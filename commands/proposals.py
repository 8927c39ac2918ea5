"""`shenfa proposals`: what waits for a second person."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from app import Shenfa
from commands.governing import Self, run, run_as, show_effect
from commands.lines import say
from commands.loading import new_group
from commands.options import Home, Json, Why
from config.setup import SetupError
from console.settings.api import proposal_json
from console.web.words import clock_words
from staff.people import names
from staff.proposals import STATES

group = new_group("待批准的变更：查看、批准、不批准")


@group.command("list")
def proposals_list(
    *,
    state: Annotated[str, typer.Option("--state", help="proposed approved rejected withdrawn")] = (
        "proposed"
    ),
    home: Home = None,
    as_json: Json = False,
) -> None:
    """等待批准的变更（或别的状态的）。"""
    if state not in STATES:
        raise SetupError(f"--state 只能是 {'、'.join(STATES)}")

    async def work(opened: Shenfa) -> list[Mapping[str, Any]]:
        return [proposal_json(row) for row in await opened.governance.proposals.rows(state)]

    rows = run(home, work)
    for row in rows:
        head = row["effect"]["changes"][0]["text"]
        say(row if as_json else f"{row['id']}  {clock_words(row['proposed_at'])}  {head}")
    if not rows and not as_json:
        say("没有这样的变更")


@group.command("show")
def proposals_show(
    proposal: Annotated[str, typer.Argument(help="变更编号")],
    *,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """一项变更：谁为什么提出，批准后会怎样。"""

    async def work(opened: Shenfa) -> tuple[Mapping[str, Any], str]:
        row = await opened.governance.proposals.get(proposal)
        async with opened.db.session() as session:
            known = await names(session, {row.proposed_by})
        return proposal_json(row), known.get(row.proposed_by, row.proposed_by)

    row, who = run(home, work)
    if as_json:
        say(row)
        return
    say(f"{STATES[row['state']]}：{who} 提出，理由：{row['reason']}")
    show_effect(row["effect"])


@group.command("approve")
def proposals_approve(
    proposal: Annotated[str, typer.Argument(help="变更编号")],
    *,
    by: Self,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """批准别人提出的变更，马上生效。"""

    async def work(opened: Shenfa, person: str) -> Mapping[str, Any]:
        return await opened.governance.proposals.approve(proposal, person)

    shown = run_as(home, by, work)
    if as_json:
        say({"id": proposal, "state": "approved", "result": shown})
        return
    say("已批准，变更已生效")
    if "half" in shown:
        say(f"{shown['login']} 口令的后一半（只显示这一次，当面交给本人）：{shown['half']}")
        say("本人登录时输入：前一半-后一半；改密码后再由没有经手的人确认")
    if "password" in shown:
        say(f"{shown['login']} 的密码（只显示这一次）：{shown['password']}")


@group.command("reject")
def proposals_reject(
    proposal: Annotated[str, typer.Argument(help="变更编号")],
    *,
    by: Self,
    reason: Why,
    home: Home = None,
) -> None:
    """不批准别人提出的变更，写明理由。"""

    async def work(opened: Shenfa, person: str) -> None:
        await opened.governance.proposals.reject(proposal, person, reason)

    run_as(home, by, work)
    say("已记录不批准")
