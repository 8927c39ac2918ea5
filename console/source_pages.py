"""来源: whom we may republish, by what document, until when; lists, exceptions, picture rights."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from aiohttp import web
from sqlalchemy import select

from config.clock import now
from console.deps import DEPS, found, visitor
from console.pages import form, page, see
from console.permissions import needs
from content_sources.changes import (
    ACTIONS,
    WantedChange,
    approve,
    propose,
    reject,
    revoke,
    source_of,
    warnings_of,
)
from content_sources.column_changes import NewColumn, add_column, column_of, switch_column
from content_sources.list_models import ListImport, SourceChange, SourceException
from content_sources.models import Article, Column, Source
from content_sources.official_list import (
    ListFile,
    approve_import,
    import_list,
    last_version,
    reject_import,
)
from content_sources.pictures import declare_picture
from content_sources.preview import Preview
from content_sources.provenance import Right
from content_sources.reposts import Reposts
from content_sources.source_fields import day_text, fields_of, read_fields
from ledger.models import LedgerEntry
from review_queue.models import Item
from staff.people import names
from staff.refusal import Reason, Refused
from storage.media import keep

SOON = timedelta(days=30)
MOST = 200  # sources on one page; the search finds the others
FIELDS = {
    "organisation": "稿源单位",
    "hosts": "网站域名",
    "paths": "栏目路径",
    "topics": "主题范围",
    "picture_licence": "图片许可",
    "basis": "依据文件",
    "basis_file": "依据文件附件",
    "list_version": "名单版本",
    "owner": "负责人",
    "valid_from": "生效",
    "valid_to": "有效期至",
    "allow_http": "允许 http",
}
_FILES = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
_LARGEST = 10 * 1024 * 1024


def validity_tone(row: Source) -> tuple[str, str] | None:
    """Words and tone when a source's validity needs a look."""
    if row.state != "active":
        return None
    if row.valid_from > now():
        return "尚未生效", "warn"
    if row.valid_to is None:
        return None
    if row.valid_to <= now():
        return "已过有效期", "stop"
    if row.valid_to - now() < SOON:
        return f"还有 {(row.valid_to - now()).days} 天到期", "warn"
    return None


def column_tone(column: Column) -> tuple[str, str]:
    """Words and tone for how a column does."""
    if not column.enabled:
        return "未启用", "plain"
    if column.state == "alarm":
        return "版面变了，已停读", "stop"
    if column.last_error:
        return "抓取出错", "stop"
    return ("正常", "good") if column.last_ok_at else ("还没抓取", "plain")


async def _sources_page(
    request: web.Request, refused: Refused | None = None, typed: dict[str, str] | None = None
) -> web.Response:
    deps, words = request.config_dict[DEPS], request.query.get("q", "").strip()[:60]
    async with deps.db.session() as session:
        rows = (await session.scalars(select(Source).order_by(Source.organisation))).all()
        columns: dict[str, list[Column]] = defaultdict(list)
        for column in (await session.scalars(select(Column).order_by(Column.name))).all():
            columns[column.source_id].append(column)
        waiting = select(SourceChange).where(SourceChange.state == "proposed")
        imports = select(ListImport).order_by(ListImport.proposed_at.desc()).limit(10)
        refused_pages = select(Article).where(Article.state == "refused")
        changes = (await session.scalars(waiting)).all()
        context = {
            "place": "sources",
            "rows": _ordered(_shown(rows, changes, words))[:MOST],
            "total": len(rows),
            "words": words,
            "columns": columns,
            "waiting": {change.source_id: change for change in changes},
            "imports": (await session.scalars(imports)).all(),
            "refused": (
                await session.scalars(refused_pages.order_by(Article.fetched_at.desc()).limit(20))
            ).all(),
            "people": await names(session, {change.proposed_by for change in changes}),
            "typed": typed or {},
            "topics": deps.facets.get("topics", {}),
            "reasons": refused.reasons if refused else (),
            "validity_tone": validity_tone,
            "column_tone": column_tone,
        }
    return page(request, "sources.html", context, refused.status if refused else 200)


