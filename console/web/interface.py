"""What every part of the JSON API shares: strict bodies, answers, refusals, route declarations."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from console.web.permissions import Handler
from staff.refusal import Reason, Refused

Body = TypeVar("Body", bound=BaseModel)


class Strict(BaseModel):
    """A body that refuses fields it does not know."""

    model_config = ConfigDict(extra="forbid")


class ReasonBody(Strict):
    """Why."""

    reason: str = Field(min_length=1)


_CODES = {
    400: "bad_request",
    401: "no_session",
    403: "forbidden",
    404: "not_found",
    405: "method",
    409: "conflict",
    410: "gone",
    413: "too_large",
    422: "invalid",
    429: "too_many",
    500: "error",
    503: "unavailable",
}


PAGE = 100
"""How many rows a list of the API tells at most."""


def as_json(data: object, status: int = 200) -> web.Response:
    """A JSON answer; moments as ISO 8601."""
    text = json.dumps(data, ensure_ascii=False, default=_plain)
    return web.Response(text=text, status=status, content_type="application/json", charset="utf-8")


def picked(row: object, names: Iterable[str]) -> dict[str, object]:
    """The named columns of a row, as they are."""
    return {name: getattr(row, name) for name in names}


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def problem_json(_request: web.Request, refused: Refused) -> web.StreamResponse:
    """A refusal as {"error", "rule", "message", "reasons"}."""
    reasons = [{"rule": row.rule, "message": row.message} for row in refused.reasons]
    body: dict[str, object] = {
        "error": _CODES.get(refused.status, "error"),
        "rule": reasons[0]["rule"] if reasons else "",
        "message": "；".join(row["message"] for row in reasons),
        "reasons": reasons,
    }
    if refused.current is not None:
        body["current"] = dict(refused.current)
    return as_json(body, refused.status)


def takes(model: type[BaseModel]) -> Callable[[Handler], Handler]:
    """Declare the body of a route, for `read` and for openapi.json."""

    def mark(handler: Handler) -> Handler:
        handler.body = model  # type: ignore[attr-defined]  # read by openapi
        return handler

    return mark


def answers(model: type[BaseModel]) -> Callable[[Handler], Handler]:
    """Declare the form of a route's answer, for openapi.json."""

    def mark(handler: Handler) -> Handler:
        handler.answer = model  # type: ignore[attr-defined]  # read by openapi
        return handler

    return mark


def filtered_by(*names: str) -> Callable[[Handler], Handler]:
    """Declare what a list may be narrowed by in its address, for openapi.json."""

    def mark(handler: Handler) -> Handler:
        handler.filters = names  # type: ignore[attr-defined]  # read by openapi
        return handler

    return mark


async def read(request: web.Request, model: type[Body]) -> Body:
    """The JSON body, or Refused (422) naming each field."""
    try:
        return model.model_validate_json(await request.read())
    except ValidationError as error:
        faults = [
            Reason(
                "field",
                f"字段 {'.'.join(str(part) for part in row['loc']) or '（整体）'} 不对："
                f"{_FIELD_WORDS.get(row['type'], '请按 openapi.json 的格式填写')}",
            )
            # Every wrong field at once, and never the value: it may hold what must not reach a log.
            for row in error.errors(include_url=False, include_context=False)
        ]
        raise Refused(422, faults) from error


_FIELD_WORDS = {
    "missing": "缺少，请补上",
    "extra_forbidden": "没有这个字段，请删去",
    "json_invalid": "不是有效的 JSON",
    "string_too_short": "不能为空",
    "string_pattern_mismatch": "格式不对",
    "datetime_from_date_parsing": "请写带时区的时间，如 2026-11-24T09:30:00+08:00",
}


def aware(moment: datetime | None, name: str) -> datetime | None:
    """The moment; Refused (422) when it has no time zone."""
    if moment is not None and moment.tzinfo is None:
        raise Refused(422, [Reason("field", f"字段 {name} 缺少时区，例如 +08:00")])
    return moment


def refusal(refused: Refused) -> web.Response:
    """A refusal for the page's script: the sentences it shows."""
    message = "；".join(reason.message for reason in refused.reasons)
    return as_json({"message": message}, refused.status)
