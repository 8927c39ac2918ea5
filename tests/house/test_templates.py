"""Templates are read and compared line by line: no line is longer than a screen."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST = 140


def too_long(text: str) -> list[int]:
    """Numbers of the lines with more characters than a screen shows."""
    return [number for number, line in enumerate(text.splitlines(), 1) if len(line) > MOST]


def test_no_line_of_a_template_is_longer_than_a_screen() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in (ROOT / "console").rglob("*.html")
    }
    assert found
    assert {name: rows for name, text in found.items() if (rows := too_long(text))} == {}


@pytest.mark.parametrize(("length", "expected"), [(MOST, []), (MOST + 1, [2])])
def test_a_line_that_is_too_long_is_recognised(length: int, expected: list[int]) -> None:
    assert too_long("<p>\n" + "字" * length + "\n</p>") == expected
