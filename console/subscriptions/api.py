"""How many people an audience reaches, in the JSON API."""

from aiohttp import web

from bot.unreachable import Cause
from console.subscriptions.unreachable import out_of_reach
from console.web.deps import DEPS
from console.web.interface import Strict, as_json, filtered_by, read, takes
from console.web.permissions import by_service, needs
from console.web.reaching import reach_json
from facets.criteria import audience_faults
from staff.refusal import Reason, refuse
from subscriptions.departures import masked
from subscriptions.figures import pushed, topics_of
from subscriptions.report import person_of
from subscriptions.subscribers import Subscribers


class AudienceBody(Strict):
    """Facets a subscription must match (`all`: each of them), and the accounts that would push."""

    audience: dict[str, list[str]]
    accounts: list[str]


@by_service
@needs("subscriptions.read")
@takes(AudienceBody)
async def count_subscribers(request: web.Request) -> web.StreamResponse:
    """How many people an audience reaches on some accounts, and five of them with reasons."""
    body, deps = await read(request, AudienceBody), request.config_dict[DEPS]
    refuse([Reason("audience", words) for words in audience_faults(body.audience)])
    async with deps.db.session() as session:
        reach = await deps.matching.reach(session, body.audience, body.accounts)
    return as_json(reach_json(reach))


@needs("subscriptions.read")
async def topics(request: web.Request) -> web.StreamResponse:
    """Every topic with its people, growth, silence and why it was left; fewer than five masked."""
    deps = request.config_dict[DEPS]
    async with deps.db.session() as session:
        found = await topics_of(session, deps.taxonomy, await pushed(session))
    rows = [
        {
            **{name: getattr(one, name) for name in ("key", "label", "people", "unreachable")},
            **{name: getattr(one, name) for name in ("began", "left", "last", "silent")},
            "reasons": {how: masked(number) for how, number in one.reasons.items()},
        }
        for one in found
    ]
    return as_json({"topics": rows})


@needs("subscribers.read")
async def subscriber(request: web.Request) -> web.StreamResponse:
    """What one person asked for and was sent, by their reference; not who they are."""
    deps = request.config_dict[DEPS]
    async with deps.db.session() as session:
        one = await person_of(session, Subscribers(deps.taxonomy), request.match_info["ref"])
    wishes = {"subscriptions": list(map(vars, one.wishes)), "past": list(map(vars, one.past))}
    state = {"ref": one.ref, "account": one.account, "state": one.contact.state}
    consent = {"consent_version": one.contact.consent_version}
    return as_json({**state, **consent, **wishes, "pushes": list(map(vars, one.pushes))})


@needs("subscriptions.read")
@filtered_by("scope", "why", "code")
async def unreachable_subscribers(request: web.Request) -> web.StreamResponse:
    """Who cannot be reached now, by reason, with what restores it; nobody is named."""
    out = await out_of_reach(request)
    told = [_told(one) | {"people": one.count} for one in out.causes]
    people = [{"who": one.who, "account": one.account_id, **_told(one.cause)} for one in out.people]
    return as_json({"reasons": told, "people": people})


def _told(one: Cause) -> dict[str, object]:
    return {
        "scope": one.scope,
        "kind": one.kind,
        "why": one.why,
        "words": one.words,
        "code": one.code,
        "since": one.since,
        "restored_by": one.restored_by,
    }


ROUTES = [
    web.post("/subscribers/count", count_subscribers),
    web.get("/topics", topics),
    web.get("/subscribers/unreachable", unreachable_subscribers),
    web.get("/subscribers/{ref}", subscriber),
]
