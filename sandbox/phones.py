"""The phone pages: one citizen's chat on each platform, alone or side by side."""

from __future__ import annotations

from html import escape
from pathlib import Path

from aiohttp import web

from sandbox.state import STATE, Account, State

HERE = Path(__file__).parent
NAMES = {"wechat": "微信", "telegram": "Telegram"}


def _template(name: str) -> str:
    return (HERE / "templates" / name).read_text(encoding="utf-8")


PHONE, BOTH = _template("phone.html"), _template("both.html")


def _account(state: State, platform: str, asked: str) -> Account | None:
    """Return the asked account, else the platform's first."""
    wanted = state.account(asked)
    # An address that names the other platform's account still opens a phone, with the first of its
    # own.
    if wanted is None or wanted.platform != platform:
        wanted = next((a for a in state.accounts.values() if a.platform == platform), None)
    return wanted


def _first(account: Account | None, kind: str, asked: str) -> str:
    """Return the asked chat of this kind, else the first: a phone belongs to a person."""
    chats = account.citizens if account else {}
    if asked in chats and chats[asked].kind == kind:
        return asked
    return next((chat.id for chat in chats.values() if chat.kind == kind), "")


async def phone(request: web.Request) -> web.Response:
    """Show one citizen's chat with one account."""
    platform = request.match_info["platform"]
    if platform not in NAMES:
        raise web.HTTPNotFound
    account = _account(request.app[STATE], platform, request.query.get("account", ""))
    asked = request.query.get("citizen", "")
    page = PHONE.format(
        platform=platform,
        label=NAMES[platform],
        account=escape(account.id if account else ""),
        name=escape(account.name if account else "还没有账号"),
        citizen=escape(_first(account, "private", asked)),
        channel=escape(_first(account, "channel", asked)),
    )
    return web.Response(text=page, content_type="text/html")


async def both(_request: web.Request) -> web.Response:
    """Show both phones side by side."""
    return web.Response(text=BOTH, content_type="text/html")


def add(app: web.Application) -> None:
    """Mount the pages and their style and script."""
    app.router.add_get("/", both)
    app.router.add_get("/phone/{platform}", phone)
    app.router.add_static("/phone/static", HERE / "static")
