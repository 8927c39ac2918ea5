"""What anybody may see: a publication's proof (no names), health, readiness, metrics."""

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select, text

from bot.contract import State
from bot.models import Account, Delivery, Publication
from console.deps import DEPS, found
from console.pages import page, see
from console.permissions import PUBLIC, needs
from escalations.models import Ticket
from ledger.models import Incident
from ledger.verify import Broken
from review_queue.canonical import digest
from review_queue.models import Item, Revision

_METRICS = (
    ("shenfa_items", "Items by state", Item.state),
    ("shenfa_publications", "Publications by state", Publication.state),
    ("shenfa_deliveries", "Deliveries by state", Delivery.state),
    ("shenfa_tickets", "Tickets by state", Ticket.state),
)


@needs(PUBLIC)
async def verify(request: web.Request) -> web.StreamResponse:
    """Genuine or not, which levels approved it, whether it still holds. Staff are never named."""
    deps = request.config_dict[DEPS]
    async with deps.db.session() as session:
        row = found(await session.get(Publication, request.match_info["publication"]), "次发布")
        item = found(await session.get(Item, row.item_id), "次发布")
        account = found(await session.get(Account, row.account_id), "次发布")
        query = select(Revision.canonical).where(
            Revision.item_id == item.id, Revision.digest == row.digest
        )
        canonical = (await session.scalars(query)).first()
    try:
        entries = await deps.ledger.facts(f"item:{row.item_id}")
        broken = ""
    except Broken as fault:
        entries, broken = [], str(fault)
    approved = [
        entry
        for entry in entries
        if entry.kind == "decision"
        and entry.body["digest"] == row.digest
        and entry.body["verdict"] == "approve"
    ]
    released = any(
        entry.kind == "release.created" and entry.body["digest"] == row.digest for entry in entries
    )
    whole = canonical is not None and digest(canonical) == row.digest
    context = {
        "row": row,
        "item": item,
        "account": account,
        "approved": approved,
        "genuine": released and whole and row.state == State.PUBLISHED,
        "recalled": any(entry.kind == "item.recalled" for entry in entries),
        "broken": bool(broken) or not whole,
        "person": None,  # the same page for everybody
    }
    return page(request, "verify.html", context)


@needs(PUBLIC)
async def front_door(request: web.Request) -> web.StreamResponse:
    """The bare address leads to the console."""
    return see("/console/")


@needs(PUBLIC)
async def healthz(request: web.Request) -> web.StreamResponse:
    """The process answers."""
    return web.json_response({"ok": True})


@needs(PUBLIC)
async def readyz(request: web.Request) -> web.StreamResponse:
    """Database and cache answer; 503 names the one that does not."""
    deps = request.config_dict[DEPS]
    problems = {}
    try:
        async with deps.db.session() as session:
            await session.execute(text("SELECT 1"))
    except OSError as error:
        problems["database"] = type(error).__name__
    try:
        await deps.cache.get("readyz")
    except OSError as error:
        problems["cache"] = type(error).__name__
    body = {"ok": not problems, "problems": problems}
    return web.json_response(body, status=503 if problems else 200)


@needs(PUBLIC)
async def metrics(request: web.Request) -> web.StreamResponse:
    """Counts for Prometheus; no personal data."""
    registry = CollectorRegistry()
    async with request.config_dict[DEPS].db.session() as session:
        for name, words, column in _METRICS:
            gauge = Gauge(name, words, ["state"], registry=registry)
            rows = await session.execute(select(column, func.count()).group_by(column))
            for state, number in rows.all():
                gauge.labels(state=state).set(number)
        query = select(func.count()).where(Incident.closed_at.is_(None))
        opened = (await session.execute(query.select_from(Incident))).scalar_one()
    Gauge("shenfa_incidents_open", "Open incidents", registry=registry).set(opened)
    return web.Response(body=generate_latest(registry), content_type="text/plain", charset="utf-8")


VERIFY_ROUTES = [web.get("/{publication}", verify)]
HEALTH_ROUTES = [
    web.get("/", front_door),
    web.get("/healthz", healthz),
    web.get("/readyz", readyz),
    web.get("/metrics", metrics),
]
