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
from console.settings.waiting import headline
from console.web.words import clock_words
from staff.models import Proposal
from staff.people import names
from staff.proposals import STATES, Proposals
from staff.waiting import open_rows

group = new_group("待批准的变更：查看、批准、不批准、收回")


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

    async def work(opened: Shenfa) -> list[tuple[Mapping[str, Any], str]]:
        made = opened.governance.proposals
        rows = await (open_rows(made) if state == "proposed" else made.rows(state))
        async with opened.db.session() as session:
            known = await names(session, {row.proposed_by for row in rows})
        return [(proposal_json(row), _line(made, row, known)) for row in rows]

    rows = run(home, work)
    for row, line in rows:
        say(row if as_json else line)
    if not rows and not as_json:
        say("没有这样的变更")


def _line(made: Proposals, row: Proposal, known: Mapping[str, str]) -> str:
    label = made.kinds[row.kind].label if row.kind in made.kinds else row.kind
    who = known.get(row.proposed_by, row.proposed_by)
    return f"{row.id}  {clock_words(row.proposed_at)}  {who}  {label}：{headline(row, label)}"


@group.command("show")
def proposals_show(
    proposal: Annotated[str, typer.Argument(help="变更编号")],
    *,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """一项变更：谁为什么提出，批准后会怎样。"""

    async def work(opened: Shenfa) -> tuple[Mapping[str, Any], str]:
        made = opened.governance.proposals
        row = await made.get(proposal)
        async with opened.db.session() as session:
            known = await names(session, {row.proposed_by})
        return proposal_json(row), _line(made, row, known)

    row, line = run(home, work)
    if as_json:
        say(row)
        return
    say(line)
    say(f"{STATES.get(row['state'], row['state'])}，理由：{row['reason']}")
    show_effect(row["effect"])


@group.command("approve")
def proposals_approve(
    proposal: Annotated[str, typer.Argument(help="变更编号")],
    *,
    by: Self,
    note: Annotated[str, typer.Option("--note", help="批准的说明，可以不给")] = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """批准别人提出的变更，马上生效。"""

    async def work(opened: Shenfa, person: str) -> Mapping[str, Any]:
        return await opened.governance.proposals.approve(proposal, person, note.strip())

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


@group.command("withdraw")
def proposals_withdraw(
    proposal: Annotated[str, typer.Argument(help="变更编号")], *, by: Self, home: Home = None
) -> None:
    """收回自己提出的变更。"""

    async def work(opened: Shenfa, person: str) -> None:
        await opened.governance.proposals.withdraw(proposal, person)

    run_as(home, by, work)
    say("已收回")
