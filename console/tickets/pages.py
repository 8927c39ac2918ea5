"""值班: who waits for an answer, the conversation, the clauses found, the reply."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from sqlalchemy import select

from bot.contract import Content
from bot.delivery.routes import Route
from bot.models import Account
from config.clock import beijing, now
from console.tickets.talk import ROBOT, talk_of
from console.web.deps import DEPS, Deps, found, visitor
from console.web.pages import form, page, see
from console.web.permissions import needs
from escalations import planning, replying
from escalations.dropping import drop
from escalations.lateness import CALLED
from escalations.merging import Beside, beside, said_in
from escalations.models import Ticket, TicketReply
from escalations.notes import notes_of
from escalations.outcomes import Came, replies_of
from escalations.paging import PAGED, REASON, paging_at
from escalations.passing import colleagues
from escalations.ratings import LOW, STARS, ratings
from escalations.tickets import OPEN
from escalations.tickets import claim as claim_ticket
from escalations.tickets import close as close_ticket
from knowledge.proof import SignedPolicy, whole_clauses
from ledger.append import Ledger
from ledger.following import FRESH
from ledger.verify import Broken
from review_queue import drafting
from review_queue.canonical import QA
from review_queue.drafting import Origin
from review_queue.models import Item
from review_queue.shelf import ShelfEntry
from staff.people import names
from staff.refusal import Refused

_SHOWN = 100
_OFFERED = 5  # clauses beside a question
_CANNED = 30
_ASKED = 2  # of what was added to it, the last ones are looked up too


@needs("tickets.read")
async def tickets(request: web.Request) -> web.StreamResponse:
    """Whoever is in danger, waiting questions by due time, who to call back, the answered ones."""
    return page(request, "tickets/list.html", await desk(request))


async def desk(request: web.Request) -> dict[str, object]:
    """What the desk shows."""
    deps = request.config_dict[DEPS]
    rated = (await ratings(deps.tickets)).rated
    bad = [key for key, one in rated.items() if one.stars <= LOW][-_SHOWN:]
    async with deps.db.session() as session:
        waiting = select(Ticket).where(Ticket.state.in_((*OPEN, "replied")))
        waiting = waiting.order_by(Ticket.reason != REASON, Ticket.due_at)
        done = select(Ticket).where(Ticket.state.in_(("answered", "closed")))
        # However many were answered since: somebody calls back, and then ends the question.
        bad_ones = select(Ticket).where(Ticket.id.in_(bad), Ticket.state == "answered")
        rows = (await session.scalars(waiting.limit(_SHOWN))).all()
        return {
            "place": "tickets",
            "rows": rows,
            "bad_rows": (await session.scalars(bad_ones.order_by(Ticket.answered_at))).all(),
            "done_rows": (
                await session.scalars(done.order_by(Ticket.created_at.desc()).limit(30))
            ).all(),
            "accounts": {row.id: row for row in (await session.scalars(select(Account))).all()},
            "people": await names(session, {row.claimed_by or "system" for row in rows}),
            "facets": deps.facets,
            "rated": rated,
            "stars": STARS,
        }


async def conversation_of(request: web.Request) -> dict[str, object]:
    """One conversation, as a part of its page shows it."""
    deps, ticket_id = request.config_dict[DEPS], request.match_info["ticket"]
    row, _, sent = await whole(deps, ticket_id)
    async with deps.db.session() as session:
        ids = {row.claimed_by or "system"} | {one.staff_id for one in sent}
        return {
            "row": row,
            "talk": await talk_of(deps.recall, session, row, sent),
            "robot": ROBOT,
            "people": await names(session, ids),
        }


async def whole(deps: Deps, ticket_id: str) -> tuple[Ticket, Beside, Sequence[TicketReply]]:
    """A question, what belongs to it, and the answers of all of it."""
    sent = [*await replies_of(deps.tickets, ticket_id)]
    async with deps.db.session() as session:
        row = found(await session.get(Ticket, ticket_id), "个问题")
        others = await beside(session, row)
    for one in others.merged:
        sent += await replies_of(deps.tickets, one.id)
    return row, others, sent


async def show(
    request: web.Request, refused: Refused | None = None, typed: str = ""
) -> web.Response:
    deps = request.config_dict[DEPS]
    row, others, sent = await whole(deps, request.match_info["ticket"])
    async with deps.db.session() as session:
        mine = [one for one in sent if one.ticket_id == row.id]
        waiting = [one for one in mine if one.state == "stopped" and row.state in OPEN]
        wanted = request.query.get("edit") or (await form(request)).get("instead", "")
        editing = next((one for one in waiting if one.id == wanted), None)
        account = await session.get(Account, row.account_id)
        asked = [row.question, *(await said_in(session, others))[-_ASKED:]]
        called = await _called(deps.ledger, row.id)
        route = await replying.way(deps.tickets, session, row)
        notes = await notes_of(session, others.ids)
        ids = {row.claimed_by or "system"} | {one.staff_id for one in sent}
        ids |= {one.staff_id for one in called} | {one.staff_id for one in notes}
        context = {
            "place": "tickets",
            "row": row,
            "account": account,
            "talk": await talk_of(deps.recall, session, row, sent),
            "robot": ROBOT,
            "stopped": waiting,
            "editing": editing.id if editing else "",
            "people": await names(session, ids),
            "notes": notes,
            "others": others,
            "colleagues": await colleagues(session, visitor(request).staff_id),
            "reviewed": (await deps.recall.reviewed(asked))[:_OFFERED],
            "canned": await _canned(deps),
            "candidates": await _candidates(deps, row, asked),
            "called": called,
            "danger": await _in_danger(deps.ledger, row.id),
            "route": route,
            "morning": _morning(deps, row, route),
            "planned": [one for one in mine if one.state == Came.PLANNED],
            "rated": (await ratings(deps.tickets)).rated.get(row.id),
            "stars": STARS,
            "facets": deps.facets,
            "typed": typed or (editing.text if editing else ""),
            "reasons": refused.reasons if refused else (),
        }
    return page(request, "tickets/page.html", context, refused.status if refused else 200)


@dataclass(frozen=True)
class Called:
    """Who was called for a question, when, and by which kind of way it reached them.

    `route` is "" when none did, and None where an earlier version signed no outcome.
    """

    staff_id: str
    at: datetime
    route: str | None


async def _called(ledger: Ledger, ticket_id: str) -> list[Called]:
    """By the signed entries: the row's own list is for the ladder."""
    try:
        entries = await ledger.facts(f"ticket:{ticket_id}", age=FRESH)
    except Broken:
        return []
    return [
        Called(str(one.body["to"]), datetime.fromisoformat(one.at), one.body.get("route"))
        for one in entries
        if one.kind in (CALLED, PAGED) and one.body["to"]
    ]


