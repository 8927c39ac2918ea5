"""When a call is made again, and when it is given up. Pure."""

from bot.contract import Outcome, State
from bot.delivery.mended import EARLIER, GONE
from bot.delivery.once import OVER
from storage.away import gone

RETRY_AFTER = (30, 120, 600, 1800, 7200)  # seconds before attempt 2, 3, 4, 5, 6
LOST = "发送途中程序中断，不能确定是否送达，请人工核对"

SILENCE, NO_ROOM = "silence", "no_room"
"""Outcome.code: not now, for a day of silence or because the platform's number is used up."""
NOT_BEGUN, AWAY = "not_begun", "neighbour_away"  # Outcome.code: failed before the call
QUIET = "quiet"  # Outcome.code: the night is the reader's
TOO_OLD, LEFT = "too_old", "left"
"""Outcome.code: this message ended, and its contact can still be reached."""
_SOON = 5.0


def not_begun(error: BaseException) -> Outcome:
    """What an exception before the call comes to: surely nothing was sent, so it is tried again."""
    if gone(error):
        words = "数据库或缓存暂时不可用，没有发出，稍后再发"
        return Outcome(State.RETRYING, reason=words, code=AWAY, retry_after=_SOON)
    return Outcome(State.RETRYING, reason="准备发送时程序出错，没有发出，稍后再发", code=NOT_BEGUN)


def counts(outcome: Outcome) -> bool:
    """Whether an outcome uses up an attempt.

    A limit of the platform, or a neighbour of ours that is away, says nothing of the message: it
    must not fail because others were sent before it. Nor does a day of silence.
    """
    codes = (AWAY, QUIET, SILENCE, NO_ROOM, EARLIER)
    put_off = outcome.code in codes or "rest" in outcome.detail
    return not (outcome.state in (State.RETRYING, State.CREATED) and put_off)


def give_up(outcome: Outcome, attempts: int) -> Outcome:
    """A retry too many is a failure."""
    if outcome.state is State.RETRYING and counts(outcome) and attempts > len(RETRY_AFTER):
        return Outcome(
            State.FAILED, reason=f"多次重试仍未成功：{outcome.reason}", code=outcome.code
        )
    return outcome


def delay(outcome: Outcome, attempts: int) -> float:
    """Seconds to the next attempt: what the platform said, else the table."""
    # Coming back before the platform's own time may cost the bot its licence to send (T3).
    return outcome.retry_after or RETRY_AFTER[min(attempts, len(RETRY_AFTER)) - 1]


def ends_contact(outcome: Outcome) -> bool:
    """Whether it ended at its reader, and not for a reason of our own."""
    ours = outcome.meaning is None and outcome.code in (TOO_OLD, LEFT, OVER, GONE)
    return outcome.state is State.ENDED and not ours
