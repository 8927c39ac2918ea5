"""人员: who holds which roles; people proposed, stopped, given a new password."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy import select

from console.settings.forms import posted, text
from console.settings.frame import look_or_propose, settings_page
from console.web.deps import DEPS, visitor
from console.web.pages import see
from console.web.permissions import needs
from review_queue.governance.staff_changes import deactivate_now, reset_password
from staff.models import Staff
from staff.refusal import Refused
from staff.sessions import revoke_tokens


@dataclass(frozen=True)
class NewPassword:
    """A password that was just set anew, to be shown once."""

    login: str
    text: str


@needs("staff.read")
async def staff(request: web.Request) -> web.StreamResponse:
    """People and their roles."""
    return await _staff(request)


async def _staff(
    request: web.Request,
    refused: Refused | None = None,
    effect: Mapping[str, Any] | None = None,
    password: NewPassword | None = None,
) -> web.Response:
    deps, form = request.config_dict[DEPS], await posted(request)
    async with deps.db.session() as session:
        rows = (
            await session.scalars(select(Staff).order_by(Staff.active.desc(), Staff.login))
        ).all()
    login = text(form, "login") or request.query.get("login", "")
    chosen = next((row for row in rows if row.login == login), None)
    roles = list(form.get("roles", ()))
    await deps.governance.levels.refresh()
    context = {
        "tab": "staff",
        "rows": rows,
        "chosen": chosen,
        "unfilled": await deps.governance.levels.unfilled(),
        "effect": effect,
        "password": password,
        "typed": {
            "login": login,
            "name": text(form, "name") or (chosen.name if chosen else ""),
            "roles": roles if form else (chosen.roles if chosen else ()),
            "why": text(form, "why"),
        },
    }
    return await settings_page(request, "settings/staff.html", context, refused)


@needs("staff.propose")
async def propose_staff(request: web.Request) -> web.StreamResponse:
    """Show what a new person or other roles would change, or propose them."""
    form = await posted(request)
    roles = list(form.get("roles", ()))
    payload = {"login": text(form, "login"), "name": text(form, "name"), "roles": roles}
    try:
        effect, answer = await look_or_propose(request, "staff", payload, form)
    except Refused as refused:
        return await _staff(request, refused)
    return answer or await _staff(request, None, effect)


@needs("staff.manage")
async def deactivate_person(request: web.Request) -> web.StreamResponse:
    """停用: one admin, at once."""
    deps, login = request.config_dict[DEPS], request.match_info["login"]
    try:
        await deactivate_now(deps.ledger, login, visitor(request).staff_id)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _staff(request, refused)
    return see("/console/settings/staff", "deactivated")


@needs("staff.manage")
async def reset_person(request: web.Request) -> web.StreamResponse:
    """重设密码: the new one is shown once."""
    login = request.match_info["login"]
    try:
        password = await new_password(request, login)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _staff(request, refused)
    # Shown in the answer itself and never after a redirect: it must stand in no address.
    return await _staff(request, password=NewPassword(login, password))


async def new_password(request: web.Request, login: str) -> str:
    """Reset a password; the person's sessions and tokens end with it."""
    deps = request.config_dict[DEPS]
    staff_id, password = await reset_password(deps.ledger, login, visitor(request).staff_id)
    await revoke_tokens(deps.db, staff_id)
    return password
