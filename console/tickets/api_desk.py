"""What is done with a question beside answering it, in the JSON API."""

from aiohttp import web
from pydantic import Field

from console.web.deps import DEPS, visitor
from console.web.interface import Strict, as_json, read, takes
from console.web.permissions import needs
from escalations import merging, notes, passing
from escalations.models import Ticket
from escalations.tickets import TicketWiring


class PassBody(Strict):
    """A colleague who is called at once."""

    to: str = Field(min_length=1, description="staff id")


class NoteBody(Strict):
    """Words for colleagues."""

    text: str = Field(min_length=1)


class MergeBody(Strict):
    """The other question of the same citizen."""

    other: str = Field(min_length=1, description="ticket id")


class HotlineBody(Strict):
    """The number under which 12345 has it."""

    number: str = Field(min_length=1)


@needs("tickets.answer")
@takes(PassBody)
async def pass_ticket(request: web.Request) -> web.StreamResponse:
    """Give a question to a colleague."""
    to = (await read(request, PassBody)).to
    return _stands(await passing.transfer(*_of(request), to))


@needs("tickets.answer")
@takes(NoteBody)
async def note_ticket(request: web.Request) -> web.StreamResponse:
    """Keep a note for colleagues."""
    row = await notes.add_note(*_of(request), (await read(request, NoteBody)).text)
    return as_json({"id": row.id, "text": row.text}, status=201)


@needs("tickets.answer")
async def reopen_ticket(request: web.Request) -> web.StreamResponse:
    """Take up again what was answered or ended; one that was merged is parted."""
    return _stands(await passing.reopen(*_of(request)))


@needs("tickets.answer")
@takes(MergeBody)
async def merge_tickets(request: web.Request) -> web.StreamResponse:
    """Two questions of one citizen as one: the earlier, which goes on."""
    other = (await read(request, MergeBody)).other
    return _stands(await merging.merge(*_of(request), other))


@needs("tickets.answer")
@takes(HotlineBody)
async def hand_ticket_over(request: web.Request) -> web.StreamResponse:
    """End it here because 12345 has it; the citizen is told."""
    number = (await read(request, HotlineBody)).number
    return _stands(await passing.hand_over(*_of(request), number))


def _of(request: web.Request) -> tuple[TicketWiring, str, str]:
    """Whose wiring, which question, by whom."""
    wiring = request.config_dict[DEPS].tickets
    return wiring, request.match_info["ticket"], visitor(request).staff_id


def _stands(row: Ticket) -> web.Response:
    return as_json({"id": row.id, "state": row.state, "due_at": row.due_at})


ROUTES = [
    web.post("/escalations/{ticket}/transfer", pass_ticket),
    web.post("/escalations/{ticket}/note", note_ticket),
    web.post("/escalations/{ticket}/reopen", reopen_ticket),
    web.post("/escalations/{ticket}/merge", merge_tickets),
    web.post("/escalations/{ticket}/hotline", hand_ticket_over),
]
