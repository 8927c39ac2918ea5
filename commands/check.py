"""`shenfa check`: the five gates over texts, files and folders, without a server."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from commands.lines import read_lines, run_filter
from commands.loading import later, new_group
from commands.options import Json, Jsonl, LibraryFile
from gates.engine import Facts, NoFacts, RuleSet
from gates.filter import check_record, library_facts
from gates.spelling import Speller

group = new_group("五关检查")
check_files = later("commands.check_files", "check_files")  # many readers, for files alone


@dataclass(frozen=True)
class Wanted:
    """How the person wants their files checked; `as_of` "" means today."""

    as_of: str
    hints: bool
    as_json: bool


@group.command()
def check(  # noqa: PLR0913  one argument a flag
    paths: Annotated[list[Path] | None, typer.Argument(help="要检查的文件或文件夹")] = None,
    *,
    jsonl: Jsonl = False,
    as_json: Json = False,
    hints: Annotated[bool, typer.Option("--hints", help="也输出提示级")] = False,
    library_file: LibraryFile = None,
    as_of: Annotated[str, typer.Option("--as-of", help="按哪一天检查，YYYY-MM-DD")] = "",
    spelling: Annotated[bool, typer.Option("--spelling/--no-spelling", help="查错别字")] = True,
) -> None:
    """五关检查文稿、文件、文件夹：有必须改的问题时退出码为 1。"""
    rules = RuleSet.load()
    facts: Facts = library_facts(read_lines(library_file)) if library_file else NoFacts()
    speller = Speller.load() if spelling else None
    if jsonl:
        handle = partial(check_record, ruleset=rules, facts=facts, include_hints=hints)
        run_filter(partial(handle, speller=speller))
        return
    check_files(paths or [], Wanted(as_of, hints, as_json), rules, facts, speller)
