"""The locks name no host and pin everything with hashes."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ["requirements.txt", "requirements-test.txt"]
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def direct(listing: str) -> set[str]:
    """Canonical names on the lines of an .in file."""
    lines = (ROOT / listing).read_text(encoding="utf-8").splitlines()
    return {canonical(found[0]) for line in lines if (found := NAME.match(line)) and line[0] != "#"}


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
