"""Tasks and the report of mandatory reposts in the JSON API."""

from datetime import datetime

from aiohttp import web
from sqlalchemy import select

from console.web.deps import DEPS, visitor
from console.web.interface import Strict, as_json, aware, picked, read, takes
from console.web.permissions import needs
from content_sources.tasks import ask_for_repost, repost_report, settle
from staff.models import Task
from staff.tasks import NewTask, Settlement


class RepostBody(Strict):
    """A mandatory repost."""

    title: str = ""
    url: str = ""
    accounts: list[str]
    due_at: datetime
    assignee: str | None = None


class SettlementBody(Strict):
    """How a task was settled."""

    outcome: str
    note: str


def _task(row: Task) -> dict[str, object]:
    names = ("id", "kind", "title", "url", "item_id", "source_id", "accounts", "assignee")
    more = ("due_at", "state", "outcome", "note", "detail", "created_at", "done_by", "done_at")
    return picked(row, (*names, *more))


@needs("tasks.read")
async def tasks(request: web.Request) -> web.StreamResponse:
    """Tasks about sources and reposts; `?state=open` or `done`."""
    query = select(Task).order_by(Task.due_at).limit(500)
    if request.query.get("state") in ("open", "done"):
        query = query.where(Task.state == request.query["state"])
    async with request.config_dict[DEPS].db.session() as session:
        rows = (await session.scalars(query)).all()
    return as_json({"tasks": [_task(row) for row in rows]})


@needs("tasks.ask")
@takes(RepostBody)
async def ask_repost(request: web.Request) -> web.StreamResponse:
    """Give out a mandatory repost."""
    body, me = await read(request, RepostBody), visitor(request)
    aware(body.due_at, "due_at")
    new = NewTask(
        kind="repost",
        title=body.title[:300],
        url=body.url[:500],
        due_at=body.due_at,
        assignee=body.assignee,
        accounts=tuple(body.accounts),
        created_by=me.staff_id,
    )
    return as_json(_task(await ask_for_repost(request.config_dict[DEPS].ledger, new)), 201)


@needs("tasks.settle")
@takes(SettlementBody)
async def settle_task(request: web.Request) -> web.StreamResponse:
    """Close a task with its outcome and reason."""
    body = await read(request, SettlementBody)
    row = await settle(
        request.config_dict[DEPS].queue,
        request.match_info["task"],
        visitor(request).staff_id,
        Settlement(body.outcome, body.note),
    )
    return as_json(_task(row))


@needs("tasks.read")
async def reposts(request: web.Request) -> web.StreamResponse:
    """The completion report of mandatory reposts, account by account."""
    async with request.config_dict[DEPS].db.session() as session:
        lines = await repost_report(session)
    return as_json({"reposts": [line.__dict__ for line in lines]})


ROUTES = [
    web.get("/tasks", tasks),
    web.post("/tasks", ask_repost),
    web.get("/tasks/reposts", reposts),
    web.post("/tasks/{task}", settle_task),
]
