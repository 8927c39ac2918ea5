"""The library of policies in the JSON API."""

from aiohttp import web
from sqlalchemy import select

from console.policies.words import validity_words, waiting_imports
from console.web.deps import DEPS
from console.web.interface import PAGE, as_json, picked
from console.web.permissions import needs
from knowledge.library import PolicyLibrary
from knowledge.models import Policy


@needs("policies.read")
async def policies(request: web.Request) -> web.StreamResponse:
    """Policies with their validity today; what waits for a second person says 等待批准."""
    deps = request.config_dict[DEPS]
    waiting = await PolicyLibrary(deps.governance.proposals).changes(state="proposed")
    async with deps.db.session() as session:
        query = select(Policy).order_by(Policy.issued_on.desc()).limit(PAGE)
        rows = [*waiting_imports(waiting), *(await session.scalars(query)).all()]
    names = ("id", "title", "doc_number", "issuer", "url", "issued_on", "state")
    return as_json(
        {"policies": [picked(row, names) | {"validity": validity_words(row)[0]} for row in rows]}
    )


ROUTES = [web.get("/policies", policies)]
