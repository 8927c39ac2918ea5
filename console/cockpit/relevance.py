"""Which posts of one account concern its body's own work, each with why, and reviewers' marks."""

from collections.abc import Sequence

from aiohttp import web
from pydantic import Field

from bot.models import Account
from config.clock import now
from console.cockpit.pages import account_of
from console.web.deps import DEPS, found, visitor
from console.web.interface import Strict, as_json, read, takes
from console.web.pages import form, page, see
from console.web.permissions import needs
from facets.remit import Concern
from review_queue.concern import mark_concern
from staff.refusal import missing
from supervision.cockpit import SPAN, Standing
from supervision.relevance import Post, posts_of

A_PAGE = 50


async def _posts(request: web.Request) -> tuple[Standing, Account, Sequence[Post]]:
    """An account this person looks after, and its posts of the last weeks, those asked for."""
    deps, slug = request.config_dict[DEPS], request.match_info["account"]
    _, one = await account_of(deps, slug, visitor(request))
    async with deps.db.session() as session:
        row = found(await session.get(Account, one.id), "个账号")
    posts = await deps.db.read(lambda session: posts_of(session, row, now() - SPAN))
    asked = request.query.get("as", "")
    return one, row, [it for it in posts if asked not in set(Concern) or it.concern == asked]


@needs("cockpit.read")
async def posts(request: web.Request) -> web.StreamResponse:
    """Each post, whether it is of the body's own work, and why; those asked for with `as`."""
    one, row, lines = await _posts(request)
    asked, number = request.query.get("as", ""), request.query.get("page", "1")
    at = max(1, int(number)) if number.isdecimal() and len(number) < 6 else 1
    context = {
        "place": "cockpit",
        "one": one,
        "settings": row.settings,
        "lines": lines[(at - 1) * A_PAGE : at * A_PAGE],
        "asked": asked if asked in set(Concern) else "",
        "number": at,
        "more": at * A_PAGE < len(lines),
        "taxonomy": request.config_dict[DEPS].taxonomy.itself,
    }
    return page(request, "cockpit/relevance.html", context)


@needs("concern.mark")
async def mark(request: web.Request) -> web.StreamResponse:
    """Say of one post that it is, or is not, of the body's own work."""
    deps, slug = request.config_dict[DEPS], request.match_info["account"]
    said, item = (await form(request)).get("mark", ""), request.match_info["item"]
    await _must_post(request, item)
    await mark_concern(deps.ledger, item, visitor(request).staff_id, said)
    return see(f"/console/cockpit/{slug}/relevance", "concern_marked")


async def _must_post(request: web.Request, item: str) -> None:
    """Refused 404 for what this account did not publish lately."""
    _, _, lines = await _posts(request)
    if item not in {one.item for one in lines}:
        raise missing("篇发布")


class MarkBody(Strict):
    """What a reviewer says of a post."""

    mark: str = Field(pattern="^(ours|other)$")


@needs("cockpit.read")
async def posts_json(request: web.Request) -> web.StreamResponse:
    """Posts of the last thirteen weeks, whether each is of the body's own work, and why."""
    _, _, lines = await _posts(request)
    rows = [
        {
            **{"publication": one.id, "item": one.item, "title": one.title, "kind": one.kind},
            **{"at": one.at, "topics": one.topics, "concern": one.concern, "ground": one.ground},
        }
        for one in lines
    ]
    return as_json({"posts": rows})


@needs("concern.mark")
@takes(MarkBody)
async def mark_json(request: web.Request) -> web.StreamResponse:
    """Say of one post that it is, or is not, of the body's own work; the last mark stands."""
    body, item = await read(request, MarkBody), request.match_info["item"]
    await _must_post(request, item)
    deps = request.config_dict[DEPS]
    row = await mark_concern(deps.ledger, item, visitor(request).staff_id, body.mark)
    return as_json({"item": row.id, "mark": row.concern})


ROUTES = [
    web.get("/cockpit/{account}/relevance", posts),
    web.post("/cockpit/{account}/relevance/{item}", mark),
]
API = [
    web.get("/cockpit/{account}/relevance", posts_json),
    web.post("/cockpit/{account}/relevance/{item}", mark_json),
]
