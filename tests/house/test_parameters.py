"""A parameter is one thing: what belongs together has a name, and what does not comes apart."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.test_layers import ROOT, sources

SPAN = "tuple[int, int]"
MAY_PACK: dict[str, str] = {}
"""`file function(parameter)` of a tuple that is packed on purpose, and why; none today."""


def faults(text: str, name: str) -> Iterator[str]:
    """Parameters annotated as a tuple of unlike things. Allowed: `span`, and `tuple[X, ...]`."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        given = node.args
        for one in (*given.posonlyargs, *given.args, *given.kwonlyargs):
            place = f"{name} {node.name}({one.arg})"
            if one.annotation is None or place in MAY_PACK:
                continue
            for part in ast.unparse(one.annotation).split(" | "):
                packed = part.startswith("tuple[") and not part.endswith(", ...]")
                if packed and not (one.arg == "span" and part == SPAN):
                    yield f"{place}: {part}"


@pytest.mark.parametrize(
    "path", [path for _, path in sources()], ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_no_parameter_is_a_packed_tuple(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    assert list(faults(path.read_text(encoding="utf-8"), name)) == []


def test_what_is_packed_is_found() -> None:
    text = "def f(who: tuple[str, int] | None, span: tuple[int, int], all: tuple[str, ...]): ..."
    assert list(faults(text, "a.py")) == ["a.py f(who): tuple[str, int]"]
