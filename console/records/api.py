"""Incidents, stop switches and the ledger in the JSON API."""

from aiohttp import web
from pydantic import Field
from sqlalchemy import select

from bot.switching import turn_switch
from config.clock import now
from console.records.pages import verification
from console.web.deps import DEPS, visitor
from console.web.interface import Strict, as_json, picked, read, takes
from console.web.permissions import needs
from console.web.words import clock_words
from ledger.models import LedgerEntry
from ledger.reopening import open_incidents
from ledger.stops import stopped_now
from staff.incidents import closings
from staff.refusal import Reason, Refused
from storage.switches import Switch
from supervision.grave import Report, report_grave


class SwitchBody(Strict):
    """Stop or resume."""

    name: str
    stopped: bool
    reason: str = Field(min_length=1)


@needs("incidents.read")
async def incidents(request: web.Request) -> web.StreamResponse:
    """Open incidents, and who closes each: never whom it is about."""
    async with request.config_dict[DEPS].db.session() as session:
        rows = await open_incidents(session)
        closing = await closings(session, rows)
    names = ("id", "kind", "subject", "message", "opened_at")
    return as_json(
        {"incidents": [picked(row, names) | {"closers": closing[row.id].by} for row in rows]}
    )


class GraveBody(Strict):
    """A grave matter; `item` goes off every account at once."""

    kind: str
    words: str
    account: str = ""
    item: str = ""


@needs("incidents.report")
@takes(GraveBody)
async def report_incident(request: web.Request) -> web.StreamResponse:
    """Report a grave matter: its clock begins, and a text that is named is taken down."""
    body, deps = await read(request, GraveBody), request.config_dict[DEPS]
    seen = Report(body.kind, body.words, body.account, body.item)
    found = await report_grave(deps.queue, seen, visitor(request).staff_id, deps.alarms.tell)
    return as_json({"id": found}, 201)


@needs("home")
async def switches(request: web.Request) -> web.StreamResponse:
    """Stop switches that were ever set."""
    deps = request.config_dict[DEPS]
    async with deps.db.session() as session:
        rows = (await session.scalars(select(Switch).order_by(Switch.name))).all()
    off = await stopped_now(deps.ledger, *(row.name for row in rows))
    names = ("name", "reason", "changed_at")
    return as_json(
        {"switches": [picked(row, names) | {"stopped": row.name in off} for row in rows]}
    )


@needs("switches.set")
@takes(SwitchBody)
async def set_one_switch(request: web.Request) -> web.StreamResponse:
    """Stop or resume."""
    body = await read(request, SwitchBody)
    await turn_switch(
        request.config_dict[DEPS].ledger,
        visitor(request).staff_id,
        body.name,
        stopped=body.stopped,
        reason=body.reason,
    )
    return as_json({"name": body.name, "stopped": body.stopped})


@needs("ledger.read")
async def ledger(request: web.Request) -> web.StreamResponse:
    """Entries after `after`, and whether the whole chain holds now."""
    deps, after = request.config_dict[DEPS], request.query.get("after", "0")
    if not after.isdigit():
        raise Refused(422, [Reason("field", "字段 after 要写台账序号，例如 100")])
    async with deps.db.session() as session:
        query = select(LedgerEntry).where(LedgerEntry.seq > int(after)).order_by(LedgerEntry.seq)
        # The caller goes on after the last number it was given.
        rows = (await session.scalars(query.limit(1000))).all()
    holds, words = await verification(deps.ledger)
    names = ("seq", "preimage", "hash", "signature")
    entries = [picked(row, names) for row in rows]
    return as_json(
        {"ok": holds, "words": words, "checked_at": clock_words(now()), "entries": entries}
    )


ROUTES = [
    web.get("/incidents", incidents),
    web.post("/incidents", report_incident),
    web.get("/switches", switches),
    web.post("/switches", set_one_switch),
    web.get("/ledger", ledger),
]