async def _canned(deps: Deps) -> list[ShelfEntry]:
    """Reviewed answers in use that rest on no clause: they are for people alone, ready to be put
    into a reply. What has not passed review stands on no shelf.
    """
    shelf = deps.queue.library.get(QA)
    rows = [one for one in await shelf.entries() if one.state == "in_use"] if shelf else []
    return sorted((one for one in rows if not one.rests), key=lambda one: one.label)[:_CANNED]


def _morning(deps: Deps, row: Ticket, route: Route) -> datetime | None:
    """When an answer written now may go out instead; None for somebody in danger, too."""
    return None if row.reason == REASON else planning.planned_for(deps.tickets.hours, route)


async def _in_danger(ledger: Ledger, ticket_id: str) -> bool:
    """Whether people are still being called for it, by the signed entries."""
    try:
        return paging_at(await ledger.facts(f"ticket:{ticket_id}", age=FRESH)) is not None
    except Broken:
        return True


async def _candidates(
    deps: Deps, row: Ticket, asked: Sequence[str]
) -> list[tuple[Mapping[str, str], SignedPolicy]]:
    """Clauses that came near the question, where the signed library holds the very words today.

    Those the citizen was offered, then what the library finds now, also for what was added since.
    They can be put into a reply with one click: what somebody wrote into the ticket or a clause
    past this program is not offered.
    """
    kept = [one for one in row.candidates if isinstance(one, dict)]
    known = {str(one.get("clause_id", "")) for one in kept}
    live = await deps.recall.near(asked) if row.state in (*OPEN, "replied") else ()
    held = [*kept, *(one for one in live if one["clause_id"] not in known)][:_OFFERED]
    try:
        whole = await whole_clauses(deps.ledger, {str(one.get("clause_id", "")) for one in held})
    except Broken:
        return []
    today = beijing(now()).date()
    proved = [(one, whole.get(str(one.get("clause_id", "")))) for one in held]
    return [
        (one, clause.policy)
        for one, clause in proved
        if clause is not None and str(one.get("text", "")) in clause.text and clause.citable(today)
    ]


