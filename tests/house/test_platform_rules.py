"""docs/platforms.md: one row for each rule, and a row for each that the code cites."""

import re

import pytest

from tests.house.test_layers import ROOT

PAGE = (ROOT / "docs" / "platforms.md").read_text(encoding="utf-8")
ROWS = re.findall(r'^\| <a id="([WT]\d+)"></a>(\S+) \| (.+?) \| (.+?) \|$', PAGE, re.M)
WANTED = [f"W{number}" for number in range(1, 43)] + [f"T{number}" for number in range(1, 16)]
CITED = re.compile(r"(?:\(|platforms\.md#|[,;] |# )([WT]\d{1,2})\b(?=[,;:)\s])")


def citations() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for room in ("bot", "handlers", "escalations", "subscriptions", "console", "app.py"):
        for path in [ROOT / room] if room.endswith(".py") else sorted((ROOT / room).rglob("*.py")):
            for rule in CITED.findall(path.read_text(encoding="utf-8")):
                found.setdefault(rule, set()).add(path.relative_to(ROOT).as_posix())
    return found


def test_every_rule_has_one_row() -> None:
    assert [anchor for anchor, *_ in ROWS] == WANTED
    assert all(anchor == shown for anchor, shown, *_ in ROWS)


def test_every_rule_the_code_cites_has_its_row() -> None:
    cited = citations()
    assert {"W7", "W40", "T3", "T15"} <= set(cited)
    assert set(cited) <= set(WANTED)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_says_who_holds_it(row: tuple[str, str, str, str]) -> None:
    held = row[3]
    paths = re.findall(r"`([a-z_/]+\.(?:py|yaml))`", held)
    excused = ("not used", "not held", "no call exists")
    assert paths or any(words in held for words in excused), held
    for path in paths:
        assert (ROOT / path).is_file(), path


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_a_row_names_stands_in_its_file(row: tuple[str, str, str, str]) -> None:
    for path, names in re.findall(r"`([a-z_/]+\.py)` \(((?:`\w+`(?:, )?)+)\)", row[3]):
        text = (ROOT / path).read_text(encoding="utf-8")
        for name in re.findall(r"\w+", names):
            assert name in text, f"{path} has no {name}"
