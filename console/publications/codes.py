"""代码表: what a code of a platform means and what to do, for whoever meets one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from aiohttp import web

from bot.channels import CHANNELS
from bot.meaning import Listed, Meaning
from console.web.interface import as_json
from console.web.pages import page
from console.web.permissions import needs

_LONGEST = 40


def wanted(request: web.Request) -> str:
    """The code somebody looks up; empty for all."""
    return request.query.get("code", "").strip()[:_LONGEST]


def tables(code: str) -> Sequence[tuple[str, Mapping[str, Listed]]]:
    """Each platform's label and its rows, of one code where one is asked for."""
    found = []
    for channel in CHANNELS.values():
        rows = {key: row for key, row in channel.codes.items() if code in ("", key)}
        found.append((channel.label, rows))
    return [one for one in found if one[1]]


@needs("publications.read")
async def codes(request: web.Request) -> web.StreamResponse:
    """Every code, or the one that is asked for."""
    code = wanted(request)
    context = {
        "place": "publications",
        "code": code,
        "tables": tables(code),
        "meanings": list(Meaning),
    }
    return page(request, "publications/codes.html", context)


@needs("publications.read")
async def list_codes(request: web.Request) -> web.StreamResponse:
    """Every code of every platform, or the one that is asked for."""
    rows: list[dict[str, Any]] = [
        {"platform": channel.platform, "code": key, **asdict(row), "then": row.meaning.then}
        for channel in CHANNELS.values()
        for key, row in channel.codes.items()
        if wanted(request) in ("", key)
    ]
    return as_json({"codes": rows})


ROUTES = [web.get("/codes", codes)]
API = [web.get("/codes", list_codes)]
