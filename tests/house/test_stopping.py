"""A process that is told to stop drains first; the service unit gives it the time."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import cast

import pytest

from app import CLOSING_SECONDS
from bot.delivery import leases
from config import signals
from office import engine, running
from office.leading import Leader

ROOT = Path(__file__).parents[2]
WORK = """
import asyncio, signal
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests under nohup ignores it
from config.signals import run_until_told

async def work():
    print("working", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        print("draining", flush=True)
        await asyncio.sleep(0.6)
        print("drained", flush=True)

assert run_until_told(work()) is None
"""
WELL = "working\ndraining\ndrained\n"
IGNORING = WORK.replace("signal.signal(signal.SIGHUP, signal.SIG_DFL)", "").replace(
    'print("working"', 'print("working", signal.getsignal(signal.SIGHUP) is signal.SIG_IGN'
)
SWALLOWING = WORK.replace(
    "await asyncio.Event().wait()",
    """
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass
        from config.signals import rest
        await rest()
""".strip(),
)


def told(*names: signal.Signals, before: Sequence[str] = (), work: str = WORK) -> tuple[int, str]:
    """The exit code and what was printed by work that got these signals, each while it drains."""
    process = subprocess.Popen(
        [*before, sys.executable, "-c", work], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    said = ""
    for name in names:
        said += process.stdout.readline()
        process.send_signal(name)
    rest, _ = process.communicate(timeout=60)
    return process.returncode, said + rest


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_one_signal_drains_and_ends_well(name: signal.Signals) -> None:
    assert told(name) == (0, WELL)


def test_the_signal_sent_twice_by_make_or_a_service_manager_drains_once() -> None:
    assert told(signal.SIGTERM, signal.SIGTERM) == (0, WELL)
    assert told(signal.SIGINT, signal.SIGTERM) == (0, WELL)


def test_a_second_ctrl_c_ends_at_once() -> None:
    slow = WORK.replace("0.6", "60")
    assert told(signal.SIGINT, signal.SIGINT, work=slow) == (130, "working\ndraining\n")


def test_what_the_starter_ignores_stays_ignored() -> None:
    code, said = told(signal.SIGTERM, before=["nohup"], work=IGNORING)
    assert (code, said) == (0, WELL.replace("working", "working True"))


def test_the_service_unit_allows_for_the_whole_drain() -> None:
    text = (ROOT / "deploy" / "shenfa.service").read_text(encoding="utf-8")
    unit = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    drain = engine.DRAIN_SECONDS + leases.DRAIN_SECONDS + CLOSING_SECONDS
    assert float(unit["TimeoutStopSec"]) >= drain + 5
    assert unit["KillSignal"] == "SIGTERM"
    assert unit["KillMode"] == "mixed", "only the office is told; its children end after it"


# --- a cancel that was swallowed -----------------------------------------------------------------


async def _swallows(times: int) -> None:
    """As a client of a neighbour does that was cancelled just as its answer came."""
    for _ in range(times):
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
    await asyncio.sleep(60)


async def test_a_task_that_swallows_a_cancel_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signals, "EVERY", 0.05)
    once, twice = asyncio.create_task(_swallows(1)), asyncio.create_task(_swallows(2))
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await signals.end(once, twice)
    assert (once.cancelled(), twice.cancelled()) == (True, True)


def test_who_swallows_the_signal_at_its_start_ends_when_it_is_ready() -> None:
    assert told(signal.SIGTERM, work=SWALLOWING) == (0, WELL)


async def test_a_scheduler_whose_leader_swallows_the_end_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The leader may be asking the database just then, and its client swallow the cancel."""
    monkeypatch.setattr(signals, "EVERY", 0.05)

    class Swallowing:
        async def lead(self, work: object) -> None:
            await _swallows(2)

    task = asyncio.create_task(running.scheduling([], "", cast(Leader, Swallowing())))
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.wait({task}, timeout=60)
    assert task.cancelled()
