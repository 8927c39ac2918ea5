"""The last look at a publication, directly before each call that readers see the effect of."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.contract import AccountView, NotReleased, Outcome, Release, State, Withheld
from bot.delivery.failures import MISSED
from bot.delivery.not_now import not_now
from bot.delivery.once import RELEASE_HOLD, Also, Stood, sign_submitted, stand_of
from bot.delivery.wiring import Wiring
from bot.models import Publication
from config.clock import now
from ledger.stops import stopped_now
from ledger.verify import Broken


class LastLook:
    """Asked before each call of one publication; the first time it signs that the call is made."""

    def __init__(
        self, wiring: Wiring, row: Publication, account: AccountView, release: Release
    ) -> None:
        """Nothing is signed yet."""
        self._w = wiring
        self._row = row
        self._account = account
        self._release = release
        self._signed = False
        self.said: Callable[[], Mapping[str, Any]] = dict
        """What the entry before the call says beside its names."""

    async def room(self) -> Outcome | None:
        """Why it waits although it may go: silence, or a number of the platform that is used up."""
        row = self._row
        try:
            facts = await self._w.ledger.facts(f"item:{row.item_id}")
            # Open: the platform may have it already, and it has its place.
            mine = stand_of(facts, row.release_id, row.account_id).state is Stood.OPEN
            return await not_now(self._w, self._account, self._release, also_room=not mine)
        except Broken as broken:
            return Outcome(State.HELD, reason=str(broken), code=RELEASE_HOLD)

    async def __call__(self) -> None:
        """Stops, the whole proof, and once only; Withheld says why not."""
        row = self._row
        try:
            release = await self._w.verify(row.release_id, "" if self._signed else row.account_id)
        except NotReleased as refused:
            raise Withheld(unproved(refused)) from refused
        if release.edition != self._release.edition:
            reason = "组版里有一篇的放行记录刚刚变了，请重新安排发布"
            raise Withheld(Outcome(State.HELD, reason=reason, code=RELEASE_HOLD))
        if not self._signed:
            guarded = self._w.channels[self._account.platform].resumable(self._account)
            also = Also(self.room, release.edition, self.said)
            await sign_submitted(self._w.ledger, row, now(), guarded=guarded, also=also)
            self._signed = True
        # A further part of the same publication: what was answered since then counts.
        elif await stopped_now(self._w.ledger, "publishing", f"account:{row.account_id}"):
            raise Withheld(Outcome(State.HELD, reason="已按开关停止发布", code="stopped"))


def unproved(refused: NotReleased) -> Outcome:
    """What a publication comes to whose proof does not hold at this moment."""
    code = MISSED if refused.over else RELEASE_HOLD
    return Outcome(State.HELD, reason="；".join(refused.reasons), code=code)
