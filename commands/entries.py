"""`shenfa entry`: reviewed answers, and notices of correction to whoever was told something."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from app import Shenfa
from commands.governing import Self, run, run_as
from commands.lines import say
from commands.loading import new_group
from commands.options import Home, Json, Why
from console.policies.entries import STATES
from console.policies.notices import clause_notice, entry_notice
from review_queue import shelving
from review_queue.canonical import QA, TOLD_NOTICE
from review_queue.models import Item
from review_queue.shelf import ShelfEntry

group = new_group("问答：查看、起草、停用，起草更正告知")

Key = Annotated[str, typer.Argument(help="问答的编号（见 list）")]


@group.command("list")
def entry_list(
    *,
    notices: Annotated[bool, typer.Option("--notices", help="列更正告知")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """审过的问答（或更正告知）：编号、状态、问法；没有依据条文的只作常用答复。"""

    async def work(opened: Shenfa) -> Sequence[ShelfEntry]:
        return await opened.queue.library[TOLD_NOTICE if notices else QA].entries()

    for one in run(home, work):
        said = "" if one.rests else "（没有依据条文）"
        say(asdict(one) if as_json else f"{one.key}  {STATES[one.state][0]}  {one.label}{said}")


@group.command("draft")
def entry_draft(
    question: Annotated[str, typer.Argument(help="群众的问法")],
    *,
    by: Self,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """起草一条问答：成为一篇新稿，写好答复后送审。"""
    _draft(home, by, lambda opened, me: shelving.new_entry(opened.queue, question, me), as_json)


@group.command("again")
def entry_again(key: Key, *, by: Self, home: Home = None, as_json: Json = False) -> None:
    """给一条问答起草新文本。"""
    _draft(home, by, lambda opened, me: shelving.draft_for(opened.queue, QA, key, me), as_json)


@group.command("withdraw")
def entry_withdraw(key: Key, *, by: Self, reason: Why, home: Home = None) -> None:
    """马上停用一条问答，写明理由。"""

    async def work(opened: Shenfa, person: str) -> None:
        await shelving.withdraw(opened.queue, QA, key, person, reason)

    run_as(home, by, work)
    say("已停用，机器人不再说这一条。")


@group.command("notice")
def entry_notice_command(
    which: Annotated[str, typer.Argument(help="问答的编号，或政策的编号、文号、标题")],
    clause: Annotated[str, typer.Argument(help="政策的条文编号（见 library show）")] = "",
    *,
    by: Self,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """起草更正告知，审过以后发给得到过这条问答或条文的人。"""

    async def begin(opened: Shenfa, me: str) -> Item:
        if not clause:
            return await entry_notice(opened.queue, which, me)
        state = await opened.library.find(which)
        return await clause_notice(opened.queue, opened.library, state.id, clause, me)

    _draft(home, by, begin, as_json)


def _draft(
    home: Path | None,
    by: str,
    begin: Callable[[Shenfa, str], Awaitable[Item]],
    as_json: bool,  # noqa: FBT001  as the option gives it
) -> None:
    async def work(opened: Shenfa, person: str) -> str:
        return (await begin(opened, person)).id

    item = run_as(home, by, work)
    say({"item": item} if as_json else f"已起草：稿件 {item}，改好后在控制台送审")
