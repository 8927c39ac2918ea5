"""单位统一登录: to the body's own sign-in and back, and whose subject it is."""

from datetime import timedelta

from aiohttp import web

from console.me.signin import agent_of, go_on, next_path_of, signin_page
from console.web.clients import client_of
from console.web.cookies import keep
from console.web.deps import DEPS, VISITOR, visitor
from console.web.pages import page, see
from console.web.permissions import PUBLIC, needs
from staff.identities import WAIT, Identities, waiting_identities
from staff.provider import BACK
from staff.refusal import Reason, Refused, missing
from staff.slowing import hidden

_QUESTION = "shenfa_provider"
_OWN = "/me/identity"
_MINUTE, _MOST = 60.0, 200  # a whole office behind one address begins its day within minutes


def _identities(request: web.Request) -> Identities:
    found = request.config_dict[DEPS].identities
    if found is None:
        raise missing("单位统一登录")
    return found


async def _admit(request: web.Request) -> None:
    """Each answer costs the provider a question: from one address only so many."""
    address, cache = client_of(request), request.config_dict[DEPS].cache
    if await cache.count(f"provider:from:{hidden(address)}", _MINUTE) > _MOST:
        raise Refused(429, [Reason("too_many", "这个地址登录得太频繁：请过一分钟再试")])


def _sent_away(request: web.Request, response: web.Response, kept: str) -> web.Response:
    keep(request, response, _QUESTION, kept, timedelta(seconds=WAIT))
    return response


@needs(PUBLIC)
async def leave(request: web.Request) -> web.StreamResponse:
    """Send the browser to the provider."""
    identities, asked = _identities(request), next_path_of(request.query.get("next", ""))
    try:
        await _admit(request)
        address, kept = await identities.begin(next_path=asked)
    except Refused as refused:
        return signin_page(request, "", refused, asked)
    return _sent_away(request, see(address), kept)


@needs(PUBLIC)
async def back(request: web.Request) -> web.StreamResponse:
    """Who came back: signed in, or their subject bound to who is signed in here."""
    deps, identities = request.config_dict[DEPS], _identities(request)
    try:
        await _admit(request)
        found = await identities.finish(request.cookies.get(_QUESTION, ""), request.query)
        if found.binds:
            response = await _bound(request, found.binds, found.name)
        else:
            owner = await identities.owner(found.name)
            entered = await deps.door.sign_in_by_provider(owner, agent_of(request))
            response = go_on(request, entered, found.next)
    except Refused as refused:
        response = signin_page(request, "", refused)
    response.del_cookie(_QUESTION, path="/")
    return response


async def _bound(request: web.Request, staff_id: str, name: str) -> web.Response:
    """Bound to the person who asked for it, who must still be the one signed in here."""
    me = request.get(VISITOR)
    if me is None or me.staff_id != staff_id:
        return see("/console/signin?next=/console/me/identity")
    try:
        await _identities(request).bind(staff_id, name)
    except Refused as refused:
        return await _page(request, refused)
    return see("/console/me/identity", "identity_bound")


async def _page(
    request: web.Request, refused: Refused | None = None, address: str = ""
) -> web.Response:
    deps, identities, me = request.config_dict[DEPS], _identities(request), visitor(request)
    async with deps.db.session() as session:
        waiting = await waiting_identities(session)
    context = {
        "place": "me",
        "provider": identities.provider.client.name,
        "own": await identities.of(me.staff_id),
        "waiting": [(row, one) for row, one in waiting if row.id != me.staff_id],
        "address": address,
        "reasons": refused.reasons if refused else (),
    }
    return page(request, "me/identity.html", context, refused.status if refused else 200)


@needs("tokens.own")
async def own(request: web.Request) -> web.StreamResponse:
    """My binding; for who confirms, also those of others that wait."""
    return await _page(request)


@needs("tokens.own")
async def begin(request: web.Request) -> web.StreamResponse:
    """A link to the provider: a form of ours is led nowhere else (Content-Security-Policy)."""
    me = visitor(request).staff_id
    try:
        address, kept = await _identities(request).begin(next_path="", binds=me)
    except Refused as refused:
        return await _page(request, refused)
    return _sent_away(request, await _page(request, address=address), kept)


@needs("passkeys.confirm")
async def confirm(request: web.Request) -> web.StreamResponse:
    """Somebody else confirms that it is this person's."""
    try:
        await _identities(request).confirm(request.match_info["login"], visitor(request).staff_id)
    except Refused as refused:
        return await _page(request, refused)
    return see("/console/me/identity", "identity_confirmed")


@needs("tokens.own")
async def unbind(request: web.Request) -> web.StreamResponse:
    """The owner or an admin ends a binding."""
    try:
        await _identities(request).unbind(request.match_info["login"], visitor(request).staff_id)
    except Refused as refused:
        return await _page(request, refused)
    return see("/console/me/identity", "identity_unbound")


ROUTES = [
    web.get("/signin/provider", leave),
    web.get(BACK.removeprefix("/console"), back),
    web.get(_OWN, own),
    web.post(_OWN, begin),
    web.post("/identities/{login}/confirm", confirm),
    web.post("/identities/{login}/unbind", unbind),
]
