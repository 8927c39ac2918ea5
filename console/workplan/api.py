"""The work plan in the JSON API."""

from dataclasses import asdict
from datetime import datetime

from aiohttp import web
from pydantic import Field

from console.web.deps import DEPS, visitor
from console.web.interface import Strict, as_json, aware, read, takes
from console.web.permissions import needs
from supervision.workplan import Given, give_out, lines_of, tell_progress


class PlanBody(Strict):
    """A work plan to be given out."""

    text: str = Field(max_length=200_000)
    due_at: datetime
    assignee: str = ""


class ProgressBody(Strict):
    """What was done so far, and where the evidence is."""

    words: str


@needs("tasks.read")
async def workplan(request: web.Request) -> web.StreamResponse:
    """Every item of the work plan in its order."""
    async with request.config_dict[DEPS].db.session() as session:
        lines = await lines_of(session)
    return as_json({"items": [{**asdict(one), "waits": one.waits} for one in lines]})


@needs("tasks.ask")
@takes(PlanBody)
async def give_workplan(request: web.Request) -> web.StreamResponse:
    """Make a task of every numbered item of a plan."""
    body, me = await read(request, PlanBody), visitor(request).staff_id
    aware(body.due_at, "due_at")
    given = Given(body.text, body.due_at, body.assignee)
    return as_json({"made": await give_out(request.config_dict[DEPS].ledger, given, me)}, 201)


@needs("tasks.settle")
@takes(ProgressBody)
async def tell_workplan(request: web.Request) -> web.StreamResponse:
    """Say what was done so far about one item."""
    body, task = await read(request, ProgressBody), request.match_info["task"]
    me = visitor(request).staff_id
    await tell_progress(request.config_dict[DEPS].ledger, task, body.words, me)
    return as_json({"task": task})


ROUTES = [
    web.get("/workplan", workplan),
    web.post("/workplan", give_workplan),
    web.post("/workplan/{task}", tell_workplan),
]
