"""`shenfa eval`: how well gates, answers and tags do on data that people marked."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from commands.lines import BadInput, say
from commands.loading import new_group
from commands.options import Json
from commands.progress import progress_bar
from config.clock import beijing, now
from facets import evaluation as tags
from facets.taxonomy import TaxonomyError, load_taxonomy, starting_taxonomy
from gates.engine import NoFacts, RuleSet
from gates.evaluation import run as evaluation
from gates.evaluation import unlabelled
from gates.files import Checker, files_in
from gates.judged import read_judged, write_judged
from gates.spelling import Speller
from knowledge import evaluation as answers

group = new_group("在标注数据上评测")


@group.command("gates")
def eval_gates(  # noqa: PLR0913  one argument a flag
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="没有标注的文稿目录")
    ] = None,
    *,
    data: Annotated[Path | None, typer.Option("--data", help="标注数据目录")] = None,
    as_json: Json = False,
    samples: Annotated[bool, typer.Option("--samples", help="也列出误报和漏报")] = False,
    texts: Annotated[Path | None, typer.Option("--texts", help="同 FOLDER")] = None,
    verdicts: Annotated[Path | None, typer.Option("--verdicts", help="判对错的文件")] = None,
    apply: Annotated[
        bool, typer.Option("--apply/--no-apply", help="查准不到一半的规则降为提示")
    ] = True,
) -> None:
    """五关在标注数据上的查全、查准和误报；给出 FOLDER 时列出其中文稿的每条警告，供人判对错。

    标注数据按数据集和规则列出，有未达到的目标时退出码为 1。--verdicts 的文件每行一条警告，
    在 verdict 填“对”或“错”后再运行，即按规则算出查准；查准不到一半的规则随即降为提示
    （--no-apply 只看不改），直到有人决定。
    """
    if (named := folder or texts) is not None:
        _unlabelled(named, verdicts, apply=apply)
        return
    known = data or evaluation.default_data()
    if not known.is_dir():
        raise BadInput(f"没有数据目录 {known}：请用 --data 给出，或设置 SHENFA_TEST_DATA")
    rules = RuleSet.load()
    with progress_bar("评测", evaluation.count_texts(known)) as step:
        measures, tally = evaluation.evaluate(known, rules, step, Speller.load())
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


@group.command("answers")
def eval_answers(
    *,
    data: Annotated[Path | None, typer.Option("--data", help="标注数据目录")] = None,
    as_json: Json = False,
) -> None:
    """检索和答复在标注问题上的命中、答对、反问和不该答的；有未达到的目标时退出码为 1。"""
    folder = data or evaluation.default_data()
    if not folder.is_dir():
        raise BadInput(f"没有数据目录 {folder}：请用 --data 给出，或设置 SHENFA_TEST_DATA")
    with progress_bar("评测", answers.count_questions(folder)) as step:
        measures = answers.evaluate(folder, step)
    if not measures:
        raise BadInput(f"{folder} 里没有 ncp_questions、gov_letters 或 law_questions 数据集")
    _tell(measures, as_json=as_json)


@group.command("tags")
def eval_tags(
    *,
    data: Annotated[Path | None, typer.Option("--data", help="标注数据目录")] = None,
    taxonomy: Annotated[Path | None, typer.Option("--taxonomy", help="要评测的分类文件")] = None,
    as_json: Json = False,
) -> None:
    """建议的主题在标注文件和来信上的查准、查全；有未达到的目标时退出码为 1。

    --taxonomy 用在提出变更以前：先看学到的权重（shenfa topics learn）是变好还是变坏。
    """
    folder = data or evaluation.default_data()
    if not folder.is_dir():
        raise BadInput(f"没有数据目录 {folder}：请用 --data 给出，或设置 SHENFA_TEST_DATA")
    try:
        known = load_taxonomy(taxonomy) if taxonomy else starting_taxonomy()
    except TaxonomyError as error:
        raise BadInput(str(error)) from error
    with progress_bar("评测", tags.count_texts(folder)) as step:
        measures = tags.evaluate(folder, known, step)
    if not measures:
        raise BadInput(f"{folder} 里没有 policy_docs_title_labelled 或 letters_labelled_raw 数据集")
    _tell(measures, as_json=as_json)


def _tell(measures: Sequence[answers.Measure | tags.Measure], *, as_json: bool) -> None:
    """A line each measure; leave with 1 when one is not reached."""
    for one in measures:
        if as_json:
            say({**asdict(one), "ok": one.ok}, as_json=True)
        else:
            goal = f"{'≤' if getattr(one, 'most', False) else '≥'} {one.goal:.2f}"
            reached = "达到" if one.ok else "未达"
            say(f"{reached}  {one.value:.3f}  目标 {goal}  {one.cases:>5} 例  {one.name}")
    if not all(one.ok for one in measures):
        raise SystemExit(1)


def _unlabelled(folder: Path, verdicts: Path | None, *, apply: bool) -> None:
    """List every warning in texts nobody labelled, with what was judged before."""
    if not folder.exists():
        raise BadInput(f"没有文稿目录 {folder}：请改正目录")
    # Without what was judged before, so that a rule that was made a hint is still seen.
    rules = RuleSet(RuleSet.load().rules, quiet=frozenset())
    checker = Checker(rules, NoFacts(), beijing(now()).date(), speller=Speller.load())
    with progress_bar("检查", len(files_in([folder]))) as step:
        found = list(unlabelled.warnings_in(folder, checker, step))
    known = unlabelled.read_rows(verdicts) if verdicts else []
    rows = unlabelled.with_verdicts(found, known)
    # Verdicts on other texts, or on what is no longer told, were work too and stay in the file.
    every = unlabelled.with_others(rows, known)
    if verdicts:
        lines = (json.dumps(row, ensure_ascii=False) for row in every)
        verdicts.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    else:
        for row in rows:
            say(row, as_json=True)
    before = read_judged()
    warned = unlabelled.judged_rules((row for row in every if not unlabelled.blocks(row)), before)
    blocked = unlabelled.judged_rules((row for row in every if unlabelled.blocks(row)), {})
    say("\n".join(unlabelled.judged_table(warned, blocked, rows)))
    places = {(row["file"], row["place"]) for row in rows}
    say(f"{unlabelled.paragraphs_in(folder)} 段，{len(places)} 处有警告")
    judged = {row.rule: row for row in warned if row.right + row.wrong}
    if apply and judged:
        write_judged((dict(before) | judged).values())
