"""登录 and 退出; the person's own sessions and API tokens."""

import secrets

from aiohttp import web
from sqlalchemy import select

from config.clock import now
from console.web.deps import DEPS, Deps, visitor
from console.web.guard import COOKIE, FORM_COOKIE, check_form, is_secure
from console.web.pages import form, page, see
from console.web.permissions import PUBLIC, needs
from review_queue import claims
from review_queue.governance.staff_changes import change_password
from review_queue.models import Item
from staff.models import ApiToken
from staff.refusal import Refused
from staff.sessions import (
    ABSOLUTE,
    Attempt,
    end_other_sessions,
    limit_passwords,
    new_token,
    revoke_tokens,
    sessions_of,
    sign_in,
    sign_out,
)


def _set_cookie(request: web.Request, response: web.Response, name: str, value: str) -> None:
    """For this host only (no Domain), so each person's own host keeps its own session."""
    response.set_cookie(
        name,
        value,
        max_age=int(ABSOLUTE.total_seconds()),
        path="/",
        httponly=True,
        samesite="Lax",
        secure=is_secure(request),
    )


def _next_path(text: str) -> str:
    """A path inside the console; anything else becomes the home page."""
    # A link made by somebody else must not lead out of here after signing in.
    inside = text.startswith("/console/") and "\\" not in text and "\n" not in text
    return text if inside else "/console/"


def _signin_form(
    request: web.Request, login: str = "", refused: Refused | None = None
) -> web.Response:
    # There is no session yet, so the sign-in form has a token of its own in a cookie.
    token = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
    context = {
        "token": token,
        "login": login,
        "next": _next_path(request.query.get("next", "")),
        "reasons": refused.reasons if refused else (),
        "ended": "next" in request.query and request.query["next"] != "/console/",
    }
    response = page(request, "me/signin.html", context, refused.status if refused else 200)
    _set_cookie(request, response, FORM_COOKIE, token)
    return response


@needs(PUBLIC)
async def signin_form(request: web.Request) -> web.StreamResponse:
    """The sign-in page."""
    return _signin_form(request)


@needs(PUBLIC)
async def signin(request: web.Request) -> web.StreamResponse:
    """Check login and password; begin a session."""
    deps, fields = request.config_dict[DEPS], await form(request)
    login = fields.get("login", "")
    try:
        await check_form(request, request.cookies.get(FORM_COOKIE, ""))
        # Not by form(): a password may begin or end with a space.
        password = (await request.post()).get("password", "")
        attempt = Attempt(
            login=login,
            password=password if isinstance(password, str) else "",
            address=request.remote or "",
            user_agent=request.headers.get("User-Agent", ""),
        )
        token = await sign_in(deps.ledger, deps.cache, attempt)
    except Refused as refused:
        return _signin_form(request, login, refused)
    response = see(_next_path(fields.get("next", "")))
    _set_cookie(request, response, COOKIE, token)
    return response


@needs("home")
async def signout(request: web.Request) -> web.StreamResponse:
    """End this session; with the last one, whatever the person held for review is free again."""
    deps, me = request.config_dict[DEPS], visitor(request)
    await sign_out(deps.db, me.key)
    async with deps.db.session() as session:
        gone = not await sessions_of(session, me.staff_id)
    # Only with the last sign-in: whoever is still signed in elsewhere goes on reviewing there.
    if gone:
        await _give_back(deps, me.staff_id)
    response = see("/console/signin")
    response.del_cookie(COOKIE, path="/")
    return response


async def _give_back(deps: Deps, staff_id: str) -> None:
    """Free whatever a person holds for review: who held it may be gone."""
    async with deps.db.session() as session:
        query = select(Item.id).where(Item.claimed_by == staff_id, Item.claimed_until > now())
        held = (await session.scalars(query)).all()
    for item_id in held:
        await claims.unclaim(deps.queue, item_id, staff_id)


async def _own(
    request: web.Request, token: str = "", refused: Refused | None = None
) -> web.Response:
    deps, me = request.config_dict[DEPS], visitor(request)
    async with deps.db.session() as session:
        query = select(ApiToken).where(
            ApiToken.staff_id == me.staff_id,
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at > now(),
        )
        context = {
            "place": "me",
            "sessions": await sessions_of(session, me.staff_id),
            "tokens": (await session.scalars(query)).all(),
            "token": token,
            "reasons": refused.reasons if refused else (),
        }
    return page(request, "me/page.html", context, refused.status if refused else 200)


@needs("tokens.own")
async def own(request: web.Request) -> web.StreamResponse:
    """我的登录: where I am signed in, and my API tokens."""
    return await _own(request)


@needs("tokens.own")
async def end_others(request: web.Request) -> web.StreamResponse:
    """Sign out everywhere else; what was taken for review there is free again."""
    deps, me = request.config_dict[DEPS], visitor(request)
    await end_other_sessions(deps.db, me)
    await _give_back(deps, me.staff_id)
    return see("/console/me", "sessions")


@needs("tokens.own")
async def new_own_password(request: web.Request) -> web.StreamResponse:
    """A new password of one's own; every other sign-in and every token ends."""
    deps, me, data = request.config_dict[DEPS], visitor(request), await request.post()
    old, new = (str(data.get(name, "")) for name in ("old", "new"))
    try:
        # Whoever found an open session must not be able to try passwords in it.
        await limit_passwords(deps.cache, me.staff_id)
        await change_password(deps.ledger, me.staff_id, old, new)
    except Refused as refused:
        return await _own(request, refused=refused)
    await end_other_sessions(deps.db, me)
    await revoke_tokens(deps.db, me.staff_id)
    return see("/console/me", "password")


@needs("tokens.own")
async def make_token(request: web.Request) -> web.StreamResponse:
    """Make a token and show it once."""
    name = (await form(request)).get("name", "")
    try:
        token = await new_token(request.config_dict[DEPS].db, visitor(request).staff_id, name)
    except Refused as refused:
        return await _own(request, refused=refused)
    return await _own(request, token)


@needs("tokens.own")
async def end_tokens(request: web.Request) -> web.StreamResponse:
    """Revoke every token of mine."""
    await revoke_tokens(request.config_dict[DEPS].db, visitor(request).staff_id)
    return see("/console/me", "tokens")


ROUTES = [
    web.get("/signin", signin_form),
    web.post("/signin", signin),
    web.post("/signout", signout),
    web.get("/me", own),
    web.post("/me/sessions", end_others),
    web.post("/me/password", new_own_password),
    web.post("/me/tokens", make_token),
    web.post("/me/tokens/end", end_tokens),
]
