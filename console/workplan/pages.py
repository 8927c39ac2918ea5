"""工作台账: the items of the work plan, their feedback, and giving a plan out."""

from collections.abc import Mapping

from aiohttp import web
from sqlalchemy import select

from console.web.deps import DEPS, visitor
from console.web.pages import form, page, see
from console.web.permissions import download, needs
from console.web.words import read_field_time
from staff.models import Staff
from staff.refusal import Refused
from supervision.workplan import FEEDBACK_DAYS, Given, as_csv, give_out, lines_of, tell_progress

_EVENING = "T18:00"


async def _show(
    request: web.Request, refused: Refused | None = None, typed: Mapping[str, str] | None = None
) -> web.Response:
    async with request.config_dict[DEPS].db.session() as session:
        lines = await lines_of(session)
        staff = select(Staff).where(Staff.active.is_(True)).order_by(Staff.name)
        context = {
            "place": "tasks",
            "lines": lines,
            "waits": sum(one.waits for one in lines),
            "days": FEEDBACK_DAYS,
            "staff": (await session.scalars(staff)).all(),
            "typed": typed or {},
            "reasons": refused.reasons if refused else (),
        }
    return page(request, "workplan/page.html", context, refused.status if refused else 200)


@needs("tasks.read")
async def workplan(request: web.Request) -> web.StreamResponse:
    """Every item in its order, with its last word."""
    return await _show(request)


@needs("tasks.ask")
async def give(request: web.Request) -> web.StreamResponse:
    """Make a task of every numbered item of a plan."""
    fields = await form(request)
    try:
        due_at = read_field_time(f"{fields.get('due', '')}{_EVENING}", "时限")
        given = Given(fields.get("text", ""), due_at, fields.get("assignee", ""))
        await give_out(request.config_dict[DEPS].ledger, given, visitor(request).staff_id)
    except Refused as refused:
        return await _show(request, refused, fields)
    return see("/console/workplan", "plan_given")


@needs("tasks.settle")
async def progress(request: web.Request) -> web.StreamResponse:
    """Say what was done so far."""
    ledger, words = request.config_dict[DEPS].ledger, (await form(request)).get("words", "")
    task, me = request.match_info["task"], visitor(request).staff_id
    try:
        await tell_progress(ledger, task, words, me)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _show(request, refused)
    return see("/console/workplan", "plan_told")


@download
@needs("tasks.read")
async def file(request: web.Request) -> web.StreamResponse:
    """The whole plan as a file."""
    async with request.config_dict[DEPS].db.session() as session:
        text = as_csv(await lines_of(session))
    headers = {"Content-Disposition": 'attachment; filename="workplan.csv"'}
    return web.Response(text=text, content_type="text/csv", charset="utf-8", headers=headers)


ROUTES = [
    web.get("/workplan", workplan),
    web.post("/workplan", give),
    web.get("/workplan.csv", file),
    web.post("/workplan/{task}", progress),
]
