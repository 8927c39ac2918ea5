"""Sources, lists, exceptions and tasks in the JSON API: the same functions as the pages."""

import base64
from datetime import datetime
from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from console.web.deps import DEPS, visitor
from console.web.interface import ReasonBody, Strict, as_json, aware, picked, read, takes
from console.web.permissions import by_service, needs
from content_sources import exceptions as made
from content_sources.changes import (
    WantedChange,
    all_sources,
    approve,
    open_change,
    propose,
    reject,
    revoke,
    source_of,
)
from content_sources.exceptions import Exceptional
from content_sources.exceptions import ask_exception as ask
from content_sources.exceptions import decide_exception as decide
from content_sources.models import Source
from content_sources.official_list import (
    ListFile,
    approve_import,
    import_list,
    last_version,
    plain,
    reject_import,
)
from content_sources.reposts import Reposts
from content_sources.source_fields import fields_of, read_fields
from content_sources.whitelist import Refusal
from staff.refusal import Reason, Refused


class SourceBody(Strict):
    """A source as it shall be."""

    organisation: str
    hosts: list[str]
    basis: str
    list_version: str = ""
    owner: str = ""
    paths: list[str] = Field(default_factory=list)
    topics: list[str] = Field(default_factory=list)
    picture_licence: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None


class ChangeBody(SourceBody):
    """A changed source and what kind of change it is."""

    action: Literal["edit", "renew", "restore"] = "edit"


class UrlBody(Strict):
    """An address to be judged; no request is made."""

    url: str = Field(min_length=1, max_length=2000)


class ImportBody(Strict):
    """A published list, base64; `replaces` null means the list approved last."""

    file_name: str = Field(min_length=1, max_length=200)
    file: str
    list_version: str
    basis: str
    replaces: str | None = None


class VerdictBody(Strict):
    """A signature or a refusal, with its reason."""

    verdict: Literal["grant", "refuse"]
    note: str = Field(min_length=1)


def _plain(row: Source) -> dict[str, object]:
    return {"id": row.id, "state": row.state} | fields_of(row).to_json()


def _fields(request: web.Request, body: SourceBody, since: datetime | None = None) -> Any:
    aware(body.valid_to, "valid_to")
    begin = aware(body.valid_from, "valid_from") or since
    given = {
        "organisation": body.organisation,
        "hosts": " ".join(body.hosts),
        "basis": body.basis,
        "list_version": body.list_version,
        "owner": body.owner,
        "paths": " ".join(body.paths),
        "topics": " ".join(body.topics),
        "picture_licence": body.picture_licence,
        "valid_from": begin.isoformat() if begin else "",
        "valid_to": body.valid_to.isoformat() if body.valid_to else "",
    }
    return read_fields(given, request.config_dict[DEPS].facets.get("topics", {}))


@needs("sources.read")
async def sources(request: web.Request) -> web.StreamResponse:
    """Determined sources."""
    async with request.config_dict[DEPS].db.session() as session:
        rows = await all_sources(session)
    return as_json({"sources": [_plain(row) for row in rows]})


@needs("sources.read")
async def source(request: web.Request) -> web.StreamResponse:
    """One source, and the change that waits for a second person."""
    async with request.config_dict[DEPS].db.session() as session:
        row = await source_of(session, request.match_info["source"])
        change = await open_change(session, row.id)
    waiting = change and {
        "id": change.id,
        "action": change.action,
        "fields": change.fields,
        "proposed_by": change.proposed_by,
    }
    return as_json(_plain(row) | {"waiting": waiting})


@needs("sources.propose")
@takes(SourceBody)
async def propose_source(request: web.Request) -> web.StreamResponse:
    """Propose a source; another person approves it."""
    fields = _fields(request, await read(request, SourceBody))
    ledger, me = request.config_dict[DEPS].ledger, visitor(request)
    change = await propose(ledger, me.staff_id, WantedChange("add", fields))
    return as_json({"id": change.source_id, "change": change.id, "state": "proposed"}, 201)


@needs("sources.propose")
@takes(ChangeBody)
async def change_source(request: web.Request) -> web.StreamResponse:
    """Propose an edit, a renewal or the return of a revoked source."""
    body = await read(request, ChangeBody)
    deps, source_id = request.config_dict[DEPS], request.match_info["source"]
    async with deps.db.session() as session:
        row = await source_of(session, source_id)
    fields = _fields(request, body, row.valid_from)
    proposal = WantedChange(body.action, fields, source_id)
    change = await propose(deps.ledger, visitor(request).staff_id, proposal)
    return as_json({"id": source_id, "change": change.id, "state": "proposed"}, 201)


@needs("sources.approve")
async def approve_source(request: web.Request) -> web.StreamResponse:
    """Approve the waiting change that somebody else proposed."""
    source_id = request.match_info["source"]
    await approve(request.config_dict[DEPS].ledger, visitor(request).staff_id, source_id)
    return as_json({"id": source_id, "state": "active"})


