"""The locks name no host, pin everything with hashes, and every direct requirement is used."""

import ast
import re
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ["requirements.txt", "requirements-test.txt"]
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
LOADED_BY_NAME = {"aiosqlite", "asyncpg"}  # drivers SQLAlchemy loads from the database address


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def direct(listing: str) -> set[str]:
    """Canonical names on the lines of an .in file."""
    lines = (ROOT / listing).read_text(encoding="utf-8").splitlines()
    return {canonical(found[0]) for line in lines if (found := NAME.match(line)) and line[0] != "#"}


def imported() -> Iterator[str]:
    """Top-level names the product's own code imports (tests are not the product)."""
    for path in ROOT.rglob("*.py"):
        inside = path.relative_to(ROOT)
        if inside.parts[0] in {"tests", "scripts", "build"} or inside.parts[0].startswith("."):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.split(".")[0]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host_and_no_folder(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.findall(r"https?:|file:/|^\s*--(?!hash)| @ |/\w", text, re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_an_exact_version_with_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    loose = [line[:60] for line in lines if "==" not in line or "--hash=sha256:" not in line]
    assert lines
    assert loose == []


@pytest.mark.parametrize("listing", ["requirements", "requirements-test"])
def test_every_direct_requirement_is_locked(listing: str) -> None:
    lock = (ROOT / f"{listing}.txt").read_text(encoding="utf-8")
    locked = {canonical(line.split("==")[0]) for line in lock.splitlines() if "==" in line}
    assert direct(f"{listing}.in") - locked == set()


def test_the_two_locks_agree() -> None:
    run, test = (
        dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / lock).read_text(encoding="utf-8"), re.M))
        for lock in LOCKS
    )
    assert {name: run[name] for name in run.keys() & test} == {
        name: test[name] for name in run.keys() & test
    }


def test_every_direct_requirement_is_imported_somewhere() -> None:
    givers = packages_distributions()
    used = {canonical(giver) for name in set(imported()) for giver in givers.get(name, [])}
    assert direct("requirements.in") - used - LOADED_BY_NAME == set()


def test_every_imported_distribution_is_a_direct_requirement() -> None:
    givers = packages_distributions()
    named = direct("requirements.in") | {"shenfa"}
    unnamed = {
        name: givers[name]
        for name in set(imported()) & givers.keys()
        if not {canonical(giver) for giver in givers[name]} & named
    }
    assert unnamed == {}
