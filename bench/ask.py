"""`shenfa bench ask`: questions over generated clauses, beside the bare index."""

import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import tantivy

from bench.figures import SENTENCES, Measured, Row, figure, milliseconds, percentile, word_of
from config.clock import beijing, now
from knowledge.ask import Library, ask_record
from knowledge.models import Clause, Policy
from knowledge.proof import as_signed, sign
from knowledge.search import pairs
from knowledge.service import KnowledgeService
from ledger.append import Ledger, load_signing_key
from storage.database import Database, new_id


def _clauses(count: int) -> Iterable[dict[str, str]]:
    for number in range(count):
        yield {
            "id": str(number),
            "title": f"{word_of(number // 10, 4)}补贴办法",
            "text": f"{word_of(number, 5)}申请{word_of(number * 7, 6)}的，"
            f"{SENTENCES[number % len(SENTENCES)]}",
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
        f"{word_of(number * 97 % clauses, 5)}怎么申请就业补贴，标准是多少" for number in range(n)
    ]
    waiting, searcher = iter(questions * 2), index.searcher()
    ours = milliseconds(lambda: ask_record({"id": 1, "question": next(waiting)}, library), n)

    def bare() -> None:
        query = index.parse_query(" ".join(pairs(next(waiting))), ["body"])
        for _, address in searcher.search(query, 10).hits:
            searcher.doc(address)

    speed = figure(
        "ask",
        "p95 of one question",
        "ms",
        Measured(percentile(ours, 95), percentile(milliseconds(bare, n), 95), 20.0),
        n,
    )
    speed["detail"] = {"clauses": clauses, "p50": round(statistics.median(ours), 3)}
    build = figure(
        "ask", "index built", "s", Measured(built, bare_built, 60.0 * clauses / 100_000), clauses
    )
    return [speed, build, *await _of_an_office(lines, questions, percentile(ours, 95))]


_TOGETHER = 10  # clauses of one generated policy


async def _of_an_office(
    lines: Sequence[dict[str, str]], questions: Sequence[str], from_a_file: float
) -> list[Row]:
    """The same questions against rows, each compared with what was signed; bare is without."""
    async with _stored(lines) as (knowledge, ledger):
        begun, today = time.perf_counter(), beijing(now()).date()
        await knowledge.refresh()
        loaded, taken = time.perf_counter() - begun, []
        for question in questions:
            begun = time.perf_counter()
            await knowledge.ask(question, today)
            taken.append((time.perf_counter() - begun) * 1000)
        begun = time.perf_counter()
        await knowledge.compare()
        compared = time.perf_counter() - begun
        changed = await _change_seen(knowledge, ledger, len(lines))
    measured = Measured(percentile(taken, 95), from_a_file, 20.0)
    row = figure("ask", "p95 of one question, rows compared", "ms", measured, len(questions))
    row["detail"] = {
        "clauses": len(lines),
        "p50": round(statistics.median(taken), 3),
        "loaded": round(loaded, 3),
        "all_rows_compared": round(compared, 3),
    }
    # Beside it: the whole library taken in anew, as a start does.
    seen = Measured(changed, loaded, 1.0)
    return [row, figure("ask", "one policy changed until it is found", "s", seen, len(lines))]


async def _change_seen(knowledge: KnowledgeService, ledger: Ledger, clauses: int) -> float:
    """Seconds from a signed policy to its clause in an answer."""
    text = "牧区流动图书车每月十五日到嘎查，牧民凭身份证办理借书证。"
    policy, rows = _rows([{"title": "青禾县流动图书车办法", "text": text}], clauses)
    async with ledger.transaction() as tx:
        tx.session.add_all([policy, *rows])
        await sign(tx, as_signed(policy, rows), "bench", {})
    begun = time.perf_counter()
    answer = await knowledge.ask("流动图书车什么时候到嘎查", beijing(now()).date())
    taken = time.perf_counter() - begun
    if not any(quote.hit.key == rows[0].id for quote in answer.quotes):
        raise RuntimeError("the changed policy was not found")
    return taken


@asynccontextmanager
async def _stored(
    lines: Sequence[dict[str, str]],
) -> AsyncIterator[tuple[KnowledgeService, Ledger]]:
    """A library of signed policies in a database of its own."""
    with tempfile.TemporaryDirectory(prefix="shenfa-bench-") as folder:
        home = Path(folder)
        db = Database(f"sqlite+aiosqlite:///{home / 'ask.db'}")
        await db.create_all()
        ledger = Ledger(db, load_signing_key(home / "ledger.key"), home / "anchors.jsonl")
        async with ledger.transaction() as tx:
            for at, number in zip(range(0, len(lines), _TOGETHER), count(1), strict=False):
                policy, clauses = _rows(lines[at : at + _TOGETHER], number)
                tx.session.add_all([policy, *clauses])
                await sign(tx, as_signed(policy, clauses), "bench", {})
        try:
            yield KnowledgeService(ledger, home / "index"), ledger
        finally:
            await db.close()


def _rows(part: Sequence[dict[str, str]], number: int) -> tuple[Policy, list[Clause]]:
    policy = Policy(
        id=new_id(),
        title=part[0]["title"],
        doc_number=f"青政发〔2026〕{number}号",
        issuer="青禾县人民政府",
        url="",
        text="\n".join(line["text"] for line in part),
        facets={},
        state="active",
        proposed_by="bench",
        created_at=now(),
    )
    clauses, start = [], 0
    for place, line in enumerate(part, start=1):
        clause = Clause(id=new_id(), policy_id=policy.id, number=place, label="", heading="")
        clause.text, clause.start, clause.end = line["text"], start, start + len(line["text"])
        clauses.append(clause)
        start = clause.end + 1
    return policy, clauses


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
