"""What no tracked file may say: a registry's host or a path of one machine."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BINARY = {".png", ".jpg", ".ico", ".docx", ".pdf", ".xlsx", ".gz", ".zip", ".npz"}
HOSTS = [
    "py" + "pi.org",
    "python" + "hosted",
    "registry." + "npm",
    "npm" + "mirror",
    "/simple" + "/",
]
HOMES = re.compile(r"(?<![\w.])/(?:ro" + r"ot|wo" + r"rk|ho" + r"me/\w+|Us" + r"ers/\w+)/")


def tracked() -> Iterator[tuple[str, str]]:
    """(path in the repository, its text) of every tracked text file."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    for name in listed:
        path = ROOT / name
        if path.is_file() and path.suffix not in BINARY:
            yield name, path.read_text(encoding="utf-8")


def test_no_tracked_file_names_a_package_registry() -> None:
    named = [name for name, text in tracked() if any(host in text for host in HOSTS)]
    assert named == []


def test_no_tracked_file_holds_a_path_of_one_machine() -> None:
    named = [(name, found[0]) for name, text in tracked() if (found := HOMES.search(text))]
    assert named == []


@pytest.mark.parametrize("line", ["see /ro" + "ot/x", "'/ho" + "me/ann/y'", "=/wo" + "rk/main"])
def test_a_path_of_one_machine_is_recognised(line: str) -> None:
    assert HOMES.search(line)


def test_every_module_begins_with_what_it_does() -> None:
    silent = [
        name
        for name, text in tracked()
        if name.endswith(".py") and text.strip() and not text.startswith('"""')
    ]
    assert silent == []
