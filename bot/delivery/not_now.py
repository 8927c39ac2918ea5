"""What is put off before its call: for a day of silence, or because a number is used up.

Nothing of this is a failure: the row keeps its place, says why, and is due again by itself.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.contract import AccountView, Outcome, Release, State
from bot.delivery.failures import MISSED
from bot.delivery.retrying import NO_ROOM, SILENCE
from bot.delivery.spent import called, spent
from bot.delivery.wiring import Wiring
from bot.quota import SEND, Act, Left, full, used_up
from bot.silence import Stop
from config.clock import beijing, now
from staff.refusal import Refused

UNPROVED = 300.0  # seconds until a setting that cannot be proved is looked at again
KEPT = 10
"""Of the day's questions after a publication so many are left to people."""


async def silent(wiring: Wiring, release: Release, moment: datetime) -> Stop | None:
    """The span of silence that holds this release now. Refused: nobody can tell."""
    return None if release.urgent else (await wiring.quiet()).at(moment)


async def not_now(
    wiring: Wiring, account: AccountView, release: Release, *, also_room: bool = True
) -> Outcome | None:
    """Why a publication waits, and until when; None when it may go. Raises Broken.

    Without `also_room` for what the platform may have taken already: it has its place.
    """
    moment = now()
    try:
        stop = await silent(wiring, release, moment)
    except Refused as refused:
        words = "；".join(one.message for one in refused.reasons)
        return Outcome(State.CREATED, reason=words, code=SILENCE, retry_after=UNPROVED)
    if stop is not None:
        return _until(stop.end, f"{stop.words()}，到时再发", SILENCE)
    shut = await no_room(wiring, account, release) if also_room else None
    if shut is None:
        return None
    why = f"{used_up(shut)}，最早 {_said(shut.free_at)} 再发"
    if shut.free_at > release.not_after:
        late = f"{why}，晚于审核通过的最晚发布时间 {_said(release.not_after)}"
        return Outcome(State.HELD, reason=late, code=MISSED)
    return _until(shut.free_at, why, NO_ROOM)


async def no_room(
    wiring: Wiring, account: AccountView, release: Release | None = None
) -> Left | None:
    """The limit that keeps a publication of this account waiting longest, or this one. Broken."""
    channel = wiring.channels[account.platform]
    asked = [one for one in channel.limits(account.settings) if one.act is Act.PUBLISH]
    chosen = release is not None and release.audience is not None
    if not channel.takes_place(account.settings, chosen=chosen):
        asked = [one for one in asked if one.call != SEND]
    if not asked:
        return None
    moment = now()
    async with wiring.db.session() as session:
        calls = (await called(session, [account.id], moment))[account.id]
    return full(
        asked,
        [*await spent(wiring.ledger, account.id, release.id if release else ""), *calls],
        moment,
    )


async def asked_enough(wiring: Wiring, account: AccountView) -> datetime | None:
    """Until when the platform is not asked after publications; its events come all the same."""
    limits = wiring.channels[account.platform].limits(account.settings)
    asks = [one for one in limits if one.act is Act.ASK]
    if not asks:
        return None
    moment = now()
    async with wiring.db.session() as session:
        calls = (await called(session, [account.id], moment))[account.id]
    shut = full([replace(one, most=one.most - KEPT) for one in asks], calls, moment)
    return shut.free_at if shut else None


async def put_off_push(wiring: Wiring, release: Release) -> Outcome | None:
    """Why a message of this release is not sent now; answers to citizens are never asked."""
    try:
        stop = await silent(wiring, release, now())
    except Refused as refused:
        words = "；".join(one.message for one in refused.reasons)
        return Outcome(State.RETRYING, reason=words, code=SILENCE, retry_after=UNPROVED)
    if stop is None:
        return None
    put_off = _until(stop.end, f"{stop.words()}，到时再推送", SILENCE)
    return replace(put_off, state=State.RETRYING)


def _until(moment: datetime, why: str, code: str) -> Outcome:
    # A second after it: the very first moment may still be counted to the day before.
    wait = (moment - now()) / timedelta(seconds=1) + 1
    return Outcome(State.CREATED, reason=why, code=code, retry_after=max(wait, 1.0))


def _said(moment: datetime) -> str:
    local = beijing(moment)
    return f"{local.month}月{local.day}日 {local:%H:%M}"
