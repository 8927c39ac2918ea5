"""How far a push may still go, by the signed entries about its item. Pure.

A push may be paused while its text is mended, go on with the text it had, lose its rest, or be
replaced by a correction. A row put back by somebody changes none of this: it is asked before each
call, like a recall.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from bot.contract import Outcome, Rendering, State
from ledger.verify import Entry

PAUSED, RESUMED, DROPPED = "push.paused", "push.resumed", "push.dropped"
HELD = "push.held"
"""It did not begin: it would reach another number of people than was approved."""
REPLACED, AGAIN = "push.replaced", "push.again"
MEND_HOLD = "mend"
"""Delivery.hold: waits for what a person decides about a paused push."""
GONE = "gone"
"""Outcome.code: the rest of this push ended; its contact can still be reached."""
NOTED = "，并已收到更正前的原文"
"""Ends the reason of a message that says what a correction changed, and marks it as one."""
CORRECTED = "，内容有更正"
"""Ends the reason of who gets a correction because they were sent what it corrects."""
_NOTED_TO_WHO_HAD = "，这里只说改了什么"
"""The mark where the reason says already that they had the text: it is not said twice."""
EARLIER = "earlier"
"""Outcome.code: put off until the message with the uncorrected text has its end."""

_WORDS = {
    "paused": "推送已暂停，等稿件改正",
    "held": "推送没有开始：符合条件的人数与批准时相差较大，等人决定",
    "dropped": "推送已由人决定不再发送",
    "replaced": "已由更正稿代替，不再发送",
}


class Going(StrEnum):
    """What may become of messages that have not gone out."""

    ON = "on"
    PAUSED = "paused"
    HELD = "held"
    DROPPED = "dropped"
    REPLACED = "replaced"

    @property
    def words(self) -> str:
        """Why nothing goes out, for staff; empty while it does."""
        return _WORDS.get(self.value, "")

    @property
    def waits(self) -> bool:
        """Whether a person still decides about it."""
        return self in (Going.PAUSED, Going.HELD)


_AFTER = {RESUMED: Going.ON, DROPPED: Going.DROPPED}


class Had(StrEnum):
    """Whether a contact was sent what a correction is about; one whose end is unknown was."""

    NO = "no"
    ON_ITS_WAY = "on_its_way"
    YES = "yes"


def going(entries: Sequence[Entry], account_id: str) -> Going:
    """How far the push of an item through one account may go."""
    stand, held = Going.ON, False
    for entry in entries:
        # What is decided about a number of people is about one account; a pause is about all.
        mine = entry.body.get("account", account_id) == account_id
        if entry.kind == PAUSED:
            stand = Going.PAUSED
        elif not mine:
            continue
        elif entry.kind in _AFTER:
            stand = _AFTER[entry.kind]
            held = held and "account" not in entry.body
        elif entry.kind == HELD:
            held = True
        elif entry.kind == REPLACED:
            # A correction is out: the text before it is never sent again.
            return Going.REPLACED
        elif entry.kind == AGAIN and stand is Going.DROPPED:
            stand = Going.ON
    return Going.HELD if held and stand is Going.ON else stand


def halted(stand: Going) -> Outcome | None:
    """What a message comes to whose push does not go on."""
    if stand is Going.ON:
        return None
    if stand.waits:
        return Outcome(State.HELD, reason=stand.words, code=MEND_HOLD)
    return Outcome(State.ENDED, reason=stand.words, code=GONE)


def noted(reason: str) -> str:
    """The reason of a message that says what was changed."""
    return reason + (_NOTED_TO_WHO_HAD if reason.endswith(CORRECTED) else NOTED)


def is_noted(reason: str) -> bool:
    """Whether a message of this reason says what was changed, and not the text."""
    return reason.endswith((NOTED, CORRECTED + _NOTED_TO_WHO_HAD))


def unmarked(reason: str) -> str:
    """The reason without its mark, as its row was made."""
    return reason.removesuffix(NOTED).removesuffix(_NOTED_TO_WHO_HAD)


def form_for(rendering: Mapping[str, Any], had: Had) -> Rendering:
    """What a contact is pushed: the text, or for who had the one before it what was changed."""
    form = dict(rendering)
    # A correction that was approved before there were notes is sent as it was approved.
    return form | {"push": form.get("note") or form["push"]} if had is Had.YES else form