@needs("tickets.read")
async def ticket(request: web.Request) -> web.StreamResponse:
    """One question: conversation, candidate clauses, reply."""
    return await show(request)


@needs("tickets.answer")
async def claim(request: web.Request) -> web.StreamResponse:
    """Take a question."""
    ticket_id, typed = request.match_info["ticket"], (await form(request)).get("text", "")
    try:
        await claim_ticket(request.config_dict[DEPS].tickets, ticket_id, visitor(request).staff_id)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await show(request, refused, typed)
    if typed.strip():
        # Whoever wrote first and took the question then finds their words where they were.
        return await show(request, typed=typed)
    return see(f"/console/tickets/{ticket_id}", "ticket_claimed", "#reply")


@needs("tickets.answer")
async def reply(request: web.Request) -> web.StreamResponse:
    """Answer a question, let a stopped answer go out as the second person, or throw it away."""
    deps: Deps = request.config_dict[DEPS]
    ticket_id, fields = request.match_info["ticket"], await form(request)
    me = visitor(request).staff_id
    try:
        if fields.get("drop"):
            await drop(deps.tickets, fields["drop"], me)
            return see(f"/console/tickets/{ticket_id}", "ticket_dropped")
        if fields.get("unplan"):
            words = await planning.unplan(deps.tickets, fields["unplan"], me)
            return await show(request, typed=words)
        row = await _let_go(deps, ticket_id, me, fields)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await show(request, refused, fields.get("text", ""))
    return see(f"/console/tickets/{ticket_id}", f"ticket_{row.state}")


async def _let_go(deps: Deps, ticket_id: str, me: str, fields: Mapping[str, str]) -> TicketReply:
    """What the form asks for: a stopped answer, a planned one now, or words of one's own."""
    if fields.get("reply"):
        return await replying.approve_reply(deps.tickets, fields["reply"], me)
    if fields.get("now"):
        return await planning.send_planned(deps.tickets, fields["now"], me)
    write = replying.plan if fields.get("when") == "morning" else replying.reply
    return await write(
        deps.tickets, ticket_id, me, fields.get("text", ""), fields.get("instead", "")
    )


@needs("tickets.answer")
async def close(request: web.Request) -> web.StreamResponse:
    """End a question, or offer its answer as a draft Q&A entry for review."""
    deps: Deps = request.config_dict[DEPS]
    ticket_id, me = request.match_info["ticket"], visitor(request).staff_id
    try:
        if (await form(request)).get("promote"):
            await replying.promote(deps.tickets, ticket_id, me, _as_item(deps))
            return see(f"/console/tickets/{ticket_id}", "ticket_promoted")
        await close_ticket(deps.tickets, ticket_id, me)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await show(request, refused)
    return see("/console/tickets", "ticket_closed")


def _as_item(deps: Deps) -> Callable[[Content, Origin], Awaitable[Item]]:
    async def create(content: Content, origin: Origin) -> Item:
        return await drafting.create_item(deps.queue, content, origin)

    return create


ROUTES = [
    web.get("/tickets", tickets),
    web.get("/tickets/{ticket}", ticket),
    web.post("/tickets/{ticket}/claim", claim),
    web.post("/tickets/{ticket}/reply", reply),
    web.post("/tickets/{ticket}/close", close),
]
