"""The JSON API: every feature's routes in one list, and openapi.json that describes them."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel

from console.cockpit import api as cockpit
from console.cockpit import promises, relevance
from console.consultations import api as consultations
from console.examples import BODIES, PLACES
from console.experts import api as experts
from console.items import api as items
from console.items import api_editions as items_editions
from console.items import api_history as items_history
from console.items import api_limiting as items_limiting
from console.items import api_mending as items_mending
from console.items import api_publishing as items_publishing
from console.items import api_reviewing as items_reviewing
from console.me import api as me
from console.plan import api as plan
from console.policies import api as policies
from console.policies import api_entries as policies_entries
from console.public import open_figures, open_items, open_policies
from console.publications import api as publications
from console.publications import api_comments as publications_comments
from console.publications import api_people as publications_people
from console.publications import codes
from console.records import api as records
from console.reports import api as reports
from console.settings import api as settings
from console.settings import api_texts as settings_texts
from console.sources import api as sources
from console.sources import api_columns as sources_columns
from console.subscriptions import api as subscriptions
from console.tasks import api as tasks
from console.tickets import api as tickets
from console.tickets import api_desk as tickets_desk
from console.web.interface import as_json
from console.web.permissions import ACTIONS, PUBLIC, action_of, needs
from console.workplan import api as workplan


@needs(PUBLIC)
async def openapi(request: web.Request) -> web.StreamResponse:
    """This API as OpenAPI 3.1."""
    return as_json(document())


@cache
def document() -> Mapping[str, Any]:
    """What openapi.json says."""
    schemas: dict[str, Any] = {"Error": _ERROR}
    paths: dict[str, dict[str, object]] = {}
    for route in ROUTES:
        said = _operation(route, schemas)
        paths.setdefault(f"/api/v1{route.path}", {})[route.method.lower()] = said
    return {
        "openapi": "3.1.0",
        "info": {"title": "审发 Shenfa", "version": "1"},
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "shenfa_session"},
            },
            "schemas": schemas,
        },
    }


def _schema(
    model: type[BaseModel], mode: Literal["validation", "serialization"], shared: dict[str, Any]
) -> object:
    """The schema of a model; what it is made of goes among those that all operations share."""
    schema = model.model_json_schema(mode=mode, ref_template="#/components/schemas/{model}")
    shared |= schema.pop("$defs", {})
    return schema


_ERROR = {
    "type": "object",
    "required": ["error", "rule", "message", "reasons"],
    "properties": {
        "error": {"type": "string"},
        "rule": {"type": "string"},
        "message": {"type": "string"},
        "reasons": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"rule": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def _operation(route: web.RouteDef, shared: dict[str, Any]) -> dict[str, object]:
    handler = route.handler
    action = action_of(handler) or PUBLIC
    failure = {
        "description": "{error, rule, message, reasons}",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    # Path parameters are all texts: ids are opaque to whoever calls.
    names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    operation: dict[str, object] = {
        "operationId": handler.__name__,
        "summary": (handler.__doc__ or "").strip().splitlines()[0],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            | ({"example": PLACES[name]} if name in PLACES else {})
            for name in names
        ]
        + [
            {"name": name, "in": "query", "required": False, "schema": {"type": "string"}}
            for name in getattr(handler, "filters", ())
        ],
        "responses": {"2XX": _success(handler, shared), "4XX": failure},
        "security": [] if action == PUBLIC else [{"token": []}, {"session": []}],
        "x-roles": sorted(ACTIONS.get(action, ())),
    }
    model = getattr(handler, "body", None)
    if model is not None:
        schema = _schema(model, "validation", shared)
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema, **_example(route)}},
        }
    return operation


def _example(route: web.RouteDef) -> Mapping[str, Any]:
    found = BODIES.get(f"{route.method} {route.path}")
    return {} if found is None else {"example": found}


def _success(handler: object, shared: dict[str, Any]) -> dict[str, object]:
    model = getattr(handler, "answer", None)
    if model is None:
        return {"description": "done"}
    schema = _schema(model, "serialization", shared)
    return {"description": "done", "content": {"application/json": {"schema": schema}}}


ROUTES: list[web.RouteDef] = [
    web.get("/openapi.json", openapi),
    *items.ROUTES,
    *items_editions.ROUTES,
    *items_reviewing.ROUTES,
    *me.ROUTES,
    *items_publishing.ROUTES,
    *experts.ROUTES,
    *items_mending.ROUTES,
    *publications.ROUTES,
    *publications_people.ROUTES,
    *publications_comments.ROUTES,
    *codes.API,
    *plan.ROUTES,
    *sources.ROUTES,
    *tasks.ROUTES,
    *settings.ROUTES,
    *settings_texts.ROUTES,
    *policies.ROUTES,
    *policies_entries.ROUTES,
    *subscriptions.ROUTES,
    *tickets.ROUTES,
    *tickets_desk.ROUTES,
    *records.ROUTES,
    *items_history.ROUTES,
    *items_limiting.ROUTES,
    *cockpit.ROUTES,
    *promises.API,
    *relevance.API,
    *reports.ROUTES,
    *workplan.ROUTES,
    *consultations.ROUTES,
    *sources_columns.ROUTES,
    *open_policies.ROUTES,
    *open_items.ROUTES,
    *open_figures.ROUTES,
]
"""Every route of the API, in the order in which openapi.json lists them."""
