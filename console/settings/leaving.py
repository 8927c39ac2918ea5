"""离岗: what somebody still holds, who takes it over, and the end of it."""

from aiohttp import web
from sqlalchemy import select

from console.settings.forms import posted, text
from console.settings.frame import settings_page
from console.web.deps import DEPS, visitor
from console.web.pages import see
from console.web.permissions import needs
from escalations.leaving import ROSTER, begin_leaving, hand_over, leave, leaving_of, stay
from staff.models import Staff
from staff.refusal import Refused


def _places(staff_id: str) -> dict[str, str]:
    """Where each line is worked off, for who may open that page; tokens only their holder ends."""
    return {
        ROSTER: "/console/settings/duty#roster",
        "claims": f"/console/items?holder={staff_id}",
        "tickets": "/console/tickets",
        "tasks": "/console/tasks",
        "accounts": "/console/settings/accounts",
    }


async def _page(request: web.Request, refused: Refused | None = None) -> web.Response:
    deps, login = request.config_dict[DEPS], request.match_info["login"]
    async with deps.db.session() as session:
        found = await leaving_of(session, login)
        others = select(Staff).where(Staff.active.is_(True), Staff.login != login)
        heirs = (await session.scalars(others.order_by(Staff.login))).all()
    context = {"tab": "staff", "found": found, "heirs": heirs, "places": _places(found.staff_id)}
    return await settings_page(request, "settings/leaving.html", context, refused)


@needs("staff.manage")
async def leaving_page(request: web.Request) -> web.StreamResponse:
    """Each thing this person holds, and whether it is done."""
    return await _page(request)


@needs("staff.manage")
async def take_leave(request: web.Request) -> web.StreamResponse:
    """One step: begin, hand a line over, leave, or stay after all."""
    deps, login = request.config_dict[DEPS], request.match_info["login"]
    form, me = await posted(request), visitor(request).staff_id
    step, line = text(form, "step"), text(form, "line")
    try:
        if line:
            await hand_over(deps.ledger, login, line, text(form, "to"), me)
        elif step == "begin":
            await begin_leaving(deps.ledger, login, me)
        elif step == "stay":
            await stay(deps.ledger, login, me)
        else:
            await leave(deps.ledger, login, me)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _page(request, refused)
    done = "handed_over" if line else "left"
    if step in ("begin", "stay"):
        done = "leaving" if step == "begin" else "stayed"
    return see(f"/console/settings/staff/{login}/leaving", done)
