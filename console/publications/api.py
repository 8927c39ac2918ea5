"""A publication and its outcome, in the JSON API."""

from dataclasses import asdict
from functools import partial

from aiohttp import web

from bot.delivery.confirming import waiting_for
from bot.delivery.settling import settle_publication
from bot.models import Account, Publication
from console.web.deps import DEPS, found, visitor
from console.web.interface import Strict, as_json, picked, read, takes
from console.web.permissions import needs
from review_queue import publishing


class SettleBody(Strict):
    """Whether a person saw the publication on the platform."""

    sent: bool


@needs("publications.read")
async def publication(request: web.Request) -> web.StreamResponse:
    """One publication and its outcome."""
    async with request.config_dict[DEPS].db.session() as session:
        row = found(await session.get(Publication, request.match_info["publication"]), "次发布")
        account = await session.get(Account, row.account_id)
    asked = waiting_for(row, account.platform, account.settings) if account else None
    times = {name: getattr(row, name) for name in ("due_at", "next_at", "published_at")}
    names = ("id", "item_id", "account_id", "digest", "state", "ref", "url", "reason")
    return as_json(picked(row, names) | times | {"confirmation": asdict(asked) if asked else None})


@needs("publications.settle")
@takes(SettleBody)
async def settle(request: web.Request) -> web.StreamResponse:
    """What a person saw on the platform for an unknown outcome."""
    body = await read(request, SettleBody)
    deps = request.config_dict[DEPS]
    await settle_publication(
        deps.ledger,
        request.match_info["publication"],
        visitor(request).staff_id,
        "yes" if body.sent else "no",
        on_publication=partial(publishing.note_publication, deps.queue),
    )
    # Read again: delivery may have taken it up by now.
    return await publication(request)


ROUTES = [
    web.get("/publications/{publication}", publication),
    web.post("/publications/{publication}/settle", settle),
]
