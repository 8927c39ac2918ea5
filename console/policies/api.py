"""The library of policies in the JSON API."""

from aiohttp import web
from sqlalchemy import select

from console.policies.words import validity_words, waiting_imports
from console.web.deps import DEPS
from console.web.interface import PAGE, as_json, picked
from console.web.permissions import needs
from knowledge.editing import FIELDS
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


@needs("policies.read")
async def policy(request: web.Request) -> web.StreamResponse:
    """One policy as signed, with the number, days and words of every wording of its clauses."""
    deps = request.config_dict[DEPS]
    library = PolicyLibrary(deps.governance.proposals)
    row, clauses = await library.whole(request.match_info["policy"])
    shown = picked(row, ("id", "successor_id", "amended_on", *FIELDS))
    topics = deps.taxonomy.keys_now("topics", (row.topics or "").split(",")) if row.topics else ()
    parts = ("number", "label", "heading", "text", "effective_from", "replaced_on", "repealed_on")
    return as_json(
        shown
        | {"topics": list(topics), "validity": validity_words(row)[0]}
        | {"clauses": [picked(one, parts) for one in clauses]}
    )


ROUTES = [web.get("/policies", policies), web.get("/policies/{policy}", policy)]
