"""Warnings in texts nobody has labelled: listed for a person to judge, and what was judged."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from gates.evaluation.measures import Row
from gates.files import Checker, files_in
from gates.judged import Judged

VERDICTS = {"对": True, "right": True, "错": False, "wrong": False}
_PARAGRAPHS = "\n"


def warnings_in(
    folder: Path, checker: Checker, step: Callable[[], None] = lambda: None
) -> Iterator[Row]:
    """A row a warning: where, which rule, what it says, what stands around it, an open verdict."""
    for path in files_in([folder]):
        step()
        text = path.read_text(encoding="utf-8", errors="replace")
        for one in checker.check(path).found:
            told = one.finding
            at = told.start if text[told.start : told.end] == told.text else text.find(told.text)
            around = text[max(0, at - 25) : at + len(told.text) + 25] if at >= 0 else told.text
            yield {
                "file": str(path.relative_to(folder) if folder.is_dir() else path.name),
                "place": one.place,
                "rule": told.rule,
                "severity": told.severity,
                "text": told.text,
                "around": " ".join(around.split()),
                "suggestion": told.suggestion or "",
                "verdict": "",
            }


def paragraphs_in(folder: Path) -> int:
    """How many paragraphs with text the plain files of a folder have."""
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in files_in([folder]))
    return sum(bool(line.strip()) for text in texts for line in text.split(_PARAGRAPHS))


def with_verdicts(rows: Iterable[Row], known: Iterable[Row]) -> list[Row]:
    """The rows with what was already judged of the same warning."""
    judged = {_key(row): row.get("verdict", "") for row in known}
    return [row | {"verdict": judged.get(_key(row), "")} for row in rows]


def with_others(rows: Iterable[Row], known: Iterable[Row]) -> list[Row]:
    """The rows, and behind them what was judged of warnings that are not among them."""
    listed = list(rows)
    keys = {_key(row) for row in listed}
    return listed + [row for row in known if row.get("verdict") and _key(row) not in keys]


def blocks(row: Row) -> bool:
    """Whether it is no warning: what blocks is never made quiet, and says nothing of warnings."""
    return row.get("severity") == "block"


def _key(row: Row) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("file", "rule", "text", "around"))


def read_rows(path: Path) -> list[Row]:
    """The rows of an earlier run; none when the file is not there."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def judged_rules(rows: Iterable[Row], before: Mapping[str, Judged]) -> list[Judged]:
    """Each rule that warned, with how its warnings were judged; decisions are kept."""
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    rules = set()
    for row in rows:
        rules.add(row["rule"])
        verdict = VERDICTS.get(str(row["verdict"]).strip())
        if verdict is not None:
            (right if verdict else wrong)[row["rule"]] += 1
    return [
        Judged(rule, right[rule], wrong[rule], before[rule].decided if rule in before else "")
        for rule in sorted(rules)
    ]


def judged_table(
    warned: Iterable[Judged], blocked: Iterable[Judged], listed: Iterable[Row]
) -> Iterator[str]:
    """For a person: findings of this run, judged right and wrong, precision, and what follows."""
    yield "| 规则 | 警告 | 对 | 错 | 查准 | 级别 |"
    yield "|---|---|---|---|---|---|"
    counts = Counter((row["rule"], blocks(row)) for row in listed)
    for row in warned:
        yield _line(row, counts[row.rule, False], "降为提示" if row.quiet else "警告")
    for row in blocked:
        yield _line(row, counts[row.rule, True], "必须改")


def _line(row: Judged, listed: int, level: str) -> str:
    share = f"{row.precision:.2f}" if row.right + row.wrong else "未判"
    return f"| {row.rule} | {listed} | {row.right} | {row.wrong} | {share} | {level} |"
