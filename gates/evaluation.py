"""`shenfa eval gates`: what the gates find, miss and wrongly flag on labelled sets.

Each set gives measures (a value, its number of cases, what it should reach) and tells the tally,
rule by rule, which findings were right and which were false alarms. Absent sets are left out.
"""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from gates.engine import run_gates
from gates.finding import Finding, GateText, NoFacts
from gates.rules import RuleSet
from gates.spelling import Speller

AS_OF = date(2026, 11, 24)
PERSONAL = {"mobile", "email"}
_CONTEXTS = {
    "medical reports": "该药品治疗糖尿病{}，请患者放心。",
    "hostage reports": "人质被{}。",
    "Darfur": "达尔富尔的{}。",
    "war reports": "战争中{}多名士兵。",
}
_SPELLING = ("ecspell_official_doc", "ecspell_law", "lawbench_2-1_court_doc", "lemon_news_title")

Row = dict[str, Any]


@dataclass(frozen=True)
class Measure:
    """One figure of one set; `target` is a floor, or a ceiling when `most` is set."""

    set: str
    metric: str
    value: float
    n: int
    target: float | None = None
    most: bool = False

    @property
    def ok(self) -> bool | None:
        """Whether the target is reached; None without one, or without a case."""
        if self.target is None or not self.n:
            return None
        return self.value <= self.target if self.most else self.value >= self.target


@dataclass
class Tally:
    """Findings by rule and set, right and wrong, with some of the wrong and the missed ones."""

    right: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: Counter[tuple[str, str]] = field(default_factory=Counter)
    samples: list[Row] = field(default_factory=list)

    def count(self, name: str, found: Sequence[Finding], text: str, *, right: bool) -> None:
        """Take note of findings that were right, or were not."""
        (self.right if right else self.wrong).update((name, one.rule) for one in found)
        if not right:
            for one in found:
                self.samples.append(
                    {"set": name, "wrong": one.rule, "text": one.text, "in": _near(text, one)}
                )

    def missed(self, name: str, what: str, text: str) -> None:
        """Take note of what nobody found."""
        self.samples.append({"set": name, "missed": what, "in": text[:120]})


class Look:
    """The gates over one text at a time, counted for a progress bar."""

    def __init__(
        self, rules: RuleSet, step: Callable[[], None], speller: Speller | None = None
    ) -> None:
        """Keep the rule set and whom to tell of each text."""
        self._speller = speller
        self._rules = rules
        self._step = step

    def __call__(self, text: str, as_of: date = AS_OF) -> list[Finding]:
        """All findings on that day, hints too."""
        self._step()
        draft = GateText("", text, "原创", as_of)
        return run_gates(draft, self._rules, NoFacts(), include_hints=True, speller=self._speller)


Evaluate = Callable[[list[Row], Look, Tally], Iterator[Measure]]


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


def _near(text: str, one: Finding) -> str:
    return text[max(0, one.start - 20) : one.end + 20].replace("\n", " ")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _loud(found: Sequence[Finding]) -> list[Finding]:
    return [one for one in found if one.severity != "hint"]


def _examples(rules: RuleSet, tally: Tally) -> Iterator[Measure]:
    """Every row's own examples, each against its rule alone."""
    held = total = 0
    for rule in rules.rules:
        alone = RuleSet([rule])
        for text, wanted in [(one, True) for one in rule.must] + [
            (one, False) for one in rule.must_not
        ]:
            draft = GateText("", text, "原创", rule.valid_from or AS_OF)
            found = run_gates(draft, alone, NoFacts(), include_hints=True)
            mine = [one for one in found if one.rule == rule.id]
            total += 1
            held += bool(mine) is wanted
            tally.count("examples", mine, text, right=wanted)
            if wanted and not mine:
                tally.missed("examples", rule.id, text)
    yield Measure("examples", "hold", _share(held, total), total, 1.0)