@needs("sources.approve")
async def reject_source(request: web.Request) -> web.StreamResponse:
    """Turn the waiting change down."""
    source_id = request.match_info["source"]
    await reject(request.config_dict[DEPS].ledger, visitor(request).staff_id, source_id)
    return as_json({"id": source_id, "state": "rejected"})


@needs("sources.approve")
async def revoke_source(request: web.Request) -> web.StreamResponse:
    """Stop republishing a source at once; how many items were quarantined, held, listed."""
    source_id = request.match_info["source"]
    done = await revoke(request.config_dict[DEPS].ledger, visitor(request).staff_id, source_id)
    return as_json({"id": source_id, "state": "revoked"} | done)


@by_service
@needs("sources.read")
@takes(UrlBody)
async def check_url(request: web.Request) -> web.StreamResponse:
    """Whether an address may be republished now, and if not, why."""
    body = await read(request, UrlBody)
    judged = await Reposts(request.config_dict[DEPS].ledger).judge(body.url)
    if isinstance(judged, Refusal):
        return as_json({"ok": False, "rule": judged.rule, "message": judged.message})
    return as_json({"ok": True, "source": judged.id, "organisation": judged.organisation})


@needs("sources.propose")
@takes(ImportBody)
async def import_one(request: web.Request) -> web.StreamResponse:
    """Propose what a published list changes; another person approves it."""
    body, deps = await read(request, ImportBody), request.config_dict[DEPS]
    try:
        data = base64.b64decode(body.file, validate=True)
    except ValueError as error:
        raise Refused(422, [Reason("file", "字段 file 不是 base64")]) from error
    async with deps.db.session() as session:
        replaces = await last_version(session) if body.replaces is None else body.replaces
    file = ListFile(body.file_name, data, body.list_version, body.basis, replaces)
    row = await import_list(deps.ledger, visitor(request).staff_id, file)
    return as_json(plain(row), 201)


@needs("sources.approve")
async def approve_one_import(request: web.Request) -> web.StreamResponse:
    """Put an imported list in force."""
    ledger, me = request.config_dict[DEPS].ledger, visitor(request)
    key = request.match_info["import"]
    return as_json({"id": key, **await approve_import(ledger, me.staff_id, key)})


@needs("sources.approve")
async def reject_one_import(request: web.Request) -> web.StreamResponse:
    """Turn an imported list down."""
    ledger, me = request.config_dict[DEPS].ledger, visitor(request)
    key = request.match_info["import"]
    await reject_import(ledger, me.staff_id, key)
    return as_json({"id": key, "state": "rejected"})


def _exception(row: Exceptional) -> dict[str, object]:
    names = ("id", "item_id", "digest", "url", "host", "reason", "state", "asked_by", "asked_at")
    more = ("decided_by", "decided_at", "note")
    return picked(row, (*names, *more))


@needs("sources.read")
async def exceptions(request: web.Request) -> web.StreamResponse:
    """The report of exceptions, newest first."""
    async with request.config_dict[DEPS].db.session() as session:
        rows = await made.exceptions(session)
    return as_json({"exceptions": [_exception(row) for row in rows]})


@needs("exceptions.ask")
@takes(ReasonBody)
async def ask_exception(request: web.Request) -> web.StreamResponse:
    """Ask that this item may be republished although its source is not determined."""
    body = await read(request, ReasonBody)
    ledger, me = request.config_dict[DEPS].ledger, visitor(request)
    row = await ask(ledger, request.match_info["item"], me.staff_id, body.reason)
    return as_json(_exception(row), 201)


@needs("exceptions.decide")
@takes(VerdictBody)
async def decide_exception(request: web.Request) -> web.StreamResponse:
    """Sign an exception or refuse it."""
    body = await read(request, VerdictBody)
    ledger, me = request.config_dict[DEPS].ledger, visitor(request)
    key = request.match_info["exception"]
    row = await decide(ledger, key, me.staff_id, body.verdict, body.note)
    return as_json(_exception(row))


ROUTES = [
    web.get("/sources", sources),
    web.post("/sources", propose_source),
    web.post("/sources/check", check_url),
    web.get("/sources/exceptions", exceptions),
    web.post("/sources/exceptions/{exception}", decide_exception),
    web.post("/sources/imports", import_one),
    web.post("/sources/imports/{import}/approve", approve_one_import),
    web.post("/sources/imports/{import}/reject", reject_one_import),
    web.get("/sources/{source}", source),
    web.post("/sources/{source}/change", change_source),
    web.post("/sources/{source}/approve", approve_source),
    web.post("/sources/{source}/reject", reject_source),
    web.post("/sources/{source}/revoke", revoke_source),
    web.post("/items/{item}/exception", ask_exception),
]
