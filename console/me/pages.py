"""我的登录 and 退出: the person's own sessions, password and API tokens."""

from aiohttp import web
from sqlalchemy import select

from config.clock import now
from console.web.cookies import keep_known
from console.web.deps import DEPS, visitor
from console.web.guard import COOKIE
from console.web.pages import form, page, see
from console.web.permissions import OWN_SIGNIN, needs
from review_queue import claims
from review_queue.governance.staff_changes import change_password
from staff.devices import devices_of, end_device
from staff.models import ApiToken
from staff.refusal import Refused
from staff.sessions import (
    PERSONAL,
    SERVICE,
    end_other_sessions,
    limit_passwords,
    new_token,
    revoke_tokens,
    sessions_of,
    sign_out,
)


@needs(OWN_SIGNIN)
async def signout(request: web.Request) -> web.StreamResponse:
    """End this session; with the last one, whatever the person held for review is free again."""
    deps, me = request.config_dict[DEPS], visitor(request)
    await sign_out(deps.ledger, me)
    async with deps.db.session() as session:
        gone = not await sessions_of(session, me.staff_id)
    # Only with the last sign-in: whoever is still signed in elsewhere goes on reviewing there.
    if gone:
        await claims.give_back(deps.queue, me.staff_id)
    response = see("/console/signin")
    response.del_cookie(COOKIE, path="/")
    return response


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
            "devices": await devices_of(session, me.staff_id, me.key),
            "tokens": (await session.scalars(query)).all(),
            "token": token,
            "provider": deps.identities.provider.client.name if deps.identities else "",
            "factor": await deps.door.factors.of(me.staff_id),
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
    await end_other_sessions(deps.ledger, me)
    await claims.give_back(deps.queue, me.staff_id)
    return see("/console/me", "sessions")


@needs("tokens.own")
async def end_one(request: web.Request) -> web.StreamResponse:
    """Sign out in one other place."""
    deps, me = request.config_dict[DEPS], visitor(request)
    try:
        await end_device(deps.ledger, me.staff_id, request.match_info["device"], me.staff_id)
    except Refused as refused:
        return await _own(request, refused=refused)
    return see("/console/me", "session")


@needs("tokens.own")
async def new_own_password(request: web.Request) -> web.StreamResponse:
    """A new password of one's own; every other sign-in and every token ends."""
    deps, me, data = request.config_dict[DEPS], visitor(request), await request.post()
    old, new = (str(data.get(name, "")) for name in ("old", "new"))
    try:
        # Whoever found an open session must not be able to try passwords in it.
        await limit_passwords(deps.cache, me.staff_id)
        await change_password(deps.ledger, me.staff_id, old, new, kept=me.key)
    except Refused as refused:
        return await _own(request, refused=refused)
    response = see("/console/me", "password")
    # The mark of before ended with the old password.
    keep_known(request, response, me.staff_id, await deps.door.mark_of(me.staff_id))
    return response


@needs("tokens.own")
async def make_token(request: web.Request) -> web.StreamResponse:
    """Make a token and show it once."""
    fields, db = await form(request), request.config_dict[DEPS].db
    sort = SERVICE if fields.get("service") else PERSONAL
    try:
        name = fields.get("name", "")
        token = await new_token(db, visitor(request).staff_id, name, sort=sort)
    except Refused as refused:
        return await _own(request, refused=refused)
    return await _own(request, token)


@needs("tokens.own")
async def end_tokens(request: web.Request) -> web.StreamResponse:
    """Revoke every token of mine."""
    await revoke_tokens(request.config_dict[DEPS].ledger, visitor(request).staff_id)
    return see("/console/me", "tokens")


ROUTES = [
    web.post("/signout", signout),
    web.get("/me", own),
    web.post("/me/sessions", end_others),
    web.post("/me/sessions/{device}/end", end_one),
    web.post("/me/password", new_own_password),
    web.post("/me/tokens", make_token),
    web.post("/me/tokens/end", end_tokens),
]
