"""`shenfa ask`: answers in the library's own words, from a file, without a server."""

from functools import partial
from typing import Annotated

import typer

from commands.lines import BadInput, read_lines, run_filter, say
from commands.loading import new_group
from commands.options import Jsonl, LibraryFile
from knowledge.ask import Library, ask_record

group = new_group("查政策库")


@group.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="一个问题")] = None,
    *,
    jsonl: Jsonl = False,
    library_file: LibraryFile = None,
) -> None:
    """从政策库逐字引用回答（--library 文件）。"""
    if library_file is None:
        raise BadInput("请用 --library 给出政策库 JSONL 文件")
    opened = Library.from_lines(read_lines(library_file))
    if jsonl:
        run_filter(partial(ask_record, library=opened))
        return
    if not question:
        raise BadInput("请给出问题，或用 --jsonl 从标准输入读取")
    say(ask_record({"id": None, "question": question}, library=opened), as_json=True)
