"""Questions that wait for a person, in the JSON API."""

from aiohttp import web
from pydantic import Field

from console.web.deps import DEPS, visitor
from console.web.interface import Strict, as_json, read, takes
from console.web.permissions import needs
from escalations import replying, tickets


class ReplyBody(Strict):
    """A staff answer."""

    text: str = Field(min_length=1)


@needs("tickets.answer")
async def claim_ticket(request: web.Request) -> web.StreamResponse:
    """Take a question."""
    ticket_id = request.match_info["ticket"]
    await tickets.claim(request.config_dict[DEPS].tickets, ticket_id, visitor(request).staff_id)
    return as_json({"id": ticket_id, "state": "claimed"})


@needs("tickets.answer")
@takes(ReplyBody)
async def reply_ticket(request: web.Request) -> web.StreamResponse:
    """Answer a question; `stopped` waits for a second person."""
    body = await read(request, ReplyBody)
    row = await replying.reply(
        request.config_dict[DEPS].tickets,
        request.match_info["ticket"],
        visitor(request).staff_id,
        body.text,
    )
    return as_json({"id": row.id, "state": row.state, "findings": row.findings})


ROUTES = [
    web.post("/escalations/{ticket}/claim", claim_ticket),
    web.post("/escalations/{ticket}/reply", reply_ticket),
]
