"""Lines in and out: what a command says, how it fails, and JSON objects one a line."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from config.faults import Fault


class BadInput(Fault, ValueError):
    """Something a person gave that cannot be used; the text names it and the remedy."""


def fail(message: str, code: int = 2) -> None:
    """One line on stderr, then leave."""
    # One line, so that a script can read it and a log keeps it together.
    sys.stderr.write(message.replace("\n", " ") + "\n")
    raise SystemExit(code)


def say(value: Any, *, as_json: bool = False) -> None:
    """One line on stdout; times and the like are written as text."""
    # Chinese as it is: people read this output too.
    if as_json or not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False, default=str)
    sys.stdout.write(value + "\n")


def read_lines(path: Path) -> Iterable[dict[str, object]]:
    """The JSON objects of a JSONL file; BadInput names the line that is not one."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadInput(f"{path.name}：打不开（{error.strerror}），请检查路径") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise BadInput(f"{path.name}：第 {number} 行不是 JSON，请改正") from error
        if not isinstance(record, dict):
            raise BadInput(f"{path.name}：第 {number} 行不是 JSON 对象，请改正")
        yield record


def only_jsonl(*, jsonl: bool) -> None:
    """BadInput unless the flag was given: some filters read nothing else."""
    if not jsonl:
        raise BadInput("这条命令只从标准输入逐行读取 JSON：请加 --jsonl")


def run_filter(handle: Callable[[dict[str, object]], Mapping[str, object]]) -> None:
    """Each line of stdin through `handle`, in order; a bad line is reported in its place."""
    # Bytes: one line in another encoding is reported, and the rest of a night's run goes on.
    for number, raw in enumerate(sys.stdin.buffer, 1):
        if not raw.strip():
            continue
        try:
            record = json.loads(raw.decode("utf-8"))
            if not isinstance(record, dict):
                raise ValueError("这一行不是 JSON 对象")
            answer: Mapping[str, object] = handle(record)
        except (ValueError, KeyError, TypeError) as error:
            answer = {"id": None, "line": number, "error": _one_line(error)}
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _one_line(error: Exception) -> str:
    # The parser's own words are English and speak of offsets nobody can use.
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return "这一行不是 UTF-8 编码的 JSON"
    if isinstance(error, KeyError):
        return f"缺少字段 {error.args[0]}"
    return " ".join(str(error).split())
