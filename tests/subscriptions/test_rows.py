"""The rows of a push as each database takes them."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.models import Delivery
from config.clock import now
from storage.copying import copied
from storage.database import new_id
from storage.seals import INFO
from subscriptions.rows import Push, write_rows
from tests.made import SEALS

ODD = "您订阅了 一\t二\\三\n四\r五"
"""Whatever a taxonomy calls itself, a row says it as it is."""


def a_push(**more) -> Push:
    moment = now()
    return Push("r1", "p1", "tg", moment, (moment, moment + timedelta(hours=9)), **more)


async def written(database, push, *matched) -> int:
    async with database.session() as session:
        session.info[INFO] = SEALS
        return await write_rows(session, push, matched)


async def rows_of(database) -> dict[str, Delivery]:
    async with database.session() as session:
        return {row.contact_id: row for row in await session.scalars(select(Delivery))}


@pytest.mark.parametrize("more", [{}, {"late": True, "hold": "call"}])
async def test_what_was_cut_short_is_completed_and_every_row_is_whole(
    database, more, monkeypatch
) -> None:
    push, odd = a_push(**more), "c\\2\t"
    with monkeypatch.context() as new_ones:
        new_ones.setattr("subscriptions.rows._rows", None)  # they are copied, and not inserted
        assert await written(database, push, ("c1", ODD, 0), (odd, "您订阅了 就业创业", 1)) == 2
    assert await written(database, push, ("c0", ODD, 0), ("c1", "另", 1), ("c3", ODD, 1)) == 2
    rows = await rows_of(database)
    assert set(rows) == {"c0", "c1", odd, "c3"}
    assert all(row.whole for row in rows.values())
    assert (rows["c1"].reason, rows[odd].next_at, rows[odd].gather) == (ODD, push.moments[1], True)
    assert {(one.state, one.late, one.hold) for one in rows.values()} == {
        (push.state, push.late, push.hold)
    }
    assert {(one.reply, one.created_at, one.route) for one in rows.values()} == {
        (None, push.created_at, "")
    }


@pytest.mark.parametrize(
    "database", [pytest.param("postgres", marks=pytest.mark.servers)], indirect=True
)
async def test_a_copy_that_is_refused_leaves_its_transaction_open(database) -> None:
    async with database.session() as session:
        assert not await copied(session, "switch", ["name"], [f"{new_id()}\n", "\ud800\n"])
        assert not await copied(session, "nowhere", ["name"], ["a\n"])
        assert (await session.scalar(select(1))) == 1
