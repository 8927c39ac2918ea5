"""`shenfa bench rate`: a push at the pace Telegram allows one bot, and through a storm of 429."""

import asyncio
import time
from collections import Counter
from typing import Any

import aiohttp
from sqlalchemy import func, select

from app import Shenfa
from bench.figures import Measured, Row, figure
from bench.office import control, new_office, new_sandbox
from bench.push import queued
from bot.contract import State
from bot.models import Delivery
from bot.pace import PER_SECOND
from config.setup import AccountSetup

REACH = 0.95  # of what the platform allows
STORM = 3  # one call of so many is refused while it lasts
_TOKEN = "7:bench"  # noqa: S105  the sandbox takes any
_WAITING = (State.CREATED, State.SUBMITTED, State.RETRYING)


async def rate(n: int = 3_000, stormy: int = 600) -> list[Row]:
    """`n` messages through one bot, and `stormy` of which the platform refuses every third call.

    `ok` asks for more than the rate: everybody once, and without a storm no refusal at all.
    """
    rows = []
    for metric, number, every in (("paced messages", n, 0), ("through 429", stormy, STORM)):
        async with new_sandbox() as url:
            taken, counts = await _paced(url, number, every)
        reached = Measured(number / taken, float(PER_SECOND), 0.0 if every else REACH * PER_SECOND)
        row = figure("rate", metric, "messages/s", reached, number)
        row["detail"] = counts
        whole = counts["once"] == number and counts["twice"] == 0
        row["ok"] = row["ok"] and whole and (counts["refused"] > 0) == bool(every)
        rows.append(row)
    return rows


async def _paced(url: str, n: int, every: int) -> tuple[float, dict[str, int]]:
    """Seconds until nothing waits any more, and how many got it how often."""
    account = {"platform": "telegram", "token": _TOKEN, "name": "青禾", "secret": "b"}
    made = await control(url, "accounts", account)
    chats = (await control(url, "citizens", {"account": "7", "count": n}))["citizens"]
    if every:
        # As often as a refused call is made again.
        for number in range(n // every):
            fault = {"kind": "refuse", "platform": "telegram", "method": "sendMessage"}
            await control(
                url, "faults", fault | {"code": 429, "seconds": 1.0, "skip": number * every}
            )
    setup = AccountSetup(
        slug="bench",
        platform="telegram",
        name="青禾发布",
        api_base=made["api_base"],
        secrets={"token": _TOKEN, "webhook_secret": "b", "chat": "@bench"},
        assessment_ref="bench",
    )
    async with new_office(setup, dev_allow=url.removeprefix("http://")) as shenfa:
        await queued(shenfa, chats)
        taken = await _sent(shenfa)
    received = (await _asked(url, "messages", account="7"))["messages"]
    got = Counter(len(received.get(chat, ())) for chat in chats)
    of_method = {"account": "7", "method": "sendMessage", "outcome": "refused", "count": "1"}
    refused = int((await _asked(url, "requests", **of_method))["count"])
    twice = sum(number for times, number in got.items() if times > 1)
    return taken, {"once": got[1], "twice": twice, "lacking": got[0], "refused": refused}


async def _sent(shenfa: Shenfa) -> float:
    await shenfa.lease.start()
    begun = time.perf_counter()
    while await _waiting(shenfa):
        if not await shenfa.sender.deliver_due():
            await asyncio.sleep(0.05)
    taken = time.perf_counter() - begun
    await shenfa.lease.stop()
    return taken


async def _waiting(shenfa: Shenfa) -> int:
    query = select(func.count()).select_from(Delivery).where(Delivery.state.in_(_WAITING))
    async with shenfa.db.session() as session:
        return int((await session.execute(query)).scalar_one())


async def _asked(url: str, name: str, **query: str) -> dict[str, Any]:
    async with (
        aiohttp.ClientSession(raise_for_status=True) as http,
        http.get(f"{url}/_control/{name}", params=query) as answer,
    ):
        return dict(await answer.json())
