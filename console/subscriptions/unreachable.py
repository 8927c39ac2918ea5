"""送不到的人: counts by reason, and each with since when and what restores it; nobody is named."""

from dataclasses import dataclass

from aiohttp import web
from sqlalchemy import select

from bot.models import Account
from bot.unreachable import KIND_WORDS, MOST, SCOPE_WORDS, Cause, Person, causes, people
from console.web.deps import DEPS
from console.web.pages import page
from console.web.permissions import needs


@dataclass(frozen=True)
class Out:
    """Who is out of reach: by reason, and the people of the reason that was asked for."""

    causes: list[Cause]
    people: list[Person]
    accounts: dict[str, Account]
    chosen: Cause | None


async def out_of_reach(request: web.Request) -> Out:
    """All reasons; people of the one that the address names (scope, why, code), else of all."""
    asked = tuple(request.query.get(name, "") for name in ("scope", "why", "code"))
    async with request.config_dict[DEPS].db.session() as session:
        found = await causes(session)
        meant = [one for one in found if (one.scope, one.why, one.code) == asked]
        listed = [one for cause in meant or found for one in await people(session, cause)]
        accounts = {row.id: row for row in (await session.scalars(select(Account))).all()}
    dated = [one for one in listed if one.cause.since is not None]
    rest = [one for one in listed if one.cause.since is None]
    dated.sort(key=lambda one: str(one.cause.since), reverse=True)
    return Out(found, [*dated, *rest][:MOST], accounts, meant[0] if meant else None)


@needs("subscriptions.read")
async def unreachable(request: web.Request) -> web.StreamResponse:
    """Who cannot be reached, by reason."""
    out = await out_of_reach(request)
    context = {
        "place": "subscriptions",
        "out": out,
        "most": MOST,
        "scopes": SCOPE_WORDS,
        "kinds": KIND_WORDS,
    }
    return page(request, "subscriptions/unreachable.html", context)


ROUTES = [web.get("/subscriptions/unreachable", unreachable)]
