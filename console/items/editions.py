"""组版: approved items chosen and put in order; each button of the page is one step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels import CHANNELS
from bot.models import Account, Publication
from bot.render import first_picture
from console.web.deps import DEPS, acting, visitor
from console.web.pages import form, many, page, see
from console.web.permissions import needs
from review_queue.canonical import Draft, InEdition
from review_queue.desk import latest, read_item
from review_queue.editions import Chosen, arrange, make_edition, named, offered
from review_queue.models import Item, Revision
from review_queue.placed import standing_of
from staff.refusal import Reason, Refused

_MARK = "sha256:"


@dataclass(frozen=True)
class ArticleRow:
    """One article of an edition as it is shown: `change` since the revision before, in words.

    `faults` stand against it now, `out` is its publication with the edition.
    """

    number: int
    item: Item | None
    digest: str
    title: str
    cover: str = ""
    change: str = ""
    faults: tuple[str, ...] = ()
    out: Publication | None = None


async def article_rows(
    session: AsyncSession, edition: Sequence[InEdition], before: Sequence[InEdition] = ()
) -> list[ArticleRow]:
    """The articles of an edition in their order; `before` is what an older revision held."""
    standing = await standing_of(session, {one.item for one in edition})
    query = select(Publication).where(
        Publication.item_id.in_(standing), Publication.article_index > 0
    )
    # Newest last: an item is in one edition of an account at a time.
    out = {row.item_id: row for row in await session.scalars(query.order_by(Publication.due_at))}
    rows = []
    for number, one in enumerate(edition, 1):
        there, change = standing.get(one.item), _change(number, one, before)
        if there is None:
            rows.append(ArticleRow(number, None, one.digest, "—", "", change, ("没有这篇稿件",)))
            continue
        cover = first_picture(Draft.from_canonical(there.canonical).content)
        rows.append(
            ArticleRow(
                number,
                there.item,
                one.digest,
                there.title,
                cover.removeprefix(_MARK),
                change,
                tuple(there.faults(one.digest)),
                out.get(one.item),
            )
        )
    return rows


def _change(number: int, one: InEdition, before: Sequence[InEdition]) -> str:
    """What is new about an article since the revision before."""
    if not before:
        return ""
    old = next((place for place in enumerate(before, 1) if place[1].item == one.item), None)
    if old is None:
        return "新加入"
    words = [] if old[0] == number else [f"原第 {old[0]} 篇"]
    words += [] if old[1].digest == one.digest else ["内容已换成新批准的"]
    return "，".join(words)


def taken_out(edition: Sequence[InEdition], before: Sequence[InEdition]) -> list[str]:
    """Ids of the items that the revision before held and this one does not."""
    now_in = {one.item for one in edition}
    return [one.item for one in before if one.item not in now_in]


def moved(items: Sequence[str], act: str) -> list[str]:
    """The items after a button: up:<n>, down:<n>, out:<n> with places from 1, or in:<id>."""
    order = list(items)
    verb, _, where = act.partition(":")
    if verb == "in":
        return [*order, where] if where and where not in order else order
    at = int(where) - 1 if where.isdecimal() and len(where) < 4 else -1
    if not 0 <= at < len(order):
        return order
    one = order.pop(at)
    if verb in ("up", "down"):
        order.insert(max(0, at - 1) if verb == "up" else at + 1, one)
    return order if verb in ("up", "down", "out") else list(items)


@dataclass(frozen=True)
class _Asked:
    """What the page shows: an edition as somebody is arranging it."""

    account_id: str
    items: Sequence[str] = ()
    title: str = ""
    item: Item | None = None
    version: int = 0


async def _show(
    request: web.Request, asked: _Asked, reasons: Sequence[Reason] = (), status: int = 200
) -> web.Response:
    async with request.config_dict[DEPS].db.session() as session:
        query = select(Account).where(Account.enabled.is_(True)).order_by(Account.slug)
        accounts = [
            row
            for row in await session.scalars(query)
            if row.platform in CHANNELS and CHANNELS[row.platform].most_articles
        ]
        account = next((row for row in accounts if row.id == asked.account_id), None)
        if account is None and len(accounts) == 1 and not asked.account_id:
            [account] = accounts
        standing = await standing_of(session, set(asked.items))
        placed = [
            InEdition(one, standing[one].digest if one in standing else "") for one in asked.items
        ]
        free = await offered(session, account.id) if account is not None else []
        context = {
            "place": "items",
            "asked": asked,
            "item": asked.item,
            "accounts": accounts,
            "account": account,
            "rows": await article_rows(session, placed),
            "free": [row for row in free if row.id not in asked.items],
            "most": CHANNELS[account.platform].most_articles if account is not None else 0,
            "reasons": reasons,
        }
    return page(request, "items/edition_form.html", context, status)


@needs("items.write")
async def new(request: web.Request) -> web.StreamResponse:
    """组版, empty: choose the account and the first article."""
    return await _show(request, _Asked(request.query.get("account", "")))


async def _sent(request: web.Request, item: Item | None = None) -> tuple[_Asked, str]:
    fields, items = await form(request), await many(request, "item")
    version = fields.get("version", "")
    asked = _Asked(
        fields.get("account", ""),
        items,
        fields.get("title", "")[:300],
        item,
        int(version) if version.isdecimal() and len(version) < 10 else -1,
    )
    return asked, fields.get("act", "")


@needs("items.write")
async def make(request: web.Request) -> web.StreamResponse:
    """A button of the page: one step of the order, or the new edition."""
    asked, act = await _sent(request)
    if act != "make":
        stepped = _Asked(asked.account_id, moved(asked.items, act), asked.title)
        return await _show(request, stepped)
    chosen = Chosen(asked.account_id, asked.items, asked.title)
    queue, me = request.config_dict[DEPS].queue, visitor(request).staff_id
    try:
        row = await make_edition(queue, me, chosen)
    except Refused as refused:
        return await _show(request, asked, refused.reasons, refused.status)
    return see(f"/console/items/{row.id}", "edition_made")


async def _kept(request: web.Request) -> tuple[Item, Draft]:
    """The edition of the address; a page of its own for every other kind of item."""
    async with request.config_dict[DEPS].db.session() as session:
        item = await read_item(session, request.match_info["item"])
        draft = Draft.from_canonical((await latest(session, item)).canonical)
    if not draft.edition:
        raise web.HTTPSeeOther(f"/console/items/{item.id}/edit")
    return item, draft


@needs("items.write")
async def edition(request: web.Request) -> web.StreamResponse:
    """An edition, to take articles in and out and put them in another order."""
    item, draft = await _kept(request)
    items = [one.item for one in draft.edition]
    title = named(draft.title, draft.body)
    return await _show(request, _Asked("".join(draft.accounts), items, title, item, item.version))


@needs("items.write")
async def rearrange(request: web.Request) -> web.StreamResponse:
    """A button of that page: one step of the order, or the new revision."""
    item, draft = await _kept(request)
    sent, act = await _sent(request, item)
    account_id = "".join(draft.accounts)
    items = sent.items if act == "make" else moved(sent.items, act)
    asked = _Asked(account_id, items, sent.title, item, sent.version)
    if act != "make":
        return await _show(request, asked)
    try:
        row = await arrange(*acting(request), sent.version, Chosen("", items, sent.title))
    except Refused as refused:
        return await _show(request, asked, refused.reasons, refused.status)
    return see(f"/console/items/{item.id}", "same" if row.version == sent.version else "arranged")


async def shown_edition(
    session: AsyncSession, draft: Draft, revisions: Sequence[Revision]
) -> Mapping[str, Any] | None:
    """What the page of an edition shows of its articles; None for every other kind of item."""
    if not draft.edition:
        return None
    before = Draft.from_canonical(revisions[-2].canonical).edition if len(revisions) > 1 else ()
    left = await standing_of(session, taken_out(draft.edition, before))
    return {
        "rows": await article_rows(session, draft.edition, before),
        "left": [one.title for one in left.values()],
    }


ROUTES = [
    web.get("/items/editions/new", new),
    web.post("/items/editions/new", make),
    web.get("/items/{item}/edition", edition),
    web.post("/items/{item}/edition", rearrange),
]
