"""Heavy work for one person at a time: what one editor hands in delays only that editor.

The processes that read files and run the gates are few, and everybody waits for the same ones.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import wraps
from weakref import WeakValueDictionary

from aiohttp import web

from console.web.deps import visitor
from console.web.permissions import Handler
from staff.refusal import Reason, Refused

MOST_WAITING = 20  # as many pictures as are dropped at once
_BUSY = "您前面交的内容还在处理，请等它做完再试"


@dataclass
class _Turn:
    """Whose work runs, and how much of theirs waits."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


# Of this process: another one has workers of its own.
_TURNS: WeakValueDictionary[str, _Turn] = WeakValueDictionary()


@asynccontextmanager
async def own_turn(request: web.Request) -> AsyncIterator[None]:
    """Of this person's work one piece runs, further ones wait; Refused (429) when too many do."""
    turn = _TURNS.setdefault(visitor(request).staff_id, _Turn())
    if turn.waiting >= MOST_WAITING:
        raise Refused(429, [Reason("busy", _BUSY)])
    turn.waiting += 1
    try:
        async with turn.lock:
            yield
    finally:
        turn.waiting -= 1


def in_turn(handler: Handler) -> Handler:
    """A handler that is heavy as a whole."""

    @wraps(handler)
    async def one_at_a_time(request: web.Request) -> web.StreamResponse:
        async with own_turn(request):
            return await handler(request)

    return one_at_a_time
