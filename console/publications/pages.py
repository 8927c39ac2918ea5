"""发布: what went where, what the platform said, and what a person says about the unknown."""

from collections import defaultdict
from collections.abc import Mapping
from functools import partial

from aiohttp import web
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels import CHANNELS
from bot.delivery.confirming import Waiting, waiting_for
from bot.delivery.settling import settle_publication
from bot.delivery.together import articles_of
from bot.meaning import Listed
from bot.models import Account, Attempt, Delivery, Publication
from bot.readings import LEAST, counted, readings_of
from console.publications.comments import areas_of
from console.web.deps import DEPS, found, visitor
from console.web.pages import form, page, see
from console.web.permissions import needs
from review_queue import publishing
from review_queue.models import Item
from review_queue.recalling import WHY
from staff.refusal import Refused

_SHOWN = 60


async def _counts(session: AsyncSession, ids: list[str]) -> dict[str, dict[str, int]]:
    """Delivery states of each publication, counted."""
    query = (
        select(Delivery.publication_id, Delivery.state, func.count())
        .where(Delivery.publication_id.in_(ids))
        .group_by(Delivery.publication_id, Delivery.state)
    )
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for publication_id, state, number in (await session.execute(query)).all():
        counts[str(publication_id)][state] = number
    return counts


@needs("publications.read")
async def publications(request: web.Request) -> web.StreamResponse:
    """Every publication, newest first, item by item."""
    async with request.config_dict[DEPS].db.session() as session:
        query = select(Publication).order_by(Publication.due_at.desc()).limit(_SHOWN)
        rows = (await session.scalars(query)).all()
        items = select(Item).where(Item.id.in_({row.item_id for row in rows}))
        groups: dict[str, list[Publication]] = {}
        for row in rows:
            groups.setdefault(row.item_id, []).append(row)
        context = {
            "place": "publications",
            "groups": groups,
            "items": {row.id: row for row in (await session.scalars(items)).all()},
            "accounts": {row.id: row for row in (await session.scalars(select(Account))).all()},
            "counts": await _counts(session, [row.id for row in rows]),
        }
    return page(request, "publications/list.html", context)


async def _asked(session: AsyncSession, row: Publication) -> Waiting | None:
    """Whom the platform waits for, where it asks somebody before it sends."""
    account = await session.get(Account, row.account_id)
    return waiting_for(row, account.platform, account.settings) if account else None


def _codes_of(account: Account | None) -> Mapping[str, Listed]:
    """The table of the account's platform."""
    channel = CHANNELS.get(account.platform) if account is not None else None
    return channel.codes if channel is not None else {}


async def _show(request: web.Request, refused: Refused | None = None) -> web.Response:
    async with request.config_dict[DEPS].db.session() as session:
        row = found(await session.get(Publication, request.match_info["publication"]), "次发布")
        attempts = (
            select(Attempt)
            .where(Attempt.publication_id == row.id, Attempt.delivery_id.is_(None))
            .order_by(Attempt.started_at.desc())
        )
        articles = await articles_of(session, row.id)
        titles = select(Item).where(Item.id.in_({one.item_id for one in articles}))
        account = await session.get(Account, row.account_id)
        context = {
            "place": "publications",
            "row": row,
            "articles": articles,
            "items": {one.id: one for one in await session.scalars(titles)} if articles else {},
            "item": await session.get(Item, row.item_id),
            "account": account,
            "counted": account is not None and counted(CHANNELS.get(account.platform)),
            "codes": _codes_of(account),
            "attempts": (await session.scalars(attempts.limit(20))).all(),
            "counts": (await _counts(session, [row.id])).get(row.id, {}),
            "readings": await readings_of(session, row.id),
            "least": LEAST,
            "recall_classes": WHY,
            "asked": await _asked(session, row),
            "commented": bool(await areas_of(session, row)),
            "reasons": refused.reasons if refused else (),
        }
    return page(request, "publications/page.html", context, refused.status if refused else 200)


@needs("publications.read")
async def publication(request: web.Request) -> web.StreamResponse:
    """One publication: result, attempts, pushes, recall."""
    return await _show(request)


@needs("publications.settle")
async def settle(request: web.Request) -> web.StreamResponse:
    """已发出 or 未发出, by a person who looked."""
    publication_id = request.match_info["publication"]
    sent = (await form(request)).get("sent", "")
    deps = request.config_dict[DEPS]
    try:
        await settle_publication(
            deps.ledger,
            publication_id,
            visitor(request).staff_id,
            sent,
            on_publication=partial(publishing.note_publication, deps.queue),
        )
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _show(request, refused)
    return see(f"/console/publications/{publication_id}", "settled")


ROUTES = [
    web.get("/publications", publications),
    web.get("/publications/{publication}", publication),
    web.post("/publications/{publication}/settle", settle),
]
