"""The JSON API around one review: what changed since, the timeline, colleagues' notes."""

from dataclasses import asdict

from aiohttp import web
from pydantic import Field
from sqlalchemy import select

from bot.models import Publication
from console.items.facts import facts_of
from console.items.looks import NOTE_LENGTH, add_note, changes, last_look
from console.items.timeline import records_of, steps
from console.web.deps import DEPS, visitor
from console.web.interface import Strict, as_json, read, takes
from console.web.permissions import by_service, needs


class NoteBody(Strict):
    """A remark for colleagues."""

    text: str = Field(min_length=1, max_length=NOTE_LENGTH)


@needs("items.read")
async def item_changes(request: web.Request) -> web.StreamResponse:
    """What differs from another version: `since` is mine, submitted, previous or source."""
    deps = request.config_dict[DEPS]
    facts = await facts_of(deps, request.match_info["item"])
    async with deps.db.session() as session:
        look = await last_look(session, facts, visitor(request).staff_id)
    found = changes(deps, facts, look, request.query)
    shown: dict[str, object] = {"since": None, "choices": [], "count": 0}
    if found is not None:
        shown = {
            "since": found.chosen.key,
            "choices": [row.key for row in found.choices],
            "count": found.comparison.count,
            **asdict(found.comparison),
        }
    return as_json(shown)


@needs("items.read")
async def timeline(request: web.Request) -> web.StreamResponse:
    """Every act on an item, newest first, in words."""
    deps, item_id = request.config_dict[DEPS], request.match_info["item"]
    facts = await facts_of(deps, item_id)
    async with deps.db.session() as session:
        query = select(Publication).where(Publication.item_id == item_id)
        sent = (await session.scalars(query)).all()
        records = await records_of(session, item_id)
    made = steps(facts, sent, records.words)
    return as_json({"steps": [asdict(step) for step in made]})


@by_service
@needs("items.note")
@takes(NoteBody)
async def write_note(request: web.Request) -> web.StreamResponse:
    """Keep a remark on the present version."""
    body = await read(request, NoteBody)
    note = await add_note(
        request.config_dict[DEPS].db,
        request.match_info["item"],
        visitor(request).staff_id,
        body.text,
    )
    return as_json({"id": note.id, "digest": note.digest, "at": note.at}, 201)


ROUTES = [
    web.get("/items/{item}/changes", item_changes),
    web.get("/items/{item}/timeline", timeline),
    web.post("/items/{item}/notes", write_note),
]
