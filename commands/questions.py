"""`shenfa question`: the questions that are asked again before a change of library or words."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from app import Shenfa
from commands.governing import Self, propose, proposed, run, run_as
from commands.lines import say
from commands.loading import new_group
from commands.options import Home, Json, Why
from knowledge.leaving_out import LEAVE_OUT

group = new_group("核对问题：查看、加入，提出去掉")


@group.command("list")
def question_list(*, home: Home = None, as_json: Json = False) -> None:
    """每个核对问题应当引用的条文，现在答得对不对。"""

    async def work(opened: Shenfa) -> Sequence[Mapping[str, Any]]:
        return [
            {"id": row.id, "question": row.question, "title": row.title, "label": row.label,
             "policy_id": row.policy_id, "right": right}
            for row, right in await opened.regression.run()
        ]  # fmt: skip

    for one in run(home, work):
        right = "答对" if one["right"] else "答不对了"
        rests = f"《{one['title'].strip('《》')}》{one['label']}"
        say(one if as_json else f"{one['id']}  {right}  {one['question']}（{rests}）")


@group.command("add")
def question_add(
    question: Annotated[str, typer.Argument(help="群众的问法")],
    *,
    by: Self,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """加入一个问题，连同现在答它的条文。"""

    async def work(opened: Shenfa, person: str) -> Mapping[str, str]:
        row = await opened.regression.add(question, person)
        return {"id": row.id, "title": row.title, "label": row.label}

    row = run_as(home, by, work)
    say(
        row
        if as_json
        else f"已加入 {row['id']}：应当引用《{row['title'].strip('《》')}》{row['label']}"
    )


@group.command("remove")
def question_remove(
    question_id: Annotated[str, typer.Argument(help="编号（见 list）")],
    *,
    by: Self,
    reason: Why,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出去掉一个核对问题，由另一人批准。"""
    payload = {"question_id": question_id}
    proposed(propose(home, by, LEAVE_OUT, payload, reason), as_json=as_json)
