"""请部门核对: what staff asked which department, and a new one-time link."""

from aiohttp import web

from console.web.deps import DEPS, found, visitor
from console.web.pages import form, page, see
from console.web.permissions import needs
from review_queue.experts import Experts, Question, latest_of, links_of, state_of
from review_queue.models import Item
from staff.people import names
from staff.refusal import Refused


def address_of(request: web.Request, token: str) -> str:
    """Where a department opens its link."""
    return f"{request.config_dict[DEPS].settings.public_url}/expert/{token}"


async def _page(
    request: web.Request, refused: Refused | None = None, address: str = ""
) -> web.Response:
    deps, item_id = request.config_dict[DEPS], request.match_info["item"]
    fields = await form(request) if refused else {}
    async with deps.db.session() as session:
        item = found(await session.get(Item, item_id), "篇稿件")
        digest = (await latest_of(session, item.id)).digest
        links = await links_of(session, item_id)
        people = await names(session, {link.asked_by for link in links})
    context = {
        "place": "items",
        "item": item,
        "links": [(link, state_of(link, digest)) for link in links],
        "people": people,
        "address": address,
        "fields": fields,
        "reasons": refused.reasons if refused else (),
    }
    return page(request, "experts/page.html", context, refused.status if refused else 200)


@needs("items.read")
async def questions(request: web.Request) -> web.StreamResponse:
    """Every question about one item, with what was answered."""
    return await _page(request)


@needs("experts.ask")
async def ask(request: web.Request) -> web.StreamResponse:
    """Make a link and show its address, once."""
    # 0 days is refused below with its reason, like every number that makes no sense.
    fields, days = await form(request), 0
    if fields.get("days", "").isdigit():
        days = int(fields["days"])
    question = Question(fields.get("organisation", ""), fields.get("question", ""), days)
    experts = Experts(request.config_dict[DEPS].ledger)
    try:
        _, token = await experts.ask(
            request.match_info["item"], visitor(request).staff_id, question
        )
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _page(request, refused)
    return await _page(request, address=address_of(request, token))


@needs("experts.ask")
async def withdraw(request: web.Request) -> web.StreamResponse:
    """Close a link nobody has answered."""
    experts = Experts(request.config_dict[DEPS].ledger)
    try:
        await experts.withdraw(request.match_info["link"], visitor(request).staff_id)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _page(request, refused)
    return see(f"/console/items/{request.match_info['item']}/experts", "expert_withdrawn")


ROUTES = [
    web.get("/items/{item}/experts", questions),
    web.post("/items/{item}/experts", ask),
    web.post("/items/{item}/experts/{link}/withdraw", withdraw),
]
