"""Whether what became of a followed policy may be said now: it is a push, made of a template.

It obeys what pushes obey: the stop switch, days of silence, the night, and its reader's wish.
"""

from collections.abc import Collection

from bot.contract import Outcome, State
from bot.delivery.not_now import UNPROVED
from bot.delivery.outbox import Work
from bot.delivery.retrying import SILENCE
from bot.delivery.wiring import Wiring
from bot.replies import Parts
from config.clock import now
from staff.refusal import Refused

STOPPED = 30.0


async def not_said(
    wiring: Wiring, stops: Collection[str], one: Work, parts: Parts
) -> Outcome | None:
    """Why it waits or ends; None when it may go."""
    if "push" in stops:
        return Outcome(State.RETRYING, reason="已按开关停止推送", code=SILENCE, retry_after=STOPPED)
    try:
        stop = (await wiring.quiet()).at(now())
    except Refused as refused:
        words = "；".join(one.message for one in refused.reasons)
        return Outcome(State.RETRYING, reason=words, code=SILENCE, retry_after=UNPROVED)
    if stop is not None:
        wait = (stop.end - now()).total_seconds()
        words = f"{stop.words()}，到时再发"
        return Outcome(State.RETRYING, reason=words, code=SILENCE, retry_after=wait)
    return await wiring.notice(one.id, one.contact, parts)
