"""`shenfa eval`: how well the gates do on data that people marked."""

from pathlib import Path
from typing import Annotated

import typer

from commands.lines import BadInput, say
from commands.loading import new_group
from commands.options import Json
from commands.progress import progress_bar
from gates.engine import RuleSet
from gates.evaluation import run as evaluation
from gates.spelling import Speller

group = new_group("在标注数据上评测")


@group.command("gates")
def eval_gates(
    *,
    data: Annotated[Path | None, typer.Option("--data", help="标注数据目录")] = None,
    as_json: Json = False,
    samples: Annotated[bool, typer.Option("--samples", help="也列出误报和漏报")] = False,
) -> None:
    """五关在标注数据上的查全、查准和误报，按数据集和规则列出；有未达到的目标时退出码为 1。"""
    folder = data or evaluation.default_data()
    if not folder.is_dir():
        raise BadInput(f"没有数据目录 {folder}：请用 --data 给出，或设置 SHENFA_TEST_DATA")
    rules = RuleSet.load()
    with progress_bar("评测", evaluation.count_texts(folder)) as step:
        measures, tally = evaluation.evaluate(folder, rules, step, Speller.load())
    if as_json:
        for measure in measures:
            say(evaluation.as_row(measure), as_json=True)
        for line in evaluation.by_rule(tally):
            say(line, as_json=True)
        for sample in tally.samples if samples else ():
            say(sample, as_json=True)
    else:
        say("\n".join(evaluation.tables(measures, tally, samples=samples)))
    if any(measure.ok is False for measure in measures):
        raise SystemExit(1)