def _shown(rows: Sequence[Source], changes: Sequence[SourceChange], words: str) -> list[Source]:
    """What matches the words; units that only a waiting list names stand on that list's page."""
    listed = {change.source_id for change in changes if change.batch and change.action == "add"}
    return [
        row
        for row in rows
        if row.id not in listed
        and (not words or words in row.organisation or any(words in host for host in row.hosts))
    ]


def _ordered(rows: Sequence[Source]) -> list[Source]:
    """What needs a hand first: waiting, expired, expiring; then the rest; revoked ones last."""
    order = {"proposed": 0, "active": 2, "revoked": 4, "rejected": 5}

    def rank(row: Source) -> tuple[int, str]:
        return (1 if validity_tone(row) else order.get(row.state, 3)), row.organisation

    return sorted(rows, key=rank)


@needs("sources.read")
async def sources(request: web.Request) -> web.StreamResponse:
    """Every determined source with its validity, last fetch and health."""
    return await _sources_page(request)


async def read_source_form(request: web.Request) -> dict[str, str]:
    """The form's texts; an attached authorising document is kept and becomes its marker."""
    fields = await form(request)
    fields["topics"] = " ".join(
        value for value in (await request.post()).getall("topics", []) if isinstance(value, str)
    )
    for name in ("valid_from", "valid_to"):
        fields[name] = day_text(fields.get(name, ""))
    upload = (await request.post()).get("basis_file")
    if isinstance(upload, web.FileField) and upload.filename:
        data = upload.file.read(_LARGEST + 1)
        mime = next((m for end, m in _FILES.items() if upload.filename.lower().endswith(end)), "")
        if not mime or len(data) > _LARGEST:
            reason = "依据文件附件只收 pdf、png、jpg、docx，不超过 10 MB"
            raise Refused(422, [Reason("basis_file", reason)])
        async with request.config_dict[DEPS].db.session() as session:
            fields["basis_file"] = await keep(session, data, mime)
    else:
        kept = fields.get("kept_file", "")
        fields["basis_file"] = kept if kept.startswith("sha256:") else ""
    return fields


@needs("sources.propose")
async def propose_source(request: web.Request) -> web.StreamResponse:
    """Propose a new source; another person approves it."""
    deps, fields = request.config_dict[DEPS], await form(request)
    try:
        fields = await read_source_form(request)
        wanted = read_fields(fields, deps.facets.get("topics", {}))
        await propose(deps.ledger, visitor(request).staff_id, WantedChange("add", wanted))
    except Refused as refused:
        return await _sources_page(request, refused, fields)
    return see("/console/sources", "proposed")


# --- one source -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """A column form, and what the column would bring; `shown` None before it was read."""

    fields: Mapping[str, str] = field(default_factory=dict)
    shown: Preview | None = None


async def _source_page(
    request: web.Request,
    refused: Refused | None = None,
    typed: dict[str, str] | None = None,
    trial: Trial | None = None,
) -> web.Response:
    deps, source_id = request.config_dict[DEPS], request.match_info["source"]
    async with deps.db.session() as session:
        row = await source_of(session, source_id)
        columns = select(Column).where(Column.source_id == source_id).order_by(Column.name)
        changes = select(SourceChange).where(SourceChange.source_id == source_id)
        entries = select(LedgerEntry).where(LedgerEntry.subject == f"source:{source_id}")
        history = (await session.scalars(entries.order_by(LedgerEntry.seq.desc()).limit(50))).all()
        said = (await session.scalars(changes.order_by(SourceChange.id.desc()))).all()
        waiting = next((one for one in said if one.state == "proposed"), None)
        items = (
            select(Item.state)
            .join(Article, Article.id == Item.article_id)
            .where(Article.source_id == source_id)
        )
        states = (await session.scalars(items)).all()
        ids = {entry.actor for entry in history} | {row.proposed_by, row.approved_by or "system"}
        ids |= {one.proposed_by for one in said}
        context = {
            "place": "sources",
            "row": row,
            "columns": (await session.scalars(columns)).all(),
            "waiting": waiting,
            "difference": _difference(waiting) if waiting else [],
            "warnings": await warnings_of(session, waiting) if waiting else [],
            "history": history,
            "trial": trial or Trial(),
            "counts": {state: states.count(state) for state in sorted(set(states))},
            "people": await names(session, ids),
            "typed": typed or {},
            "topics": deps.facets.get("topics", {}),
            "reasons": refused.reasons if refused else (),
            "validity_tone": validity_tone,
            "column_tone": column_tone,
            "actions": ACTIONS,
        }
    return page(request, "source.html", context, refused.status if refused else 200)


