"""What follows from the meaning of a code: one pure function, whatever the platform.

The codes themselves are in one table a platform (bot/<platform>/codes.py, docs/codes.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.contract import MEND, REFUSED, UNLISTED, Outcome, State
from bot.meaning import Listed, Meaning

NO_ANSWER, NOT_SENT = "no_answer", "not_sent"
"""Codes of our own wire, in every table: the answer was lost, or no connection was made."""
ACCOUNT_HOLD, WINDOW_HOLD, PERSON_HOLD = "account", "window", "person"
"""Delivery.hold: what a message waits for."""
_CODE = 40


class At(StrEnum):
    """Where the code was met."""

    PREPARING = "preparing"
    """A call that no reader sees the effect of: an upload, a draft, a question."""
    READER = "reader"
    """A message to one person."""
    TIMELINE = "timeline"
    """The call that publishes."""
    END = "end"
    """The platform's word about how something it had taken ended."""


@dataclass(frozen=True)
class Follows:
    """What becomes of the message or publication, and of all that hangs on it."""

    state: State
    hold: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


_FOLLOWS = {
    Meaning.RETRY: Follows(State.RETRYING),
    Meaning.BACK_OFF: Follows(State.RETRYING, detail={"rest": "messages"}),
    Meaning.WAIT: Follows(State.HELD, WINDOW_HOLD),
    Meaning.DROP: Follows(State.ENDED),
    Meaning.MUTE: Follows(State.ENDED, detail={REFUSED: True}),
    Meaning.STOP: Follows(State.HELD, ACCOUNT_HOLD, {"scope": "account"}),
    Meaning.REVIEW: Follows(State.FAILED, detail=MEND),
    Meaning.PERSON: Follows(State.HELD, PERSON_HOLD),
    Meaning.UNKNOWN: Follows(State.UNKNOWN),
}
_OF_A_READER = (Meaning.WAIT, Meaning.DROP, Meaning.MUTE)


def follows(meaning: Meaning, at: At) -> Follows:
    """All that is decided by a meaning where it was met."""
    if meaning is Meaning.UNKNOWN and at is At.PREPARING:
        return _FOLLOWS[Meaning.PERSON]  # nothing can be out
    if at is At.END and meaning not in (Meaning.REVIEW, Meaning.UNKNOWN):
        return Follows(State.FAILED)  # it came to its end without success, and a person decides
    if at is not At.READER and meaning in _OF_A_READER:
        return Follows(State.FAILED)  # a timeline is no person that could leave or come back
    return _FOLLOWS[meaning]


def came_to(code: str, listed: Listed | None, at: At, said: str = "") -> Outcome:
    """What a call came to that was answered with `code`; None where no table has it.

    `said` are the platform's own words. An unlisted code is for a person: where the call may have
    reached somebody nobody knows its end; before it, it is held.
    """
    if listed is None:
        return _unlisted(code, at, said)
    found = follows(listed.meaning, at)
    detail = {"errcode": code, **found.detail}
    if listed.whole and "rest" in detail:
        detail["rest"] = "account"
    wait = listed.wait if found.state is State.RETRYING else 0.0
    return Outcome(
        found.state, "", listed.words, code[:_CODE], wait, detail, found.hold, listed.meaning
    )


def _unlisted(code: str, at: At, said: str) -> Outcome:
    found = follows(Meaning.UNKNOWN, at)
    named = f"{code}：{said[:120]}" if said else code
    then = "不能确定是否发出，系统不会再发" if found.state is State.UNKNOWN else "没有发出，先暂缓"
    words = f"平台返回没有列出的代码 {named}（{then}）：请登录平台核对，再由人决定"
    detail = {"errcode": code, UNLISTED: True}
    return Outcome(found.state, "", words, code[:_CODE], 0.0, detail, found.hold, Meaning.UNKNOWN)
