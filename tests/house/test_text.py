"""What no tracked file may say: a registry's host or a path of one machine."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
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


def from_git() -> list[str]:
    """What git tracks; nothing where there is no git or the tree came as an archive."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        return []
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return [name for name in listed.stdout.split("\0") if name]


def from_folder() -> list[str]:
    """Every file that git would not ignore."""
    ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text("utf-8").split()]
    names = []
    for top, folders, files in os.walk(ROOT):
        inside = Path(top).relative_to(ROOT)
        folders[:] = [
            one
            for one in folders
            if one != ".git"
            and not any(fnmatch(one, bad) or fnmatch(str(inside / one), bad) for bad in ignored)
        ]
        names += [str(inside / name) for name in files if name != ".git"]  # a work tree has a file
    return names


def tracked() -> Iterator[tuple[str, str]]:
    """(path in the repository, its text) of every tracked text file."""
    for name in from_git() or from_folder():
        path = ROOT / name
        if path.is_file() and path.suffix not in BINARY:
            yield name, path.read_text(encoding="utf-8")


def test_an_archive_without_git_is_read_as_wholly() -> None:
    walked = set(from_folder())
    assert len(walked) > 300
    assert set(from_git()) - walked == set()
    assert not any(".git/" in name or "__pycache__" in name for name in walked)


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
