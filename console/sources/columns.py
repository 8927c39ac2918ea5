"""The columns of a source: what one would bring, switched on and off."""

from aiohttp import web

from console.sources.pages import Trial, source_page
from console.web.deps import DEPS, visitor
from console.web.pages import form, see
from console.web.permissions import needs
from content_sources.changes import source_of
from content_sources.column_changes import NewColumn, add_column, column_of, switch_column
from staff.refusal import Refused


@needs("sources.propose")
async def column(request: web.Request) -> web.StreamResponse:
    """Show what a column would bring, and add it once that was seen."""
    deps, fields = request.config_dict[DEPS], await form(request)
    source_id, every = request.match_info["source"], fields.get("every", "")
    new = NewColumn(
        name=fields.get("name", ""),
        url=fields.get("url", ""),
        kind=fields.get("kind", ""),
        item=fields.get("item", ""),
        every_minutes=int(every) if every.isdigit() else 0,
    )
    try:
        async with deps.db.session() as session:
            wanted = column_of(await source_of(session, source_id), new)
        if fields.get("do") == "add":
            await add_column(deps.ledger, visitor(request).staff_id, source_id, new)
            return see(f"/console/sources/{source_id}", "column_added")
    except Refused as refused:
        if refused.status == 404:
            raise
        return await source_page(request, refused, trial=Trial(fields))
    # Outside any session: another site is asked, and that may take seconds.
    shown = await deps.ingest.preview(wanted.url, wanted.kind, wanted.selectors)
    return await source_page(request, trial=Trial(fields, shown))


@needs("sources.propose")
async def turn_column(request: web.Request) -> web.StreamResponse:
    """Stop polling a column, poll it again, or accept its new build."""
    deps, turn = request.config_dict[DEPS], (await form(request)).get("turn", "")
    key = request.match_info["column"]
    row = await switch_column(deps.ledger, visitor(request).staff_id, key, turn)
    if turn == "accept":
        await deps.ingest.accept_layout(key)
    return see(f"/console/sources/{row.source_id}", "column_switched")


ROUTES = [
    web.post("/sources/{source}/columns", column),
    web.post("/sources/{source}/columns/{column}", turn_column),
]
