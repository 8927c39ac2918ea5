"""Questions that wait for a person, in the JSON API."""

from dataclasses import asdict

from aiohttp import web
from pydantic import Field

from console.tickets.pages import whole
from console.tickets.talk import talk_of
from console.web.deps import DEPS, visitor
from console.web.interface import Strict, as_json, read, takes
from console.web.permissions import needs
from escalations import planning, replying, tickets
from escalations.dropping import NEVER_SENT, drop
from escalations.models import TicketReply


class ReplyBody(Strict):
    """A staff answer."""

    text: str = Field(min_length=1)
    instead: str = Field(default="", description="the stopped answer it is written in place of")
    morning: bool = Field(default=False, description="to go out when people next begin to work")


@needs("tickets.answer")
async def claim_ticket(request: web.Request) -> web.StreamResponse:
    """Take a question."""
    ticket_id = request.match_info["ticket"]
    await tickets.claim(request.config_dict[DEPS].tickets, ticket_id, visitor(request).staff_id)
    return as_json({"id": ticket_id, "state": "claimed"})


@needs("tickets.answer")
@takes(ReplyBody)
async def reply_ticket(request: web.Request) -> web.StreamResponse:
    """Answer a question; `stopped` waits for a second person, `held` for the citizen's next act,
    `planned` for the morning.
    """
    body = await read(request, ReplyBody)
    write = replying.plan if body.morning else replying.reply
    row = await write(
        request.config_dict[DEPS].tickets,
        request.match_info["ticket"],
        visitor(request).staff_id,
        body.text,
        body.instead,
    )
    return as_json({**_told(row), "findings": row.findings})


@needs("tickets.answer")
async def drop_reply(request: web.Request) -> web.StreamResponse:
    """Throw away an answer that the gates stopped; its writer may, and who holds the question."""
    wiring, reply_id = request.config_dict[DEPS].tickets, request.match_info["reply"]
    await drop(wiring, reply_id, visitor(request).staff_id)
    return as_json({"id": reply_id, "state": NEVER_SENT})


@needs("tickets.answer")
async def send_planned(request: web.Request) -> web.StreamResponse:
    """Send an answer that waits for the morning at once after all."""
    wiring, reply_id = request.config_dict[DEPS].tickets, request.match_info["reply"]
    return as_json(_told(await planning.send_planned(wiring, reply_id, visitor(request).staff_id)))


@needs("tickets.answer")
async def unplan_reply(request: web.Request) -> web.StreamResponse:
    """Take back an answer that waits for the morning; its words."""
    wiring, reply_id = request.config_dict[DEPS].tickets, request.match_info["reply"]
    words = await planning.unplan(wiring, reply_id, visitor(request).staff_id)
    return as_json({"id": reply_id, "text": words})


def _told(row: TicketReply) -> dict[str, object]:
    return {"id": row.id, "state": row.state, "why": row.why}


@needs("tickets.read")
async def show_ticket(request: web.Request) -> web.StreamResponse:
    """A question as it stands: the conversation, the answers, and whether one can go out now."""
    wiring, ticket_id = request.config_dict[DEPS].tickets, request.match_info["ticket"]
    row, others, replies = await whole(request.config_dict[DEPS], ticket_id)
    async with wiring.ledger.db.session() as session:
        way = await replying.way(wiring, session, row)
        talk = await talk_of(request.config_dict[DEPS].recall, session, row, replies)
    until = way.until if way.open else None
    window = {"open": way.open, "until": until, "left": way.left, "words": way.words}
    return as_json(
        {
            "id": row.id,
            "state": row.state,
            "due_at": row.due_at,
            "answered_at": row.answered_at,
            "replies": [_told(one) for one in replies],
            "window": window,
            "conversation": [asdict(line) for line in talk.lines],
            "notes": talk.notes,
            "merged": [one.id for one in others.merged],
            "merged_into": row.merged_into,
            "waiting_beside": [one.id for one in others.waiting],
        }
    )


ROUTES = [
    web.get("/escalations/{ticket}", show_ticket),
    web.post("/escalations/{ticket}/claim", claim_ticket),
    web.post("/escalations/{ticket}/reply", reply_ticket),
    web.delete("/escalations/{ticket}/replies/{reply}", drop_reply),
    web.post("/escalations/{ticket}/replies/{reply}/now", send_planned),
    web.post("/escalations/{ticket}/replies/{reply}/unplan", unplan_reply),
]
