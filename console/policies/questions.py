"""核对问题: what the library is held against before a change, grown from what citizens asked."""

from collections.abc import Sequence

from aiohttp import web
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import InboundKind
from bot.met import QUESTIONS
from bot.models import InboundMessage
from console.web.deps import DEPS, Deps, visitor
from console.web.pages import form, page, see
from console.web.permissions import needs
from knowledge.leaving_out import LEAVE_OUT
from staff.refusal import Refused

PLACE = "/console/policies/questions"
_LOOK = 0.3  # seconds that a page asks the questions anew; the next one goes on from there
_RECENT, _SHORTEST, _LONGEST = 30, 5, 80


@needs("policies.read")
async def questions(request: web.Request) -> web.StreamResponse:
    """The set with how it is answered now, and what citizens asked lately."""
    return await _questions(request)


async def _questions(request: web.Request, refused: Refused | None = None) -> web.Response:
    deps = request.config_dict[DEPS]
    rows = await deps.regression.look(_LOOK)
    known = {row.question for row, _ in rows}
    async with deps.db.session() as session:
        asked = [one for one in await _asked(session) if one not in known]
    context = {
        "place": "policies",
        "rows": sorted(rows, key=lambda one: one[1] is not False),
        "unasked": sum(right is None for _, right in rows),
        "leaving": await _leaving(deps),
        "asked": asked,
        "reasons": refused.reasons if refused else (),
    }
    return page(request, "policies/questions.html", context, refused.status if refused else 200)


async def _asked(session: AsyncSession) -> Sequence[str]:
    """What was asked lately, masked as it is kept, each once; commands are no questions."""
    row = InboundMessage
    query = (
        select(row.text)
        .where(row.kind == InboundKind.TEXT, row.met.in_(QUESTIONS))
        .where(func.length(row.text).between(_SHORTEST, _LONGEST))
        .group_by(row.text)
        .order_by(func.max(row.at).desc())
        .limit(_RECENT)
    )
    return (await session.scalars(query)).all()


async def _leaving(deps: Deps) -> set[str]:
    """The questions whose leaving waits for a second person."""
    rows = await deps.governance.proposals.rows("proposed")
    return {one.subject.partition(":")[2] for one in rows if one.kind == LEAVE_OUT}


@needs("policies.propose")
async def add(request: web.Request) -> web.StreamResponse:
    """Keep a question with what answers it now."""
    deps, question = request.config_dict[DEPS], (await form(request)).get("question", "")
    try:
        await deps.regression.add(question, visitor(request).staff_id)
    except Refused as refused:
        return await _questions(request, refused)
    return see(PLACE, "question_added")


@needs("policies.propose")
async def remove(request: web.Request) -> web.StreamResponse:
    """Propose to leave a question out; a second person approves it."""
    deps, key = request.config_dict[DEPS], request.match_info["question"]
    me, why = visitor(request).staff_id, (await form(request)).get("why", "")
    made = deps.governance.proposals
    try:
        row = await made.propose(LEAVE_OUT, {"question_id": key}, me, why)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _questions(request, refused)
    return see(f"/console/settings/proposals/{row.id}", "proposed")


ROUTES = [
    web.get("/policies/questions", questions),
    web.post("/policies/questions", add),
    web.post("/policies/questions/{question}/remove", remove),
]
