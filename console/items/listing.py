"""稿件, the list: searched, filtered, page by page, with who holds each and for how long."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from aiohttp import web
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import Account
from console.items.holding import Held, held_by
from console.web.deps import DEPS
from console.web.pages import page
from console.web.permissions import needs
from content_sources.models import Article, Source
from review_queue.models import Item, ItemWords
from review_queue.searching import Wanted, count_wanted, items_wanted
from staff.models import Staff
from staff.people import names
from staff.roles import REVIEWERS

PAGE_SIZE = 50
_ASKED = ("q", "state", "klass", "account", "owner", "holder", "source", "from", "to")
QUERY = (*_ASKED, "page")
"""What an address of the list may say, on the page and in the API."""
_YEARS = range(2000, 2100)


@dataclass(frozen=True)
class Listed:
    """One page of the list, and how many items there are on all of them."""

    rows: Sequence[Item]
    held: Mapping[str, Held]
    total: int
    number: int
    pages: int


def _day(text: str) -> date | None:
    """A day as the field sends it; what is none asks nothing."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in _YEARS else None


def _wanted(query: Mapping[str, str]) -> Wanted:
    names = ("q", "state", "klass", "account", "owner", "holder")
    return Wanted(
        **{name: query.get(name, "").strip() for name in names},
        since=_day(query.get("from", "")),
        until=_day(query.get("to", "")),
    )


def _from_source(query: Mapping[str, str]) -> list[ColumnElement[bool]]:
    if not query.get("source"):
        return []
    chosen = select(Article.id).where(Article.source_id == query["source"])
    return [Item.article_id.in_(chosen)]


async def listed_for(request: web.Request, size: int) -> Listed:
    """The page of the list that an address asks for; past the end: the last one."""
    query = request.query
    wanted, more = _wanted(query), _from_source(query)
    async with request.config_dict[DEPS].db.session() as session:
        total = await count_wanted(session, wanted, *more)
        pages = max(1, -(-total // size))
        asked = query.get("page", "")
        number = min(max(int(asked), 1), pages) if asked.isdecimal() and len(asked) < 9 else 1
        found = items_wanted(wanted, *more).limit(size).offset(size * (number - 1))
        rows = (await session.scalars(found)).all()
        return Listed(rows, await held_by(session, rows), total, number, pages)


async def _went_to(
    session: AsyncSession, rows: Sequence[Item], accounts: Sequence[Account]
) -> dict[str, list[Account]]:
    """The accounts of each item of the page."""
    query = select(ItemWords.item_id, ItemWords.accounts)
    query = query.where(ItemWords.item_id.in_([row.id for row in rows]))
    told = {key: ids.split() for key, ids in (await session.execute(query)).all()}
    known = {row.id: row for row in accounts}
    return {key: [known[one] for one in ids if one in known] for key, ids in told.items()}


@needs("items.read")
async def items(request: web.Request) -> web.StreamResponse:
    """Every item this person may know of, found by words, place and day."""
    deps = request.config_dict[DEPS]
    listed = await listed_for(request, PAGE_SIZE)
    asked = {name: request.query.get(name, "").strip() for name in _ASKED}
    async with deps.db.session() as session:
        accounts = (await session.scalars(select(Account).order_by(Account.slug))).all()
        staff = (await session.scalars(select(Staff).order_by(Staff.name))).all()
        context = {
            "place": "items",
            "listed": listed,
            "people": await names(session, {row.last_editor_id for row in listed.rows}),
            "editors": [row for row in staff if "editor" in row.roles],
            "reviewers": [row for row in staff if not REVIEWERS.isdisjoint(row.roles)],
            "sources": (await session.scalars(select(Source))).all(),
            "accounts": accounts,
            "went_to": await _went_to(session, listed.rows, accounts),
            "classes": list(deps.queue.levels),
            "chosen": asked,
            "kept": urlencode({name: value for name, value in asked.items() if value}),
        }
    return page(request, "items/list.html", context)


ROUTES = [web.get("/items", items)]
