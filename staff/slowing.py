"""Wrong sign-ins make the next answers slower and slower; nobody is locked out by others.

A wait is an answer that says how many seconds to wait: no connection and no thread is held.
"""

import hashlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from staff.refusal import Reason, Refused
from storage.cache import Cache

WINDOW = 900.0
"""Seconds in which failures are counted."""
LONGEST = 30.0


class Slow(Refused):
    """429: too early for the next try."""

    def __init__(self, seconds: float) -> None:
        """`seconds` from now the next try is looked at."""
        self.seconds = max(1, math.ceil(seconds))
        words = f"登录失败次数较多，请等 {self.seconds} 秒再试"
        super().__init__(429, [Reason("wait", words)])


@dataclass(frozen=True)
class Pace:
    """One count of failures, and the wait it brings.

    `counted` and `waits` are keys of the cache: what others do somewhere else may be counted
    together while everybody waits for themselves. `own`: a success ends count and wait.
    """

    counted: str
    waits: str
    free: int
    longest: float = LONGEST
    window: float = WINDOW
    own: bool = False

    def seconds(self, failures: int) -> float:
        """How long to wait after so many failures: 2, 4, 8 ... up to the longest."""
        return min(2.0 ** min(failures - self.free + 1, 20), self.longest)


def hidden(*parts: str) -> str:
    """A key of the cache that does not tell what it is about."""
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()


def at_the_door(login: str, address: str) -> list[Pace]:
    """What holds back a browser that nobody knows yet.

    A login guessed from everywhere makes each address wait for itself, so its owner waits 30
    seconds at most, whatever others do.
    """
    login, here = hidden(login), hidden(login, address)
    anywhere, address = "signin:login:", hidden(address)
    return [
        Pace(f"signin:pair:{here}", f"signin:pair-wait:{here}", 5, own=True),
        Pace(f"{anywhere}{login}", f"signin:login-wait:{here}", 20),
        Pace(f"signin:address:{address}", f"signin:address-wait:{address}", 20),
    ]


def of_browser(known: str) -> list[Pace]:
    """What holds back a browser with an earlier good sign-in: its own failures only."""
    key = hidden(known)
    return [Pace(f"signin:known:{key}", f"signin:known-wait:{key}", 5, own=True)]


async def admit(cache: Cache, paces: Sequence[Pace]) -> None:
    """Let one try in, or raise Slow. Every try counts as a failure until `passed` takes it back.

    Counted before the password is looked at: tries sent all at once are no cheaper.
    """
    before = [int(await cache.get(pace.counted) or 0) for pace in paces]
    for pace, failures in zip(paces, before, strict=True):
        if failures >= pace.free:
            await _take(cache, pace, failures)
    for pace, failures in zip(paces, before, strict=True):
        counted = await cache.count(pace.counted, pace.window)
        if failures < pace.free < counted:
            await _take(cache, pace, counted)


async def _take(cache: Cache, pace: Pace, failures: int) -> None:
    """The one try that this wait allows, or Slow."""
    seconds = pace.seconds(failures)
    if await cache.add_once(pace.waits, seconds):
        await cache.set(pace.waits, str(time.time() + seconds), seconds)
        return
    until = float(await cache.get(pace.waits) or 0)
    left = until - time.time()
    raise Slow(left if 0 < left <= seconds else seconds)


async def failed(cache: Cache, paces: Sequence[Pace]) -> None:
    """The try was wrong: the next one waits."""
    for pace in paces:
        failures = int(await cache.get(pace.counted) or 0)
        if failures >= pace.free:
            seconds = pace.seconds(failures)
            await cache.set(pace.waits, str(time.time() + seconds), seconds)


async def passed(cache: Cache, paces: Sequence[Pace]) -> None:
    """The try was right and is not counted."""
    for pace in paces:
        if pace.own:
            await cache.delete(pace.counted)
            await cache.delete(pace.waits)
        else:
            await cache.count(pace.counted, pace.window, -1)
