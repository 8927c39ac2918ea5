"""值班安排: who is called, when people work, which number is told; each changed by two people."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import select

from config.clock import beijing, now
from config.holidays import published_days
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
from escalations.calendar import WEEKDAYS, in_words
from escalations.roster import roster_now
from escalations.routes import without_ways
from staff.models import Staff
from staff.people import active_with
from staff.refusal import Refused
from staff.roles import ROLES
from staff.settings import SignedSettings

_PATH = "calendar"
_AHEAD = timedelta(days=120)


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
        payload = {"name": _PATH, "text": hours_text(form)}
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
    context = {
        "tab": "duty",
        "about": about,
        "effect": effect,
        "why": text(form, "why"),
        "topics": deps.taxonomy.names("topics"),
        "weekdays": WEEKDAYS,
        "holidays": _holidays(),
        "due": _due(deps),
        **await _roster(deps, form if about == "roster" else {}),
        "hours": hours_fields(_held(signed), form if about == "hours" else {}),
        "period_slots": range(PERIODS),
        "free_days": range(FREE_DAYS),
    }
    return await settings_page(request, "settings/duty.html", context, refused)


def _held(signed: SignedSettings) -> str:
    held = signed.proved(_PATH)
    return held.text if held else ""


def _due(deps: Deps) -> str:
    """By when a question of this minute would be answered: what the hours mean, in one line."""
    try:
        hours = deps.tickets.hours
        return in_words(hours.due_at(now(), hours.answer_minutes))
    except Refused:  # the setting cannot be proved; the page says so
        return ""


def _holidays() -> list[tuple[str, bool]]:
    """The days of the coming months that were published to differ from Monday to Friday."""
    today = beijing(now()).date()
    years = {today.year, (today + _AHEAD).year}
    days = {day: works for year in years for day, works in published_days(year).items()}
    return [
        (f"{day:%Y-%m-%d}（周{WEEKDAYS[day.weekday()]}）", works)
        for day, works in sorted(days.items())
        if today <= day <= today + _AHEAD
    ]


async def _roster(deps: Deps, form: Form) -> dict[str, Any]:
    async with deps.db.session() as session:
        lines = await roster_now(session)
        people = (await session.scalars(select(Staff).order_by(Staff.login))).all()
        silent = await without_ways(session)
        active = set(await active_with(session, ROLES))
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
        "people": [row for row in people if row.id in active],
        "slots": [*(one for one in rows if one["login"]), *[empty] * FREE_LINES],
    }
