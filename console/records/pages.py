"""事件 and 台账: what went wrong, and what happened."""

import json
from collections.abc import AsyncIterator

from aiohttp import web
from sqlalchemy import select

from bot.models import Account
from console.web.deps import DEPS, visitor
from console.web.pages import form, page, see
from console.web.permissions import download, needs
from ledger.append import Ledger
from ledger.models import AnchorPlace, LedgerEntry
from ledger.reopening import closed_incidents, open_incidents
from ledger.verify import Broken
from staff.incidents import MENDED, close_incident, closings
from staff.people import names
from staff.refusal import Refused
from supervision.grave import GRAVE, Report, report_grave

_PAGE = 60


@needs("incidents.read")
async def incidents(request: web.Request) -> web.StreamResponse:
    """Open incidents first, then the closed ones."""
    return await _incidents_page(request)


async def _incidents_page(request: web.Request, refused: Refused | None = None) -> web.Response:
    deps = request.config_dict[DEPS]
    async with deps.db.session() as session:
        waiting = await open_incidents(session)
        done = await closed_incidents(session, _PAGE)
        closing: dict[str, tuple[str, ...]] = {row.id: () for row in waiting}
        broken = ""
        try:
            closing |= {key: one.by for key, one in (await closings(session, waiting)).items()}
        except Refused as refusal:  # nobody can be proved to close one, and all must be seen
            broken = "；".join(reason.message for reason in refusal.reasons)
        people = {one for ids in closing.values() for one in ids}
        context = {
            "place": "incidents",
            "grave": GRAVE,
            "mended": MENDED,
            "accounts": (await session.scalars(select(Account).order_by(Account.name))).all(),
            "closing": closing,
            "open": waiting,
            "broken": broken,
            "unsigned": {row.id for row in waiting} - set(deps.ledger.incidents_so_far.entries),
            "closed": done,
            "people": await names(session, people | {row.closed_by or "system" for row in done}),
            "reasons": refused.reasons if refused else (),
        }
    return page(request, "records/incidents.html", context, refused.status if refused else 200)


@needs("incidents.report")
async def report(request: web.Request) -> web.StreamResponse:
    """A grave matter: off every account where a text is named, and its clock begins."""
    deps, fields = request.config_dict[DEPS], await form(request)
    seen = Report(*(fields.get(name, "") for name in ("kind", "words", "account", "item")))
    try:
        await report_grave(deps.queue, seen, visitor(request).staff_id, deps.alarms.tell)
    except Refused as refused:
        return await _incidents_page(request, refused)
    return see("/console/incidents", "grave_reported")


@needs("incidents.close")
async def close(request: web.Request) -> web.StreamResponse:
    """Close one incident."""
    resolution = (await form(request)).get("resolution", "")
    try:
        await close_incident(
            request.config_dict[DEPS].ledger,
            request.match_info["incident"],
            visitor(request).staff_id,
            resolution,
        )
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _incidents_page(request, refused)
    return see("/console/incidents", "closed")


# --- 台账 -----------------------------------------------------------------------------------


async def verification(ledger: Ledger) -> tuple[bool, str]:
    """Whether the whole chain holds at this moment, and the sentence that says so."""
    try:
        await ledger.refresh()
        await ledger.check_columns()
    except Broken as broken:
        return False, str(broken)
    return True, "从第一条到最后一条，摘要相连，签名与锚点相符"


@needs("ledger.read")
async def ledger(request: web.Request) -> web.StreamResponse:
    """Entries newest first, with the verification of this moment."""
    deps = request.config_dict[DEPS]
    before = request.query.get("before", "")
    kind = request.query.get("kind", "")
    async with deps.db.session() as session:
        query = select(LedgerEntry).order_by(LedgerEntry.seq.desc())
        if before.isdigit():
            query = query.where(LedgerEntry.seq < int(before))
        if kind:
            query = query.where(LedgerEntry.kind == kind)
        rows = (await session.scalars(query.limit(_PAGE + 1))).all()
        head = (
            await session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq.desc()).limit(1))
        ).first()
        people = await names(session, {row.actor for row in rows})
        places = (await session.scalars(select(AnchorPlace).order_by(AnchorPlace.address))).all()
    # Proved at this moment, not remembered: this page is where a doubt is settled.
    holds, words = await verification(deps.ledger)
    context = {
        "place": "ledger",
        "rows": [(row, json.loads(row.preimage)["body"]) for row in rows[:_PAGE]],
        "more": rows[_PAGE - 1].seq if len(rows) > _PAGE else None,
        "head": head,
        "people": people,
        "holds": holds,
        "words": words,
        "places": places,
        "kind": kind,
        "public_key": deps.ledger.public_hex,
    }
    return page(request, "records/ledger.html", context)


@download
@needs("ledger.read")
async def export(request: web.Request) -> web.StreamResponse:
    """The whole ledger as JSON lines, for `shenfa ledger verify`."""
    # Streamed line by line: the ledger of years is not held in memory.
    response = web.StreamResponse(
        headers={
            "Content-Type": "application/x-ndjson; charset=utf-8",
            "Content-Disposition": 'attachment; filename="ledger.jsonl"',
            "Cache-Control": "no-store",
        }
    )
    await response.prepare(request)
    lines: AsyncIterator[str] = request.config_dict[DEPS].ledger.export()
    async for line in lines:
        await response.write(line.encode() + b"\n")
    await response.write_eof()
    return response


ROUTES = [
    web.get("/incidents", incidents),
    web.post("/incidents", report),
    web.post("/incidents/{incident}", close),
    web.get("/ledger", ledger),
    web.get("/ledger/export", export),
]
