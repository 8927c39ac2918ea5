"""值班安排: who is called, when people work, which number is told; each changed by two people."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import yaml
from aiohttp import web
from sqlalchemy import select

from config.clock import beijing, now
from console.settings.duty_days import Year, years_of
from console.settings.duty_forms import (
    FREE_DAYS,
    FREE_LINES,
    PERIODS,
    hours_fields,
    hours_text,
    read_lines,
)
from console.settings.forms import Form, posted, text
from console.settings.frame import look_or_propose, settings_page
from console.web.deps import DEPS, Deps
from console.web.permissions import needs
from escalations.calendar import WEEKDAYS, in_words, parse_hours
from escalations.ladder import ladder_of
from escalations.roster import roster_now
from escalations.routes import without_ways
from staff.models import Staff
from staff.people import active_with
from staff.refusal import Refused
from staff.roles import ROLES
from staff.settings import SignedSettings

CALENDAR = "calendar"
"""The setting that holds hours, days and the hotline."""


@needs("duty.read")
async def duty(request: web.Request) -> web.StreamResponse:
    """The roster, the working hours and the hotline in force, with the forms that change them."""
    return await _page(request)


@needs("duty.propose")
async def propose_roster(request: web.Request) -> web.StreamResponse:
    """Show what another roster would do, or propose it."""
    form = await posted(request)
    try:
        payload = {"lines": read_lines(form)}
        effect, answer = await look_or_propose(request, "roster", payload, form)
    except Refused as refused:
        return await _page(request, "roster", refused)
    return answer or await _page(request, "roster", None, effect)


@needs("texts.propose")
async def propose_hours(request: web.Request) -> web.StreamResponse:
    """Show what other hours, days or another hotline would change, or propose them."""
    form = await posted(request)
    try:
        payload = {"name": CALENDAR, "text": hours_text(form)}
        effect, answer = await look_or_propose(request, "setting", payload, form)
    except Refused as refused:
        return await _page(request, "hours", refused)
    return answer or await _page(request, "hours", None, effect)


async def _page(
    request: web.Request,
    about: str = "",
    refused: Refused | None = None,
    effect: Mapping[str, Any] | None = None,
) -> web.Response:
    deps, form = request.config_dict[DEPS], await posted(request)
    signed = deps.governance.settings
    await signed.refresh()
    held = _held(signed)
    context = {
        "tab": "duty",
        "about": about,
        "effect": effect,
        "why": text(form, "why"),
        "topics": deps.taxonomy.names("topics"),
        "weekdays": WEEKDAYS,
        "due": _due(deps),
        **await _roster(deps, form if about == "roster" else {}),
        "hours": hours_fields(held, form if about == "hours" else {}),
        "years": years(held),
        "arranged_years": _arranged_years(held),
        "period_slots": range(PERIODS),
        "free_days": range(FREE_DAYS),
    }
    return await settings_page(request, "settings/duty.html", context, refused)


def _held(signed: SignedSettings) -> str:
    held = signed.proved(CALENDAR)
    return held.text if held else ""


def _due(deps: Deps) -> str:
    """By when a question of this minute would be answered: what the hours mean, in one line."""
    try:
        hours = deps.tickets.hours
        return in_words(hours.due_at(now(), hours.answer_minutes))
    except Refused:  # the setting cannot be proved; the page says so
        return ""


def years(held: str) -> list[Year]:
    """Days off and make-up workdays as the proved text counts them; none where none is proved."""
    if not held:
        return []
    data = yaml.safe_load(held)
    own = (data.get("days") or {}).items()
    notes = {date.fromisoformat(str(day)): str(one["note"]) for day, one in own}
    return years_of(parse_hours(data), beijing(now()).date(), notes)


def _arranged_years(held: str) -> list[int]:
    """The years whose arrangement somebody may call whole: these, and what was so called before."""
    year = beijing(now()).year
    said = yaml.safe_load(held).get("arranged") or () if held else ()
    return sorted({year, year + 1, *said})


async def _roster(deps: Deps, form: Form) -> dict[str, Any]:
    async with deps.db.session() as session:
        lines = await roster_now(session)
        people = (await session.scalars(select(Staff).order_by(Staff.login))).all()
        silent = await without_ways(session)
        active = set(await active_with(session, ROLES))
        called = [staff_id for staff_id, _ in await ladder_of(session, "")]
        supervised = await active_with(session, {"supervisor"})
    known = {row.id: row for row in people}
    rows = [
        {"login": known[one.staff].login if one.staff in known else one.staff}
        | {"tier": str(one.tier + 1), "topic": one.topic}
        for one in lines
    ]
    if form:
        given = zip(*(form.get(name, []) for name in ("login", "tier", "topic")), strict=False)
        rows = [dict(zip(("login", "tier", "topic"), one, strict=True)) for one in given]
    empty = {"login": "", "tier": "1", "topic": ""}
    return {
        "roster": [(line, known.get(line.staff)) for line in lines],
        "silent": silent,
        "working": active,
        "called": [known[one].name for one in called if one in known],
        "supervised": bool(supervised),
        "people": [row for row in people if row.id in active],
        "slots": [*(one for one in rows if one["login"]), *[empty] * FREE_LINES],
    }
