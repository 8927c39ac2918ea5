"""`shenfa check`: the five gates over texts, files and folders, without a server."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from commands.lines import BadInput, read_lines, run_filter
from commands.loading import later, new_group
from commands.options import Json, Jsonl, LibraryFile
from config.clock import beijing, now
from gates.engine import Facts, NoFacts, RuleSet
from gates.filter import check_record, library_facts
from gates.spelling import Speller

group = new_group("五关检查")
check_files = later("commands.check_files", "check_files")  # many readers, for files alone


@dataclass(frozen=True)
class Wanted:
    """How the person wants their files checked."""

    as_of: date
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
    as_of: Annotated[
        str, typer.Option("--as-of", help="按哪一天检查，YYYY-MM-DD；有自己 as_of 的行除外")
    ] = "",
    spelling: Annotated[bool, typer.Option("--spelling/--no-spelling", help="查错别字")] = True,
) -> None:
    """五关检查文稿、文件、文件夹：有必须改的问题时退出码为 1。"""
    day = _day(as_of)
    rules = RuleSet.load()
    facts: Facts = library_facts(read_lines(library_file)) if library_file else NoFacts()
    speller = Speller.load() if spelling else None
    if jsonl:
        handle = partial(check_record, ruleset=rules, facts=facts, include_hints=hints)
        run_filter(lambda record: handle(_dated(record, as_of), speller=speller))
        return
    check_files(paths or [], Wanted(day, hints, as_json), rules, facts, speller)


def _day(as_of: str) -> date:
    """The day of the option; today in Beijing without one."""
    try:
        return date.fromisoformat(as_of) if as_of else beijing(now()).date()
    except ValueError as error:
        raise BadInput(f"--as-of 应当是 YYYY-MM-DD 的日期，不是“{as_of}”") from error


def _dated(record: Mapping[str, Any], as_of: str) -> Mapping[str, Any]:
    """The record with a day: its own, else the option's, else none: a filter may run for days."""
    if not as_of or record.get("as_of") not in (None, ""):
        return record
    return {**record, "as_of": as_of}
