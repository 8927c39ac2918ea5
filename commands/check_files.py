"""The files and folders of `shenfa check`: opening them brings the readers of every format."""

import json
from pathlib import Path

from commands.check import Wanted
from commands.lines import BadInput, say
from commands.progress import progress_bar
from documents.sight import Eyes, is_installed
from gates.engine import Facts, RuleSet
from gates.files import Checked, Checker, files_in, summary
from gates.spelling import Speller


def check_files(
    paths: list[Path], wanted: Wanted, rules: RuleSet, facts: Facts, speller: Speller | None
) -> None:
    """Check them all, say what was found; exit 1 when something must be put right."""
    try:
        files = files_in(paths)
    except FileNotFoundError as error:
        raise BadInput(f"{error}：没有这个文件或文件夹，请检查路径") from error
    if not files:
        raise BadInput("没有可以检查的文件：请给出文件或文件夹，或用 --jsonl 从标准输入读取")
    eyes = Eyes() if is_installed() else None
    checker = Checker(rules, facts, wanted.as_of, wanted.hints, speller, eyes)
    done = []
    with progress_bar("检查", len(files)) as step:
        for path in files:
            # Said after all are done: the progress bar and the findings must not be mixed.
            done.append(_checked(checker, path))
            step()
    if eyes is not None:
        eyes.close()
    for file in done:
        as_json = [json.dumps(file.as_record(), ensure_ascii=False)]
        for line in as_json if wanted.as_json else file.lines():
            say(line)
    if not wanted.as_json:
        say(summary(done))
    # Only what must be put right makes a pipeline fail; warnings are for people.
    if any(file.blocked for file in done):
        raise SystemExit(1)


def _checked(checker: Checker, path: Path) -> Checked:
    try:
        return checker.check(path)
    except OSError as error:
        raise BadInput(f"{path}：打不开（{error.strerror}），请检查路径和权限") from error
