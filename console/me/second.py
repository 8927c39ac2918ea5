"""第二步验证: one-time codes of the phone, set up, replaced and given up by the person."""

from dataclasses import dataclass

from aiohttp import web

from console.web.deps import DEPS, Deps, visitor
from console.web.pages import form, page, see
from console.web.permissions import OWN_SIGNIN, needs
from console.web.qr import qr_code
from staff.factors import NEEDED
from staff.refusal import Refused
from staff.second_factor import Fresh
from staff.sessions import Visitor, end_other_sessions, revoke_tokens


@dataclass(frozen=True)
class _Shown:
    """What one answer shows besides how things stand."""

    refused: Refused | None = None
    fresh: Fresh | None = None
    codes: tuple[str, ...] = ()


async def _page(request: web.Request, shown: _Shown | None = None) -> web.Response:
    deps, me, shown = request.config_dict[DEPS], visitor(request), shown or _Shown()
    refused, fresh = shown.refused, shown.fresh
    context = {
        "place": "me",
        "factor": await deps.door.factors.of(me.staff_id),
        "needed": not NEEDED.isdisjoint(me.roles),
        "fresh": fresh,
        "drawing": qr_code(fresh.uri) if fresh else None,
        "codes": shown.codes,
        "reasons": refused.reasons if refused else (),
    }
    return page(request, "me/second.html", context, refused.status if refused else 200)


@needs(OWN_SIGNIN)
async def second(request: web.Request) -> web.StreamResponse:
    """How my second step stands."""
    return await _page(request)


async def _prove(request: web.Request, deps: Deps, me: Visitor) -> None:
    """Password, and the code of who has one: an open session alone changes no sign-in."""
    data = await request.post()
    # Not by form(): a password may begin or end with a space.
    password, code = (str(data.get(name, "")) for name in ("password", "code"))
    await deps.door.prove_again(me.staff_id, password, code)


@needs(OWN_SIGNIN)
async def begin(request: web.Request) -> web.StreamResponse:
    """Show a new secret; it counts once its first code is entered."""
    deps, me = request.config_dict[DEPS], visitor(request)
    try:
        await _prove(request, deps, me)
    except Refused as refused:
        return await _page(request, _Shown(refused))
    fresh = await deps.door.factors.begin(me.staff_id, me.login, me.key)
    return await _page(request, _Shown(fresh=fresh))


@needs(OWN_SIGNIN)
async def confirm(request: web.Request) -> web.StreamResponse:
    """Put the new secret into force and show the recovery codes, this once."""
    deps, me = request.config_dict[DEPS], visitor(request)
    factors = deps.door.factors
    try:
        code = (await form(request)).get("code", "")
        codes = await factors.confirm(me.staff_id, me.login, code, me.key)
    except Refused as refused:
        fresh = await factors.pending(me.staff_id, me.login, me.key)
        return await _page(request, _Shown(refused, fresh))
    # Whoever signed in with the password alone has to show the second step as well.
    await end_other_sessions(deps.ledger, me)
    await revoke_tokens(deps.ledger, me.staff_id)
    return await _page(request, _Shown(codes=tuple(codes)))


@needs(OWN_SIGNIN)
async def remove(request: web.Request) -> web.StreamResponse:
    """Give the one-time codes up; who must have a second step cannot."""
    deps, me = request.config_dict[DEPS], visitor(request)
    try:
        await deps.door.removable(me.staff_id)
        await _prove(request, deps, me)
    except Refused as refused:
        return await _page(request, _Shown(refused))
    await deps.door.factors.remove(me.staff_id)
    return see("/console/me/second", "second_removed")


ROUTES = [
    web.get("/me/second", second),
    web.post("/me/second/begin", begin),
    web.post("/me/second/confirm", confirm),
    web.post("/me/second/remove", remove),
]
