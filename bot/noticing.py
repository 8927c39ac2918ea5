"""Notices: what a person agrees to one template at a time, and what is left of it (W26, W28). Pure.

An agreement to a one-time template is one message; one to a standing template is as many as are
sent until it is taken back. What a template is, is said by its account's settings.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeGuard, runtime_checkable

from bot.contract import AccountView, Inbound, Outcome, Rendering, Still

TEMPLATE = "template"
"""In Outcome.detail: the notice template that a refusal is about."""
REFUSED_BY = "refused_by"
"""In Outcome.detail: this one person refuses that template."""
PAUSED_FOR = "paused_for"
"""In Outcome.detail: for how many seconds nobody is sent that template."""
FULL = "full"
"""NoticePause.code: the number of the day is used up; it is sent again by itself."""
MESSAGE_CALL, NOTICE_CALL = "message", "notice"
"""The two interfaces by which a person is reached, each with a count of its own."""


class Did(StrEnum):
    """What happened to an agreement. USED stands before its call, BACK when nothing was sent."""

    ACCEPTED = "accepted"
    USED = "used"
    BACK = "back"
    REJECTED = "rejected"
    REFUSED = "refused"
    FAILED = "failed"


ENDS = frozenset({Did.REJECTED, Did.REFUSED, Did.FAILED})
ENDED_WORDS: Mapping[str, str] = {
    Did.REJECTED: "对方在微信里选择了不再接收",
    Did.REFUSED: "平台说对方没有同意或已拒收",
    Did.FAILED: "平台回执：没有送达",
    Did.USED: "同意的次数已用完",
}
"""Why a template reaches a person no more."""


@dataclass(frozen=True)
class Template:
    """One notice template of an account; `fields`: the platform's, and what of ours fills it.

    `answers`: the page on which people agree to be told that an answer waits for them; such a
    template carries that word and no push.
    """

    id: str
    long_term: bool
    fields: Mapping[str, str]
    answers: str = ""


@dataclass(frozen=True)
class Event:
    """One thing that happened to an agreement; `key` orders what happened within one second."""

    did: Did
    at: datetime
    key: str = ""


@dataclass(frozen=True)
class Balance:
    """What is left of a person's agreements to one template, and since when it is ended and why."""

    left: int = 0
    ended_at: datetime | None = None
    why: str = ""


def balance(events: Iterable[Event]) -> Balance:
    """What the events of one person and template come to, in whatever order they arrived.

    An end takes all that was agreed to before it; a later agreement begins anew. Platforms tell
    whole seconds, so within one the order of arrival holds.
    """
    left, ended_at, why = 0, None, ""
    for one in sorted(events, key=lambda one: (one.at.replace(microsecond=0), one.key)):
        if one.did is Did.ACCEPTED:
            left, ended_at, why = left + 1, None, ""
        elif one.did is Did.USED:
            left = max(0, left - 1)
            if not left and ended_at is None:
                why = Did.USED
        elif one.did in ENDS:
            left, ended_at, why = 0, one.at, one.did
    return Balance(left, ended_at, why)


@dataclass(frozen=True)
class Consent:
    """What a platform says of one person and template; `message`: the number of a sent notice."""

    template: str
    did: Did
    dedupe: str
    message: str = ""


@dataclass(frozen=True)
class Notice:
    """One notice on its way: its template, the approved push, why it comes, where it leads."""

    template: Template
    form: Rendering
    reason: str
    link: str = ""


@runtime_checkable
class Noticing(Protocol):
    """A channel whose platform has notices beside its messages, and sends to everybody at once."""

    calls: Mapping[str, str]
    """Limit.call -> MESSAGE_CALL or NOTICE_CALL."""

    def templates(self, settings: Mapping[str, Any]) -> Sequence[Template]:
        """The notice templates an account with these settings may use."""

    def consents(self, inbound: Inbound) -> Sequence[Consent]:
        """What a RESULT event says of a person's agreements; empty for any other."""

    def by_mass(self, ref: str) -> bool:
        """Whether a publication with this ref went to its readers by a mass send."""

    async def notify(
        self, account: AccountView, address: str, notice: Notice, still: Still
    ) -> Outcome:
        """Send one notice; `still` as for a push."""


_KINDS: dict[type, bool] = {}


def notices(channel: object) -> TypeGuard[Noticing]:
    """Whether a channel is one of these: it is asked for each message, and a protocol is slow."""
    kind = type(channel)
    if kind not in _KINDS:
        _KINDS[kind] = isinstance(channel, Noticing)
    return _KINDS[kind]
