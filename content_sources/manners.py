"""Manners towards a host: few requests at once, a pause between them, rest after failures."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

REST_FIRST = 30.0  # seconds without requests after PATIENCE failures in a row, then doubling
REST_LONGEST = 3600.0
RETRY_LONGEST = 86400.0  # the longest Retry-After that is kept
PATIENCE = 3
MOST_HOSTS = 2000  # remembered at once, as far as they are idle


@dataclass(frozen=True)
class Manners:
    """How a host is treated. `delay` is in seconds between the starts of two requests."""

    delay: float = 1.0
    per_host: int = 2
    longest_delay: float = 30.0  # a longer Crawl-delay is cut to this


OWN_MACHINE = Manners(delay=0.0, per_host=16)  # for addresses of the development setting


class Resting(Exception):
    """The host is not asked now; `seconds` until it may be."""

    def __init__(self, seconds: float) -> None:
        """Keep the seconds."""
        super().__init__(f"{seconds:.0f}")
        self.seconds = seconds


@dataclass
class _Host:
    places: asyncio.Semaphore
    next_start: float = 0.0
    failures: int = 0
    rests_until: float = 0.0
    crawl_delay: float = field(default=0.0)


class Turns:
    """Every request takes its turn at its host. One for the whole process."""

    def __init__(
        self,
        manners: Manners | None = None,
        own: frozenset[str] = frozenset(),
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`own` are `host:port` of the development setting; they need no pause."""
        self._manners = manners or Manners()
        self._own = own
        self._clock = clock
        self._sleep = sleep
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Wait for this host's next turn and hold a place. Resting when it is left alone."""
        state = self._host(host)
        async with state.places:
            self._check(state)
            manners = self._treat(host)
            pause = max(manners.delay, min(state.crawl_delay, manners.longest_delay))
            start = max(self._clock(), state.next_start)
            state.next_start = start + pause
            if (wait := start - self._clock()) > 0:
                await self._sleep(wait)
                self._check(state)
            yield

    def at_once(self, host: str) -> int:
        """How many requests this host is sent at the same time."""
        return self._treat(host).per_host

    def crawl_delay(self, host: str, seconds: float) -> None:
        """What robots.txt of this host asks for."""
        self._host(host).crawl_delay = max(seconds, 0.0)

    def worked(self, host: str) -> None:
        """The host answered: patience starts anew."""
        self._host(host).failures = 0

    def failed(self, host: str, retry_after: float = 0.0) -> None:
        """No useful answer. After PATIENCE in a row, or when it asks for it, the host rests."""
        state = self._host(host)
        state.failures += 1
        rest = min(retry_after, RETRY_LONGEST)
        if state.failures >= PATIENCE:
            rest = max(rest, back_off(state.failures - PATIENCE, REST_FIRST, REST_LONGEST))
        state.rests_until = max(state.rests_until, self._clock() + rest)

    def _host(self, host: str) -> _Host:
        if host not in self._hosts:
            if len(self._hosts) >= MOST_HOSTS:
                self._forget_idle()
            self._hosts[host] = _Host(asyncio.Semaphore(self._treat(host).per_host))
        return self._hosts[host]

    def _forget_idle(self) -> None:
        """Hosts nobody waits for or must leave alone need not be remembered."""
        moment = self._clock()
        for host, state in list(self._hosts.items()):
            busy = state.places.locked() or max(state.next_start, state.rests_until) > moment
            if not busy and not state.failures:
                del self._hosts[host]

    def _treat(self, host: str) -> Manners:
        return OWN_MACHINE if host in self._own else self._manners

    def _check(self, state: _Host) -> None:
        left = state.rests_until - self._clock()
        if left > 0:
            raise Resting(left)


def back_off(failures: int, first: float, longest: float) -> float:
    """A pause that doubles with each failure, between 80 % and 120 % of it by chance."""
    whole = min(first * float(2 ** min(failures, 30)), longest)
    return whole * random.uniform(0.8, 1.2)  # noqa: S311  no secret
