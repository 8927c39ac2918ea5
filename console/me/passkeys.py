"""通行密钥: a person registers a device, an admin confirms it, decisions are signed on it."""

from typing import Any

from aiohttp import web

from console.web.deps import DEPS, visitor
from console.web.guard import place_of
from console.web.interface import Strict, as_json, read, refusal, takes
from console.web.pages import page, see
from console.web.permissions import needs
from staff.passkeys import Passkeys, keys_of, waiting_keys
from staff.people import names
from staff.refusal import Refused


def _passkeys(request: web.Request) -> Passkeys:
    deps = request.config_dict[DEPS]
    return Passkeys(deps.ledger, deps.cache)


async def _page(request: web.Request, refused: Refused | None = None) -> web.Response:
    deps, me = request.config_dict[DEPS], visitor(request)
    admin = "admin" in me.roles
    async with deps.db.session() as session:
        own = await keys_of(session, me.staff_id)
        waiting = await waiting_keys(session) if admin else ()
        people = await names(session, {row.staff_id for row in waiting})
    try:
        # Said on the page before anybody tries: the browser would only fail without a reason.
        fault = place_of(request).fault
    except Refused as wrong:
        fault = wrong.reasons[0]
    context = {
        "place": "me",
        "own": own,
        "waiting": waiting,
        "people": people,
        "fault": fault,
        "reasons": refused.reasons if refused else (),
    }
    return page(request, "me/passkeys.html", context, refused.status if refused else 200)


@needs("tokens.own")
async def own(request: web.Request) -> web.StreamResponse:
    """My devices; for admins also the ones that wait for confirmation."""
    return await _page(request)


@needs("tokens.own")
async def begin(request: web.Request) -> web.StreamResponse:
    """Options for the browser to make a key."""
    try:
        options = await _passkeys(request).begin(visitor(request).staff_id, place_of(request))
    except Refused as refused:
        return refusal(refused)
    return as_json(options)


class FinishBody(Strict):
    """What the browser made, and what the person calls the device."""

    credential: dict[str, Any]
    label: str = ""


@needs("tokens.own")
@takes(FinishBody)
async def finish(request: web.Request) -> web.StreamResponse:
    """Record the key that was made; it waits for an admin."""
    try:
        body = await read(request, FinishBody)
        await _passkeys(request).finish(
            visitor(request).staff_id, place_of(request), body.credential, body.label
        )
    except Refused as refused:
        return refusal(refused)
    return as_json({"next": "/console/me/passkeys?done=passkey_made"}, 201)


@needs("passkeys.confirm")
async def confirm(request: web.Request) -> web.StreamResponse:
    """An admin who is not the owner confirms a key."""
    try:
        await _passkeys(request).confirm(request.match_info["passkey"], visitor(request).staff_id)
    except Refused as refused:
        return await _page(request, refused)
    return see("/console/me/passkeys", "passkey_confirmed")


@needs("tokens.own")
async def revoke(request: web.Request) -> web.StreamResponse:
    """The owner or an admin stops a key."""
    try:
        await _passkeys(request).revoke(request.match_info["passkey"], visitor(request).staff_id)
    except Refused as refused:
        return await _page(request, refused)
    return see("/console/me/passkeys", "passkey_revoked")


ROUTES = [
    web.get("/me/passkeys", own),
    web.post("/me/passkeys/begin", begin),
    web.post("/me/passkeys/finish", finish),
    web.post("/passkeys/{passkey}/confirm", confirm),
    web.post("/passkeys/{passkey}/revoke", revoke),
]
