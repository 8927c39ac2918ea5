"""`shenfa eval gates`: what the gates find, miss and wrongly flag on labelled sets.

Each set gives measures (a value, its number of cases, what it should reach) and tells the tally,
rule by rule, which findings were right and which were false alarms. Absent sets are left out.
"""

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import chain
from pathlib import Path

from gates.engine import run_gates
from gates.evaluation.measures import (
    AS_OF,
    Evaluate,
    Look,
    Measure,
    Row,
    Tally,
    share_of,
)
from gates.evaluation.personal import made_up, news, shapes, vectors
from gates.evaluation.spelling import spelling, textproof
from gates.evaluation.wording import (
    advertising,
    clean,
    pairs,
    platform,
    renamed,
    reports,
    term_hits,
    terms,
)
from gates.finding import GateText, NoFacts
from gates.rules import RuleSet
from gates.spelling import Speller


def default_data() -> Path:
    """The folder of labelled sets: SHENFA_TEST_DATA, or beside the project."""
    return Path(os.environ.get("SHENFA_TEST_DATA", "../shared/data"))


def count_texts(data: Path) -> int:
    """How many texts `evaluate` will look at, roughly: the rows of its sets."""
    return sum(len(_rows(data / name)) for name in SETS)


def evaluate(
    data: Path,
    rules: RuleSet,
    step: Callable[[], None] = lambda: None,
    speller: Speller | None = None,
) -> tuple[list[Measure], Tally]:
    """All measures of the sets that are there, and the tally by rule."""
    look, tally = Look(rules, step, speller), Tally()
    measures = [*_examples(rules, tally)]
    for name, run in SETS.items():
        if rows := _rows(data / name):
            measures += run(rows, look, tally)
    return measures, tally


def by_rule(tally: Tally) -> list[Row]:
    """A line a rule: findings that were right, false alarms, precision, and where from."""
    sets: dict[str, list[str]] = defaultdict(list)
    for name, rule in chain(tally.right, tally.wrong):
        if name not in sets[rule]:
            sets[rule].append(name)
    lines = []
    for rule in sorted(sets):
        right = sum(count for (_, who), count in tally.right.items() if who == rule)
        wrong = sum(count for (_, who), count in tally.wrong.items() if who == rule)
        lines.append(
            {"rule": rule, "right": right, "wrong": wrong,
             "precision": round(right / (right + wrong), 3), "sets": sets[rule]}
        )  # fmt: skip
    return lines


def tables(measures: Sequence[Measure], tally: Tally, *, samples: bool = False) -> Iterator[str]:
    """The measures and the tally for a person, as Markdown tables."""
    yield "| set | metric | value | n | target |"
    yield "|---|---|---|---|---|"
    for one in measures:
        aim = "" if one.target is None else f"{'≤' if one.most else '≥'} {one.target:g}"
        verdict = {True: " ok", False: " **short**", None: ""}[one.ok]
        yield f"| {one.set} | {one.metric} | {one.value:.4g} | {one.n} | {aim}{verdict} |"
    yield ""
    yield "| rule | right | false alarms | precision | sets |"
    yield "|---|---|---|---|---|"
    for line in by_rule(tally):
        yield (
            f"| {line['rule']} | {line['right']} | {line['wrong']} | {line['precision']:.3g} "
            f"| {', '.join(line['sets'])} |"
        )
    for sample in tally.samples if samples else ():
        yield json.dumps(sample, ensure_ascii=False)


def as_row(measure: Measure) -> Row:
    """A measure as JSON."""
    return asdict(measure) | {"value": round(measure.value, 4), "ok": measure.ok}


def _rows(path: Path) -> list[Row]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def _examples(rules: RuleSet, tally: Tally) -> Iterator[Measure]:
    """Every row's own examples, each against its rule alone."""
    held = total = 0
    for rule in rules.rules:
        alone = RuleSet([rule])
        for text, wanted in [(one, True) for one in rule.must] + [
            (one, False) for one in rule.must_not
        ]:
            # A rule that holds from next year is tried on a day on which it holds.
            draft = GateText("", text, "原创", rule.valid_from or AS_OF)
            found = run_gates(draft, alone, NoFacts(), include_hints=True)
            mine = [one for one in found if one.rule == rule.id]
            total += 1
            held += bool(mine) is wanted
            tally.count("examples", mine, text, right=wanted)
            if wanted and not mine:
                tally.missed("examples", rule.id, text)
    yield Measure("examples", "hold", share_of(held, total), total, 1.0)


SETS: Mapping[str, Evaluate] = {
    "3_wording/clean_official_sentences.dev.jsonl": clean,
    "2_policy_docs/gov_work_reports.dev.jsonl": reports,
    "3_wording/xinhua_pairs.dev.jsonl": pairs,
    "3_wording/xinhua_terms_2016.dev.jsonl": terms,
    "3_wording/term_hits_in_real_text.dev.jsonl": term_hits,
    "3_wording/illegal_ad_expressions.dev.jsonl": advertising,
    "3_wording/renamed_divisions.dev.jsonl": renamed,
    "4_personal_data/number_shapes_in_gov_text.dev.jsonl": shapes,
    "4_personal_data/faker_zh_values.dev.jsonl": made_up,
    "4_personal_data/vectors.dev.jsonl": vectors,
    "4_personal_data/news_ner_msra.dev.jsonl": partial(news, "news_ner_msra"),
    "4_personal_data/resume_ner.dev.jsonl": partial(news, "resume_ner"),
    "3_wording/clean_platform_sentences.dev.jsonl": platform,
    "3_wording/spelling_pairs.dev.jsonl": spelling,
    "3_wording/textproof.dev.jsonl": textproof,
}
