"""`shenfa library`: policy files on their way into the library."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from app import Shenfa
from commands.governing import Self, run_as
from commands.lines import say
from commands.loading import new_group
from commands.options import Home, Json
from knowledge.documents import read_documents
from knowledge.library import Proposed

group = new_group("政策库")


@group.command("import")
def library_import(
    files: Annotated[list[Path], typer.Argument(help=".txt .html .docx .pdf .jsonl")],
    *,
    home: Home = None,
    by: Self,
    as_json: Json = False,
) -> None:
    """把政策文件作为建议录入政策库，由另一人在控制台批准。"""
    documents = [document for path in files for document in read_documents(path)]

    async def work(opened: Shenfa, person: str) -> list[Proposed]:
        return await opened.library.propose_import(documents, person)

    for row in run_as(home, by, work):
        say(asdict(row) if as_json else f"已提出，等另一人批准：{row.title}（{row.clauses} 条）")
