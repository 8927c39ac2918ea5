"""The library of policies in the JSON API."""

from aiohttp import web
from sqlalchemy import select

from console.policies.words import validity_words
from console.web.deps import DEPS
from console.web.interface import PAGE, as_json, picked
from console.web.permissions import needs
from knowledge.models import Policy


@needs("policies.read")
async def policies(request: web.Request) -> web.StreamResponse:
    """Policies with their validity today."""
    async with request.config_dict[DEPS].db.session() as session:
        query = select(Policy).order_by(Policy.issued_on.desc()).limit(PAGE)
        rows = (await session.scalars(query)).all()
    names = ("id", "title", "doc_number", "issuer", "url", "issued_on", "state")
    return as_json(
        {"policies": [picked(row, names) | {"validity": validity_words(row)[0]} for row in rows]}
    )


ROUTES = [web.get("/policies", policies)]
