"""外出与代理: who is away and who acts for them."""

from datetime import timedelta

from aiohttp import web
from sqlalchemy import select

from config.clock import now
from console.web.deps import DEPS, Deps, visitor
from console.web.pages import form, page, see
from console.web.permissions import may, needs
from console.web.words import read_field_time
from staff.absence import Away, set_absent
from staff.models import Absence, Proposal, Staff
from staff.people import names
from staff.refusal import Refused
from staff.roles import REVIEWERS


async def _absences(request: web.Request, refused: Refused | None = None) -> web.Response:
    deps, me = request.config_dict[DEPS], visitor(request)
    everyone = may(me.roles, "absence.others")
    async with deps.db.session() as session:
        people = (await session.scalars(select(Staff).where(Staff.active.is_(True)))).all()
        query = select(Absence).where(Absence.ends_at > now()).order_by(Absence.starts_at)
        rows = (await session.scalars(query)).all()
        ids = {key for row in rows for key in (row.staff_id, row.substitute_id, row.set_by)}
        context = {
            "place": "me",
            "rows": rows,
            "people": await names(session, ids),
            "reviewers": [row for row in people if REVIEWERS & set(row.roles)],
            "everyone": everyone,
            "me": me,
            "fields": await form(request) if refused else {},
            "starts": now(),
            "ends": now() + timedelta(days=3),
            "reasons": refused.reasons if refused else (),
        }
    return page(request, "me/absence.html", context, refused.status if refused else 200)


async def propose_absence(deps: Deps, away: Away, by: str, why: str) -> Proposal:
    """Put somebody else's absence in front of a second person."""
    payload = {
        "staff": away.staff_id,
        "starts": away.starts.isoformat(),
        "ends": away.ends.isoformat(),
        "substitute": away.substitute_id,
    }
    return await deps.governance.proposals.propose("absence", payload, by, why)


@needs("absence.set")
async def absences(request: web.Request) -> web.StreamResponse:
    """外出与代理: who is away and who acts for them."""
    return await _absences(request)


@needs("absence.set")
async def away(request: web.Request) -> web.StreamResponse:
    """Record an absence with its substitute, or end one; somebody else's is proposed."""
    deps, me, fields = request.config_dict[DEPS], visitor(request), await form(request)
    try:
        made = Away(
            staff_id=fields.get("staff") or me.staff_id,
            starts=read_field_time(fields.get("starts", ""), "开始时间"),
            ends=read_field_time(fields.get("ends", ""), "结束时间"),
            substitute_id=fields.get("substitute", ""),
        )
        if made.staff_id != me.staff_id and may(me.roles, "absence.others"):
            row = await propose_absence(deps, made, me.staff_id, fields.get("why", ""))
            return see(f"/console/settings/proposals/{row.id}", "proposed")
        async with deps.ledger.transaction() as tx:
            await set_absent(tx, made, me.staff_id)
    except Refused as refused:
        return await _absences(request, refused)
    return see("/console/me/absence", "away")


ROUTES = [
    web.get("/me/absence", absences),
    web.post("/me/absence", away),
]
