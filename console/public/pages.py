"""What anybody may see: a publication's proof (no names); the way in."""

from dataclasses import replace

from aiohttp import web

from bot.models import Account, Publication
from console.public.proof import corrected_by, corrected_one, missing, prove
from console.web.deps import DEPS, found
from console.web.pages import form, page, see
from console.web.permissions import PUBLIC, needs
from review_queue.told import account_named


@needs(PUBLIC)
async def verify(request: web.Request) -> web.StreamResponse:
    """Genuine or not, which levels approved it, whether it still holds. Staff are never named."""
    return await _verify(request, "")


@needs(PUBLIC)
async def compare(request: web.Request) -> web.StreamResponse:
    """The same, and whether a pasted text stands in what was published."""
    return await _verify(request, (await form(request)).get("text", ""))


async def _verify(request: web.Request, pasted: str) -> web.Response:
    deps = request.config_dict[DEPS]
    async with deps.db.session() as session:
        row = found(await session.get(Publication, request.match_info["publication"]), "次发布")
        account = found(await session.get(Account, row.account_id), "次发布")
    # From signed entries alone: the tables are not believed on a page for citizens.
    proof, draft = await prove(deps, row)
    if draft is not None and draft.edition:  # readers saw its articles: each has a page of its own
        found(None, "次发布")
    told, named = proof.told, await account_named(deps.ledger, account)
    if told is not None and not named.name:
        proof, told = replace(proof, problem="账号记录被改动过"), None
    shown = draft if told else None  # what is not out yet is not told
    context = {
        "row": row,
        "title": shown.title if shown else "",
        "name": named.name,
        "platform": named.platform,
        "proof": proof,
        "told": told,
        "corrected": await corrected_one(deps, row, shown),
        "corrections": await corrected_by(deps, row) if told else [],
        "pasted": pasted,
        "missing": missing(shown, pasted) if shown and pasted else [],
        "digest_rows": [row.digest[at : at + 16] for at in range(0, 64, 16)],
        "person": None,  # the same page for everybody
    }
    return page(request, "public/page.html", context)


@needs(PUBLIC)
async def front_door(request: web.Request) -> web.StreamResponse:
    """The bare address leads to the console."""
    return see("/console/")


ROUTES = [web.get("/{publication}", verify), web.post("/{publication}", compare)]
FRONT = [web.get("/", front_door)]
