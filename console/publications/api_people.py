"""A push in the JSON API: who lacks it and why, choices in bulk, pausing and going on."""

from dataclasses import asdict
from typing import Any

from aiohttp import web

from console.publications.people import (
    decided,
    mended,
    push_of,
    sent_to_lacking,
)
from console.web.interface import Strict, as_json, read, takes
from console.web.permissions import needs
from subscriptions.departures import masked
from subscriptions.report import Report
from subscriptions.urgent import Arrival


class ChoiceBody(Strict):
    """Everybody who came to one end, and what is chosen: again, risk, leave or give_up.

    `words`: the sentence of the risk, or the reason of giving up.
    """

    state: str
    hold: str = ""
    code: str = ""
    why: str = ""
    choice: str
    words: str = ""


class MendBody(Strict):
    """pause, resume (with the text as it was approved) or drop, and why.

    Of a push that was held because its number of people is off: send (anyway) or stop.
    """

    act: str
    reason: str


@needs("publications.read")
async def push(request: web.Request) -> web.StreamResponse:
    """One push: how far it is, who lacks it and why; nobody is named."""
    one = await push_of(request)
    rows = [
        {
            "state": row.ended.state,
            "hold": row.ended.hold,
            "code": row.ended.code,
            "why": row.ended.why,
            "people": row.count,
            "next_at": row.next_at,
            "choices": [choice.value for choice in row.ended.choices],
        }
        for row in one.people
    ]
    going = {"stand": one.stand.value, "counts": dict(one.counts), "waiting": one.waiting}
    pace = {"rate": round(one.pace.rate, 2), "left": one.pace.left}
    held = one.held and {"approved": one.held.approved, "then": one.held.then, "now": one.reaches}
    routes = {via: asdict(counted) for via, counted in one.routes.items()}
    told = {"held": held, "routes": routes, "by_mass": one.by_mass, "people": rows}
    whole = {"publication": one.row.id, **going, **pace, **told, "proof": _proof(one.arrival)}
    return as_json({**whole, "report": _report(one.report)})


def _proof(one: Arrival | None) -> dict[str, int] | None:
    """Of an urgent push: how many are proved to have it; None of any other."""
    return None if one is None else {**asdict(one), "lacking": one.lacking}


def _report(one: Report) -> dict[str, Any]:
    """Fewer than five are words here too, as on the page."""
    reasons = [
        {"reason": why.reason, "people": masked(why.people), "got": masked(why.got)}
        for why in one.reasons
    ]
    gone = {"unreachable": masked(one.unreachable), "unfollowed": masked(one.unfollowed)}
    return {"reasons": reasons, **gone, "left": {how: masked(n) for how, n in one.left.items()}}


@needs("pushes.decide")
@takes(ChoiceBody)
async def choose_people(request: web.Request) -> web.StreamResponse:
    """Decide about everybody who came to one end."""
    body = await read(request, ChoiceBody)
    return as_json({"people": await decided(request, body.model_dump())})


@needs("pushes.decide")
async def push_lacking(request: web.Request) -> web.StreamResponse:
    """Send a push to whoever surely lacks it."""
    return as_json({"people": await sent_to_lacking(request)})


@needs("pushes.pause")
@takes(MendBody)
async def mend_push(request: web.Request) -> web.StreamResponse:
    """Pause the pushes of an item, go on, drop what is left; or decide about a held one."""
    body = await read(request, MendBody)
    return as_json({"messages": await mended(request, body.model_dump())})


ROUTES = [
    web.get("/publications/{publication}/push", push),
    web.post("/publications/{publication}/push/choose", choose_people),
    web.post("/publications/{publication}/push/lacking", push_lacking),
    web.post("/publications/{publication}/push/mend", mend_push),
]
