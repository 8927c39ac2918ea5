"""`shenfa library`: policy files on their way into the library."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from commands.lines import say
from commands.loading import new_group
from commands.opening import office, staff_id_of
from commands.options import By, Home, Json
from knowledge.documents import read_documents
from knowledge.library import Proposed

group = new_group("政策库")


@group.command("import")
def library_import(
    files: Annotated[list[Path], typer.Argument(help=".txt .html .docx .pdf .jsonl")],
    *,
    home: Home = None,
    by: By,
    as_json: Json = False,
) -> None:
    """把政策文件作为建议录入政策库，由另一人在控制台批准。"""
    documents = [document for path in files for document in read_documents(path)]

    async def run() -> list[Proposed]:
        async with office(home) as opened:
            person = await staff_id_of(opened, by)
            return await opened.library.propose_import(documents, person)

    for row in asyncio.run(run()):
        say(asdict(row) if as_json else f"已提出，等另一人批准：{row.title}（{row.clauses} 条）")
