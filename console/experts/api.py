"""Questions to a department and their answers, in the JSON API."""

from collections.abc import Sequence

from aiohttp import web
from pydantic import Field

from console.experts.pages import address_of
from console.web.deps import DEPS, found, visitor
from console.web.interface import Strict, as_json, picked, read, takes
from console.web.permissions import needs
from review_queue.expert_models import ExpertLink
from review_queue.experts import Experts, Question, latest_of, links_of, state_of
from review_queue.models import Item


class ExpertBody(Strict):
    """A question to a department."""

    organisation: str = Field(min_length=2, max_length=120)
    question: str = Field(min_length=2, max_length=1000)
    days: int = Field(default=5, ge=1, le=30)


def _links(links: Sequence[ExpertLink], digest: str) -> list[dict[str, object]]:
    names = ("id", "organisation", "question", "digest", "verdict", "name", "text")
    moments = ("asked_at", "expires_at", "answered_at", "withdrawn_at")
    return [picked(link, (*names, *moments)) | {"words": state_of(link, digest)} for link in links]


@needs("items.read")
async def expert_links(request: web.Request) -> web.StreamResponse:
    """Every question about an item and its answer."""
    async with request.config_dict[DEPS].db.session() as session:
        item = found(await session.get(Item, request.match_info["item"]), "篇稿件")
        digest = (await latest_of(session, item.id)).digest
        return as_json({"experts": _links(await links_of(session, item.id), digest)})


@needs("experts.ask")
@takes(ExpertBody)
async def ask_expert(request: web.Request) -> web.StreamResponse:
    """Make a one-time link; its address is told only now."""
    body = await read(request, ExpertBody)
    question = Question(body.organisation, body.question, body.days)
    link, token = await Experts(request.config_dict[DEPS].ledger).ask(
        request.match_info["item"], visitor(request).staff_id, question
    )
    told = {"id": link.id, "url": address_of(request, token), "expires_at": link.expires_at}
    return as_json(told, 201)


ROUTES = [
    web.get("/items/{item}/experts", expert_links),
    web.post("/items/{item}/experts", ask_expert),
]
