"""Who is away and who acts for them, in the JSON API."""

from datetime import datetime

from aiohttp import web

from console.web.deps import DEPS, visitor
from console.web.interface import Strict, as_json, aware, read, takes
from console.web.permissions import needs
from staff.absence import Away, set_absent


class AbsenceBody(Strict):
    """Who is away (null: oneself), from when until when, and who acts for them."""

    staff: str | None = None
    starts: datetime
    ends: datetime
    substitute: str


@needs("absence.set")
@takes(AbsenceBody)
async def absence(request: web.Request) -> web.StreamResponse:
    """Record who is away and who acts for them: oneself, or anybody for an admin."""
    body, me = await read(request, AbsenceBody), visitor(request).staff_id
    aware(body.starts, "starts")
    aware(body.ends, "ends")
    away = Away(body.staff or me, body.starts, body.ends, body.substitute)
    async with request.config_dict[DEPS].ledger.transaction() as tx:
        row = await set_absent(tx, away, me)
    return as_json({"id": row.id, "staff": row.staff_id, "substitute": row.substitute_id}, 201)


ROUTES = [web.post("/absence", absence)]
