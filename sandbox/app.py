"""Builds and serves the sandbox: both platforms, control interface, phones, sample site."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox import control, phones
from sandbox.memory import load
from sandbox.site.routes import add_site
from sandbox.state import STATE, State
from sandbox.telegram import calls as telegram
from sandbox.wechat import calls as wechat

LARGEST_BODY = 60 * 1024 * 1024


async def _outbound(app: web.Application) -> AsyncIterator[None]:
    state = app[STATE]
    state.http = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=100), timeout=aiohttp.ClientTimeout(total=60)
    )
    yield
    # Before the session closes: a delivery on its way would fail with an error of aiohttp's.
    for task in list(state.tasks):
        task.cancel()
    await state.http.close()
    state.http = None


@web.middleware
async def _noting(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Mark the state changed by whatever may change it, so that it is saved."""
    try:
        return await handler(request)
    finally:
        # Phones ask every second; saving for each look would write without end.
        looks = request.method == "GET" and request.path.startswith(("/_control/", "/phone"))
        if not looks:
            request.app[STATE].changed = True


def create_app(public_base: str | None = None) -> web.Application:
    """Build the sandbox; `public_base` is its address in links it hands out (else as reached)."""
    app = web.Application(client_max_size=LARGEST_BODY, middlewares=[_noting])
    app[STATE] = State(public_base)
    app.cleanup_ctx.append(_outbound)
    telegram.add(app)
    wechat.add(app)
    control.add(app)
    phones.add(app)
    add_site(app)
    return app


async def start(host: str, port: int, memory: Path | None = None) -> tuple[web.AppRunner, str]:
    """Start serving and return the runner and the address; port 0 picks a free one.

    With `memory`, what that file holds of an earlier run is there before the first request.
    """
    app = create_app()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        url = f"http://{host}:{runner.addresses[0][1]}"
        if memory is not None:
            load(app[STATE], memory, url)
    except (OSError, ValueError):
        await runner.cleanup()
        raise
    return runner, url


async def serve(host: str, port: int) -> web.AppRunner:
    """Start serving; the caller names the address and cleans the runner up."""
    runner, _ = await start(host, port)
    return runner