def _difference(change: SourceChange) -> list[tuple[str, str, str]]:
    """Label, old and new text of every field a change touches."""
    return [
        (label, _said(change.before.get(name)), _said(change.fields.get(name)))
        for name, label in FIELDS.items()
        if _said(change.before.get(name)) != _said(change.fields.get(name))
    ]


def _said(value: object) -> str:
    if isinstance(value, list):
        return "、".join(str(part) for part in value)
    if isinstance(value, bool):
        return "是" if value else "否"
    text = str(value or "")
    return text[:10] if "T" in text and text[:4].isdigit() else text


@needs("sources.read")
async def source(request: web.Request) -> web.StreamResponse:
    """One source: proof, validity, columns, the waiting change, its history in the ledger."""
    return await _source_page(request)


@needs("sources.propose")
async def change_source(request: web.Request) -> web.StreamResponse:
    """Propose an edit, a renewal or the return of a source."""
    deps, fields = request.config_dict[DEPS], await form(request)
    source_id = request.match_info["source"]
    try:
        fields = await read_source_form(request)
        async with deps.db.session() as session:
            row = await source_of(session, source_id)
        before = fields_of(row)
        fields["valid_from"] = fields["valid_from"] or before.valid_from.isoformat()
        wanted = read_fields(fields, deps.facets.get("topics", {}))
        action = "restore" if row.state == "revoked" else fields.get("action", "edit")
        proposal = WantedChange(action, wanted, source_id)
        await propose(deps.ledger, visitor(request).staff_id, proposal)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _source_page(request, refused, fields)
    return see(f"/console/sources/{source_id}", "proposed")


@needs("sources.approve")
async def settle_source(request: web.Request) -> web.StreamResponse:
    """Approve or reject the waiting change, or revoke the source."""
    ledger, me = request.config_dict[DEPS].ledger, visitor(request)
    source_id, verdict = request.match_info["source"], (await form(request)).get("verdict", "")
    try:
        if verdict == "approve":
            await approve(ledger, me.staff_id, source_id)
        elif verdict == "reject":
            await reject(ledger, me.staff_id, source_id)
        else:
            await revoke(ledger, me.staff_id, source_id)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _source_page(request, refused)
    done = {"approve": "source_approved", "reject": "source_rejected"}
    return see(f"/console/sources/{source_id}", done.get(verdict, "source_revoked"))


# --- columns --------------------------------------------------------------------------------


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
        return await _source_page(request, refused, trial=Trial(fields))
    shown = await deps.ingest.preview(wanted.url, wanted.kind, wanted.selectors)
    return await _source_page(request, trial=Trial(fields, shown))


@needs("sources.propose")
async def turn_column(request: web.Request) -> web.StreamResponse:
    """Stop polling a column, poll it again, or accept its new build."""
    deps, turn = request.config_dict[DEPS], (await form(request)).get("turn", "")
    key = request.match_info["column"]
    row = await switch_column(deps.ledger, visitor(request).staff_id, key, turn)
    if turn == "accept":
        await deps.ingest.accept_layout(key)
    return see(f"/console/sources/{row.source_id}", "column_switched")


# --- published lists ------------------------------------------------------------------------


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
    return page(request, "source_import.html", context, refused.status if refused else 200)


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
            data=upload.file.read(_LARGEST + 1),
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
        row = found(await session.get(ListImport, request.match_info["import"]), "次导入")
        context = {
            "place": "sources",
            "row": row,
            "people": await names(session, {row.proposed_by, row.decided_by or "system"}),
            "reasons": refused.reasons if refused else (),
        }
    return page(request, "source_diff.html", context, refused.status if refused else 200)


