"""The duty desk as it fills: new questions and what citizens add, without a reload."""

import hashlib
import json

from aiohttp import web
from sqlalchemy import func, select

from console.tickets.pages import conversation_of, desk
from console.web.deps import DEPS, found
from console.web.pages import fragment
from console.web.permissions import needs
from console.web.streams import stream
from escalations.models import Ticket, TicketMessage

ACTION = "tickets.read"
_SEEN = web.RequestKey("seen", str)


@needs(ACTION)
async def live_desk(request: web.Request) -> web.StreamResponse:
    """Who waits, again whenever it is another list; `newest` grows when somebody wrote."""
    return await stream(request, ACTION, _desk)


@needs(ACTION)
async def live_ticket(request: web.Request) -> web.StreamResponse:
    """One conversation, again whenever there is more of it."""
    async with request.config_dict[DEPS].db.session() as session:
        found(await session.get(Ticket, request.match_info["ticket"]), "个问题")
    return await stream(request, ACTION, _ticket)


async def _desk(request: web.Request) -> bytes:
    html = fragment(request, "tickets/waiting.html", await desk(request))
    async with request.config_dict[DEPS].db.session() as session:
        asked = await session.scalar(select(func.max(Ticket.id)))
        added = await session.scalar(select(func.max(TicketMessage.id)))
    return _event(request, html, max(asked or "", added or ""))


async def _ticket(request: web.Request) -> bytes:
    ticket_id = request.match_info["ticket"]
    html = fragment(request, "tickets/talk.html", await conversation_of(request))
    async with request.config_dict[DEPS].db.session() as session:
        mine = select(func.max(TicketMessage.id)).where(TicketMessage.ticket_id == ticket_id)
        added = await session.scalar(mine)
    return _event(request, html, added or "")


def _event(request: web.Request, html: str, newest: str) -> bytes:
    """What is shown, where it is not what was sent last."""
    seen = hashlib.sha256(html.encode()).hexdigest()
    if request.get(_SEEN) == seen:
        return b""
    request[_SEEN] = seen
    said = json.dumps({"html": html, "newest": newest}, ensure_ascii=False)
    return f"event: desk\ndata: {said}\n\n".encode()


ROUTES = [
    web.get("/tickets/live", live_desk),
    web.get("/tickets/{ticket}/live", live_ticket),
]
