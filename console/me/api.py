"""Who is away and who acts for them, in the JSON API."""

from datetime import datetime

from aiohttp import web

from console.me.absence import propose_absence
from console.web.deps import DEPS, visitor
from console.web.interface import Strict, as_json, aware, read, takes
from console.web.permissions import may, needs
from staff.absence import Away, set_absent


class AbsenceBody(Strict):
    """Who is away (null: oneself), from when until when, who acts for them; `reason` for others."""

    staff: str | None = None
    starts: datetime
    ends: datetime
    substitute: str
    reason: str = ""


@needs("absence.set")
@takes(AbsenceBody)
async def absence(request: web.Request) -> web.StreamResponse:
    """Record who is away and who acts for them; an admin proposes it for somebody else."""
    body, who = await read(request, AbsenceBody), visitor(request)
    me = who.staff_id
    aware(body.starts, "starts")
    aware(body.ends, "ends")
    away = Away(body.staff or me, body.starts, body.ends, body.substitute)
    deps = request.config_dict[DEPS]
    if away.staff_id != me and may(who.roles, "absence.others"):
        made = await propose_absence(deps, away, me, body.reason)
        return as_json({"proposal": made.id, "staff": away.staff_id, "state": made.state}, 202)
    async with deps.ledger.transaction() as tx:
        row = await set_absent(tx, away, me)
    return as_json({"id": row.id, "staff": row.staff_id, "substitute": row.substitute_id}, 201)


ROUTES = [web.post("/absence", absence)]
