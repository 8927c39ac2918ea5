"""What anybody may see: a publication's proof (no names), health, readiness, metrics."""

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select, text

from bot.contract import State
from bot.models import Account, Delivery, Publication
from console.proof import missing, prove
from console.web.deps import DEPS, found
from console.web.pages import form, page, see
from console.web.permissions import PUBLIC, needs
from escalations.models import Ticket
from ledger.models import Incident
from review_queue.models import Item

_METRICS = (
    ("shenfa_items", "Items by state", Item.state),
    ("shenfa_publications", "Publications by state", Publication.state),
    ("shenfa_deliveries", "Deliveries by state", Delivery.state),
    ("shenfa_tickets", "Tickets by state", Ticket.state),
)


@needs(PUBLIC)
async def verify(request: web.Request) -> web.StreamResponse:
    """Genuine or not, which levels approved it, whether it still holds. Staff are never named."""
    return await _verify(request, "")


@needs(PUBLIC)
async def compare(request: web.Request) -> web.StreamResponse:
    """The same, and whether a pasted text stands in what was published."""
    return await _verify(request, (await form(request)).get("text", ""))


async def _verify(request: web.Request, pasted: str) -> web.Response:
    deps = request.config_dict[DEPS]
    async with deps.db.session() as session:
        row = found(await session.get(Publication, request.match_info["publication"]), "次发布")
        account = found(await session.get(Account, row.account_id), "次发布")
    proof, draft = await prove(deps, row)
    sent = row.state == State.PUBLISHED
    shown = draft if sent else None  # what is not out yet is not told
    context = {
        "row": row,
        "title": shown.title if shown else "",
        "account": account,
        "proof": proof,
        "sent": sent,
        "pasted": pasted,
        "missing": missing(shown, pasted) if shown and pasted else [],
        "digest_rows": [row.digest[at : at + 16] for at in range(0, 64, 16)],
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


VERIFY_ROUTES = [web.get("/{publication}", verify), web.post("/{publication}", compare)]
HEALTH_ROUTES = [
    web.get("/", front_door),
    web.get("/healthz", healthz),
    web.get("/readyz", readyz),
    web.get("/metrics", metrics),
]
