"""Two processes on one PostgreSQL: the acts of one person come to both of them by turns."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import cycle
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import text

from app import listening, open_shenfa
from config.setup import Setup
from demo.cast import BOT_TOKEN, WEBHOOK_SECRET, WECHAT, setup
from office.setup import initialise
from sandbox.app import start
from storage.database import Database
from tests.made import SEALS
from tests.office.both import Both
from tests.office.talking import Talk, settings_of
from tests.office.test_order import all_handled, said_together

pytestmark = pytest.mark.servers


async def door(stack: AsyncExitStack, behind: list[str], http: aiohttp.ClientSession) -> str:
    """An address that hands each call to the next of the processes behind it."""
    turns = cycle(behind)

    async def forward(request: web.Request) -> web.Response:
        url = f"{next(turns)}{request.path_qs}"
        headers = {k: v for k, v in request.headers.items() if k.startswith(("X-", "Content-T"))}
        async with http.post(url, data=await request.read(), headers=headers) as answer:
            return web.Response(
                status=answer.status, body=await answer.read(), content_type=answer.content_type
            )

    app = web.Application()
    app.router.add_post("/{rest:.*}", forward)
    runner = web.AppRunner(app)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


@pytest.fixture
async def town(tmp_path: Path, postgres_url: str, redis_url: str) -> AsyncIterator[Both]:
    db = Database(postgres_url, SEALS)
    async with db.engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await db.close()
    async with AsyncExitStack() as stack:
        runner, url = await start("127.0.0.1", 0)
        stack.push_async_callback(runner.cleanup)
        settings = [
            settings_of(tmp_path, url).model_copy(
                update={"database_url": postgres_url, "redis_url": redis_url}
            )
            for _ in range(2)
        ]
        await initialise(settings[0], Setup.model_validate(setup(url)))
        offices = []
        for one in settings:
            offices.append(await stack.enter_async_context(open_shenfa(one)))
            await stack.enter_async_context(listening(offices[-1]))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        base = await door(stack, [one.public_url for one in settings], http)
        talk = Talk(offices[0], {}, http, f"{url}/_control")
        telegram = {"token": BOT_TOKEN, "secret": WEBHOOK_SECRET, "username": "qinghe_bot"}
        for platform, slug, more in (
            ("telegram", "qinghe-tg", telegram),
            ("wechat", "qinghe-wx", {"verified": True, **WECHAT}),
        ):
            hook = f"{base}/{platform}/{slug}"
            await talk.post(
                "accounts", platform=platform, name="青禾发布", callback_url=hook, **more
            )
        await talk.post("limits", telegram=False)
        for office in offices:
            await office.lease.start()
        yield Both(talk, tmp_path / "clock")
        for office in offices:
            await office.lease.stop()


async def test_who_subscribes_and_leaves_at_once_is_not_subscribed_whoever_hears_it(
    town: Both,
) -> None:
    for platform in ("telegram", "wechat"):
        people = [await town.citizen(platform, f"{platform}{number}") for number in range(12)]
        await asyncio.gather(
            *(said_together(town, platform, one, "订阅就业", "退订") for one in people)
        )
        for one in people:
            await all_handled(town, platform, one)
            assert await town.wishes(platform, one) == []


async def test_what_comes_last_on_the_platform_stands(town: Both) -> None:
    for platform in ("telegram", "wechat"):
        people = [await town.citizen(platform, f"{platform}{number}") for number in range(6)]
        words = ("订阅就业", "退订", "订阅消费")
        await asyncio.gather(*(said_together(town, platform, one, *words) for one in people))
        for one in people:
            await all_handled(town, platform, one)
            assert await town.wishes(platform, one) == ["consumption"]
