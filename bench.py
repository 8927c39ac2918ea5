"""Measurements: each names its work, its figure, and what the shortest specialist code takes.

A row is {"bench", "metric", "unit", "value", "bare", "ratio", "target", "ok", "n", "detail"}; `bare`
is measured in the same run, `ratio` is how many times the bare time we take.
"""

import asyncio
import hashlib
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import ahocorasick_rs
import tantivy
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app import Shenfa, initialise, open_shenfa
from bot.contract import Content
from config.settings import Settings
from config.setup import AccountSetup, Setup, StaffSetup
from knowledge.ask import Library, ask_record
from knowledge.search import pairs
from ledger.verify import verify_export
from review_queue.canonical import Draft as Revision
from review_queue.gates.engine import Draft, NoFacts, RuleSet, run_gates
from review_queue.gates.normalise import normalise
from review_queue.gates.places import DIVISIONS
from review_queue.gates.rules import Rule
from review_queue.items import Answer, Origin
from review_queue.staff import Person, set_staff
from review_queue.workflow import GATES

Row = dict[str, Any]
_HAN = "办补贴申领条件就业创业促进消费政策企业人员社保登记培训岗位毕业生困难家庭县区镇街道资金审核"
_SENTENCES = (
    "符合条件的高校毕业生可以申领一次性就业补贴，标准为每人一千五百元。",
    "用人单位应当在每月十日前向县人力资源和社会保障局提交材料。",
    "购买新能源汽车的消费者凭发票和登记证明申请，补贴资金直接发放到本人账户。",
    "本通知自发布之日起施行，由青禾县商务局负责解释。",
)


def _row(bench: str, metric: str, unit: str, figures: tuple[float, float, float], n: int) -> Row:
    """One row from (value, bare, target); a unit that ends in /s is better when it is higher."""
    value, bare, target = figures
    rate = unit.endswith("/s")
    return {
        "bench": bench,
        "metric": metric,
        "unit": unit,
        "value": round(value, 4),
        "bare": round(bare, 4),
        "ratio": round(bare / value if rate else value / bare, 2),
        "target": target,
        "ok": value >= target if rate else value <= target,
        "n": n,
        "detail": {},
    }


def _ms(work: Callable[[], object], n: int) -> list[float]:
    """Milliseconds of each of `n` calls."""
    taken = []
    for _ in range(n):
        begun = time.perf_counter()
        work()
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


def _p95(values: list[float]) -> float:
    return sorted(values)[max(0, -(-len(values) * 95 // 100) - 1)]


def _word(number: int, length: int) -> str:
    """A word of `length` characters; different numbers below 40 ** length give different words."""
    letters = sorted(set(_HAN))
    word = ""
    for _ in range(length):
        number, at = divmod(number, len(letters))
        word += letters[at]
    return word


# --- gates and questions ------------------------------------------------------------------


async def gates(n: int = 200, terms: int = 50_000) -> list[Row]:
    """Five gates over a 2,000-character notice, with terms added up to `terms`."""
    started = RuleSet.load()
    known = set(DIVISIONS.names).union(*((*rule.terms, *rule.pairs) for rule in started.rules))
    extra = tuple(_word(number, 6) for number in range(max(1, terms - len(known))))
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
    text = "".join(_SENTENCES[number % len(_SENTENCES)] for number in range(200))[:2000]
    draft = Draft("关于发放就业补贴的通知", text, "原创", date(2026, 1, 1))
    dense = normalise(text)
    bare = ahocorasick_rs.AhoCorasick(sorted(known.union(extra)), store_patterns=False)
    run_gates(draft, rules, NoFacts())
    ours = statistics.median(_ms(lambda: run_gates(draft, rules, NoFacts()), n))
    scan = statistics.median(_ms(lambda: rules.scan(dense), n))
    short = statistics.median(
        _ms(lambda: bare.find_matches_as_indexes(dense.text, overlapping=True), n)
    )
    whole = _row("gates", "p50 of five gates", "ms", (ours, short, 5.0), n)
    part = _row("gates", "p50 of the scan alone", "ms", (scan, short, round(3 * short, 4)), n)
    whole["detail"] = {"characters": len(text), "terms": len(known.union(extra))}
    return [whole, part]


def _clauses(count: int) -> Iterable[dict[str, str]]:
    for number in range(count):
        yield {
            "id": str(number),
            "title": f"{_word(number // 10, 4)}补贴办法",
            "text": f"{_word(number, 5)}申请{_word(number * 7, 6)}的，"
            f"{_SENTENCES[number % len(_SENTENCES)]}",
        }


async def ask(n: int = 200, clauses: int = 20_000) -> list[Row]:
    """Questions, one at a time, over `clauses` generated clauses."""
    lines = list(_clauses(clauses))
    begun = time.perf_counter()
    library = Library.from_lines(lines)
    built = time.perf_counter() - begun
    begun = time.perf_counter()
    index = _bare_index(lines)
    bare_built = time.perf_counter() - begun
    questions = [
        f"{_word(number * 97 % clauses, 5)}怎么申请就业补贴，标准是多少" for number in range(n)
    ]
    waiting, searcher = iter(questions * 2), index.searcher()
    ours = _ms(lambda: ask_record({"id": 1, "question": next(waiting)}, library), n)

    def bare() -> None:
        query = index.parse_query(" ".join(pairs(next(waiting))), ["body"])
        for _, address in searcher.search(query, 10).hits:
            searcher.doc(address)

    speed = _row("ask", "p95 of one question", "ms", (_p95(ours), _p95(_ms(bare, n)), 20.0), n)
    speed["detail"] = {"clauses": clauses, "p50": round(statistics.median(ours), 3)}
    build = _row("ask", "index built", "s", (built, bare_built, 60.0 * clauses / 100_000), clauses)
    return [speed, build]


def _bare_index(lines: list[dict[str, str]]) -> tantivy.Index:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("body", stored=True, tokenizer_name="whitespace")
    index = tantivy.Index(builder.build())
    writer = index.writer(64_000_000, 1)
    for line in lines:
        writer.add_document(tantivy.Document(body=" ".join(pairs(line["title"] + line["text"]))))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    return index


BENCHES: dict[str, Callable[[], Awaitable[list[Row]]]] = {"gates": gates, "ask": ask}
