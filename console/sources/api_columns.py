"""Columns and fetched articles in the JSON API: what would be read, what state, what is alike."""

from typing import Literal

from aiohttp import web
from pydantic import Field
from sqlalchemy import select

from console.items.differences import compare
from console.web.deps import DEPS, found
from console.web.interface import Strict, as_json, read, takes
from console.web.permissions import by_service, needs
from content_sources.models import Article, Column, Source


class PreviewBody(Strict):
    """The address of a feed, list page or sitemap; an empty kind is told from the content."""

    url: str = Field(min_length=8, max_length=500)
    kind: Literal["", "feed", "list", "sitemap", "opendata"] = ""
    selectors: dict[str, str] = Field(default_factory=dict)


@by_service
@needs("sources.propose")
@takes(PreviewBody)
async def preview(request: web.Request) -> web.StreamResponse:
    """What a column of this source would bring now; nothing is stored."""
    deps, body = request.config_dict[DEPS], await read(request, PreviewBody)
    async with deps.db.session() as session:
        found(await session.get(Source, request.match_info["source"]), "稿源")
    shown = await deps.ingest.preview(body.url, body.kind, body.selectors)
    return as_json(shown.record())


@needs("sources.read")
async def columns(request: web.Request) -> web.StreamResponse:
    """The columns of a source and how their last reading went."""
    deps, source_id = request.config_dict[DEPS], request.match_info["source"]
    async with deps.db.session() as session:
        found(await session.get(Source, source_id), "稿源")
        query = select(Column).where(Column.source_id == source_id).order_by(Column.name)
        rows = (await session.scalars(query)).all()
    return as_json({"columns": [_column(row) for row in rows]})


@needs("sources.propose")
async def accept(request: web.Request) -> web.StreamResponse:
    """The new build of a column in alarm is right: read it anew at the next poll."""
    deps = request.config_dict[DEPS]
    async with deps.db.session() as session:
        row = await session.get(Column, request.match_info["column"])
    column = found(row if row and row.source_id == request.match_info["source"] else None, "栏目")
    await deps.ingest.accept_layout(column.id)
    return as_json({"id": column.id, "state": "new"})


@needs("sources.read")
async def article(request: web.Request) -> web.StreamResponse:
    """One fetched article; with what it repeats, and the difference to that."""
    deps = request.config_dict[DEPS]
    async with deps.db.session() as session:
        row = found(await session.get(Article, request.match_info["article"]), "文章")
        kept = await session.get(Article, row.duplicate_of) if row.duplicate_of else None
        query = select(Article.id).where(Article.duplicate_of == row.id)
        copies = list((await session.scalars(query)).all())
    data = _article(row) | {"copies": copies, "difference": []}
    if kept is not None:
        data["difference"] = [
            {
                "kind": line.kind,
                "changes": [{"kind": one.kind, "text": one.text} for one in line.changes],
            }
            for line in compare(kept.text, row.text)
            if line.kind != "same"
        ]
    return as_json(data)


def _column(row: Column) -> dict[str, object]:
    return {
        "id": row.id,
        "name": row.name,
        "url": row.url,
        "kind": row.kind,
        "enabled": row.enabled,
        "state": row.state,
        "error": row.last_error or None,
        "notes": row.notes,
        "failures": row.failures,
        "items": row.read_count,
        "last_ok_at": row.last_ok_at,
        "next_at": row.next_at,
    }


def _article(row: Article) -> dict[str, object]:
    return {
        "id": row.id,
        "source": row.source_id,
        "url": row.url,
        "title": row.title,
        "date": row.published_on,
        "state": row.state,
        "problem": row.problem or None,
        "item": row.item_id,
        "duplicate_of": row.duplicate_of,
        "likeness": row.likeness or None,
        "policy": row.policy,
        "library": row.library or None,
        "snapshot": row.snapshot,
        "fetched_at": row.fetched_at,
        "blocks": row.blocks,
    }


ROUTES = [
    web.get("/sources/{source}/columns", columns),
    web.post("/sources/{source}/columns/preview", preview),
    web.post("/sources/{source}/columns/{column}/accept", accept),
    web.get("/articles/{article}", article),
]
