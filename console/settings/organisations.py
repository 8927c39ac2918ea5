"""单位: public bodies in their tree with their figures, changed by two people."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy import select

from config.clock import now
from console.settings.forms import posted, text
from console.settings.frame import look_or_propose, settings_page
from console.web.care import bodies_or_none, sees
from console.web.deps import DEPS, visitor
from console.web.interface import as_json
from console.web.permissions import needs
from escalations.waiting import waiting_questions
from ledger.reopening import open_incidents
from review_queue.workflow import GATES
from staff.models import Staff
from staff.refusal import Refused
from supervision.cockpit import read_cockpit, rows_of
from supervision.units import Unit, stopped_by_body, units_of

_FRESH = 2.0
_CHANGE, _PLACEMENT = ("name", "parent", "rename", "close"), ("login", "organisation")


async def _units(request: web.Request) -> list[Unit]:
    deps, me, moment = request.config_dict[DEPS], visitor(request), now()
    more = waiting_questions(moment)
    rows = await deps.db.read(lambda session: rows_of(session, moment, "", more))
    async with deps.db.session() as session:
        tree = await bodies_or_none(session)
        subjects = [one.subject for one in await open_incidents(session, age=_FRESH)]
        stopped = await stopped_by_body(session, moment)
        people = (await session.execute(select(Staff.id, Staff.name, Staff.login))).all()
    standings = read_cockpit(rows, moment, subjects).accounts
    units = units_of(tree, sees(tree, me), standings, stopped)
    for one in units:
        one.people = [f"{p.name}（{p.login}）" for p in people if tree.places.get(p.id) == one.id]
    return units


@needs("settings.read")
async def organisations(request: web.Request) -> web.StreamResponse:
    """The bodies this person looks after."""
    return await _page(request)


async def _page(
    request: web.Request, refused: Refused | None = None, effect: Mapping[str, Any] | None = None
) -> web.Response:
    form, units = await posted(request), await _units(request)
    totals = {gate: sum(one.stopped.get(gate, 0) for one in units) for gate in GATES}
    names = (*_CHANGE, *_PLACEMENT, "why")
    context = {
        "tab": "organisations",
        "units": units,
        "totals": totals,
        "most": max(*totals.values(), 1),
        "effect": effect,
        "typed": {name: text(form, name) for name in names} | {"about": text(form, "about")},
    }
    return await settings_page(request, "settings/organisations.html", context, refused)


@needs("accounts.propose")
async def propose_organisation(request: web.Request) -> web.StreamResponse:
    """A body that comes, moves, changes its name or ends; or where somebody belongs."""
    form = await posted(request)
    if text(form, "about") == "placement":
        kind, payload = "placement", {name: text(form, name) for name in _PLACEMENT}
    else:
        kind, payload = "organisation", {name: text(form, name) for name in _CHANGE}
    try:
        effect, answer = await look_or_propose(request, kind, payload, form)
    except Refused as refused:
        return await _page(request, refused)
    return answer or await _page(request, None, effect)


@needs("settings.read")
async def organisations_json(request: web.Request) -> web.StreamResponse:
    """The bodies this person looks after, each with its figures of thirteen weeks."""
    rows = [
        {
            "name": one.name,
            "path": one.path,
            "accounts": one.accounts,
            "posts": one.posts,
            "reposts": one.reposts,
            "reposts_asked": one.asked,
            "reposts_done": one.done,
            "waiting": one.waiting,
            "incidents": one.incidents,
            "stopped": one.stopped,
        }
        for one in await _units(request)
    ]
    return as_json({"organisations": rows})
