"""订阅: topics with how many people follow them; nobody is named."""

from aiohttp import web
from sqlalchemy import and_, func, select

from console.web.deps import DEPS
from console.web.pages import page
from console.web.permissions import needs
from subscriptions.models import Subscription


@needs("subscriptions.read")
async def subscriptions(request: web.Request) -> web.StreamResponse:
    """Topics with how many people follow them, by region and group; nobody is named."""
    deps = request.config_dict[DEPS]
    people = func.count(Subscription.contact_id.distinct())
    active = and_(Subscription.state == "active", Subscription.policy == "")
    async with deps.db.session() as session:
        by_topic = select(Subscription.topic, people).where(active).group_by(Subscription.topic)
        by_region = select(Subscription.region, people).where(active).group_by(Subscription.region)
        by_group = select(Subscription.group, people).where(active).group_by(Subscription.group)
        left = select(Subscription.topic, func.count()).where(Subscription.state == "left")
        total = select(people).where(active)
        counts = {row[0]: row[1] for row in (await session.execute(by_topic)).all()}
        context = {
            "place": "subscriptions",
            "topics": sorted(counts.items(), key=lambda pair: -pair[1]),
            "most": max(counts.values(), default=1),
            "regions": (await session.execute(by_region.order_by(people.desc()))).all(),
            "groups": (await session.execute(by_group.order_by(people.desc()))).all(),
            "left": {
                row[0]: row[1]
                for row in (await session.execute(left.group_by(Subscription.topic))).all()
            },
            "total": (await session.execute(total)).scalar_one(),
            "facets": deps.facets,
        }
    return page(request, "subscriptions/page.html", context)


ROUTES = [web.get("/subscriptions", subscriptions)]
