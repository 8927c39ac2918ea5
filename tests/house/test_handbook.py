"""The handbook names only what is there: commands, options, settings, pages, buttons, files."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from cli import shenfa
from config.settings import Settings
from config.setup import EXAMPLE

ROOT = Path(__file__).parents[2]
BOOK = sorted((ROOT / "docs" / "handbook").glob("*.md"))
PAGES = {
    "装起来", "接公众号", "接 Telegram", "编辑", "审核", "值班", "管理员", "监督员、审计",
    "停发与恢复", "备份与恢复", "出事以后",
}  # fmt: skip
TREE: Any = get_command(shenfa)


def commands(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """Each command that a page tells to run: its words, and its options."""
    for part in re.findall(r"```sh\n(.*?)```", text, re.S) + re.findall(r"`([^`\n]+)`", text):
        for line in part.splitlines():
            if line.startswith("shenfa "):
                words = line.split("#")[0].split(">")[0].split()[1:]
                names = [one for one in words if one.startswith("-")]
                yield [one for one in words if not one.startswith("-")], names


def fault(words: list[str], options: list[str]) -> str:
    """What of a command is not there; empty when all of it is."""
    node, rest = TREE, list(words)
    while rest and hasattr(node, "commands"):
        if rest[0] not in node.commands:
            return f"no command {' '.join(words)}"
        node = node.commands[rest.pop(0)]
        node = node.load() if hasattr(node, "load") else node
    known = {name for one in node.params for name in one.opts} | {"--help"}
    return ", ".join(one for one in options if one not in known)


def test_the_book_has_its_pages_and_its_index_leads_to_each() -> None:
    titles = {page.read_text("utf-8").splitlines()[0].removeprefix("# ") for page in BOOK}
    assert titles >= PAGES
    index = (ROOT / "docs/handbook/README.md").read_text("utf-8")
    assert all(f"({page.name})" in index for page in BOOK if page.name != "README.md")
    assert "docs/handbook/" in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("page", BOOK, ids=lambda page: page.stem)
def test_every_command_and_option_of_a_page_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    assert [found for one in commands(text) if (found := fault(*one))] == []
    # A secret in a command line is seen by everybody on the machine.
    assert not re.search(r"shenfa account secrets [^\n]*=", text)


def test_what_is_no_command_is_found() -> None:
    assert fault(["account", "destroy"], []) == "no command account destroy"
    assert fault(["account", "test", "x"], ["--bye"]) == "--bye"
    assert fault(["doctor"], ["--home"]) == ""


@pytest.mark.parametrize("page", BOOK, ids=lambda page: page.stem)
def test_every_setting_a_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"SHENFA_([A-Z_]+)", page.read_text("utf-8")))
    known = {name.upper() for name in Settings.model_fields} | {"PASSWORD", "CODE"}
    assert named - known == set()


def test_every_field_of_setup_yaml_that_a_page_names_is_explained_there() -> None:
    text, data = EXAMPLE.read_text("utf-8"), yaml.safe_load(EXAMPLE.read_text("utf-8"))
    secrets = {name for row in data["accounts"] for name in row["secrets"]}
    book = "\n".join(page.read_text("utf-8") for page in BOOK)
    # Whoever fills the file in finds each secret in the book, and each field in the file.
    assert [name for name in sorted(secrets) if f"`{name}`" not in book] == []
    for name in ("assessment_ref", "operator", "contract_end", "push", "alarm", "chat"):
        assert f"`{name}" in book
        assert name in text


def shown() -> str:
    """All words of the console: its pages, and what its programs say."""
    files = [*(ROOT / "console").rglob("*.html"), *(ROOT / "console").rglob("*.py")]
    files += [*(ROOT / "console").rglob("*.js")]
    return "\n".join(file.read_text("utf-8") for file in files)


def test_every_page_and_button_that_is_named_stands_in_the_console() -> None:
    words, missing = shown(), []
    for page in BOOK:
        text = page.read_text("utf-8")
        places = [one for found in re.findall(r"【([^】]+)】", text) for one in found.split(" → ")]
        for name in [*places, *re.findall(r"「([^」]+)」", text)]:
            if name not in words:
                missing.append(f"{page.name}: {name}")
    assert missing == []


@pytest.mark.parametrize("page", BOOK, ids=lambda page: page.stem)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8"))
    for link in links:
        if not link.startswith("http"):
            assert (page.parent / link).resolve().exists(), link
