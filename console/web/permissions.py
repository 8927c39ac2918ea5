"""Who may do what in the console and the API: one table of actions, one decorator for routes."""

from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

from aiohttp import web

from staff import roles
from staff.handover import WITNESSES
from staff.proposals import STAND_INS
from staff.refusal import Reason
from staff.rights import RIGHTS
from staff.roles import ROLES

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Route = TypeVar("Route", bound=Handler)

PUBLIC = "public"
"""No session needed: sign-in, static files, health, and the citizen's verify page."""

OWN_SIGNIN = "signin.own"
"""One's own second step, and signing out: open also to who has to set it up first."""

AUDITED = "audit.read"
"""The auditor's desk: whoever looks there is remembered."""

SET_UP = "set_up"
"""The rule of a refusal by which a page leads to the set-up of the second step."""

_ALL = frozenset(ROLES)
_EDITORIAL = frozenset({"editor", "reviewer_1", "reviewer_2", "reviewer_3", "secrecy"})
_REVIEWERS = frozenset({"reviewer_1", "reviewer_2", "reviewer_3", "secrecy"})
_WATCHERS = frozenset({"admin", "supervisor", "auditor"})

OF_A_SESSION = frozenset(
    {OWN_SIGNIN, "tokens.own", "alarms.set", "passkeys.confirm", "staff.confirm", "staff.reset"}
)
"""What no token does: a stolen one must not make another, nor another way in."""

ACTIONS: dict[str, frozenset[str]] = {
    "home": _ALL,
    OWN_SIGNIN: _ALL,
    "cockpit.read": _ALL,
    "items.read": _EDITORIAL | _WATCHERS,
    "items.note": _EDITORIAL | {"admin", "supervisor"},
    "items.write": frozenset({"editor"}),
    "items.review": _REVIEWERS,
    "experts.ask": _EDITORIAL,
    "items.limit": _EDITORIAL | {"admin", "supervisor"},
    "items.takeover": _REVIEWERS | {"admin"},
    "absence.set": _REVIEWERS | {"admin"},
    "absence.others": frozenset({"admin"}),
    "items.schedule": _EDITORIAL - {"secrecy"},
    "items.recall": _ALL - {"auditor", "duty"},
    "publications.read": _EDITORIAL | _WATCHERS,
    "publications.settle": RIGHTS["publications.settle"],
    "pushes.pause": RIGHTS["pushes.pause"],
    "pushes.decide": RIGHTS["pushes.decide"],
    "comments.ask": RIGHTS["comments.ask"],
    "comments.decide": RIGHTS["comments.decide"],
    "concern.mark": RIGHTS["concern.mark"],
    "sources.read": _EDITORIAL | _WATCHERS,
    "sources.propose": RIGHTS["sources.propose"],
    "sources.approve": RIGHTS["sources.approve"],
    "exceptions.ask": RIGHTS["exceptions.ask"],
    "exceptions.decide": frozenset({"reviewer_3", "supervisor"}),
    "pictures.set": RIGHTS["pictures.set"],
    "tasks.read": _EDITORIAL | _WATCHERS,
    "tasks.ask": RIGHTS["tasks.ask"],
    "tasks.settle": RIGHTS["tasks.settle"],
    "consultations.answer": RIGHTS["consultations.answer"],
    "policies.read": _ALL,
    "policies.propose": RIGHTS["policies.propose"],
    "policies.approve": RIGHTS["policies.approve"],
    "subscriptions.read": _EDITORIAL | _WATCHERS,
    "subscribers.read": _WATCHERS | {"duty"},
    "tickets.read": frozenset({"duty", "admin", "supervisor"}),
    "questions.read": _ALL,
    "tickets.answer": frozenset({"duty", "supervisor"}),
    "duty.read": _WATCHERS | {"duty"},
    "duty.propose": frozenset({"admin", "supervisor"}),
    "incidents.read": _ALL,
    "incidents.report": RIGHTS["incidents.report"],
    "incidents.close": RIGHTS["incidents.close"],
    "switches.set": RIGHTS["switches.set"],
    "ledger.read": _WATCHERS | _EDITORIAL,
    "reports.read": _WATCHERS | _EDITORIAL,
    "reports.archive": _WATCHERS,
    "reports.give": RIGHTS["reports.give"],
    AUDITED: _WATCHERS,
    "settings.read": _WATCHERS,
    "rules.read": _EDITORIAL | _WATCHERS,
    "rules.feedback": _EDITORIAL | {"admin"},
    "rules.propose": _REVIEWERS | {"admin"},
    "levels.read": _EDITORIAL | _WATCHERS,
    "levels.propose": frozenset({"admin"}),
    "texts.read": _EDITORIAL | _WATCHERS,
    "texts.propose": frozenset({"admin"}),
    "templates.read": _EDITORIAL | _WATCHERS,
    "staff.read": _WATCHERS,
    "staff.propose": frozenset({"admin"}),
    "accounts.propose": frozenset({"admin"}),
    "accounts.test": frozenset({"admin", "supervisor"}),
    "staff.manage": frozenset({"admin"}),
    "staff.reset": frozenset({"admin", "supervisor"}),
    "staff.confirm": frozenset(WITNESSES),
    "proposals.read": _EDITORIAL | _WATCHERS,
    "proposals.make": _EDITORIAL | {"admin", "supervisor"},
    # Which of them decides which kind is the kind's own (staff/proposals.py).
    "proposals.decide": frozenset({"admin", *STAND_INS}),
    "tokens.own": _ALL,
    # Of others an admin's alone (escalations/routes.py).
    "alarms.set": _ALL,
    "passkeys.confirm": frozenset(WITNESSES),
}


