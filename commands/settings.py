"""`shenfa settings`: the signed texts an office goes by, and another text proposed."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app import Shenfa
from commands.governing import Self, propose, proposed, run
from commands.lines import say
from commands.loading import new_group
from commands.options import Home, Json, Why
from config.setup import SetupError
from facets.merging import merged
from facets.taxonomy import STARTING_FILE

group = new_group("运行设置：查看、提出变更")


@group.command("list")
def settings_list(*, home: Home = None, as_json: Json = False) -> None:
    """每一项设置、现在的版本，和与台账是否相符。"""

    async def work(opened: Shenfa) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for name, part in opened.signed.parts.items():
            held = opened.signed.proved(name)
            row = {"name": name, "label": part.label, "proved": held is not None}
            rows.append(row | {"version": held.version if held else None, "stops": part.stops})
        return rows

    for row in run(home, work):
        state = f"第 {row['version']} 版" if row["proved"] else f"不能确认，{row['stops']}"
        say(row if as_json else f"{row['name']}  {row['label']}  {state}")


@group.command("show")
def settings_show(
    name: Annotated[str, typer.Argument(help="设置的名称，见 shenfa settings list")],
    *,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """一项设置的全文，可以存成文件、改好再提出。"""

    async def work(opened: Shenfa) -> dict[str, Any]:
        _known(opened, name)
        held = opened.signed.proved(name)
        if held is None:
            part = opened.signed.parts[name]
            raise SetupError(f"设置“{part.label}”与签名的台账不符，{part.stops}：请看事件页")
        return {"name": name, "version": held.version, "text": held.text}

    row = run(home, work)
    say(row if as_json else row["text"].rstrip("\n"))


@group.command("merge")
def settings_merge(
    name: Annotated[str, typer.Argument(help="设置的名称，只能是 taxonomy")],
    *,
    home: Home = None,
) -> None:
    """现有的分类加上新版程序带来的值，存成文件核对后再提出；原有的都不改。"""
    if name != "taxonomy":
        raise SetupError("只有 taxonomy 可以合并：其他设置请用 settings show 存下来再改")

    async def work(opened: Shenfa) -> str:
        held = opened.signed.proved(name)
        if held is None:
            raise SetupError("现有的分类与签名的台账不符：请看事件页")
        return held.text

    say(merged(run(home, work), STARTING_FILE.read_text(encoding="utf-8")).rstrip("\n"))


@group.command("propose")
def settings_propose(  # noqa: PLR0913  the options of a command
    file: Annotated[Path, typer.Argument(help="设置的全文，文件名就是设置的名称")],
    *,
    by: Self,
    reason: Why,
    name: Annotated[str, typer.Option("--as", help="哪一项设置，文件名不同时写明")] = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出一项设置的新文本，由另一位管理员批准。"""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{file.name}：读不出 UTF-8 文本，请检查路径和编码") from error
    wanted = name or file.stem
    if wanted == "replies":
        raise SetupError("回复模板要逐条起草送审：请在控制台“设置、回复模板”里起草新文本")
    payload = {"name": wanted, "text": text}
    proposed(propose(home, by, "setting", payload, reason), as_json=as_json)


def _known(opened: Shenfa, name: str) -> None:
    if name not in opened.signed.parts:
        known = "、".join(opened.signed.parts)
        raise SetupError(f"没有“{name}”这项设置，只能是：{known}")
