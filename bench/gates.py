"""`shenfa bench gates`: the five gates over a notice, beside the bare automaton."""

import statistics
from datetime import date

import ahocorasick_rs

from bench.figures import SENTENCES, Measured, Row, figure, measured, milliseconds, word_of
from gates.engine import GateText, NoFacts, RuleSet, run_gates
from gates.normalise import normalise
from gates.places import DIVISIONS
from gates.rules import Rule
from gates.spelling import Speller


async def gates(n: int = 200, terms: int = 50_000) -> list[Row]:
    """Five gates over a 2,000-character notice, with terms added up to `terms`."""
    started = RuleSet.load()
    known = set(DIVISIONS.names).union(*((*rule.terms, *rule.pairs) for rule in started.rules))
    extra = tuple(word_of(number, 6) for number in range(max(1, terms - len(known))))
    more = Rule(
        id="bench.extra",
        gate="wording",
        severity="hint",
        terms=extra,
        reason="测速用词",
        basis="测速",
        must=extra[:1],
    )
    rules = RuleSet([*started.rules, more])
    text = "".join(SENTENCES[number % len(SENTENCES)] for number in range(200))[:2000]
    draft = GateText("关于发放就业补贴的通知", text, "原创", date(2026, 1, 1))
    dense = normalise(text)
    bare = ahocorasick_rs.AhoCorasick(sorted(known.union(extra)), store_patterns=False)
    run_gates(draft, rules, NoFacts())
    ours = statistics.median(milliseconds(lambda: run_gates(draft, rules, NoFacts()), n))
    scan = statistics.median(milliseconds(lambda: rules.scan(dense), n))
    short = statistics.median(
        milliseconds(lambda: bare.find_matches_as_indexes(dense.text, overlapping=True), n)
    )
    whole = figure("gates", "p50 of five gates", "ms", Measured(ours, short, 5.0), n)
    part = figure(
        "gates", "p50 of the scan alone", "ms", Measured(scan, short, round(3 * short, 4)), n
    )
    whole["detail"] = {"characters": len(text), "terms": len(known.union(extra))}
    speller = Speller.load()
    speller.find(text)
    spelt = statistics.median(milliseconds(lambda: speller.find(text), max(1, n // 10)))
    spelling = figure(
        "gates", "p50 of the spelling model on top", "ms", Measured(spelt, short, 30.0), n
    )
    return [whole, part, spelling, *_gates_start(len(extra))]


_OURS = """
row = dict(id="bench.extra", gate="wording", severity="hint", terms=words, must=words[:1])
rules = RuleSet([*RuleSet.load().rules, Rule(**row, reason="测速", basis="测速")])
run_gates(GateText("", "关于发放补贴的通知", "", date(2026, 1, 1)), rules, NoFacts())
"""


def _gates_start(terms: int) -> list[Row]:
    """Start-up and memory of the gates in a new process, beside the bare automaton's."""
    imports = (
        "from datetime import date\n"
        "from gates.engine import GateText, NoFacts, RuleSet, run_gates\n"
        "from gates.rules import Rule"
    )
    ours = measured(imports, _OURS, terms)
    bare = measured("import ahocorasick_rs", "made = ahocorasick_rs.AhoCorasick(words)", terms)
    start = figure("gates", "start-up", "s", Measured(sum(ours[:2]), sum(bare[:2]), 2.0), 1)
    start["detail"] = {"imports": round(ours[0], 3), "compiled": round(ours[1], 3), "terms": terms}
    return [
        start,
        figure("gates", "resident memory added", "MB", Measured(ours[2], bare[2], 150.0), 1),
    ]
