"""Starts the sandbox alone: python -m sandbox --port P [--host H] [--memory FILE] [--leashed]."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from sandbox.app import start
from sandbox.memory import Unreadable, save
from sandbox.state import STATE, State

SAVE_EVERY = 1.0
LAST_RESULTS = 2.0  # seconds that running publishing jobs get to end before a stop


async def _save_changes(state: State, memory: Path, url: str) -> None:
    while True:
        await asyncio.sleep(SAVE_EVERY)
        if state.changed:
            save(state, memory, url)


def _stop_signal(*, leashed: bool) -> asyncio.Event:
    """Set by SIGINT or SIGTERM; leashed, also when whoever started us ends, however it ends."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    if leashed:
        leash = sys.stdin.fileno()

        def pulled() -> None:
            if not os.read(leash, 1024):  # the other end is closed
                loop.remove_reader(leash)
                stop.set()

        loop.add_reader(leash, pulled)
    return stop


async def _run(options: argparse.Namespace) -> None:
    stop = _stop_signal(leashed=options.leashed)
    runner, url = await start(options.host, options.port, options.memory)
    state = runner.app[STATE]
    sys.stdout.write(json.dumps({"url": url}) + "\n")
    # Whoever started us waits for this line to learn the port.
    sys.stdout.flush()
    saving = None
    if options.memory is not None:
        saving = asyncio.create_task(_save_changes(state, options.memory, url))
    await stop.wait()
    if saving is not None:
        # One last save follows below: two writers would race for the file.
        saving.cancel()
        if state.tasks:
            # Publishing jobs on their way would otherwise never tell how they ended, after a
            # restart either.
            await asyncio.wait(state.tasks, timeout=LAST_RESULTS)
    await runner.cleanup()
    if saving is not None:
        save(state, options.memory, url)


def main() -> None:
    """Read the options and serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m sandbox")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--memory", type=Path, help="JSON file that keeps the state over a stop")
    parser.add_argument("--leashed", action="store_true", help="stop when stdin closes")
    try:
        asyncio.run(_run(parser.parse_args()))
    except (OSError, Unreadable) as problem:
        sys.exit(f"沙箱没有启动：{problem}")


if __name__ == "__main__":
    main()
