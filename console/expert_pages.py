"""请部门核对: staff ask an expert by a one-time link, who answers without an account."""

from collections.abc import Sequence

from aiohttp import web
from pydantic import Field

from console.items.marks import paragraphs
from console.web.deps import DEPS, found, visitor
from console.web.guard import same_origin
from console.web.interface import Strict, as_json, read, takes
from console.web.pages import form, page, see
from console.web.permissions import PUBLIC, needs
from review_queue import referrals
from review_queue.canonical import Draft
from review_queue.expert_models import ExpertLink
from review_queue.experts import Experts, Opened, Opinion, Question, latest_of, links_of, state_of
from review_queue.models import Item
from staff.people import names
from staff.refusal import Reason, Refused
from storage.media import load


def _address(request: web.Request, token: str) -> str:
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
    return page(request, "experts.html", context, refused.status if refused else 200)


@needs("items.read")
async def questions(request: web.Request) -> web.StreamResponse:
    """Every question about one item, with what was answered."""
    return await _page(request)


@needs("experts.ask")
async def ask(request: web.Request) -> web.StreamResponse:
    """Make a link and show its address, once."""
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
    return await _page(request, address=_address(request, token))


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


# --- the expert's side, without an account ------------------------------------------------------


def _expert_page(
    request: web.Request, opened: Opened, refused: Refused | None = None, typed: object = None
) -> web.Response:
    draft = Draft.from_canonical(opened.canonical)
    context = {
        "person": None,  # the same page for everybody
        "link": opened.link,
        "draft": draft,
        "paragraphs": paragraphs(draft.body, ()),
        "base": request.path.rstrip("/"),
        "typed": typed or {},
        "reasons": refused.reasons if refused else (),
    }
    return page(request, "expert.html", context, refused.status if refused else 200)


@needs(PUBLIC)
async def look(request: web.Request) -> web.StreamResponse:
    """The text as it stands, and the form; a link that is over says why."""
    experts = Experts(request.config_dict[DEPS].ledger)
    return _expert_page(request, await experts.look(request.match_info["token"]))


@needs(PUBLIC)
async def give_opinion(request: web.Request) -> web.StreamResponse:
    """Take the one answer. The address itself is the key; the form must be of this page."""
    if not same_origin(request):
        raise Refused(403, [Reason("origin", "表单不是从本站页面提交的，已拒绝：请打开链接填写")])
    fields, token = await form(request), request.match_info["token"]
    experts = Experts(request.config_dict[DEPS].ledger)
    opinion = Opinion(
        digest=fields.get("digest", ""),
        verdict="problem" if fields.get("verdict") == "problem" else "agree",
        name=fields.get("name", ""),
        text=fields.get("text", ""),
    )
    try:
        if fields.get("verdict") not in ("agree", "problem"):
            raise Refused(422, [Reason("verdict", "请选择“没有问题”或“有问题”")])
        link = await experts.answer(token, opinion)
        await referrals.hear_expert(request.config_dict[DEPS].queue, link)
    except Refused as refused:
        if refused.status != 422:
            raise
        return _expert_page(request, await experts.look(token), refused, fields)
    return page(request, "expert_done.html", {"person": None, "link": link})


@needs(PUBLIC)
async def attachment(request: web.Request) -> web.StreamResponse:
    """A picture or attachment of the text the link is about, and nothing else."""
    deps = request.config_dict[DEPS]
    opened = await Experts(deps.ledger).look(request.match_info["token"])
    name = f"sha256:{request.match_info['sha256']}"
    if name not in opened.canonical:
        raise Refused(404, [Reason("media", "这份文稿里没有这个文件")])
    async with deps.db.session() as session:
        body, mime = found(await load(session, name), "个文件")
    shown = mime if mime.startswith("image/") and mime != "image/svg+xml" else ""
    headers = {"Content-Security-Policy": "default-src 'none'; sandbox"}
    if not shown:
        headers["Content-Disposition"] = "attachment"
    mime = shown or "application/octet-stream"
    return web.Response(body=body, content_type=mime, headers=headers)


# --- the same by API ----------------------------------------------------------------------------


class ExpertBody(Strict):
    """A question to a department."""

    organisation: str = Field(min_length=2, max_length=120)
    question: str = Field(min_length=2, max_length=1000)
    days: int = Field(default=5, ge=1, le=30)


def _links(links: Sequence[ExpertLink], digest: str) -> list[dict[str, object]]:
    names = ("id", "organisation", "question", "digest", "verdict", "name", "text")
    moments = ("asked_at", "expires_at", "answered_at", "withdrawn_at")
    return [
        {name: getattr(link, name) for name in (*names, *moments)}
        | {"words": state_of(link, digest)}
        for link in links
    ]


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
    told = {"id": link.id, "url": _address(request, token), "expires_at": link.expires_at}
    return as_json(told, 201)


ROUTES = [
    web.get("/items/{item}/experts", questions),
    web.post("/items/{item}/experts", ask),
    web.post("/items/{item}/experts/{link}/withdraw", withdraw),
]
PUBLIC_ROUTES = [
    web.get("/{token}", look),
    web.post("/{token}", give_opinion),
    web.get("/{token}/media/{sha256:[0-9a-f]{64}}", attachment),
]
API_ROUTES = [
    web.get("/items/{item}/experts", expert_links),
    web.post("/items/{item}/experts", ask_expert),
]
