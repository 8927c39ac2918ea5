"""A published list of sources: uploaded, compared with the present one, approved by another."""

from aiohttp import web
from sqlalchemy import select

from console.sources.forms import LARGEST
from console.web.deps import DEPS, found, visitor
from console.web.pages import form, page, see
from console.web.permissions import needs
from content_sources.models import Source
from content_sources.official_list import (
    ListFile,
    approve_import,
    import_list,
    imported,
    last_version,
    reject_import,
)
from staff.people import names
from staff.refusal import Reason, Refused


async def _import_page(request: web.Request, refused: Refused | None = None) -> web.Response:
    async with request.config_dict[DEPS].db.session() as session:
        query = select(Source.list_version).where(
            Source.state == "active", Source.list_version != ""
        )
        context = {
            "place": "sources",
            "versions": sorted(set((await session.scalars(query)).all())),
            "last": await last_version(session),
            "reasons": refused.reasons if refused else (),
        }
    return page(request, "sources/import.html", context, refused.status if refused else 200)


@needs("sources.propose")
async def import_form(request: web.Request) -> web.StreamResponse:
    """Upload a published list."""
    return await _import_page(request)


@needs("sources.propose")
async def upload_list(request: web.Request) -> web.StreamResponse:
    """Read a published list and propose what it changes."""
    fields, upload = await form(request), (await request.post()).get("file")
    try:
        if not isinstance(upload, web.FileField) or not upload.filename:
            raise Refused(422, [Reason("file", "请选择名单文件")])
        file = ListFile(
            name=upload.filename,
            data=upload.file.read(LARGEST + 1),
            list_version=fields.get("list_version", ""),
            basis=fields.get("basis", ""),
            replaces=fields.get("replaces", ""),
        )
        row = await import_list(request.config_dict[DEPS].ledger, visitor(request).staff_id, file)
    except Refused as refused:
        return await _import_page(request, refused)
    return see(f"/console/sources/imports/{row.id}", "imported")


async def _one_import(request: web.Request, refused: Refused | None = None) -> web.Response:
    async with request.config_dict[DEPS].db.session() as session:
        row = found(await imported(session, request.match_info["import"]), "次导入")
        context = {
            "place": "sources",
            "row": row,
            "people": await names(session, {row.proposed_by, row.decided_by or "system"}),
            "reasons": refused.reasons if refused else (),
        }
    return page(request, "sources/list_page.html", context, refused.status if refused else 200)


@needs("sources.read")
async def one_import(request: web.Request) -> web.StreamResponse:
    """What an imported list adds, drops and renames."""
    return await _one_import(request)


@needs("sources.approve")
async def settle_import(request: web.Request) -> web.StreamResponse:
    """Approve or reject an imported list."""
    ledger, me = request.config_dict[DEPS].ledger, visitor(request)
    key, fields = request.match_info["import"], await form(request)
    verdict = fields.get("verdict", "")
    try:
        if verdict == "approve":
            await approve_import(ledger, me.staff_id, key)
        else:
            await reject_import(ledger, me.staff_id, key, fields.get("reason", ""))
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _one_import(request, refused)
    done = "import_approved" if verdict == "approve" else "import_rejected"
    return see(f"/console/sources/imports/{key}", done)


ROUTES = [
    web.get("/sources/import", import_form),
    web.post("/sources/import", upload_list),
    web.get("/sources/imports/{import}", one_import),
    web.post("/sources/imports/{import}", settle_import),
]
