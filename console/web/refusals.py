"""Which role is refused at which route: read off the routes themselves."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from aiohttp import web
from aiohttp.web_urldispatcher import AbstractRoute

from console.web.permissions import PUBLIC, action_of, may
from staff.roles import ROLES

SIGNED_OUT = "signed out"
_DIGEST = re.compile(r"\{sha256[^/]*\}")
_FIELD = re.compile(r"\{[^/}]+\}")


@dataclass(frozen=True)
class Guarded:
    """A route, an address of it with its fields filled in, and the action it declares."""

    method: str
    path: str
    action: str | None
    route: AbstractRoute


def routes_of(app: web.Application) -> list[Guarded]:
    """Every route of a site, mounted ones included; HEAD is the handler of its GET."""
    found = []
    for route in app.router.routes():
        if route.resource is None or route.method == "HEAD":
            continue
        path = _FIELD.sub("x", _DIGEST.sub("0" * 64, route.resource.canonical))
        found.append(Guarded(route.method, path, action_of(route.handler), route))
    return found


def refused(one: Guarded, role: str) -> bool:
    """Whether somebody with this role alone, or nobody (SIGNED_OUT), is turned away there."""
    if one.action == PUBLIC:
        return False
    # What declares nothing is closed to everybody.
    return role == SIGNED_OUT or one.action is None or not may([role], one.action)


def lines(app: web.Application) -> Iterator[str]:
    """How many routes are open and closed to each role, as a table in Markdown.

    The doors of platforms stand in no table of roles: each call there proves itself.
    """
    every = [one for one in routes_of(app) if one.action]
    closed = {role: sum(refused(one, role) for one in every) for role in (*ROLES, SIGNED_OUT)}
    yield "| role | routes | open | refused |"
    yield "|---|---|---|---|"
    for role, shut in closed.items():
        yield f"| {role} | {len(every)} | {len(every) - shut} | {shut} |"
    pairs, shut = len(every) * len(closed), sum(closed.values())
    yield f"| all | {pairs} | {pairs - shut} | {shut} |"