@needs("sources.read")
async def one_import(request: web.Request) -> web.StreamResponse:
    """What an imported list adds, drops and renames."""
    return await _one_import(request)


@needs("sources.approve")
async def settle_import(request: web.Request) -> web.StreamResponse:
    """Approve or reject an imported list."""
    ledger, me = request.config_dict[DEPS].ledger, visitor(request)
    key, verdict = request.match_info["import"], (await form(request)).get("verdict", "")
    try:
        if verdict == "approve":
            await approve_import(ledger, me.staff_id, key)
        else:
            await reject_import(ledger, me.staff_id, key)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _one_import(request, refused)
    done = "import_approved" if verdict == "approve" else "import_rejected"
    return see(f"/console/sources/imports/{key}", done)


# --- exceptions and pictures ----------------------------------------------------------------


async def _exceptions_page(request: web.Request, refused: Refused | None = None) -> web.Response:
    async with request.config_dict[DEPS].db.session() as session:
        query = select(SourceException, Item).join(Item, Item.id == SourceException.item_id)
        rows = (
            await session.execute(query.order_by(SourceException.asked_at.desc()).limit(200))
        ).all()
        ids = {row.asked_by for row, _ in rows} | {row.decided_by or "system" for row, _ in rows}
        context = {
            "place": "sources",
            "rows": rows,
            "people": await names(session, ids),
            "reasons": refused.reasons if refused else (),
        }
    return page(request, "exceptions.html", context, refused.status if refused else 200)


@needs("sources.read")
async def exceptions(request: web.Request) -> web.StreamResponse:
    """Every exception: item, host, reason, who asked and who signed."""
    return await _exceptions_page(request)


@needs("exceptions.ask")
async def ask_exception(request: web.Request) -> web.StreamResponse:
    """Ask that one item may be republished from a place that is not on the list."""
    fields, me = await form(request), visitor(request)
    reposts = Reposts(request.config_dict[DEPS].ledger)
    try:
        await reposts.ask_exception(
            request.match_info["item"], me.staff_id, fields.get("reason", "")
        )
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _exceptions_page(request, refused)
    return see("/console/sources/exceptions", "exception_asked")


@needs("exceptions.decide")
async def decide_exception(request: web.Request) -> web.StreamResponse:
    """Sign an exception, or refuse it."""
    fields, me = await form(request), visitor(request)
    reposts, verdict = Reposts(request.config_dict[DEPS].ledger), fields.get("verdict", "")
    try:
        row = await reposts.decide_exception(
            request.match_info["exception"], me.staff_id, verdict, fields.get("note", "")
        )
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _exceptions_page(request, refused)
    return see("/console/sources/exceptions", f"exception_{row.state}")


@needs("pictures.set")
async def set_picture(request: web.Request) -> web.StreamResponse:
    """Record where a picture comes from and by what licence it is shown."""
    fields, item_id = await form(request), request.match_info["item"]
    await declare_picture(
        request.config_dict[DEPS].ledger,
        item_id,
        visitor(request).staff_id,
        media=fields.get("media", ""),
        right=Right(fields.get("origin", ""), fields.get("licence", "")),
    )
    return see(f"/console/items/{item_id}", "picture_set")


ROUTES = [
    web.get("/sources", sources),
    web.post("/sources", propose_source),
    web.get("/sources/import", import_form),
    web.post("/sources/import", upload_list),
    web.get("/sources/imports/{import}", one_import),
    web.post("/sources/imports/{import}", settle_import),
    web.get("/sources/exceptions", exceptions),
    web.post("/sources/exceptions/{exception}", decide_exception),
    web.get("/sources/{source}", source),
    web.post("/sources/{source}", settle_source),
    web.post("/sources/{source}/change", change_source),
    web.post("/sources/{source}/columns", column),
    web.post("/sources/{source}/columns/{column}", turn_column),
    web.post("/items/{item}/exception", ask_exception),
    web.post("/items/{item}/pictures", set_picture),
]
