"""What is done with a question beside answering it: passed on, noted, taken up again, 12345."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.models import Account
from config.clock import now
from console.tickets.pages import show, whole
from console.tickets.talk import talk_of
from console.web.deps import DEPS, visitor
from console.web.pages import form, page, see
from console.web.permissions import needs
from escalations.calling_back import read_number
from escalations.merging import merge, said_in
from escalations.notes import add_note
from escalations.passing import hand_over, reopen, transfer
from escalations.tickets import short
from knowledge.proof import whole_clauses
from staff.people import names
from staff.refusal import Refused


async def _act(
    request: web.Request, act: Callable[[], Awaitable[object]], done: str
) -> web.StreamResponse:
    """Do it and go back to the question; refused, the page says why and keeps what was typed."""
    try:
        await act()
    except Refused as refused:
        if refused.status == 404:
            raise
        return await show(request, refused)
    return see(f"/console/tickets/{request.match_info['ticket']}", done)


@needs("tickets.answer")
async def pass_on(request: web.Request) -> web.StreamResponse:
    """Give a question to a colleague, who is called at once."""
    wiring, ticket_id = request.config_dict[DEPS].tickets, request.match_info["ticket"]
    to, me = (await form(request)).get("to", ""), visitor(request).staff_id
    return await _act(request, lambda: transfer(wiring, ticket_id, me, to), "ticket_passed")


@needs("tickets.answer")
async def take_note(request: web.Request) -> web.StreamResponse:
    """Keep a note for colleagues."""
    wiring, ticket_id = request.config_dict[DEPS].tickets, request.match_info["ticket"]
    text, me = (await form(request)).get("note", ""), visitor(request).staff_id
    return await _act(request, lambda: add_note(wiring, ticket_id, me, text), "ticket_noted")


@needs("tickets.answer")
async def open_again(request: web.Request) -> web.StreamResponse:
    """Take up again a question that was answered or ended."""
    wiring, ticket_id = request.config_dict[DEPS].tickets, request.match_info["ticket"]
    me = visitor(request).staff_id
    return await _act(request, lambda: reopen(wiring, ticket_id, me), "ticket_reopened")


@needs("tickets.answer")
async def take_together(request: web.Request) -> web.StreamResponse:
    """Two questions of one citizen as one; the page of the one that goes on."""
    wiring, fields = request.config_dict[DEPS].tickets, await form(request)
    ticket_id, me = request.match_info["ticket"], visitor(request).staff_id
    try:
        kept = await merge(wiring, ticket_id, me, fields.get("other", ""))
    except Refused as refused:
        if refused.status == 404:
            raise
        return await show(request, refused)
    return see(f"/console/tickets/{kept.id}", "ticket_merged")


@needs("tickets.answer")
async def to_hotline(request: web.Request) -> web.StreamResponse:
    """End it here because 12345 has it; the citizen is told."""
    wiring, ticket_id = request.config_dict[DEPS].tickets, request.match_info["ticket"]
    number, me = (await form(request)).get("number", ""), visitor(request).staff_id
    return await _act(request, lambda: hand_over(wiring, ticket_id, me, number), "ticket_handed")


@needs("tickets.answer")
async def number(request: web.Request) -> web.StreamResponse:
    """The number left for a call back, once and signed."""
    wiring, ticket_id = request.config_dict[DEPS].tickets, request.match_info["ticket"]
    try:
        found = await read_number(wiring, ticket_id, visitor(request).staff_id)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await show(request, refused)
    return page(
        request, "tickets/number.html", {"place": "tickets", "ticket": ticket_id, "number": found}
    )


@needs("tickets.read")
async def sheet(request: web.Request) -> web.StreamResponse:
    """The question on one page of paper, as 12345 or a department takes it over."""
    deps, ticket_id = request.config_dict[DEPS], request.match_info["ticket"]
    row, others, sent = await whole(deps, ticket_id)
    async with deps.db.session() as session:
        context = {
            "place": "tickets",
            "row": row,
            "number": "、".join(short(one) for one in (row, *others.merged)),
            "account": await session.get(Account, row.account_id),
            "added": await said_in(session, others),
            "talk": await talk_of(deps.recall, session, row, sent),
            "people": await names(session, {one.staff_id for one in sent} | {row.claimed_by or ""}),
            "facets": deps.facets,
            "now": now(),
        }
    ids = {str(one.get("clause_id", "")) for one in row.candidates if isinstance(one, dict)}
    context["clauses"] = list((await whole_clauses(deps.ledger, ids)).values())
    return page(request, "tickets/sheet.html", context)


ROUTES = [
    web.post("/tickets/{ticket}/transfer", pass_on),
    web.post("/tickets/{ticket}/note", take_note),
    web.post("/tickets/{ticket}/reopen", open_again),
    web.post("/tickets/{ticket}/merge", take_together),
    web.post("/tickets/{ticket}/hotline", to_hotline),
    web.post("/tickets/{ticket}/number", number),
    web.get("/tickets/{ticket}/sheet", sheet),
]
