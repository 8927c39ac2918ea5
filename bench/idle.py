"""`shenfa bench idle`: what an office costs in which nothing happens.

Beside it what the shortest code takes that would notice a new row as soon: one question to the
database at each tick. Memory is that of this process, beside what it had before the office was
opened.
"""

import asyncio
import sqlite3
import time

from bench.figures import Measured, Row, figure, resident
from bench.office import new_office
from config.setup import AccountSetup

SECONDS_A_MINUTE = 0.63  # a third of what it took before it could rest
RESIDENT = 324.0  # MB: a machine of 512 has room for it
_ACCOUNT = AccountSetup(
    slug="bench",
    platform="wechat",
    name="青禾发布",
    api_base="https://api.weixin.qq.com",
    secrets={
        "appid": "wxbench",
        "secret": "bench",
        "token": "bench",
        "aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    },
)


async def _bare(file: str, n: int, tick: float) -> float:
    """Seconds of the processor for `n` questions whether anything was written."""
    begun, connection = time.process_time(), sqlite3.connect(file)
    for _ in range(n):
        connection.execute("PRAGMA data_version").fetchall()
        await asyncio.sleep(tick)
    connection.close()
    return time.process_time() - begun


async def idle(n: int = 240, tick: float = 0.5, settle: float = 60.0) -> list[Row]:
    """An office at rest for `n` ticks of so many seconds, `settle` seconds after its start."""
    before = resident()
    async with new_office(_ACCOUNT) as shenfa:
        async with shenfa.jobs():
            await asyncio.sleep(settle)
            begun = time.process_time()
            await asyncio.sleep(n * tick)
            ours, held = time.process_time() - begun, resident()
        bare = await _bare(str(shenfa.db.engine.url.database), n, tick)
    minutes = n * tick / 60
    spent = Measured(ours / minutes, bare / minutes, SECONDS_A_MINUTE)
    return [
        figure("idle", "processor time of a minute", "s", spent, n),
        figure("idle", "resident memory", "MB", Measured(held, before, RESIDENT), n),
    ]
