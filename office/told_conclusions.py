"""Whoever wrote to a consultation is told once that its result is out, in no night.

Who they are is read from sealed rows held against signed entries (escalations/opinions.py), the
result from what stands released. Rows are unique for a consultation and a person; it is asked
again before each call.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from bot.contract import Outcome, ReplyBasis, State
from bot.delivery.outbox import queue_reply
from bot.delivery.preparing import NIGHT
from bot.delivery.retrying import LEFT, QUIET
from bot.models import Contact, Delivery
from bot.replies import Concluded, Parts
from config.clock import now
from escalations.conclusions import TOLD, concluded
from escalations.models import Consultation
from escalations.opinions import opinions_of
from ledger.append import Ledger
from ledger.changed import row_changed
from ledger.stops import stopped_now
from staff.refusal import Refused
from subscriptions.matching import Matching

_PAGE = 500


@dataclass(frozen=True)
class ToldConclusions:
    """Makes the rows, and says of each whether it may go."""

    ledger: Ledger
    matching: Matching

    async def tell_due(self) -> int:
        """A row for each writer of a consultation whose result is out; how many were made."""
        query = select(Consultation).where(
            Consultation.result_item != "", Consultation.told_at.is_(None)
        )
        async with self.ledger.db.session() as session:
            rows = (await session.scalars(query)).all()
        if not rows or await stopped_now(self.ledger, "push"):
            return 0
        return sum([await self._tell(one) for one in rows])

    async def _tell(self, row: Consultation) -> int:
        if not row.whole:
            await row_changed(self.ledger, Consultation.__tablename__, row.id)
            return 0
        if await concluded(self.ledger, row.id) is None:
            return 0
        kept = await opinions_of(self.ledger, row.id)
        people = [*dict.fromkeys(one.contact_id for one in kept.rows)]
        made = 0
        for at in range(0, len(people), _PAGE):
            made += await self._queue(row, people[at : at + _PAGE])
        async with self.ledger.transaction() as tx:
            fresh = await tx.session.get_one(Consultation, row.id, populate_existing=True)
            fresh.told_at = now()
            subject, body = f"consultation:{row.id}", {"people": made}
            await tx.append(TOLD, subject=subject, actor="system", body=body)
        return made

    async def _queue(self, row: Consultation, people: list[str]) -> int:
        hours, moment = self.matching.hours(), now()
        morning = hours.after_quiet(moment) if hours.quiet(moment) else None
        query = select(Contact).where(Contact.id.in_(people), Contact.state == "active")
        async with self.ledger.db.session() as session:
            contacts = (await session.scalars(query.order_by(Contact.id))).all()
            reachable = [one for one in contacts if one.whole]
            for one in reachable:
                parts = Parts(one.account_id, one.id, ReplyBasis.NOTICE, (Concluded(row.id),))
                made = await queue_reply(self.ledger.db, parts, f"consulted:{row.id}", session)
                (await session.get_one(Delivery, made)).next_at = morning
        return len(reachable)

    async def said(self, consultation_id: str, account_id: str) -> tuple[str, str] | None:
        """Title and address of the result, while it stands released."""
        try:
            found = await concluded(self.ledger, consultation_id, account_id)
        except Refused:
            return None
        return (found.title, found.url) if found is not None else None

    async def may_go(
        self, piece: Concluded, delivery_id: str, contact: Any, parts: Parts
    ) -> Outcome | None:
        """Asked before the call: it may have been recalled, or the night may have come."""
        if await self.said(piece.consultation, parts.account_id) is None:
            return Outcome(State.ENDED, reason="征集结果已撤回或不能确认", code=LEFT)
        wait = self.matching.waits({}, delivery_id, contact)
        if not wait:
            return None
        return Outcome(State.RETRYING, reason=NIGHT, code=QUIET, retry_after=wait)
