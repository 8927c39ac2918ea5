"""The locks name no host, pin everything with hashes, and every direct requirement is used."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
LOCKS = [
    "requirements-build.txt",
    "requirements.txt",
    "requirements-assets.txt",
    "requirements-test.txt",
]
PYTHONS = ["3.11.2", "3.11.7", "3.12.1", "3.13.5", "3.14.0"]
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
LOADED_BY_NAME = {"aiosqlite", "asyncpg"}  # drivers SQLAlchemy loads from the database address


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def direct(listing: str) -> set[str]:
    """Canonical names on the lines of an .in file."""
    lines = (ROOT / listing).read_text(encoding="utf-8").splitlines()
    return {canonical(found[0]) for line in lines if (found := NAME.match(line)) and line[0] != "#"}


def locked(lock: str) -> list[Requirement]:
    """The lines of a lock, without their hashes."""
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [Requirement(line.partition("--hash")[0]) for line in lines]


def on(version: str) -> dict[str, str]:
    """The environment markers see under this version of Python."""
    here = {name: str(value) for name, value in default_environment().items()}
    here["python_full_version"] = here["implementation_version"] = version
    here["python_version"] = version.rpartition(".")[0]
    return here


def applies(line: Requirement, here: dict[str, str]) -> bool:
    """Whether a requirement holds there, no extra asked for."""
    return line.marker is None or line.marker.evaluate(here | {"extra": ""})


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
    wide = [
        str(line) for line in locked(lock) if not re.fullmatch(r"==[\w.]+", str(line.specifier))
    ]
    assert wide == []


@pytest.mark.parametrize("version", PYTHONS)
def test_a_lock_holds_all_that_its_own_lines_need_under_every_python(version: str) -> None:
    here = on(version)
    lines = [line for line in locked("requirements.txt") if applies(line, here)]
    held = {canonical(line.name) for line in lines}
    lacking = []
    for line in lines:
        try:
            needed = [Requirement(text) for text in requires(line.name) or []]
        except PackageNotFoundError:  # for another Python than this one
            continue
        lacking += [
            f"{line.name} needs {one}"
            for one in needed
            if applies(one, here) and canonical(one.name) not in held
        ]
    assert len(held) > 80
    assert lacking == []


def test_what_an_older_patch_version_needs_is_locked_for_it_alone() -> None:
    lines = [line for line in locked("requirements.txt") if line.name == "async-timeout"]
    assert [applies(line, on(version)) for line in lines for version in PYTHONS] == [
        True,
        *[False] * 4,
    ]


def test_no_newer_python_is_shut_out() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=3.11"


@pytest.mark.parametrize(
    "listing", ["requirements-build", "requirements", "requirements-assets", "requirements-test"]
)
def test_every_direct_requirement_is_locked(listing: str) -> None:
    lock = (ROOT / f"{listing}.txt").read_text(encoding="utf-8")
    held = {canonical(line.split("==")[0]) for line in lock.splitlines() if "==" in line}
    assert direct(f"{listing}.in") - held == set()


def test_the_two_locks_agree() -> None:
    run, test = (
        {canonical(line.name): (str(line.specifier), str(line.marker)) for line in locked(lock)}
        for lock in ("requirements.txt", "requirements-test.txt")
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
    named = direct("requirements.in") | {"shenfa", "rapidocr-onnxruntime"}  # the extra `ocr`
    unnamed = {
        name: givers[name]
        for name in set(imported()) & givers.keys()
        if not {canonical(giver) for giver in givers[name]} & named
    }
    assert unnamed == {}


def test_nothing_of_what_browsers_are_given_is_imported() -> None:
    given = {name.replace("-", "_") for name in direct("requirements-assets.in")}
    assert given
    assert given & set(imported()) == set()
