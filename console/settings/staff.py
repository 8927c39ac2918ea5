"""人员: who holds which roles; people proposed, stopped, given a new login, confirmed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from sqlalchemy import select

from console.settings.forms import posted, text
from console.settings.frame import look_or_propose, settings_page, waiting_people
from console.web.deps import DEPS, visitor
from console.web.pages import see
from console.web.permissions import needs
from escalations.leaving import unfinished
from review_queue.governance.handovers import ask_reset
from review_queue.governance.staff_changes import deactivate_now
from staff.models import Staff
from staff.refusal import Refused, missing
from storage.database import Database


@dataclass(frozen=True)
class Asked:
    """A reset that was just proposed, with the proposer's half of its code, to be shown once."""

    login: str
    proposal: str
    half: str = field(repr=False)


@needs("staff.read")
async def staff(request: web.Request) -> web.StreamResponse:
    """People and their roles."""
    return await _staff(request)


async def _staff(
    request: web.Request,
    refused: Refused | None = None,
    effect: Mapping[str, Any] | None = None,
    asked: Asked | None = None,
) -> web.Response:
    deps, form = request.config_dict[DEPS], await posted(request)
    async with deps.db.session() as session:
        rows = (
            await session.scalars(select(Staff).order_by(Staff.active.desc(), Staff.login))
        ).all()
        gone = await unfinished(session)
    login = text(form, "login") or request.query.get("login", "")
    chosen = next((row for row in rows if row.login == login), None)
    roles = list(form.get("roles", ()))
    await deps.governance.levels.refresh()
    context = {
        "tab": "staff",
        "rows": rows,
        "chosen": chosen,
        "unfinished": gone,
        "unfilled": await deps.governance.levels.unfilled(),
        "effect": effect,
        "asked": asked,
        "waiting_people": await waiting_people(deps),
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


@needs("staff.reset")
async def reset_person(request: web.Request) -> web.StreamResponse:
    """重设密码: proposed here; the proposer's half of the code is shown once."""
    deps, login = request.config_dict[DEPS], request.match_info["login"]
    why = text(await posted(request), "why")
    try:
        row, half = await ask_reset(
            deps.governance.proposals, login, visitor(request).staff_id, why
        )
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _staff(request, refused)
    # Shown in the answer itself and never after a redirect: it must stand in no address.
    return await _staff(request, asked=Asked(login, row.id, half.shown))


async def id_of(db: Database, login: str) -> str:
    """The person with this login; Refused 404 otherwise."""
    async with db.session() as session:
        found = (await session.scalars(select(Staff.id).where(Staff.login == login))).first()
    if found is None:
        raise missing("个人员")
    return found
