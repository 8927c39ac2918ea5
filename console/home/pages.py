"""今日: what waits for me, what is late, whether anything is wrong."""

from collections.abc import Sequence
from datetime import timedelta

from aiohttp import web
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import State
from bot.models import Account, Publication
from bot.quota import day_of
from config.clock import now
from console.home.seconds import seconds_of
from console.items.progress import OPEN, lane
from console.settings.waiting import Line, lines_of
from console.tasks.pages import open_tasks
from console.web.deps import DEPS, Deps, visitor
from console.web.pages import page
from console.web.permissions import may, needs
from escalations.calendar import unarranged_words
from escalations.models import Ticket
from escalations.routes import without_ways
from ledger.reopening import open_incidents
from ledger.stops import stopped_now
from review_queue import rounds
from review_queue.models import Emergency, Item
from staff.people import names
from staff.refusal import Refused
from staff.sessions import Visitor
from staff.waiting import waiting_for
from storage.switches import Switch

_QUIET_AFTER = timedelta(days=10)


async def _drafts(session: AsyncSession, person: Visitor) -> Sequence[Item]:
    if "editor" not in person.roles:
        return ()
    mine = Item.last_editor_id.in_((person.staff_id, "robot"))
    query = select(Item).where(Item.state == "draft", mine).order_by(Item.updated_at.desc())
    return (await session.scalars(query.limit(20))).all()


async def _ready(session: AsyncSession) -> Sequence[Item]:
    query = select(Item).where(Item.state.in_(("approved", "scheduled")))
    return (await session.scalars(query.order_by(Item.updated_at.desc()).limit(20))).all()


async def _quiet_accounts(session: AsyncSession) -> list[tuple[Account, timedelta | None]]:
    """Accounts near their update limit of 14 days, with the time since their last publication."""
    latest = (
        select(Publication.account_id, func.max(Publication.published_at))
        .where(Publication.state == State.PUBLISHED)
        .group_by(Publication.account_id)
    )
    last = {row[0]: row[1] for row in (await session.execute(latest)).all()}
    accounts = (await session.scalars(select(Account).where(Account.enabled.is_(True)))).all()
    quiet: list[tuple[Account, timedelta | None]] = []
    for row in accounts:
        moment = last.get(row.id)
        span = now() - moment if moment is not None else None
        # Ten of fourteen days: time enough to write something before the limit.
        if span is None or span > _QUIET_AFTER:
            quiet.append((row, span))
    return quiet


async def _changes(deps: Deps, person: Visitor) -> list[Line]:
    """Every change that others proposed and this person may decide, oldest first."""
    if not may(person.roles, "proposals.decide"):
        return []
    rows = await waiting_for(deps.governance.proposals, person.staff_id, person.roles)
    return (await lines_of(deps, rows))[::-1]


async def _stops(deps: Deps, session: AsyncSession) -> list[Switch]:
    """The switches that are off by their newest signed entry, with who turned them and why."""
    rows = (await session.scalars(select(Switch).order_by(Switch.name))).all()
    off = await stopped_now(deps.ledger, *(row.name for row in rows))
    return [row for row in rows if row.name in off]


async def _unreached(session: AsyncSession, person: Visitor) -> bool:
    """Whether this person is on duty and no alarm reaches them."""
    try:
        return person.staff_id in await without_ways(session)
    except Refused:  # the ledger does not hold: the incidents say so
        return False


def _unarranged(deps: Deps, person: Visitor) -> str:
    """What an admin is told while the 调休 of a year are missing; empty for others."""
    if not may(person.roles, "texts.propose"):
        return ""
    try:
        missing = deps.tickets.hours.unarranged(day_of(now()))
    except Refused:  # its own incident says so
        return ""
    return unarranged_words(missing) if missing else ""


@needs("home")
async def home(request: web.Request) -> web.StreamResponse:
    """My queue, deadlines, incidents, stops, accounts that fall silent."""
    deps, me = request.config_dict[DEPS], visitor(request)
    queue = await rounds.waiting_for(deps.queue.db, me.staff_id)
    changes = await _changes(deps, me)
    seconds = await seconds_of(deps, me)
    async with deps.db.session() as session:
        drafts = await _drafts(session, me)
        ready = await _ready(session) if may(me.roles, "items.schedule") else ()
        ids = {row.last_editor_id for row in (*queue, *drafts, *ready)}
        unknown = select(Publication, Item).join(Item, Item.id == Publication.item_id)
        open_tickets = select(Ticket).where(Ticket.state.in_(("open", "claimed")))
        fast = select(Emergency, Item).join(Item, Item.id == Emergency.item_id)
        lanes = await session.execute(fast.where(Emergency.state.in_(OPEN)).limit(5))
        context = {
            "place": "home",
            "lanes": [(lane(row), item) for row, item in lanes.all()]
            if may(me.roles, "items.read")
            else [],
            "queue": queue,
            "drafts": drafts,
            "ready": ready,
            "people": await names(session, ids),
            "incidents": await open_incidents(session),
            "stops": await _stops(deps, session),
            "unknown": (
                await session.execute(unknown.where(Publication.state == State.UNKNOWN))
            ).all()
            if may(me.roles, "publications.read")
            else [],
            "tickets": (await session.scalars(open_tickets.order_by(Ticket.due_at).limit(20))).all()
            if may(me.roles, "tickets.read")
            else [],
            "unarranged": _unarranged(deps, me),
            "unreached": await _unreached(session, me),
            "quiet": await _quiet_accounts(session),
            "changes": changes,
            "seconds": seconds,
            "source_tasks": await open_tasks(session, me.staff_id, me.roles)
            if may(me.roles, "tasks.read")
            else [],
            "now": now(),
        }
    return page(request, "home/page.html", context)


@needs("home")
async def more(request: web.Request) -> web.StreamResponse:
    """Every place of the console as a list, for the phone."""
    return page(request, "home/more.html", {"place": "more"})


ROUTES = [web.get("/", home), web.get("/more", more)]
