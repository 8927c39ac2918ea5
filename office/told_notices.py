"""A notice of correction reaches whoever was told what it corrects, each once and nobody else.

Who they are is read from sealed rows (knowledge/told.py); the words and what they correct from
signed entries. Rows are unique for a notice and a person. It is asked again before each call.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import Outcome, ReplyBasis, State
from bot.delivery.outbox import queue_reply
from bot.delivery.preparing import NIGHT
from bot.delivery.retrying import LEFT, QUIET
from bot.models import Contact, Delivery
from bot.replies import Corrected, Filled, Parts
from config.clock import now
from knowledge.models import Told
from knowledge.notices import Notice, Notices
from knowledge.told import told_of
from ledger.append import Ledger
from ledger.changed import row_changed
from ledger.stops import stopped_now
from subscriptions.matching import Matching

_PAGE = 500
_LATER = timedelta(seconds=2)
"""What was said as the notice was released may still be on its way into its row."""


@dataclass(frozen=True)
class ToldNotices:
    """Makes the rows, and says of each whether it may go."""

    ledger: Ledger
    matching: Matching
    notices: Notices

    async def tell_due(self) -> int:
        """A row for each of those whom a notice is for; how many were made."""
        if await stopped_now(self.ledger, "push"):
            return 0
        return sum([await self._tell(one) for one in await self.notices.waiting()])

    async def _tell(self, notice: Notice) -> int:
        if now() < notice.released + _LATER:
            return 0
        async with self.ledger.db.session() as session:
            people, wrong = await told_of(session, notice.about, notice.released)
        if wrong:
            await row_changed(self.ledger, Told.__tablename__, min(wrong))
        made = 0
        for at in range(0, len(people), _PAGE):
            made += await self._queue(notice, people[at : at + _PAGE])
        async with self.ledger.transaction() as tx:
            await self.notices.finish(tx, notice, made)
        return made

    async def _queue(self, notice: Notice, people: list[str]) -> int:
        hours, moment = self.matching.hours(), now()
        morning = hours.after_quiet(moment) if hours.quiet(moment) else None
        known = notice.known
        pieces = (Filled("notice_head"), Corrected(known.key, known.version))
        async with self.ledger.db.session() as session:
            reachable = await _reachable(session, people)
            for contact_id, account_id in reachable:
                parts = Parts(account_id, contact_id, ReplyBasis.NOTICE, pieces)
                key = f"notice:{known.key}:{known.version}"
                made = await queue_reply(self.ledger.db, parts, key, session)
                (await session.get_one(Delivery, made)).next_at = morning
        return len(reachable)

    async def may_go(self, piece: Corrected, delivery_id: str, contact: Any) -> Outcome | None:
        """Asked before the call: it may have been taken back, or the night may have come."""
        if await self.notices.words(piece.notice, piece.version) is None:
            return Outcome(State.ENDED, reason="这条更正告知已停用", code=LEFT)
        wait = self.matching.waits({}, delivery_id, contact)
        if not wait:
            return None
        return Outcome(State.RETRYING, reason=NIGHT, code=QUIET, retry_after=wait)


async def _reachable(session: AsyncSession, people: list[str]) -> list[tuple[str, str]]:
    """Those of them who are still there, with their account; a changed row reaches nobody."""
    query = select(Contact).where(Contact.id.in_(people), Contact.state == "active")
    rows = (await session.scalars(query.order_by(Contact.id))).all()
    return [(one.id, one.account_id) for one in rows if one.whole]
