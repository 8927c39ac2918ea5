"""`shenfa demo --once`: one line of JSON, the same counts every time, also when it is stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COUNTS = {
    "ok": True,
    "articles": 1,
    "refused_sources": 1,
    "findings": {"politics": 1, "law": 1, "policy": 1, "secrecy": 1, "wording": 1},
    "decisions": 3,
    "publications": {"wechat": 1, "telegram": 1},
    "delivered": {"sent": 300, "unknown": 0, "failed": 0},
    "answered": 1,
    "escalated": 1,
    "tamper_refused": 1,
    "ledger_ok": True,
    "error": None,
}
pytestmark = [pytest.mark.servers, pytest.mark.timeout(1200)]


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a short name: sockets lie below it."""
    return tmp_path_factory.mktemp("o")


def begin(place: Path) -> subprocess.Popen[str]:
    with (place / "log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "cli", "demo", "--once"],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True,
            env=os.environ | {"TMPDIR": str(place), "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip


def end(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The one line it printed."""
    out, _ = process.communicate(timeout=900)
    (line,) = out.splitlines()
    return dict(json.loads(line))


def test_one_line_with_the_counts_that_others_read(place: Path) -> None:
    process = begin(place)
    result = end(process)
    assert result.pop("seconds") > 0
    assert result == COUNTS
    assert list(result) == list(COUNTS)
    assert process.returncode == 0
    assert '"level": "info"' not in (place / "log").read_text(), "only the play tells its story"
    assert not list(place.glob("shenfa-demo-*"))


def test_stopped_half_way_it_still_prints_its_line(place: Path) -> None:
    process = begin(place)
    while "市民关注" not in (place / "log").read_text():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    result = end(process)
    assert (result["ok"], process.returncode) == (False, 1)
    assert "停止" in result["error"]
    assert list(result) == [*list(COUNTS)[:-1], "seconds", "error"]
    assert not list(place.glob("shenfa-demo-*"))
