"""Codes of platforms stand in their tables alone, and the page for staff is made of them."""

import ast
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.channels import CHANNELS
from tests.house.test_layers import HEIGHT, ROOT

TABLES = {"bot/wechat/codes.py", "bot/wechat/ends.py", "bot/telegram/codes.py"}
NUMBERS = {
    code
    for channel in CHANNELS.values()
    for code in channel.codes
    if code.isdecimal() and len(code) > 3
}
NAMED = {code for channel in CHANNELS.values() for code in channel.codes if "_status_" in code}
PLAYERS = {"bench", "demo", "migrations", "sandbox"}


def compared(source: str) -> list[int]:
    """Lines of a module that hold a platform's code as a value."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and str(node.value) in NUMBERS | NAMED:
            found.add(node.lineno)
    return sorted(found)


def product() -> Iterator[Path]:
    for room in sorted(set(HEIGHT) - PLAYERS):
        yield from ((ROOT / f"{room}.py",) if (ROOT / f"{room}.py").exists() else ())
        yield from sorted((ROOT / room).rglob("*.py"))


def test_no_file_but_the_tables_holds_a_code() -> None:
    wrong = {
        path.relative_to(ROOT).as_posix(): lines
        for path in product()
        if path.relative_to(ROOT).as_posix() not in TABLES
        and (lines := compared(path.read_text(encoding="utf-8")))
    }
    assert wrong == {}, "ask the table what the code means"


@pytest.mark.parametrize("line", ["if code == 45009: pass", 'A = frozenset({"48001"})'])
def test_a_code_in_another_file_is_found(line: str) -> None:
    assert compared(f"\n{line}\n") == [2]


def test_the_page_of_codes_is_what_the_tables_say() -> None:
    made = runpy.run_path(str(ROOT / "scripts" / "codes_page.py"))["page"]()
    kept = (ROOT / "docs" / "codes.md").read_text(encoding="utf-8")
    assert kept == made, "run: python scripts/codes_page.py > docs/codes.md"
