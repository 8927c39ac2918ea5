"""`shenfa check`: the five gates over texts, files and folders, without a server."""

import json
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from commands.lines import BadInput, read_lines, run_filter, say
from commands.loading import new_group
from commands.options import Json, Jsonl, LibraryFile
from commands.progress import progress_bar
from config.clock import beijing, now
from gates.engine import Facts, NoFacts, RuleSet
from gates.files import Checked, Checker, files_in, summary
from gates.filter import check_record, library_facts
from gates.spelling import Speller

group = new_group("五关检查")


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
    try:
        files = files_in(paths or ())
        day = date.fromisoformat(as_of) if as_of else beijing(now()).date()
    except FileNotFoundError as error:
        raise BadInput(f"{error}：没有这个文件或文件夹，请检查路径") from error
    except ValueError as error:
        raise BadInput(f"--as-of 应当是 YYYY-MM-DD 的日期，不是“{as_of}”") from error
    if not files:
        raise BadInput("没有可以检查的文件：请给出文件或文件夹，或用 --jsonl 从标准输入读取")
    checker = Checker(rules, facts, day, include_hints=hints, speller=speller)
    done = []
    with progress_bar("检查", len(files)) as step:
        for path in files:
            done.append(_checked(checker, path))
            step()
    for file in done:
        for line in [json.dumps(file.as_record(), ensure_ascii=False)] if as_json else file.lines():
            say(line)
    if not as_json:
        say(summary(done))
    if any(file.blocked for file in done):
        raise SystemExit(1)


def _checked(checker: Checker, path: Path) -> Checked:
    try:
        return checker.check(path)
    except OSError as error:
        raise BadInput(f"{path}：打不开（{error.strerror}），请检查路径和权限") from error
