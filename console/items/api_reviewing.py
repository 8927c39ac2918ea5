"""The JSON API of review beyond the plain verdict: emergency, class, waiver, referral."""

from aiohttp import web
from pydantic import Field

from console.items import working
from console.items.words import IN_REVIEW, item_json
from console.web.deps import DEPS, acting, visitor
from console.web.interface import Strict, as_json, read, takes
from console.web.permissions import needs
from review_queue import claims, drafting, emergencies, publishing, referrals, rounds, waivers
from staff.refusal import Reason


class EmergencyBody(Strict):
    """Why this cannot wait; `version` is the one that was read."""

    version: int
    reason: str = Field(min_length=1)


class ClassBody(Strict):
    """The lower class, and why."""

    to: str
    reason: str = Field(min_length=1)


class WaiverBody(Strict):
    """Which finding may stand, and why."""

    gate: str
    rule: str
    field: str
    start: int
    end: int
    reason: str = Field(min_length=1)


class ReferralBody(Strict):
    """What the competent department answered."""

    text: str = Field(min_length=1)


def _reasons(reasons: list[Reason]) -> web.Response:
    return as_json({"reasons": [{"rule": row.rule, "message": row.message} for row in reasons]})


@needs("items.write")
@takes(EmergencyBody)
async def submit_emergency(request: web.Request) -> web.StreamResponse:
    """Send a draft to the two levels of 应急 at once."""
    body = await read(request, EmergencyBody)
    row = await emergencies.submit_emergency(*acting(request), body.version, body.reason)
    await working.drop_mine(request)
    return as_json(item_json(row, IN_REVIEW))


@needs("items.review")
@takes(ClassBody)
async def lower_class(request: web.Request) -> web.StreamResponse:
    """Lower the class of an item somebody else wrote."""
    body = await read(request, ClassBody)
    row = await drafting.lower_class(*acting(request), body.to, body.reason)
    return as_json(item_json(row, IN_REVIEW))


@needs("items.review")
@takes(WaiverBody)
async def waive(request: web.Request) -> web.StreamResponse:
    """Let one blocking finding of exactly this revision stand."""
    body = await read(request, WaiverBody)
    row = await waivers.waive(*acting(request), body.model_dump(exclude={"reason"}), body.reason)
    return as_json(item_json(row, IN_REVIEW), 201)


@needs("items.review")
@takes(ReferralBody)
async def answer_referral(request: web.Request) -> web.StreamResponse:
    """Record what the competent department answered."""
    body = await read(request, ReferralBody)
    row = await referrals.answer_referral(*acting(request), body.text)
    return as_json(item_json(row, IN_REVIEW))


@needs("items.takeover")
async def take_over(request: web.Request) -> web.StreamResponse:
    """Take an item away from whoever holds it for review."""
    row = await claims.take_over(*acting(request))
    return as_json(item_json(row, IN_REVIEW))


@needs("items.read")
async def why_not_publish(request: web.Request) -> web.StreamResponse:
    """Every reason why this item could not go out now: the sender's own list."""
    return _reasons(
        await publishing.why_not_publish(
            request.config_dict[DEPS].queue, request.match_info["item"]
        )
    )


@needs("items.review")
async def waiting(request: web.Request) -> web.StreamResponse:
    """Items with a level this person may decide now, the most urgent first."""
    rows = await rounds.waiting_for(request.config_dict[DEPS].queue.db, visitor(request).staff_id)
    return as_json({"items": [item_json(row, IN_REVIEW) | {"title": row.title} for row in rows]})


ROUTES: list[web.RouteDef] = [
    web.post("/items/{item}/emergency", submit_emergency),
    web.post("/items/{item}/class", lower_class),
    web.post("/items/{item}/waivers", waive),
    web.post("/items/{item}/referral", answer_referral),
    web.post("/items/{item}/takeover", take_over),
    web.get("/items/{item}/why-not-publish", why_not_publish),
    web.get("/waiting", waiting),
]
