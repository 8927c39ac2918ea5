"""A push as it goes: one open answer of server-sent events."""

import json

from aiohttp import web

from console.publications.people import push_of
from console.web.pages import fragment
from console.web.permissions import needs
from console.web.streams import stream

ACTION = "publications.read"


@needs(ACTION)
async def live(request: web.Request) -> web.StreamResponse:
    """A push while it goes: rate, time that is left, and who lacks it, every two seconds."""
    await push_of(request)  # refused before anything is open
    return await stream(request, ACTION, _told)


async def _told(request: web.Request) -> bytes:
    push = await push_of(request)
    said = {
        "counts": dict(push.counts),
        "stand": push.stand.value,
        "rate": round(push.pace.rate, 2),
        "left": push.pace.left,
        "html": fragment(request, "publications/live.html", {"push": push}),
    }
    return f"event: push\ndata: {json.dumps(said, ensure_ascii=False)}\n\n".encode()


ROUTES = [web.get("/publications/{publication}/push/live", live)]
