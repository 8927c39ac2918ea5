"""The cookies of signing in: for this host only, closed to scripts."""

from datetime import timedelta

from aiohttp import web

from console.web.guard import is_secure
from staff.known import KNOWN_LIFE
from staff.slowing import hidden

_KNOWN = "shenfa_known_"


def keep(
    request: web.Request, response: web.StreamResponse, name: str, value: str, life: timedelta
) -> None:
    """For this host only (no Domain), so each person's own host keeps its own session."""
    response.set_cookie(
        name,
        value,
        max_age=int(life.total_seconds()),
        path="/",
        httponly=True,
        samesite="Lax",
        secure=is_secure(request),
    )


def keep_known(
    request: web.Request, response: web.StreamResponse, staff_id: str, mark: str
) -> None:
    """Make this browser one in which the person signed in before; several people may share it."""
    keep(request, response, _KNOWN + hidden(staff_id)[:12], mark, KNOWN_LIFE)


def known_marks(request: web.Request) -> tuple[str, ...]:
    """The marks of everybody who signed in here before."""
    return tuple(value for name, value in request.cookies.items() if name.startswith(_KNOWN))
