"""The YAML of `config/` is read when an office is made, and by tools that have no office."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from office.parts import parts_of
from tests.house.test_layers import sources

SETTINGS = {part.file for part in parts_of("")} | {"replies.yaml", "workflows.yaml"}
MAKING = {
    "office/setup.py": "levels of a new office",
    "office/parts.py": "settings and templates of a new office, and what an older one lacks",
}
WITHOUT_AN_OFFICE = {
    "facets/taxonomy.py": "`shenfa tag`: an office hands its taxonomy in",
    "knowledge/speech.py": "`shenfa ask`: an office hands its words in",
    "knowledge/validity.py": "`shenfa ask`: an office hands its defaults in",
    "review_queue/classes.py": "the loader of trigger words: an office hands its own in",
}


def named(text: str) -> Iterator[str]:
    """Names of setting files in a module's code; what its docstrings tell does not count."""
    tree = ast.parse(text)
    told = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield from (file for file in SETTINGS if node.value.endswith(file))


def test_no_other_module_opens_a_file_of_settings() -> None:
    rooms = [
        (path, room) for room, path in sources() if room not in ("sandbox", "demo", "commands")
    ]
    root = Path(__file__).parents[2]
    found = {
        path.relative_to(root).as_posix()
        for path, _ in rooms
        if any(named(path.read_text(encoding="utf-8")))
    }
    assert found <= set(MAKING) | set(WITHOUT_AN_OFFICE)
    # Both lists stay true: a line that nothing needs any more is taken out.
    assert set(WITHOUT_AN_OFFICE) <= found


@pytest.mark.parametrize(
    ("code", "files"),
    [
        ('HOURS = CONFIG / "calendar.yaml"', ["calendar.yaml"]),
        ('"""Read from config/calendar.yaml."""', []),
        ('open(f"{folder}/links.yaml")', ["links.yaml"]),
        ('open("other.yaml")', []),
    ],
)
def test_a_file_named_in_code_is_found(code: str, files: list[str]) -> None:
    assert list(named(code)) == files


def test_every_setting_has_a_starting_file_and_a_page_names_it() -> None:
    root = Path(__file__).parents[2]
    page = (root / "docs" / "settings.md").read_text(encoding="utf-8")
    for part in parts_of(""):
        assert (root / "config" / part.file).is_file()
        assert f"| `{part.name}` |" in page