def _clean(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    name = "clean_official_sentences"
    blocked: Counter[str] = Counter()
    loud: Counter[str] = Counter()
    total: Counter[str] = Counter()
    hints = 0
    for row in rows:
        found = look(row["text"])
        kind = row["source_type"]
        total[kind] += 1
        blocked[kind] += any(one.severity == "block" for one in found)
        loud[kind] += bool(_loud(found))
        hints += bool(found)
        tally.count(name, _loud(found), row["text"], right=False)
    n = len(rows)
    yield Measure(name, "blocked", _share(blocked.total(), n), n, 0.001, most=True)
    yield Measure(name, "above a hint", _share(loud.total(), n), n, 0.01, most=True)
    yield Measure(name, "any, hints too", _share(hints, n), n)
    for kind in sorted(total):
        yield Measure(name, f"above a hint: {kind}", _share(loud[kind], total[kind]), total[kind])


def _reports(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    name = "gov_work_reports"
    loud = blocked = length = 0
    for row in rows:
        found = look(row["text"], date(int(row["year"]), 3, 5))
        tally.count(name, _loud(found), row["text"], right=False)
        loud += len(_loud(found))
        blocked += sum(one.severity == "block" for one in found)
        length += len(row["text"])
    yield Measure(name, "blocking in 10,000 characters", _share(blocked * 10_000, length), length)
    yield Measure(name, "above a hint in 10,000 characters", _share(loud * 10_000, length), length)


def _pairs(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    name = "xinhua_pairs"
    flagged = named = with_use = quiet = uses = 0
    for row in rows:
        avoid, use = row["avoid"], row["use"]
        text = _CONTEXTS.get(row["context"], "近日，{}引起关注。").format(avoid)
        at = text.index(avoid)
        mine = [one for one in _loud(look(text)) if one.start < at + len(avoid) and at < one.end]
        flagged += bool(mine)
        tally.count(name, mine, text, right=True)
        if not mine:
            tally.missed(name, avoid, text)
        if use:
            with_use += 1
            named += any(_names(one, use, text, (at, at + len(avoid))) for one in mine)
        for word in use:
            sentence = f"近日，{word}到场。"
            found = _loud(look(sentence))
            uses += 1
            quiet += not found
            tally.count(name, found, sentence, right=False)
    yield Measure(name, "avoided forms flagged", _share(flagged, len(rows)), len(rows), 0.95)
    yield Measure(
        name, "of those with a right form, named", _share(named, with_use), with_use, 0.95
    )
    yield Measure(name, "right forms left alone", _share(quiet, uses), uses, 1.0)


def _names(one: Finding, use: list[str], text: str, span: tuple[int, int]) -> bool:
    """Whether a suggestion is, or writes in place of the avoided form, one of the right forms."""
    for option in one.suggestions:
        whole = text[span[0] : one.start] + option + text[one.end : span[1]]
        if any(right in (option, whole) or right in whole for right in use):
            return True
        if any(option in right for right in use):
            return True
    return False


def _terms(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    name = "xinhua_terms_2016"
    avoid = [row["term"] for row in rows if not row["is_recommended_form"]]
    right = [row["term"] for row in rows if row["is_recommended_form"]]
    any_level = loud = 0
    for term in avoid:
        found = look(f"近日，{term}引起关注。")
        any_level += bool(found)
        loud += bool(_loud(found))
        tally.count(name, _loud(found), term, right=True)
        if not found:
            tally.missed(name, term, "")
    quiet = sum(not _loud(look(f"近日，{term}到场。")) for term in right)
    yield Measure(
        name, "flagged above a hint without context", _share(loud, len(avoid)), len(avoid)
    )
    yield Measure(name, "flagged, hints too", _share(any_level, len(avoid)), len(avoid))
    yield Measure(name, "right forms left alone", _share(quiet, len(right)), len(right), 1.0)


def _hits(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    """Mostly innocent sentences with a listed term: unlabelled, so the share is all there is."""
    loud = 0
    for row in rows:
        found = [one for one in _loud(look(row["sentence"])) if one.text in row["term"]]
        loud += bool(found)
        for one in found:
            tally.samples.append(
                {"set": "term_hits_in_real_text", "flagged": one.rule, "text": one.text,
                 "in": _near(row["sentence"], one)}
            )  # fmt: skip
    yield Measure(
        "term_hits_in_real_text", "flagged above a hint", _share(loud, len(rows)), len(rows)
    )


def _advertising(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    """Rule texts speak of forbidden words and must not be flagged for it."""
    loud = 0
    for row in rows:
        found = _loud(look(row["text"]))
        loud += bool(found)
        tally.count("illegal_ad_expressions", found, row["text"], right=False)
    yield Measure(
        "illegal_ad_expressions", "rule texts flagged", _share(loud, len(rows)), len(rows)
    )


def _shapes(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    name = "number_shapes_in_gov_text"
    total: Counter[str] = Counter()
    told: Counter[str] = Counter()
    for row in rows:
        found = [one for one in look(row["text"]) if one.gate == "secrecy"]
        for span in row["spans"]:
            hits = [one for one in found if one.start < span["end"] and span["start"] < one.end]
            shape = span["shape"]
            total[shape] += 1
            told[shape] += bool(hits)
            tally.count(name, hits[:1], row["text"], right=shape in PERSONAL)
            if shape in PERSONAL and not hits:
                tally.missed(name, span["value"], row["text"][max(0, span["start"] - 40) :])
    for shape in sorted(PERSONAL & set(total)):
        yield Measure(name, f"{shape} found", _share(told[shape], total[shape]), total[shape], 0.99)
    others = [shape for shape in total if shape not in PERSONAL]
    wrong = sum(told[shape] for shape in others)
    n = sum(total[shape] for shape in others)
    yield Measure(name, "office numbers called personal", _share(wrong, n), n, 0.0, most=True)


def _made_up(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    name = "faker_zh_values"
    kinds = {"id_card": "id-card", "mobile": "mobile", "email": "e-mail",
             "bank_card_luhn": "bank-card", "licence_plate": "plate"}  # fmt: skip
    for key, rule in kinds.items():
        hits = 0
        for row in rows:
            text = f"{row['name']}，{'银行卡号' if rule == 'bank-card' else ''}{row[key]}。"
            mine = [one for one in look(text) if one.rule == f"secrecy.{rule}"]
            hits += bool(mine)
            tally.count(name, mine, text, right=True)
            if not mine:
                tally.missed(name, row[key], text)
        target = 0.99 if rule in ("id-card", "mobile", "e-mail") else None
        yield Measure(name, f"{key} found", _share(hits, len(rows)), len(rows), target)


def _vectors(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    right = 0
    for row in rows:
        valid = row["valid"] is not False
        found = [one for one in look(f"身份证号{row['value']}") if one.gate == "secrecy"]
        sure = [one for one in found if one.severity == "block"]
        right += bool(sure) is valid
        if bool(sure) is not valid:
            tally.missed("vectors", str(row["value"]), f"valid: {valid}")
    yield Measure("vectors", "judged as labelled", _share(right, len(rows)), len(rows))


def _news(name: str, rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    wrong = 0
    for row in rows:
        found = [one for one in look(row["text"]) if one.gate == "secrecy" and _loud([one])]
        wrong += bool(found)
        tally.count(name, found, row["text"], right=False)
    yield Measure(name, "called personal", _share(wrong, len(rows)), len(rows), 0.0, most=True)


def _renamed(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    name = "renamed_divisions"
    flagged = named = 0
    for row in rows:
        old = row["old_province"] + row["old_prefecture"] + row["old_county"]
        new = row["new_province"] + row["new_prefecture"] + row["new_county"]
        text = f"{old}发布通知。"
        mine = [one for one in _loud(look(text)) if one.start < len(old)]
        flagged += bool(mine)
        whole = [
            text[: one.start] + option + text[one.end :]
            for one in mine
            for option in one.suggestions
        ]
        named += any(_same_place(new, option) for option in whole)
        tally.count(name, mine, text, right=True)
        if not mine:
            tally.missed(name, old, new)
        elif not any(_same_place(new, option) for option in whole):
            tally.missed(name, f"{old}: new name", f"{new}; {whole}")
    yield Measure(name, "flagged", _share(flagged, len(rows)), len(rows), 0.9)
    yield Measure(name, "with the new name", _share(named, len(rows)), len(rows), 0.9)


def _same_place(name: str, text: str) -> bool:
    """Whether a text begins with this place; a list may shorten 融水苗族自治县 to 融水县."""
    return text.startswith((name, name[:-1]))


def _spelling(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["set"]].append(row)
    for group in sorted(groups, key=lambda one: (one not in _SPELLING, one)):
        yield from _spelling_set(group, groups[group], look, tally)


def _spelling_set(group: str, rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    name = f"spelling: {group}"
    wrong = [row for row in rows if row["has_error"]]
    clean = [row for row in rows if not row["has_error"]]
    levels = {"warnings": Counter[str](), "with hints": Counter[str]()}
    for row in rows:
        found = [one for one in look(row["source"]) if one.gate == "wording"]
        for level, counts in levels.items():
            seen = found if level == "with hints" else _loud(found)
            if not row["has_error"]:
                counts["alarm"] += bool(seen)
                continue
            hits = [one for one in seen if _at_an_error(one, row)]
            counts["found"] += bool(hits)
            counts["right"] += any(_corrects(one, row) for one in hits)
        if row["has_error"]:
            tally.count(name, [one for one in found if _at_an_error(one, row)], "", right=True)
        else:
            tally.count(name, _loud(found), row["source"], right=False)
    aims = {"warnings": (0.45, 0.75, 0.02), "with hints": (0.75, None, 0.10)}
    main = group in _SPELLING[:3]
    for level, counts in levels.items():
        recall, right, alarms = aims[level] if main else (None, None, None)
        yield Measure(
            name, f"recall, {level}", _share(counts["found"], len(wrong)), len(wrong), recall
        )
        yield Measure(name, f"correction right, {level}",
                      _share(counts["right"], counts["found"]), counts["found"], right)  # fmt: skip
        if clean:
            share = _share(counts["alarm"], len(clean))
            yield Measure(name, f"false alarms, {level}", share, len(clean), alarms, most=True)


def _at_an_error(one: Finding, row: Row) -> bool:
    errors = row["errors"]
    if not errors:
        return True
    return any(one.start <= error["pos"] < one.end for error in errors)


def _corrects(one: Finding, row: Row) -> bool:
    """Whether the first suggestion writes what the target has at the finding's place."""
    if one.suggestion is None or row["target"] is None:
        return False
    mended = row["source"][: one.start] + one.suggestion + row["source"][one.end :]
    target = row["target"]
    if len(mended) != len(target):
        return bool(mended == target)
    return bool(mended[one.start : one.end] == target[one.start : one.end])


SETS: Mapping[str, Evaluate] = {
    "3_wording/clean_official_sentences.dev.jsonl": _clean,
    "2_policy_docs/gov_work_reports.dev.jsonl": _reports,
    "3_wording/xinhua_pairs.dev.jsonl": _pairs,
    "3_wording/xinhua_terms_2016.dev.jsonl": _terms,
    "3_wording/term_hits_in_real_text.dev.jsonl": _hits,
    "3_wording/illegal_ad_expressions.dev.jsonl": _advertising,
    "3_wording/renamed_divisions.dev.jsonl": _renamed,
    "4_personal_data/number_shapes_in_gov_text.dev.jsonl": _shapes,
    "4_personal_data/faker_zh_values.dev.jsonl": _made_up,
    "4_personal_data/vectors.dev.jsonl": _vectors,
    "4_personal_data/news_ner_msra.dev.jsonl": partial(_news, "news_ner_msra"),
    "4_personal_data/resume_ner.dev.jsonl": partial(_news, "resume_ner"),
    "3_wording/spelling_pairs.dev.jsonl": _spelling,
}
