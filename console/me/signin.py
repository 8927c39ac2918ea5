"""登录: the password and the second step, or a passkey at once; provider.py has the third way."""

import secrets
from datetime import timedelta
from urllib.parse import quote

from aiohttp import web

from console.web.clients import client_of
from console.web.cookies import keep, keep_known, known_marks
from console.web.deps import DEPS
from console.web.guard import COOKIE, FORM_COOKIE, check_form, place_of
from console.web.interface import as_json, refusal
from console.web.pages import form, page, see
from console.web.permissions import PUBLIC, needs
from staff.door import STEP_WAIT, Attempt, Entered, Step, Ways
from staff.passkeys import Place, read_credential
from staff.refusal import Refused
from staff.sessions import ABSOLUTE
from staff.slowing import Slow

STEP_COOKIE = "shenfa_step"


def next_path_of(text: str) -> str:
    """A path inside the console; anything else becomes the home page."""
    # A link made by somebody else must not lead out of here after signing in.
    inside = text.startswith("/console/") and "\\" not in text and text.isprintable()
    return text if inside else "/console/"


def _place(request: web.Request) -> Place | None:
    """Where passkeys can be used, or None: then no page offers them."""
    try:
        place = place_of(request)
    except Refused:
        return None
    return None if place.fault else place


def _say(
    request: web.Request, template: str, refused: Refused | None, more: dict[str, object]
) -> web.Response:
    """A page of the door. There is no session yet: its forms have a token of their own."""
    token = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
    context = {
        "token": token,
        "next": next_path_of(str(more.pop("next", request.query.get("next", "")))),
        "reasons": refused.reasons if refused else (),
    }
    response = page(request, template, context | more, refused.status if refused else 200)
    if isinstance(refused, Slow):
        response.headers["Retry-After"] = str(refused.seconds)
    keep(request, response, FORM_COOKIE, token, ABSOLUTE)
    return response


def signin_page(
    request: web.Request, login: str = "", refused: Refused | None = None, next_path: str = ""
) -> web.Response:
    asked = next_path or request.query.get("next", "")
    identities = request.config_dict[DEPS].identities
    more = {
        "login": login,
        "next": asked,
        "ended": asked not in ("", "/console/"),
        "passkeys": _place(request) is not None,
        "provider": identities.provider.client.name if identities else "",
    }
    return _say(request, "me/signin.html", refused, more)


@needs(PUBLIC)
async def signin_form(request: web.Request) -> web.StreamResponse:
    """The sign-in page."""
    return signin_page(request)


async def _checked(request: web.Request) -> dict[str, str]:
    """The fields of a form of the door, once it is known to come from there."""
    await check_form(request, request.cookies.get(FORM_COOKIE, ""))
    return await form(request)


def agent_of(request: web.Request) -> str:
    return request.headers.get("User-Agent", "")


def entered_by(request: web.Request, entered: Entered, response: web.Response) -> web.Response:
    """Go on as the person, in a browser that is known from now on."""
    keep(request, response, COOKIE, entered.token, ABSOLUTE)
    keep_known(request, response, entered.staff_id, entered.mark)
    response.del_cookie(STEP_COOKIE, path="/")
    return response


@needs(PUBLIC)
async def signin(request: web.Request) -> web.StreamResponse:
    """Check login and password; begin a session, or ask for the second step."""
    deps, fields = request.config_dict[DEPS], await form(request)
    login, next_path = fields.get("login", ""), fields.get("next", "")
    try:
        await _checked(request)
        # Not by form(): a password may begin or end with a space.
        password = (await request.post()).get("password", "")
        attempt = Attempt(
            login=login,
            password=password if isinstance(password, str) else "",
            address=client_of(request),
            user_agent=agent_of(request),
            known=known_marks(request),
        )
        found = await deps.door.sign_in(attempt)
    except Refused as refused:
        return signin_page(request, login, refused, next_path)
    return go_on(request, found, next_path)


def go_on(request: web.Request, found: Entered | Step, next_path: str) -> web.Response:
    """After the first step: into the console, or to the second."""
    if isinstance(found, Step):
        target = quote(next_path_of(next_path), safe="/")
        response = see(f"/console/signin/second?next={target}")
        keep(request, response, STEP_COOKIE, found.ticket, timedelta(seconds=STEP_WAIT))
        return response
    return entered_by(request, found, see(next_path_of(next_path)))


