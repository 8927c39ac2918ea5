"""The one middleware before every page and API call: who, may they, is the form theirs, headers."""

import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from console.web.deps import DEPS, VISITOR, forbidden
from console.web.permissions import (
    AUDITED,
    OF_A_SESSION,
    OWN_SIGNIN,
    PUBLIC,
    SET_UP,
    action_of,
    is_download,
    kept_by,
    may,
    open_to_services,
)
from review_queue.scope import eyes_of, record_look, seen_by
from staff.passkeys import Place
from staff.refusal import Reason, Refused
from staff.sessions import Visitor, visitor_of_session, visitor_of_token
from supervision.auditing import is_auditor, note_look

COOKIE = "shenfa_session"
FORM_COOKIE = "shenfa_form"
_SAFE = {"GET", "HEAD", "OPTIONS"}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Problem = Callable[[web.Request, Refused], web.StreamResponse]
_log = structlog.get_logger("console")


def is_secure(request: web.Request) -> bool:
    """Whether cookies must be Secure: over https, or when the office's public address is https."""
    # Behind a proxy the request itself comes in plain http.
    return request.secure or request.config_dict[DEPS].settings.public_url.startswith("https:")


async def headed(request: web.Request, response: web.StreamResponse) -> None:
    """Security headers on everything; nothing signed-in is cached."""
    for name, value in HEADERS.items():
        # A handler may have said otherwise: a picture may be cached, a page may not.
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    if is_secure(request):
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")


async def _who(request: web.Request, *, tokens: bool) -> Visitor | None:
    ledger = request.config_dict[DEPS].ledger
    # A token first: a script that sends one has no form to take a form token from.
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    tokens = tokens or is_download(request.match_info.handler)
    if tokens and scheme.lower() == "bearer" and token:
        return await visitor_of_token(ledger, token.strip())
    cookie = request.cookies.get(COOKIE)
    return await visitor_of_session(ledger, cookie) if cookie else None


def same_origin(request: web.Request) -> bool:
    """Whether the browser says the form came from this very host."""
    # Every present browser says where a form comes from, and no page can forge it; the
    # form token stands behind it for those that do not.
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        return False
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


async def _sent_token(request: web.Request) -> str:
    header = request.headers.get("X-CSRF")
    if header is not None:
        return header
    if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return str((await request.post()).get("csrf", ""))
    return ""


async def check_form(request: web.Request, expected: str) -> None:
    """Refuse a form from elsewhere, or without this session's token."""
    sent = await _sent_token(request)
    if not same_origin(request) or not expected:
        raise Refused(403, [Reason("origin", "表单不是从本站页面提交的，已拒绝：请从本站页面操作")])
    # As long for a wrong token as for a nearly right one.
    if not hmac.compare_digest(sent.encode(), expected.encode()):
        raise Refused(403, [Reason("csrf", "页面已过期：请刷新页面后重新提交")])


async def _admit(request: web.Request, *, tokens: bool) -> None:
    """Session, then role, then form token. A route that declares nothing is closed."""
    action = action_of(request.match_info.handler)
    person = await _who(request, tokens=tokens)
    if person is not None:
        request[VISITOR] = person
    # What does not exist is said to be missing before anybody is asked to sign in.
    if action == PUBLIC or request.match_info.http_exception is not None:
        return
    if person is None:
        raise Refused(401, [Reason("signin", "请先登录：可能是太久没有操作，或已在别处退出")])
    # Forgotten @needs closes a route, it does not open it.
    if action is None or not may(person.roles, action):
        raise forbidden(action or "items.write")
    # Before anything else is done: until then a password alone has opened this session.
    # A token was made by a session, and none is begun any more; setting up ends the old ones.
    if person.must_set_up and person.csrf and action != OWN_SIGNIN:
        raise Refused(403, [Reason(SET_UP, "您的角色必须有第二步验证：请先在“我的登录”里设好")])
    if request.method in _SAFE:
        return
    # A bearer token has no form token: no browser adds it by itself, so nobody else can.
    if person.csrf:
        await check_form(request, person.csrf)
    elif person.service and not open_to_services(request.match_info.handler):
        words = "服务令牌只能读取和起草，不能代人作决定：请用本人的令牌，或本人登录后在网页上做"
        raise Refused(403, [Reason("token", words)])
    elif action in OF_A_SESSION:
        words = "登录、令牌和通行密钥只能由本人登录后在网页上改，接口令牌不行"
        raise Refused(403, [Reason("token", words)])


async def _note(request: web.Request) -> None:
    """Remember the look of an auditor, and whoever's at the auditor's desk, before it is shown."""
    person, action = request.get(VISITOR), action_of(request.match_info.handler)
    if person is None or action in (None, PUBLIC) or request.method not in _SAFE:
        return
    if action == AUDITED or is_auditor(person.roles):
        db = request.config_dict[DEPS].db
        await note_look(db, person.staff_id, request.rel_url.path_qs)


async def _viewer(request: web.Request) -> str | None:
    """Whose eyes the request reads with; what is public was released or has its own key."""
    person = request.get(VISITOR)
    if person is None or action_of(request.match_info.handler) == PUBLIC:
        return None
    db, item_id = request.config_dict[DEPS].db, request.match_info.get("item", "")
    eyes = await eyes_of(db, person.staff_id)
    if item_id in eyes.confined and request.method in _SAFE:
        await record_look(db, item_id, person.staff_id, request.path.rpartition(item_id)[2])
    return eyes.viewer


def guard(problem: Problem, *, tokens: bool = False) -> Middleware:
    """The middleware; `problem` turns a refusal into a page or a JSON error.

    `tokens`: whether API tokens are looked at here. Pages are for people.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            await _admit(request, tokens=tokens)
            await _note(request)
            with seen_by(await _viewer(request)):
                response = await handler(request)
        except Refused as refused:
            if refused.status == 401 and (keep := kept_by(request.match_info.handler)):
                await keep(request)
            response = problem(request, refused)
        except web.HTTPException as http:
            response = problem(request, _of_http(http))
        except Exception:  # noqa: BLE001  logged; a page must still be shown
            _log.exception("request failed", path=request.path)
            reason = Reason("error", "系统出错，操作没有完成，已记入日志：请重试或联系管理员")
            response = problem(request, Refused(500, [reason]))
        return response

    return middleware


_HTTP_WORDS = {
    404: "没有这个页面：请检查地址",
    405: "这个地址不接受这样的操作",
    413: "内容过大：请缩短后重试",
}


def _of_http(http: web.HTTPException) -> Refused:
    return Refused(
        http.status, [Reason("http", _HTTP_WORDS.get(http.status, "请求有误，请返回重试"))]
    )


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
