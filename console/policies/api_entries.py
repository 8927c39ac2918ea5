"""Reviewed answers, notices of correction and kept questions, in the JSON API."""

from aiohttp import web
from pydantic import Field

from console.policies.notices import clause_notice, entry_notice
from console.web.deps import DEPS, visitor
from console.web.interface import Strict, as_json, picked, read, takes
from console.web.permissions import needs
from knowledge.leaving_out import LEAVE_OUT
from knowledge.library import PolicyLibrary
from knowledge.told import counts_of, of_entry
from review_queue import shelving
from review_queue.canonical import QA, TOLD_NOTICE
from review_queue.models import Item

_ENTRY = ("key", "label", "state", "version", "text", "rests", "item_id", "not_after")
_QUESTION = ("id", "question", "policy_id", "title", "label", "by", "at")


class QuestionBody(Strict):
    """A question as citizens ask it."""

    question: str = Field(min_length=1)


class WhyBody(Strict):
    """Why it is not used any more."""

    reason: str = Field(min_length=1)


@needs("policies.read")
async def list_entries(request: web.Request) -> web.StreamResponse:
    """Reviewed answers: state, clauses they rest on, how many people were told each."""
    deps = request.config_dict[DEPS]
    rows = await deps.queue.library[QA].entries() if QA in deps.queue.library else []
    async with deps.db.session() as session:
        told = await counts_of(session, [of_entry(one.key) for one in rows])
    found = [picked(one, _ENTRY) | {"told": told.get(of_entry(one.key), 0)} for one in rows]
    return as_json({"entries": found})


@needs("items.write")
@takes(QuestionBody)
async def begin_entry(request: web.Request) -> web.StreamResponse:
    """Start a reviewed answer; the item goes through review like any other."""
    asked = (await read(request, QuestionBody)).question
    queue = request.config_dict[DEPS].queue
    row = await shelving.new_entry(queue, asked, visitor(request).staff_id)
    return _begun(row)


@needs("items.write")
async def redraft_entry(request: web.Request) -> web.StreamResponse:
    """Start a new text for an entry."""
    queue, key = request.config_dict[DEPS].queue, request.match_info["key"]
    row = await shelving.draft_for(queue, QA, key, visitor(request).staff_id)
    return _begun(row)


@needs("items.recall")
@takes(WhyBody)
async def withdraw_entry(request: web.Request) -> web.StreamResponse:
    """Stop using an entry at once."""
    body, key = await read(request, WhyBody), request.match_info["key"]
    queue = request.config_dict[DEPS].queue
    await shelving.withdraw(queue, QA, key, visitor(request).staff_id, body.reason)
    return as_json({"key": key, "state": "withdrawn"})


@needs("items.write")
async def correct_entry(request: web.Request) -> web.StreamResponse:
    """Start a notice of correction for whoever was told this answer."""
    queue, key = request.config_dict[DEPS].queue, request.match_info["key"]
    return _begun(await entry_notice(queue, key, visitor(request).staff_id))


@needs("items.write")
async def correct_clause(request: web.Request) -> web.StreamResponse:
    """Start a notice of correction for whoever was told this clause."""
    deps, path = request.config_dict[DEPS], request.match_info
    library, me = PolicyLibrary(deps.governance.proposals), visitor(request).staff_id
    row = await clause_notice(deps.queue, library, path["policy"], path["number"], me)
    return _begun(row)


@needs("policies.read")
async def list_notices(request: web.Request) -> web.StreamResponse:
    """Notices of correction that were released."""
    queue = request.config_dict[DEPS].queue
    rows = await queue.library[TOLD_NOTICE].entries() if TOLD_NOTICE in queue.library else []
    return as_json({"notices": [picked(one, _ENTRY) for one in rows]})


@needs("policies.read")
async def list_questions(request: web.Request) -> web.StreamResponse:
    """Kept questions, and whether each is answered now as it was when it was kept."""
    rows = await request.config_dict[DEPS].regression.run()
    return as_json(
        {"questions": [picked(row, _QUESTION) | {"right": right} for row, right in rows]}
    )


@needs("policies.propose")
@takes(QuestionBody)
async def keep_question(request: web.Request) -> web.StreamResponse:
    """Keep a question with what answers it now."""
    asked = (await read(request, QuestionBody)).question
    row = await request.config_dict[DEPS].regression.add(asked, visitor(request).staff_id)
    return as_json(picked(row, _QUESTION), 201)


@needs("policies.propose")
@takes(WhyBody)
async def leave_question_out(request: web.Request) -> web.StreamResponse:
    """Propose to leave a kept question out; a second person approves it."""
    why, key = (await read(request, WhyBody)).reason, request.match_info["question"]
    made, me = request.config_dict[DEPS].governance.proposals, visitor(request).staff_id
    row = await made.propose(LEAVE_OUT, {"question_id": key}, me, why)
    return as_json(picked(row, ("id", "kind", "subject", "state", "effect")), 201)


def _begun(row: Item) -> web.Response:
    return as_json({"item": row.id, "version": row.version}, 201)


ROUTES = [
    web.get("/entries", list_entries),
    web.post("/entries", begin_entry),
    web.post("/entries/{key}/draft", redraft_entry),
    web.post("/entries/{key}/withdraw", withdraw_entry),
    web.post("/entries/{key}/notice", correct_entry),
    web.get("/notices", list_notices),
    web.post("/policies/{policy}/clauses/{number}/notice", correct_clause),
    web.get("/questions", list_questions),
    web.post("/questions", keep_question),
    web.post("/questions/{question}/remove", leave_question_out),
]
