"""What takes much memory is loaded by the process that needs it, and when it does."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_OURS = [
    file
    for file in ROOT.rglob("*.py")
    if file.relative_to(ROOT).parts[0] not in ("tests", "scripts", "build")
    and not any(part.startswith(".") for part in file.relative_to(ROOT).parts)
]
HEAVY = ("jieba.posseg", "jieba.analyse")
"""50 MB each: for reposts alone, and for one table of which lines are enough."""


@pytest.mark.parametrize("name", HEAVY)
def test_it_is_imported_by_no_file(name: str) -> None:
    holding = [file for file in _OURS if name in file.read_text(encoding="utf-8")]
    for file in holding:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert name not in [one.name for one in node.names], file
            elif isinstance(node, ast.ImportFrom):
                assert node.module != name, file
