"""Waiting for what a test says, and not for a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable

LONG = 60.0  # seconds: a busy machine takes its time


async def until(
    holds: Callable[[], Awaitable[object]], seconds: float = LONG, every: float = 0.05
) -> None:
    """Ask again and again until it is so."""
    deadline = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < deadline, "waited too long"
        await asyncio.sleep(every)
