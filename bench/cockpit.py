"""`shenfa bench cockpit`: 总览 of four hundred accounts with a year of rows."""

import statistics
import time
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import insert, select

from app import Shenfa, build_site
from bench.figures import Measured, Row, figure
from bench.office import new_office
from bench.pages import sign_in
from bot.contract import State
from bot.models import Account, Publication
from config.clock import now
from config.setup import AccountSetup
from console.web.guard import COOKIE
from escalations.models import Ticket
from escalations.waiting import waiting_questions
from review_queue.models import Item
from storage.database import new_id
from supervision.cockpit import rows_of

EVERY = timedelta(days=3, hours=7)
"""From one post of an account to its next."""
TARGET = 150.0


async def cockpit(n: int = 15, accounts: int = 400, days: int = 365) -> list[Row]:
    """The page as a browser gets its first byte; bare is its own SQL, read in the same run."""
    account = AccountSetup(
        slug="bench",
        platform="telegram",
        name="青禾发布",
        api_base="https://api.telegram.org",
        secrets={"token": "7:bench", "webhook_secret": "bench", "chat": "@bench"},
        assessment_ref="bench",
    )
    async with new_office(account) as shenfa:
        posts = await _fill(shenfa, accounts, days)
        await sign_in(shenfa)
        taken: dict[str, list[float]] = {"bare": [], "ours": []}
        async with TestClient(TestServer(build_site(shenfa)), cookies={COOKIE: "bench"}) as client:
            for number in range(n + 1):
                begun = time.perf_counter()
                moment = now()
                asked = waiting_questions(moment)
                await shenfa.db.read(partial(rows_of, moment=moment, more=asked))
                between = time.perf_counter()
                async with client.get("/console/cockpit", allow_redirects=False) as answer:
                    body = await answer.content.readany()
                    first = time.perf_counter()
                    text = (body + await answer.content.read()).decode()
                if answer.status != 200 or "单项否决" not in text:
                    raise RuntimeError(f"the cockpit answered {answer.status}")
                if number:  # the first look fills caches and is not counted
                    taken["bare"].append((between - begun) * 1000)
                    taken["ours"].append((first - between) * 1000)
    ours, bare = statistics.median(taken["ours"]), statistics.median(taken["bare"])
    measured = Measured(ours, bare, min(TARGET, 3 * bare))
    row = figure("cockpit", "p50 of the first byte of the cockpit", "ms", measured, n)
    row["detail"] = {"accounts": accounts, "posts": posts, "bytes": len(text.encode())}
    return [row]


async def _fill(shenfa: Shenfa, accounts: int, days: int) -> int:
    """Accounts, their posts of so many days, and a question that waits at every fourth."""
    moment = now()
    async with shenfa.db.session() as session:
        first = (await session.scalars(select(Account))).one()
        kept = {column.name: getattr(first, column.name) for column in Account.__table__.columns}
        made = [
            kept | {"id": new_id(), "slug": f"bench-{number}", "name": f"青禾第{number}号"}
            for number in range(accounts - 1)
        ]
        await session.execute(insert(Account), made)
        keys = [first.id, *(str(one["id"]) for one in made)]
        rows = [one for key in keys for one in _posts(key, moment, days)]
        await session.execute(insert(Item), [_item(row, moment) for row in rows])
        await session.execute(insert(Publication), rows)
        await session.execute(insert(Ticket), [_ticket(key, moment) for key in keys[::4]])
    return len(rows)


def _posts(account: str, moment: datetime, days: int) -> list[dict[str, Any]]:
    fixed = {"digest": "0" * 64, "state": State.PUBLISHED, "ref": "", "url": "", "seal": ""}
    found = []
    for number in range(timedelta(days=days) // EVERY):
        at = moment - EVERY * number
        ids = {"id": new_id(), "release_id": new_id(), "item_id": new_id()}
        found.append(fixed | ids | {"account_id": account, "due_at": at, "published_at": at})
    return found


def _item(row: dict[str, Any], moment: datetime) -> dict[str, Any]:
    """The item of a post: two of three are reposts."""
    repost = ord(row["item_id"][-1]) % 3
    return {
        "id": row["item_id"],
        "kind": "转载" if repost else "原创",
        "klass": "日常",
        "state": "published",
        "title": "关于发放就业补贴的通知",
        "author_id": "robot",
        "last_editor_id": "robot",
        "created_at": row["published_at"],
        "updated_at": moment,
    }


def _ticket(account: str, moment: datetime) -> dict[str, Any]:
    times = dict.fromkeys(("acknowledge_by", "due_at", "created_at"), moment - timedelta(days=2))
    ids = {"id": new_id(), "account_id": account, "contact_id": new_id()}
    lists: dict[str, Any] = {"candidates": [], "notified": []}
    return {"question": "怎样申请", "reason": "unsure", "state": "open"} | lists | ids | times
