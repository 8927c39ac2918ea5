"""What was read and shared, from the platform, from the next day at eight o'clock."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.account_entries import sign_account
from bot.models import Account, Publication
from bot.readings import READY, readings_of
from config.clock import BEIJING, beijing, now
from demo.cast import WECHAT
from tests.office.both import Both, both


@pytest.fixture
async def town(home: tuple[Path, int], tmp_path: Path) -> AsyncIterator[Both]:
    async with both(home, tmp_path) as made:
        yield made


async def figures(town: Both) -> list[tuple[str, int, int]]:
    """Day, readers and times read of everything on WeChat."""
    async with town.talk.shenfa.db.session() as session:
        found = []
        for place in await session.scalars(select(Publication)):
            rows = await readings_of(session, place.id)
            found += [(row.day, row.readers, row.reads) for row in rows]
    return found


async def calls(town: Both) -> int:
    """How often the platform answered."""
    async with town.talk.http.get(f"{town.talk.control}/requests") as answer:
        rows = (await answer.json())["requests"]
    asked = [row for row in rows if row["method"] == "datacube/getarticletotal"]
    # A token that ran out overnight is refused first, and the call made again with a new one.
    return sum(row["outcome"] == "ok" for row in asked)


async def test_figures_come_the_next_day_from_eight_on_and_are_asked_for_once_a_day(
    town: Both,
) -> None:
    shenfa = town.talk.shenfa
    async with shenfa.ledger.transaction() as tx:
        query = select(Account).where(Account.slug == "qinghe-wx")
        account = (await tx.session.scalars(query)).one()
        account.settings = {**account.settings, "push": "mass"}
        await sign_account(tx, account, "test")
    post = {"account": WECHAT["appid"], "count": 10, "prefix": "读者", "follow": True}
    await town.talk.post("citizens", **post)
    await town.publish("招聘会安排")
    start, today = now(), beijing(now()).date()
    assert await shenfa.readings.look_due() == 0
    assert await figures(town) == []
    for days, hour, asked in ((1, 7, 0), (1, 8, 1), (1, 9, 1), (2, 8, 2)):
        at = datetime.combine(today + timedelta(days=days), READY, BEIJING).replace(hour=hour)
        await town.move((at - start).total_seconds() + 60)
        await shenfa.readings.look_due()
        assert await calls(town) == asked, (days, hour)
    first, second = today.isoformat(), (today + timedelta(days=1)).isoformat()
    assert await figures(town) == [(second, 10, 20), (first, 10, 10)]
