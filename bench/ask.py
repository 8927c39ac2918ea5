"""`shenfa bench ask`: questions over generated clauses, beside the bare index."""

import statistics
import time
from collections.abc import Iterable

import tantivy

from bench.figures import SENTENCES, Measured, Row, figure, milliseconds, percentile, word_of
from knowledge.ask import Library, ask_record
from knowledge.search import pairs


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
