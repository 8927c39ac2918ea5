"""`shenfa item`: articles brought in from files."""

from pathlib import Path
from typing import Annotated

import typer

from app import Shenfa
from commands.governing import Self, run_as
from commands.lines import BadInput, say
from commands.loading import new_group
from commands.options import Home
from review_queue.importing import Imported, import_files

group = new_group("稿件：从文件导入")


@group.command("import")
def item_import(
    files: Annotated[list[Path], typer.Argument(help=".docx .html .pdf .md .txt")],
    *,
    home: Home = None,
    by: Self,
) -> None:
    """每个文件成为一篇新稿；逐行打印 JSON：稿件编号、没有带过来的内容、没有导入的原因。"""
    contents = [(path.name, _read(path)) for path in files]

    async def work(opened: Shenfa, person: str) -> list[Imported]:
        return await import_files(opened.queue, person, contents)

    done = run_as(home, by, work)
    for row in done:
        say(row.record(), as_json=True)
    # A script must see that a file stayed outside, though the others are in.
    if any(row.refused for row in done):
        raise SystemExit(1)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path.name}：打不开（{error.strerror}），请检查路径") from error
