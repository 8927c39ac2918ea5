"""通行密钥: a person registers a device, an admin confirms it, decisions are signed on it."""

from typing import Any

from aiohttp import web

from console.web.deps import DEPS, visitor
from console.web.guard import is_secure, same_origin
from console.web.interface import Strict, as_json, read, takes
from console.web.pages import page, see
from console.web.permissions import needs
from staff.passkeys import Passkeys, Place, keys_of, waiting_keys
from staff.people import names
from staff.refusal import Reason, Refused


def place_of(request: web.Request) -> Place:
    """Where the visitor's browser is: the office's own address, or a localhost name of it."""
    scheme = "https" if is_secure(request) else "http"
    origin = request.headers.get("Origin") or f"{scheme}://{request.host}"
    place = Place(origin)
    office = request.config_dict[DEPS].settings.public_url
    near = place.rp_id == "localhost" or place.rp_id.endswith(".localhost")
    elsewhere = request.method == "POST" and not same_origin(request)
    if elsewhere or not (near or origin == office.rstrip("/")):
        raise Refused(
            422, [Reason("passkey_place", f"通行密钥只能在本单位的网址 {office} 上登记和使用")]
        )
    return place


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
    return page(request, "passkeys.html", context, refused.status if refused else 200)


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


def refusal(refused: Refused) -> web.Response:
    """A refusal for the page's script: the sentences it shows."""
    message = "；".join(reason.message for reason in refused.reasons)
    return as_json({"message": message}, refused.status)


ROUTES = [
    web.get("/me/passkeys", own),
    web.post("/me/passkeys/begin", begin),
    web.post("/me/passkeys/finish", finish),
    web.post("/passkeys/{passkey}/confirm", confirm),
    web.post("/passkeys/{passkey}/revoke", revoke),
]
