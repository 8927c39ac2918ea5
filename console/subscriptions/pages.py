"""订阅: topics with how many people follow them, and lists that get nothing; nobody is named."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy import and_, func, select

from bot.delivery.digested import digest_days, digests_left
from bot.models import Account
from console.web.deps import DEPS
from console.web.pages import page, see
from console.web.permissions import needs
from staff.refusal import Refused
from subscriptions.audit import Fault, audited
from subscriptions.figures import Day, Topic, by_day, pushed, topics_of
from subscriptions.models import Subscription
from subscriptions.report import SHOWN, found_by, person_of
from subscriptions.subscribers import Subscribers

_HEIGHT = 60  # of the tallest bar of the drawing
_LISTS = 100


@dataclass(frozen=True)
class Bar:
    """One day of the drawing: where it stands, and how high what began and what ended is."""

    at: int
    day: Day
    up: int
    down: int


def bars(days: Sequence[Day]) -> list[Bar]:
    """The days as bars of one scale; a day on which anything happened is seen."""
    most = max([1, *(max(one.began, one.left) for one in days)])
    return [
        Bar(at, one, -(-one.began * _HEIGHT // most), -(-one.left * _HEIGHT // most))
        for at, one in enumerate(days)
    ]


def why_left(topics: Sequence[Topic]) -> list[tuple[str, int]]:
    """How it was said when anything was left, over all topics; the most frequent first."""
    found: dict[str, int] = {}
    for one in topics:
        for how, number in one.reasons.items():
            found[how] = found.get(how, 0) + number
    return sorted(found.items(), key=lambda pair: -pair[1])


def _empty(one: Topic) -> bool:
    """Whether there is nothing to tell of a topic: nobody follows it, came or left."""
    return not (one.people or one.unreachable or one.began or one.left or one.reasons)


@needs("subscriptions.read")
async def subscriptions(request: web.Request) -> web.StreamResponse:
    """Topics with reach, growth, silence and reasons people leave; by region and group too."""
    deps = request.config_dict[DEPS]
    people = func.count(Subscription.contact_id.distinct())
    active = and_(Subscription.state == "active", Subscription.policy == "")
    async with deps.db.session() as session:
        by_region = select(Subscription.region, people).where(active).group_by(Subscription.region)
        by_group = select(Subscription.group, people).where(active).group_by(Subscription.group)
        pushes = await pushed(session)
        topics = await topics_of(session, deps.taxonomy, pushes)
        faults = await audited(session, deps.taxonomy, pushes)
        listed = faults[:_LISTS]
        days = await by_day(session)
        context = {
            "place": "subscriptions",
            "topics": [one for one in topics if not _empty(one)],
            "empty_topics": [one.label for one in topics if _empty(one)],
            "most": max([1, *(one.people for one in topics)]),
            "bars": bars(days),
            "busy": [one for one in days if one.began or one.left],
            "why": why_left(topics),
            "faults": [one for one in listed if one.fault is not Fault.UNUSED],
            "unused": [one for one in listed if one.fault is Fault.UNUSED],
            "more_faults": len(faults) - _LISTS,
            "regions": (await session.execute(by_region.order_by(people.desc()))).all(),
            "groups": (await session.execute(by_group.order_by(people.desc()))).all(),
            "total": (await session.execute(select(people).where(active))).scalar_one(),
            "taxonomy": deps.taxonomy,
            "digests": await digest_days(session),
            "digests_left": await digests_left(session),
            "accounts": dict((await session.execute(select(Account.id, Account.name))).all()),
        }
    return page(request, "subscriptions/page.html", context)


@needs("subscribers.read")
async def find(request: web.Request) -> web.StreamResponse:
    """Look for somebody by the end of their reference; one that is found is shown at once."""
    ending = request.query.get("ref", "")
    context: dict[str, Any] = {
        "place": "subscriptions",
        "ref": ending,
        "found": (),
        "nobody": False,
        "shown": SHOWN,
        "reasons": (),
    }
    if not ending:
        return page(request, "subscriptions/find.html", context)
    try:
        async with request.config_dict[DEPS].db.session() as session:
            found = await found_by(session, ending)
    except Refused as refused:
        context["reasons"] = refused.reasons
        return page(request, "subscriptions/find.html", context, refused.status)
    if len(found) == 1:
        return see(f"/console/subscriptions/people/{found[0][0]}")
    context |= {"found": found, "nobody": not found}
    return page(request, "subscriptions/find.html", context)


@needs("subscribers.read")
async def person(request: web.Request) -> web.StreamResponse:
    """What one person asked for, agreed to and was sent, and why; not who they are."""
    deps = request.config_dict[DEPS]
    async with deps.db.session() as session:
        one = await person_of(session, Subscribers(deps.taxonomy), request.match_info["ref"])
    return page(request, "subscriptions/person.html", {"place": "subscriptions", "one": one})


ROUTES = [
    web.get("/subscriptions", subscriptions),
    web.get("/subscriptions/people", find),
    web.get("/subscriptions/people/{ref}", person),
]
