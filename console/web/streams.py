"""Server-sent events of a page: few streams, bounded in time, ended with the session."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from aiohttp import web

from console.web.deps import DEPS, visitor
from console.web.guard import COOKIE
from console.web.permissions import may
from staff.refusal import Reason, Refused
from staff.sessions import still_open

MOST, MOST_OF_ONE = 30, 3
"""Open streams of a process, and of one person."""
EVERY = 2.0  # seconds between two looks
LONGEST = 900.0  # seconds; then the page says that it has stopped, and a reload goes on

Tell = Callable[[web.Request], Awaitable[bytes]]
"""The next event of a stream, or nothing where nothing is new."""


@dataclass
class Streams:
    """The open streams of one process; none outlives it."""

    closing: asyncio.Event = field(default_factory=asyncio.Event)
    open: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def place(self, staff_id: str) -> Iterator[None]:
        """Room for one more stream of this person; Refused (429) where there is none."""
        if self.open.total() >= MOST or self.open[staff_id] >= MOST_OF_ONE:
            raise Refused(429, [Reason("streams", "打开的实时页面太多：请关掉几个，或手动刷新")])
        self.open[staff_id] += 1
        try:
            yield
        finally:
            self.open[staff_id] -= 1
            if not self.open[staff_id]:
                del self.open[staff_id]

    async def ticks(self) -> AsyncIterator[None]:
        """One now and one every so often, until the office closes or the time is over."""
        until = time.monotonic() + LONGEST
        while not self.closing.is_set() and time.monotonic() < until:
            yield
            with suppress(TimeoutError):
                await asyncio.wait_for(self.closing.wait(), EVERY)


STREAMS = web.AppKey("streams", Streams)


def mount(app: web.Application) -> None:
    """Keep the streams of an application; they end before it waits for open requests."""
    streams = app[STREAMS] = Streams()

    async def close(_app: web.Application) -> None:
        streams.closing.set()

    app.on_shutdown.append(close)


async def stream(request: web.Request, action: str, tell: Tell) -> web.StreamResponse:
    """What `tell` says, every two seconds, as long as this person may see it."""
    streams = request.config_dict[STREAMS]
    with streams.place(visitor(request).staff_id):
        response = web.StreamResponse()
        response.content_type, response.charset = "text/event-stream", "utf-8"
        response.headers["X-Accel-Buffering"] = "no"  # or a proxy keeps it to itself
        await response.prepare(request)
        with suppress(ConnectionResetError):  # the page was closed
            async for _ in streams.ticks():
                if not await _signed_in(request, action):
                    break
                await response.write(await tell(request) or b": as before\n\n")
            await response.write(b"event: end\ndata: {}\n\n")
    return response


async def _signed_in(request: web.Request, action: str) -> bool:
    """Asked anew each time: a session that ended, or a role taken away, ends the stream."""
    ledger = request.config_dict[DEPS].ledger
    person = await still_open(ledger, request.cookies.get(COOKIE, ""))
    return person is not None and may(person.roles, action)