def needs(action: str) -> Callable[[Route], Route]:
    """Declare the action a route performs; the guard refuses whoever has no role for it."""
    if action != PUBLIC and action not in ACTIONS:
        raise KeyError(f"{action} is missing in the table of actions")

    def mark(handler: Route) -> Route:
        handler.action = action  # type: ignore[attr-defined]  # read by the guard
        return handler

    return mark


def by_service(handler: Route) -> Route:
    """A service token may do this although it writes: it drafts or counts, and decides nothing."""
    handler.by_service = True  # type: ignore[attr-defined]  # read by the guard
    return handler


def download(handler: Route) -> Route:
    """A file among the pages that programs fetch: open to tokens, which other pages are not."""
    handler.download = True  # type: ignore[attr-defined]  # read by the guard
    return handler


def is_download(handler: object) -> bool:
    """Whether `download` stands on a handler."""
    return getattr(handler, "download", False) is True


def open_to_services(handler: object) -> bool:
    """Whether `by_service` stands on a handler."""
    return getattr(handler, "by_service", False) is True


def action_of(handler: object) -> str | None:
    """What `needs` declared on a handler, or None."""
    found = getattr(handler, "action", None)
    return found if isinstance(found, str) else None


def may(roles: Collection[str], action: str) -> bool:
    """Whether one of `roles` carries `action`."""
    return not ACTIONS[action].isdisjoint(roles)


def role_fault(action: str) -> Reason:
    """The sentence for somebody without the role."""
    return roles.role_fault(ACTIONS[action])


def keeps_words(keep: Callable[[web.Request], Awaitable[None]]) -> Callable[[Route], Route]:
    """Declare what keeps the words of a form that was posted after its session had ended.

    Whoever signs in again is led back to the form's own page.
    """

    def mark(handler: Route) -> Route:
        handler.keep = keep  # type: ignore[attr-defined]  # read by the guard
        return handler

    return mark


def kept_by(handler: object) -> Callable[[web.Request], Awaitable[None]] | None:
    """What keeps the words of this handler's form; None where they are not kept."""
    found: Callable[[web.Request], Awaitable[None]] | None = getattr(handler, "keep", None)
    return found
