"""`shenfa consult`: consultations with their counts, and opening one by two people."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app import Shenfa
from commands.governing import Self, propose, proposed, read_mapping, run
from commands.lines import say
from commands.loading import new_group
from commands.options import Home, Json, Why
from config.clock import beijing
from escalations.consultations import KIND, all_consultations
from escalations.opinions import counts_of

group = new_group("意见征集：查看、提出")


@group.command("list")
def consult_list(*, home: Home = None, as_json: Json = False) -> None:
    """各次意见征集：截止时间、收到几条、还有几条没有处理。"""

    async def work(opened: Shenfa) -> list[Mapping[str, Any]]:
        async with opened.db.session() as session:
            rows, counts = await all_consultations(session), await counts_of(session)
        return [
            {
                "id": row.id,
                "title": row.title,
                "ends_at": beijing(row.ends_at).isoformat(),
                "opinions": counts.get(row.id, (0, 0))[0],
                "waiting": counts.get(row.id, (0, 0))[1],
                "result_item": row.result_item,
            }
            for row in rows
        ]

    for row in run(home, work):
        words = f"{row['title']}  截止 {row['ends_at'][:16]}  {row['opinions']} 条"
        say(row if as_json else f"{words}，{row['waiting']} 条待处理")


@group.command("propose")
def consult_propose(
    file: Annotated[Path, typer.Argument(help="YAML：title、about、accounts、begins、ends 等")],
    *,
    by: Self,
    reason: Why,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出一次意见征集，由另一位有权的人批准。"""
    payload = {
        name: value if isinstance(value, list) else str(value)
        for name, value in read_mapping(file).items()
    }
    proposed(propose(home, by, KIND, payload, reason), as_json=as_json)
