"""审计: the chain of decisions behind an item or some days, receipts, the proof, the package."""

from datetime import timedelta
from typing import BinaryIO
from urllib.parse import quote

from aiohttp import web

from config.clock import beijing, now
from console.web.deps import DEPS, visitor
from console.web.pages import page, see
from console.web.permissions import download, needs
from ledger.verify import Broken
from staff.people import names
from staff.refusal import Reason, Refused
from supervision.auditing import (
    MOST_DAYS,
    days_of,
    evidence,
    evidence_of_days,
    look_at,
    looks,
    out_in,
)

_WEEK = timedelta(days=6)
_SIGNS = 80


@needs("audit.read")
async def desk(request: web.Request) -> web.StreamResponse:
    """What went out in the chosen days, and who looked at what."""
    today, asked = beijing(now()).date(), request.query
    if wanted := asked.get("item", "").strip():
        # An address may be pasted whole; its last part names the item.
        name = quote(wanted.rstrip("/").rpartition("/")[2][:_SIGNS], safe="")
        return see(f"/console/audit/items/{name}")
    first = asked.get("first") or (today - _WEEK).isoformat()
    last, person = asked.get("last") or today.isoformat(), visitor(request)
    reasons: list[Reason] = []
    found = []
    async with request.config_dict[DEPS].db.session() as session:
        try:
            found = await out_in(session, days_of(first, last))
        except Refused as refused:
            reasons = list(refused.reasons)
        own = person.staff_id if person.roles == {"auditor"} else ""
        seen = await looks(session, own)
        people = await names(session, {one.staff_id for one in seen})
    context = {
        "place": "audit",
        "first": first,
        "last": last,
        "most": MOST_DAYS,
        "found": found,
        "looks": seen,
        "people": people,
        "reasons": reasons,
    }
    return page(request, "audit/page.html", context, 422 if reasons else 200)


@needs("audit.read")
async def item(request: web.Request) -> web.StreamResponse:
    """Who decided what on which bytes, with the check of this moment."""
    deps = request.config_dict[DEPS]
    try:
        looked = await look_at(deps.ledger, request.match_info["item"])
    except Broken as broken:
        raise _broken(broken) from broken
    async with deps.db.session() as session:
        people = await names(session, {one.actor for one in looked.entries})
    context = {"place": "audit", "looked": looked, "people": people}
    return page(request, "audit/item.html", context)


@download
@needs("audit.read")
async def package(request: web.Request) -> web.StreamResponse:
    """The evidence package of one item."""
    item_id = request.match_info["item"]
    try:
        whole = await evidence(request.config_dict[DEPS].ledger, item_id)
    except Broken as broken:
        raise _broken(broken) from broken
    return _zip(whole, item_id)


@download
@needs("audit.read")
async def days(request: web.Request) -> web.StreamResponse:
    """The evidence package of some days."""
    first, last = request.query.get("first", ""), request.query.get("last", "")
    span, deps = days_of(first, last), request.config_dict[DEPS]
    try:
        whole = await evidence_of_days(deps.ledger, span, deps.settings.home)
    except Broken as broken:
        raise _broken(broken) from broken
    return _zip(whole, f"{span.first}-{span.end - timedelta(days=1)}")


def _zip(whole: bytes | BinaryIO, name: str) -> web.Response:
    headers = {
        "Content-Disposition": f'attachment; filename="shenfa-evidence-{name}.zip"',
        "Cache-Control": "no-store",
    }
    return web.Response(body=whole, content_type="application/zip", headers=headers)


def _broken(broken: Broken) -> Refused:
    return Refused(409, [Reason("ledger", f"台账核验不通过：{broken}")])


ROUTES = [
    web.get("/audit", desk),
    web.get("/audit/package.zip", days),
    web.get("/audit/items/{item}", item),
    web.get("/audit/items/{item}/package.zip", package),
]
