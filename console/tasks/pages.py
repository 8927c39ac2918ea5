"""任务: originals that changed, sources that fell away, reposts that were asked for."""

from collections.abc import Collection, Sequence

from aiohttp import web
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import Account
from config.clock import now
from console.items.differences import compare
from console.web.deps import DEPS, visitor
from console.web.pages import form, many, page, see
from console.web.permissions import download, needs
from console.web.words import read_field_time
from content_sources.tasks import (
    CHOICES,
    KINDS,
    OUTCOMES,
    as_csv,
    ask_for_repost,
    repost_report,
    settle,
)
from staff.models import Staff, Task
from staff.people import names
from staff.refusal import Refused
from staff.tasks import NewTask, Settlement

TONES = {"correction": "warn", "decision": "stop", "repost": "busy", "renewal": "warn"}
TONES |= {"plan": "busy", "lookback": "busy"}


async def open_tasks(
    session: AsyncSession, staff_id: str, roles: Collection[str]
) -> Sequence[Task]:
    """What waits for this person: theirs, and for editors what nobody was given; soonest first."""
    mine = Task.assignee == staff_id
    if "editor" in roles:
        mine = or_(mine, Task.assignee.is_(None))
    query = select(Task).where(Task.state == "open", mine)
    return (await session.scalars(query.order_by(Task.due_at).limit(50))).all()


async def _tasks_page(
    request: web.Request, refused: Refused | None = None, typed: dict[str, str] | None = None
) -> web.Response:
    async with request.config_dict[DEPS].db.session() as session:
        waiting = select(Task).where(Task.state == "open").order_by(Task.due_at)
        settled = select(Task).where(Task.state == "done")
        rows = (await session.scalars(waiting.limit(200))).all()
        done = (await session.scalars(settled.order_by(Task.done_at.desc()).limit(30))).all()
        staff = select(Staff).where(Staff.active.is_(True)).order_by(Staff.name)
        accounts = (await session.scalars(select(Account).order_by(Account.slug))).all()
        ids = {one.assignee or "system" for one in (*rows, *done)}
        ids |= {one.done_by or "system" for one in done}
        context = {
            "place": "tasks",
            "rows": rows,
            "done_rows": done,
            "people": await names(session, ids),
            "staff": (await session.scalars(staff)).all(),
            "accounts": accounts,
            "differences": {
                one.id: compare(str(one.detail["before"]), str(one.detail["after"]))
                for one in rows
                if "before" in one.detail
            },
            "report": await repost_report(session),
            "typed": typed or {},
            "reasons": refused.reasons if refused else (),
            "kinds": KINDS,
            "tones": TONES,
            "choices": CHOICES,
            "outcomes": OUTCOMES,
            "now": now(),
        }
    return page(request, "tasks/page.html", context, refused.status if refused else 200)


@needs("tasks.read")
async def tasks(request: web.Request) -> web.StreamResponse:
    """Every open task by deadline, with what changed; the settled ones below."""
    return await _tasks_page(request)


@needs("tasks.ask")
async def make_repost(request: web.Request) -> web.StreamResponse:
    """Give out a mandatory repost."""
    deps, fields = request.config_dict[DEPS], await form(request)
    me = visitor(request)
    try:
        new = NewTask(
            kind="repost",
            title=fields.get("title", "")[:300],
            url=fields.get("url", "")[:500],
            due_at=read_field_time(fields.get("due_at", ""), "时限"),
            assignee=fields.get("assignee") or None,
            accounts=tuple(await many(request, "accounts")),
            created_by=me.staff_id,
        )
        await ask_for_repost(deps.ledger, new)
    except Refused as refused:
        return await _tasks_page(request, refused, fields)
    return see("/console/tasks", "task_made")


@needs("tasks.settle")
async def settle_task(request: web.Request) -> web.StreamResponse:
    """Close a task with its outcome and reason."""
    deps, fields = request.config_dict[DEPS], await form(request)
    how = Settlement(fields.get("outcome", ""), fields.get("note", ""))
    try:
        row = await settle(deps.queue, request.match_info["task"], visitor(request).staff_id, how)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _tasks_page(request, refused)
    # A correction was made as a draft: that is where the work goes on.
    made = row.detail.get("item", "")
    return see(f"/console/items/{made}/edit" if made else "/console/tasks", "task_settled")


@download
@needs("tasks.read")
async def report(request: web.Request) -> web.StreamResponse:
    """The completion report of mandatory reposts as a file."""
    async with request.config_dict[DEPS].db.session() as session:
        text = as_csv(await repost_report(session))
    return web.Response(
        text=text,
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": 'attachment; filename="reposts.csv"'},
    )


ROUTES = [
    web.get("/tasks", tasks),
    web.post("/tasks", make_repost),
    web.get("/tasks/reposts.csv", report),
    web.post("/tasks/{task}", settle_task),
]
