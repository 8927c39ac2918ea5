"""When a call is made again, and when it is given up. Pure."""

from bot.contract import Outcome, State

RETRY_AFTER = (30, 120, 600, 1800, 7200)  # seconds before attempt 2, 3, 4, 5, 6
LOST = "发送途中程序中断，不能确定是否送达，请人工核对"


def give_up(outcome: Outcome, attempts: int) -> Outcome:
    """A retry too many is a failure."""
    if outcome.state is State.RETRYING and attempts > len(RETRY_AFTER):
        return Outcome(
            State.FAILED, reason=f"多次重试仍未成功：{outcome.reason}", code=outcome.code
        )
    return outcome


def delay(outcome: Outcome, attempts: int) -> float:
    """Seconds to the next attempt: what the platform said, else the table."""
    # Coming back before the platform's own time may cost the bot its licence to send (T3).
    return outcome.retry_after or RETRY_AFTER[min(attempts, len(RETRY_AFTER)) - 1]
