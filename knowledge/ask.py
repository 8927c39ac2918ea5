"""The `ask` filter: questions answered from a file of library lines, without any database."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from config.clock import beijing, now
from knowledge.answering import (
    Answer,
    Hit,
    answer,
    asked_day,
    guard,
    quote,
    ranked_hits,
    without_day,
)
from knowledge.clauses import spans
from knowledge.documents import DocumentError
from knowledge.search import Doc, Index
from knowledge.validity import Life, parse_day, parse_status, status_at

_MAX_HITS = 10
_FETCHED = 30  # several parts of one line may be found: one hit a line remains


@dataclass(frozen=True)
class Line:
    """One checked line of the library."""

    id: Any
    title: str
    text: str
    life: Life
    doc_number: str
    issuer: str
    issued_on: str
    url: str


class Library:
    """A library read from lines, indexed in memory."""

    def __init__(self, lines: list[Line]) -> None:
        """Use `Library.from_lines`."""
        self.lines = lines
        self._parts: list[tuple[int, int]] = []  # part number -> (line number, start)
        self.index = Index.build(self._docs())

    def _docs(self) -> Iterable[Doc]:
        for number, line in enumerate(self.lines):
            title = " ".join(part for part in (line.title, line.doc_number) if part)
            for start, end in spans(line.text):
                self._parts.append((number, start))
                yield Doc(
                    str(len(self._parts) - 1), title, line.text[start:end], _policy(line, number)
                )

    @classmethod
    def from_lines(cls, lines: Iterable[str | Mapping[str, Any]]) -> "Library":
        """Build from JSONL lines or parsed objects. Raises DocumentError naming line and field."""
        read = []
        for number, raw in enumerate(lines, start=1):
            if isinstance(raw, str) and not raw.strip():
                continue
            try:
                read.append(_line(json.loads(raw) if isinstance(raw, str) else raw))
            except (json.JSONDecodeError, RecursionError) as error:
                raise DocumentError(f"政策库第 {number} 行：不是完整的 JSON") from error
            except ValueError as error:
                raise DocumentError(f"政策库第 {number} 行：{error}") from error
        return cls(read)

    def find(self, question: str, as_of: date) -> list[Hit]:
        """At most ten hits, one a line, in force first where they are nearly as good."""
        best: dict[int, Hit] = {}
        for found in self.index.search(question, _FETCHED):
            number, start = self._parts[int(found.key)]
            line = self.lines[number]
            if number in best:
                # Another part of a whole document is a rival, though only the best is shown.
                if best[number].rival <= 0:
                    best[number] = replace(best[number], rival=found.score)
                continue
            last = line.life.effective_to
            best[number] = Hit(
                key=str(number),
                policy_id=_policy(line, number),
                title=line.title,
                text=found.text,
                offset=start,
                score=found.score,
                coverage=found.coverage,
                validity=status_at(line.life, as_of),
                doc_number=line.doc_number,
                issuer=line.issuer,
                issued_on=line.issued_on,
                url=line.url,
                ended_on=str(last + timedelta(days=1)) if last is not None else "",
            )
        return ranked_hits(list(best.values()))[:_MAX_HITS]


def _policy(line: Line, number: int) -> str:
    return line.doc_number or line.title or str(number)


def _line(record: Any) -> Line:
    if not isinstance(record, Mapping):
        raise ValueError("应当是一个 JSON 对象")
    if record.get("id") is None:
        raise ValueError("id：不能为空")
    if not isinstance(record.get("text"), str):
        raise ValueError("text：应当是文字")
    words = {}
    for name in ("title", "doc_number", "issuer", "url"):
        value = record.get(name)
        if value is not None and not isinstance(value, str):
            raise ValueError(f"{name}：应当是文字或 null")
        words[name] = value or ""
    issued = parse_day(record.get("date"), "date")
    life = Life(
        title=words["title"],
        issued_on=issued,
        effective_from=parse_day(record.get("effective_from"), "effective_from"),
        effective_to=parse_day(record.get("effective_to"), "effective_to"),
        stated=parse_status(record.get("status")),
        statute=True,  # a line says itself until when it holds; no default period is added
    )
    return Line(
        id=record["id"],
        text=record["text"],
        life=life,
        issued_on=issued.isoformat() if issued else "",
        **words,
    )


def ask_record(record: Any, library: Library) -> Mapping[str, Any]:
    """The `ask` filter: {id, question, as_of?} -> {id, status, confidence, hits}.

    Raises ValueError naming the field of a record that cannot be read.
    """
    if not isinstance(record, Mapping):
        raise ValueError("这一行应当是一个 JSON 对象")
    question = record.get("question")
    if not isinstance(question, str):
        raise ValueError("question：应当是文字")
    today = beijing(now()).date()
    past = None
    as_of = parse_day(record.get("as_of"), "as_of")
    if as_of is None:
        past = asked_day(question, today)
        as_of = past or today
    if past is not None:
        question = without_day(question)
    hits = library.find(question, as_of) if guard(question) != "error" else []
    result = answer(question, hits, as_of, asked_past=past is not None)
    return _row(record.get("id"), question, result, hits, library)


def _row(
    key: Any, question: str, result: Answer, hits: list[Hit], library: Library
) -> Mapping[str, Any]:
    rows = []
    for hit in hits:
        quoted = quote(question, hit)
        line = library.lines[int(hit.key)]
        rows.append(
            {
                "id": line.id,
                "title": line.title or None,
                "quote": quoted.text,
                "start": quoted.start,
                "end": quoted.end,
                "score": round(hit.score, 4),
                "validity": hit.validity,
            }
        )
    return {"id": key, "status": result.status, "confidence": result.confidence, "hits": rows}
