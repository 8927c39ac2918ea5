"""账号: what an account is, changed by two people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import Account
from bot.trial import Look
from console.settings.forms import Form, posted, text
from console.settings.frame import look_or_propose, settings_page
from console.web.care import bodies_or_none, in_care, must_care
from console.web.deps import DEPS, visitor
from console.web.permissions import needs
from facets.remit import ABOVE, LABELS, in_words
from ledger.append import signed_facts
from ledger.verify import Broken
from review_queue.governance.account_closing import closing_words
from staff.people import names
from staff.refusal import Reason, Refused
from supervision.filing import WorkingDay, filing_words
from supervision.trial import Tested, last_test


@dataclass(frozen=True)
class Tried:
    """An account that was tried just now, and what came of each part."""

    slug: str
    looks: Sequence[Look]


@needs("settings.read")
async def accounts(request: web.Request) -> web.StreamResponse:
    """Accounts, with the form that proposes a change of one."""
    return await _page(request)


async def _page(
    request: web.Request,
    refused: Refused | None = None,
    effect: Mapping[str, Any] | None = None,
    tried: Tried | None = None,
) -> web.Response:
    deps, form = request.config_dict[DEPS], await posted(request)
    async with deps.db.session() as session:
        bodies = await bodies_or_none(session)
        rows = (await session.scalars(select(Account).order_by(Account.slug))).all()
        me = visitor(request)
        rows = [row for row in rows if in_care(row.organisation_id, bodies, me)]
        standing = await _standing(session, rows, deps.tickets.hours.is_working_day)
    slug = text(form, "slug") or request.query.get("slug", "")
    chosen = next((row for row in rows if row.slug == slug), None)
    context = {
        "tab": "accounts",
        "rows": rows,
        "chosen": chosen,
        "standing": standing,
        "bodies": bodies,
        "tried": tried,
        "effect": effect,
        "typed": {
            "slug": slug,
            "why": text(form, "why"),
            "enabled": text(form, "enabled") == "yes"
            if text(form, "slug")
            else chosen is None or chosen.enabled,
            "settings": text(form, "settings") or _others(chosen),
        }
        | {
            name: text(form, name)
            or (in_words(deps.taxonomy.itself, chosen.settings, name) if chosen else "")
            for name in LABELS
        }
        | {
            name: text(form, name) or (getattr(chosen, name) if chosen else "")
            for name in ("platform", "name", "api_base", "owner", "assessment_ref")
        },
    }
    return await settings_page(request, "settings/accounts.html", context, refused)


def _others(chosen: Account | None) -> str:
    """The settings that have no field of their own."""
    kept = chosen.settings if chosen else {}
    found = {name: value for name, value in kept.items() if name not in (*LABELS, ABOVE)}
    return json.dumps(found, ensure_ascii=False)


@dataclass(frozen=True)
class Standing:
    """What the ledger says of an account: how far its closing is, and its last test with a name."""

    closing: str
    filing: str
    test: Tested | None
    tester: str


async def _standing(
    session: AsyncSession, rows: Sequence[Account], working: WorkingDay
) -> dict[str, Standing]:
    try:
        told = await signed_facts(session, [f"account:{row.id}" for row in rows])
    except Broken:  # the page shows the rest; the incident says where the ledger is broken
        return {}
    tests = {row.id: last_test(told[f"account:{row.id}"]) for row in rows}
    known = await names(session, {one.by for one in tests.values() if one})
    return {
        row.id: Standing(
            closing_words(told[f"account:{row.id}"]),
            filing_words(told[f"account:{row.id}"], working),
            one,
            known.get(one.by, one.by) if one else "",
        )
        for row in rows
        for one in (tests[row.id],)
    }


@needs("accounts.test")
async def test_account(request: web.Request) -> web.StreamResponse:
    """Try an account now: a line a part, and a message to whoever asks."""
    deps, slug = request.config_dict[DEPS], request.match_info["slug"]
    async with deps.db.session() as session:
        await must_care(session, slug, visitor(request))
    try:
        found = await deps.trials.try_now(slug, visitor(request).staff_id)
    except Refused as refused:
        return await _page(request, refused)
    return await _page(request, tried=Tried(slug, found))


@needs("accounts.propose")
async def propose_account(request: web.Request) -> web.StreamResponse:
    """Show what a change of an account would do, or propose it."""
    form = await posted(request)
    try:
        effect, answer = await look_or_propose(request, "account", _account(form), form)
    except Refused as refused:
        return await _page(request, refused)
    return answer or await _page(request, None, effect)


def _account(form: Form) -> dict[str, Any]:
    """The payload of a change; secrets left empty stay as they are."""
    try:
        settings = json.loads(text(form, "settings") or "{}")
    except ValueError as error:
        words = '设置要写成 JSON，例如 {"push": "each"}'
        raise Refused(422, [Reason("settings", words)]) from error
    if isinstance(settings, dict):
        settings |= {name: text(form, name) for name in LABELS if text(form, name)}
    names = ("slug", "platform", "name", "api_base", "owner", "assessment_ref")
    given = [line.partition("=") for line in text(form, "secrets").splitlines() if line.strip()]
    secrets = {name.strip(): value.strip() for name, _, value in given}
    payload = {name: text(form, name) for name in names} | {
        "settings": settings,
        "enabled": text(form, "enabled") == "yes",
    }
    return payload | ({"secrets": secrets} if secrets else {})
