"""Whether the process and what it stands on answer."""

from aiohttp import web
from sqlalchemy import text

from bot.delivery.processes import SERVE, faults
from console.public.metrics import metrics
from console.web.deps import DEPS
from console.web.permissions import PUBLIC, needs
from storage.away import AWAY, REDIS_AWAY
from storage.triggers import triggers_of


@needs(PUBLIC)
async def healthz(request: web.Request) -> web.StreamResponse:
    """The process answers; 503 while the database has triggers, which may forbid any record.

    Asked here and not told by an incident alone: a trigger may keep that one away.
    """
    try:
        found = await triggers_of(request.config_dict[DEPS].db)
    except AWAY:  # /readyz tells of a database that does not answer
        found = []
    body = {"ok": False, "problems": {"triggers": len(found)}} if found else {"ok": True}
    return web.json_response(body, status=503 if found else 200)


@needs(PUBLIC)
async def readyz(request: web.Request) -> web.StreamResponse:
    """Database and cache answer and what else must run runs; 503 names what does not."""
    deps = request.config_dict[DEPS]
    problems: dict[str, str] = {}
    try:
        async with deps.db.session() as session:
            await session.execute(text("SELECT 1"))
        problems |= await faults(deps.db, besides=[SERVE])  # whoever answers this is one
    except AWAY as error:
        problems["database"] = type(error).__name__
    try:
        # Any key will do: what counts is that the cache answers.
        await deps.cache.get("readyz")
    except REDIS_AWAY as error:
        problems["cache"] = type(error).__name__
    body = {"ok": not problems, "problems": problems}
    return web.json_response(body, status=503 if problems else 200)


ROUTES = [
    web.get("/healthz", healthz),
    web.get("/readyz", readyz),
    web.get("/metrics", metrics),
]
