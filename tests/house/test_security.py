"""The table of powers promises nothing without a test."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
POWERS = (
    *(
        "outsider",
        "citizen",
        "author",
        "reviewer",
        "one admin",
        "database",
        "redis",
        "files",
        "root",
    ),
)


def lines() -> list[str]:
    """The lines of all tables, without their heads."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").split("\n") if line.startswith("| ")]
    return [line for line in rows if not line.startswith("| tries to")]


def test_every_power_has_its_part() -> None:
    heads = [
        line.lower() for line in PAGE.read_text(encoding="utf-8").split("\n") if line[:3] == "## "
    ]
    for power in POWERS:
        assert any(power in head for head in heads), power


@pytest.mark.parametrize("line", lines())
def test_a_line_names_tests_that_exist(line: str) -> None:
    named = NAMED.findall(line)
    assert named, line
    for file, test in named:
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), f"{file}::{test}"


def test_each_power_says_what_remains_possible() -> None:
    parts = PAGE.read_text(encoding="utf-8").split("\n## ")[1:-1]
    assert len(parts) == len(POWERS)
    for part in parts:
        assert "**can**" in part, part.split("\n", 1)[0]
