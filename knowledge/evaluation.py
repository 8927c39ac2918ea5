"""`shenfa eval answers`: what is found, answered, asked back and left alone on labelled questions.

`evaluate(data, step) -> list[Measure]` reads the sets that are there (`ncp_*`, `gov_letters*`,
`law_*` below `1_policy_qa`); absent ones are left out. Nothing of an office is read.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.clock import beijing, now
from knowledge.ask import Library, ask_record
from knowledge.search import plain

Row = Mapping[str, Any]
_ANSWERED = frozenset({"answered", "several"})
_ASKED_BACK = frozenset({"answered", "several", "unsure", "clarify"})
_QUESTIONS = ("ncp_questions", "gov_letters", "law_questions")
_CHOICES = 3  # clauses offered when nothing is sure
_RUN, _MOSTLY = 4, 0.6  # of runs of four characters of a long answer, how many must stand there


@dataclass(frozen=True)
class Measure:
    """A share of `cases`, and what it is to reach; `most` where it is to stay below."""

    name: str
    value: float
    cases: int
    goal: float
    most: bool = False

    @property
    def ok(self) -> bool:
        """Whether the goal is reached."""
        return self.value <= self.goal if self.most else self.value >= self.goal


def evaluate(data: Path, step: Callable[[], None] = lambda: None) -> list[Measure]:
    """Every measure of the sets in a folder; DocumentError and ValueError name a bad row."""
    folder = data / "1_policy_qa" if (data / "1_policy_qa").is_dir() else data
    return [*_passages(folder, step), *_letters(folder, step), *_articles(folder, step)]


def count_questions(data: Path) -> int:
    """How many questions `evaluate` asks, roughly."""
    folder = data / "1_policy_qa" if (data / "1_policy_qa").is_dir() else data
    return sum(
        len(_read(folder, name)) for name in ("ncp_questions", "gov_letters", "law_questions")
    )


def _read(folder: Path, name: str) -> list[Row]:
    """The rows of `name.dev.jsonl`, `name.pool.jsonl` or what else follows the name."""
    rows: list[Row] = []
    for path in sorted(folder.glob(f"{name}.*jsonl")):
        rows += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    return rows


def _asked(
    questions: Sequence[tuple[str, Sequence[Any]]], library: Library, step: Callable[[], None]
) -> Iterator[tuple[Row, list[bool]]]:
    """What came of each question, and which of its hits are right."""
    day = beijing(now()).date().isoformat()
    for question, gold in questions:
        row = ask_record({"id": "", "question": question, "as_of": day}, library)
        step()
        yield row, [hit["id"] in gold for hit in row["hits"]]


def _hits(name: str, found: Sequence[Sequence[bool]], first: float, fifth: float) -> list[Measure]:
    count = len(found)
    return [
        Measure(
            f"{name} hit@1", _share(sum(one[:1] == [True] for one in found), count), count, first
        ),
        Measure(f"{name} hit@5", _share(sum(any(one[:5]) for one in found), count), count, fifth),
    ]


def _passages(folder: Path, step: Callable[[], None]) -> list[Measure]:
    rows = [row for row in _read(folder, "ncp_questions") if row.get("gold_passages")]
    passages = _read(folder, "ncp_passages")
    if not rows or not passages:
        return []
    titles = {row["docid"]: row.get("title_guess") or "" for row in _read(folder, "ncp_docs")}

    def library(left_out: frozenset[str] = frozenset()) -> Library:
        return Library.from_lines(
            {"id": one["pid"], "text": one["text"], "title": titles.get(one["docid"], "")}
            for one in passages
            if one["docid"] not in left_out
        )

    asked = [(row["question"], row["gold_passages"]) for row in rows]
    came = list(_asked(asked, library(), step))
    answered = [right for row, right in came if row["status"] in _ANSWERED]
    # Right, or the right clause among those that are offered: nobody is led astray.
    served = sum(
        right[:1] == [True] if row["status"] in _ANSWERED else any(right[:_CHOICES])
        for row, right in came
        if row["status"] in _ASKED_BACK
    )
    gone = frozenset(sorted({row["gold_docid"] for row in rows})[::2])
    taken = [row for row in rows if row["gold_docid"] in gone]
    without: list[tuple[str, tuple[str, ...]]] = [(row["question"], ()) for row in taken]
    each = zip(taken, _asked(without, library(gone), step), strict=True)
    told = [(row, one) for row, (one, _) in each if one["status"] in _ANSWERED]
    # Many notices were printed by more than one office: what says the same is no wrong answer.
    other = sum(not _says(one["hits"][0]["quote"], row.get("answer") or "") for row, one in told)
    good = _share(sum(one[:1] == [True] for one in answered), len(answered))
    share, most = _share(len(answered), len(came)), _share(len(told), len(taken))
    return [
        *_hits("passages", [right for _, right in came], 0.74, 0.93),
        Measure("answered right", good, len(answered), 0.92),
        Measure("answered", share, len(came), 0.50),
        Measure("answered right or right among three", _share(served, len(came)), len(came), 0.80),
        Measure("answered though taken out", most, len(taken), 0.03, most=True),
        Measure(
            "answered otherwise though taken out",
            _share(other, len(taken)),
            len(taken),
            0.03,
            most=True,
        ),
    ]


def _says(quote: str, answer: str) -> bool:
    """Whether a quote holds a written answer: all of a short one, most of a long one."""
    said, wanted = ("".join(filter(str.isalnum, plain(one))) for one in (quote, answer))
    if len(wanted) < 3 * _RUN:
        return bool(wanted) and wanted in said
    runs = {wanted[at : at + _RUN] for at in range(len(wanted) - _RUN + 1)}
    return sum(one in said for one in runs) >= _MOSTLY * len(runs)


def _letters(folder: Path, step: Callable[[], None]) -> list[Measure]:
    rows = _read(folder, "gov_letters")
    if not rows:
        return []
    library = Library.from_lines({"id": row["id"], "text": row["reply"]} for row in rows)
    asked = [(row["title"], [row["id"]]) for row in rows]
    return _hits("letters", [right for _, right in _asked(asked, library, step)], 0.66, 0.80)


def _articles(folder: Path, step: Callable[[], None]) -> list[Measure]:
    rows, articles = _read(folder, "law_questions"), _read(folder, "law_articles")
    if not rows or not articles:
        return []
    library = Library.from_lines(
        {"id": row["id"], "text": row["text"], "title": row["law"]} for row in articles
    )
    asked = [(row["question"], row["gold_ids"]) for row in rows]
    return _hits("law", [right for _, right in _asked(asked, library, step)], 0.42, 0.64)


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
