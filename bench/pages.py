"""The queue and an item, opened where many items wait."""

import statistics
import time

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app import Shenfa, build_site
from bench.figures import Measured, Row, figure
from bench.office import statements
from config.clock import now
from console.web.guard import COOKIE
from review_queue.models import Item
from staff.models import ConsoleSession, Staff
from staff.sessions import token_hash, visitor_of_session
from storage.database import new_id


async def pages(shenfa: Shenfa, item_id: str, waiting: int) -> list[Row]:
    """The queue and an item, opened by the first reviewer; bare is the same rows read by SQL."""
    async with shenfa.db.session() as session:
        item = await session.get_one(Item, item_id)
        row = {column.name: getattr(item, column.name) for column in Item.__table__.columns}
        more = [
            row | {"id": new_id(), "title": f"第{number}件", "release_id": None}
            for number in range(waiting)
        ]
        await session.execute(insert(Item), more)
    await sign_in(shenfa)
    rows = []
    async with TestClient(TestServer(build_site(shenfa)), cookies={COOKIE: "bench"}) as client:
        for name, path in (
            ("queue page", "/console/"),
            ("list of items", "/console/items"),
            ("item page", f"/console/items/{item_id}"),
        ):
            rows.append(await _page(shenfa, client, name, path))
            rows[-1]["detail"]["waiting"] = waiting
    return [*rows, await _session_check(shenfa)]


async def sign_in(shenfa: Shenfa) -> None:
    """A session of the first reviewer, by the cookie `bench`."""
    async with shenfa.db.session() as session:
        reader = (await session.scalars(select(Staff.id).where(Staff.login == "first"))).one()
        session.add(
            ConsoleSession(
                token_hash=token_hash("bench"),
                staff_id=reader,
                csrf="bench",
                created_at=now(),
                seen_at=now(),
            )
        )


async def _session_check(shenfa: Shenfa, n: int = 300) -> Row:
    """What knowing who asks adds to a page, over the two rows read without any proof.

    Added are seals, standing by signed entries, and the question for a second step.
    """
    held, person, key = ConsoleSession.__table__, Staff.__table__, token_hash("bench")
    rows = select(held, person).join(person, person.c.id == held.c.staff_id)
    asked = rows.where(held.c.token_hash == key)

    def bare(session: Session) -> None:
        session.execute(asked).one()

    taken: dict[str, list[float]] = {"bare": [], "ours": []}
    for _ in range(n):  # in turns, so that what else the machine does falls on both
        begun = time.perf_counter()
        await shenfa.db.read(bare)
        between = time.perf_counter()
        if await visitor_of_session(shenfa.ledger, "bench") is None:
            raise RuntimeError("the session of the measurement does not hold")
        taken["bare"].append((between - begun) * 1000)
        taken["ours"].append((time.perf_counter() - between) * 1000)
    short, whole = statistics.median(taken["bare"]), statistics.median(taken["ours"])
    added = Measured(max(whole - short, 0.0001), short, 0.2)
    row = figure("release", "p50 of what the session check adds to a page", "ms", added, n)
    row["detail"] = {"whole": round(whole, 4)}
    return row


async def _page(
    shenfa: Shenfa, client: TestClient[web.Request, web.Application], name: str, path: str
) -> Row:
    taken, queries, n = [], [], 10
    for number in range(n + 1):  # the first look fills caches and is not counted
        with statements(shenfa) as asked:
            begun = time.perf_counter()
            async with client.get(path, allow_redirects=False) as answer:
                text = await answer.text()
            taken.append((time.perf_counter() - begun) * 1000)
        queries.append(len(asked))
        if answer.status != 200 or not text:
            raise RuntimeError(f"{path} answered {answer.status} at look {number}")
    begun = time.perf_counter()
    async with shenfa.db.session() as session:
        await session.execute(select(Item.id, Item.title).order_by(Item.level_due_at).limit(50))
    bare = (time.perf_counter() - begun) * 1000
    row = figure(
        "release",
        f"p50 of the {name}",
        "ms",
        Measured(statistics.median(taken[1:]), bare, 100.0),
        n,
    )
    # A look now and then also writes that the session is used; what the page asks is the rest.
    row["detail"] = {"queries": min(queries[1:])}
    return row
