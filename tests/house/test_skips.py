"""With CI=true a skip is a failure, except for absent example data."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
INNER = """
import pytest

@pytest.fixture
def absent(): pytest.skip("no browser here")

def test_by_fixture(absent): ...
def test_in_the_body(): pytest.skip("not today")
def test_allowed(): pytest.skip("example data absent")
def test_plain(): ...
"""


def outcomes(folder: Path, ci: str) -> str:
    (folder / "test_inner.py").write_text(INNER, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
    ]
    ran = subprocess.run(
        [*command, "--rootdir", str(folder), str(folder / "test_inner.py")],
        cwd=ROOT,
        env=os.environ | {"CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stdout.splitlines()[-1]


def test_only_absent_example_data_may_skip_in_ci(tmp_path: Path) -> None:
    assert outcomes(tmp_path, "true").startswith("1 failed, 1 passed, 1 skipped, 1 error")


def test_elsewhere_a_skip_is_a_skip(tmp_path: Path) -> None:
    assert outcomes(tmp_path, "").startswith("1 passed, 3 skipped")