# --- the second step --------------------------------------------------------------------------


async def _ways(request: web.Request) -> Ways | None:
    return await request.config_dict[DEPS].door.ways(request.cookies.get(STEP_COOKIE, ""))


async def _second_form(
    request: web.Request, refused: Refused | None = None, next_path: str = ""
) -> web.Response:
    """The page of the second step, or the first again when too much time went by."""
    ways, place = await _ways(request), _place(request)
    if ways is None:
        return signin_page(request, "", refused, next_path)
    more: dict[str, object] = {
        "next": next_path or request.query.get("next", ""),
        "key": place is not None and bool(ways.here(place)),
        "elsewhere": [key["origin"] for key in ways.keys],
        "codes": ways.codes,
    }
    return _say(request, "me/second_step.html", refused, more)


@needs(PUBLIC)
async def second_form(request: web.Request) -> web.StreamResponse:
    """The second step: the device, or the code of the phone."""
    if await _ways(request) is None:
        return see("/console/signin")
    return await _second_form(request)


@needs(PUBLIC)
async def second_code(request: web.Request) -> web.StreamResponse:
    """Check a one-time or recovery code."""
    door, fields = request.config_dict[DEPS].door, await form(request)
    ticket, next_path = request.cookies.get(STEP_COOKIE, ""), fields.get("next", "")
    try:
        await _checked(request)
        entered = await door.enter_by_code(ticket, fields.get("code", ""), agent_of(request))
    except Refused as refused:
        return await _second_form(request, refused, next_path)
    # Said at once: whoever did not use one has to know.
    if entered.recovered:
        return entered_by(request, entered, see(next_path_of(next_path), "recovery_used"))
    return entered_by(request, entered, see(next_path_of(next_path)))


@needs(PUBLIC)
async def second_options(request: web.Request) -> web.StreamResponse:
    """What the browser asks the device."""
    door = request.config_dict[DEPS].door
    try:
        await _checked(request)
        ticket = request.cookies.get(STEP_COOKIE, "")
        return as_json(await door.step_options(ticket, place_of(request)))
    except Refused as refused:
        return refusal(refused)


@needs(PUBLIC)
async def second_key(request: web.Request) -> web.StreamResponse:
    """Check the answer of the device."""
    door, fields = request.config_dict[DEPS].door, await form(request)
    ticket, next_path = request.cookies.get(STEP_COOKIE, ""), fields.get("next", "")
    try:
        await _checked(request)
        credential = read_credential(fields.get("passkey", ""))
        entered = await door.enter_by_key(ticket, credential, agent_of(request))
    except Refused as refused:
        return await _second_form(request, refused, next_path)
    return entered_by(request, entered, see(next_path_of(next_path)))


# --- by passkey alone -------------------------------------------------------------------------


@needs(PUBLIC)
async def key_options(request: web.Request) -> web.StreamResponse:
    """What the browser asks whichever device is there."""
    door = request.config_dict[DEPS].door
    try:
        await _checked(request)
        browser = request.cookies.get(FORM_COOKIE, "")
        return as_json(await door.key_options(browser, place_of(request)))
    except Refused as refused:
        return refusal(refused)


@needs(PUBLIC)
async def key_signin(request: web.Request) -> web.StreamResponse:
    """Sign in with a passkey alone."""
    door, fields = request.config_dict[DEPS].door, await form(request)
    next_path = fields.get("next", "")
    try:
        await _checked(request)
        credential = read_credential(fields.get("passkey", ""))
        browser = request.cookies.get(FORM_COOKIE, "")
        entered = await door.sign_in_by_key(browser, credential, agent_of(request))
    except Refused as refused:
        return signin_page(request, "", refused, next_path)
    return entered_by(request, entered, see(next_path_of(next_path)))


ROUTES = [
    web.get("/signin", signin_form),
    web.post("/signin", signin),
    web.get("/signin/second", second_form),
    web.post("/signin/second", second_code),
    web.post("/signin/second/options", second_options),
    web.post("/signin/second/passkey", second_key),
    web.post("/signin/passkey/options", key_options),
    web.post("/signin/passkey", key_signin),
]
