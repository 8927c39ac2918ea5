"""Being told to stop: the first signal cancels the work, which drains before the process ends."""

import asyncio
import os
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

EVERY = 1.0  # seconds between two cancels of a task that goes on
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ABRUPT = 130  # what a shell calls a process that Ctrl-C ended

T = TypeVar("T")


def run_until_told(work: Coroutine[Any, Any, T]) -> T | None:
    """Run `work` to its end, or to the first of STOPPING, which cancels it once; then None.

    Cancelled work leaves its context managers in order, so what is on its way gets its outcome.
    More signals change nothing (make and a service manager may each send one), but a second
    Ctrl-C ends the process at once, as a kill would.
    """
    return asyncio.run(_until_told(work))


async def rest() -> None:
    """Nothing more to do here until told to stop; at once when that was said on the way here.

    A client of a database or of Redis in the middle of a call may swallow a cancel, and whoever
    began to wait after that would wait for ever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
    await asyncio.Event().wait()


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel these and wait until all have ended; again and again those that swallow it."""
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=EVERY)


async def _until_told(work: Coroutine[Any, Any, T]) -> T | None:
    task = asyncio.ensure_future(work)
    told: list[signal.Signals] = []

    def tell(name: signal.Signals) -> None:
        if not told:
            task.cancel()
        elif name is signal.SIGINT and signal.SIGINT in told:
            os._exit(ABRUPT)
        told.append(name)

    loop = asyncio.get_running_loop()
    # what the starter had ignored (nohup) stays ignored
    heard = [name for name in STOPPING if signal.getsignal(name) is not signal.SIG_IGN]
    for name in heard:
        loop.add_signal_handler(name, tell, name)
    try:
        return await task
    except asyncio.CancelledError:
        if not told:
            raise
        return None
    finally:
        for name in heard:
            loop.remove_signal_handler(name)
