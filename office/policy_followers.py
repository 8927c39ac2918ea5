"""Who follows a policy is told once of what becomes of it: rows by a job, asked again when sent.

What is told rests on signed facts of the library alone, at making and once more before the call;
rows are unique for an event and a person, and a follow knows what was so when it began.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels import CHANNELS
from bot.contract import Outcome, ReplyBasis, State
from bot.delivery.outbox import queue_reply
from bot.delivery.preparing import NIGHT, NOT_WANTED
from bot.delivery.retrying import LEFT, QUIET
from bot.models import Account, Contact, Delivery
from bot.replies import Filled, Followed, Parts
from config.clock import beijing, now
from knowledge.followed import policies_now
from ledger.append import Ledger
from ledger.changed import row_changed
from ledger.stops import stopped_now
from ledger.verify import Broken
from subscriptions.matching import Matching
from subscriptions.models import Subscription
from subscriptions.proof import COLUMNS, TABLE, Row, prove

_PAGE = 1_000
_NAMES = {column.key: place for place, column in enumerate(COLUMNS)}


def key_of(policy: str, event: str) -> str:
    """What one such message is, whoever gets it."""
    return f"follow:{policy}:{event}"


@dataclass(frozen=True)
class PolicyFollowers:
    """Makes the rows, and says of each whether it may go."""

    ledger: Ledger
    matching: Matching

    async def tell_due(self) -> int:
        """Rows for whoever follows what has changed, ended or closes soon; how many were made."""
        if await stopped_now(self.ledger, "push"):
            return 0
        try:
            events = await self._events()
            made = [await self._tell(policy, one) for policy, found in events for one in found]
        except Broken:  # the watch says where
            return 0
        return sum(made)

    async def _events(self) -> list[tuple[str, tuple[str, ...]]]:
        query = select(Subscription.policy).where(
            Subscription.policy != "", Subscription.state == "active"
        )
        async with self.ledger.db.session() as session:
            ids = [*await session.scalars(query.distinct())]
        found = await policies_now(self.ledger, ids, beijing(now()).date())
        return sorted((key, one.events) for key, one in found.items())

    async def _tell(self, policy: str, event: str) -> int:
        made, last, changed = 0, "", list[str]()
        while True:
            async with self.ledger.db.session() as session:
                rows = await _lacking(session, policy, event, last)
                proved = await prove(session, rows)
                platforms = await _platforms(session)
            changed += proved.wrong
            for row in proved.rows:
                made += await self._queue(row, event, platforms)
            if len(rows) < _PAGE:
                break
            last = max(str(row[0]) for row in rows)
        if changed:
            await row_changed(self.ledger, TABLE, min(changed))
        return made

    async def _queue(self, row: Row, event: str, platforms: Mapping[str, str]) -> int:
        """The row of one message; in the night it is due in the morning."""
        account = row[_NAMES["account_id"]]
        if row[_NAMES["paused_until"]] > beijing(now()).date().isoformat():
            return 0
        channel = CHANNELS.get(platforms.get(account, ""))
        leave = (("不再关注", f"leave:{row[0]}"),) if channel and channel.buttons else ()
        policy = row[_NAMES["policy"]]
        pieces = (Followed(policy, event), Filled("follow_foot"))
        parts = Parts(account, row[1], ReplyBasis.NOTICE, pieces, leave)
        async with self.ledger.db.session() as session:
            made = await queue_reply(self.ledger.db, parts, key_of(policy, event), session)
            delivery = await session.get_one(Delivery, made)
            delivery.next_at = self._morning()
        return 1

    def _morning(self) -> datetime | None:
        hours, moment = self.matching.hours(), now()
        return hours.after_quiet(moment) if hours.quiet(moment) else None

    async def notice(self, delivery_id: str, contact: Any, parts: Parts) -> Outcome | None:
        """Asked before the call: they may have left, the night may have come, the facts changed."""
        piece = next((one for one in parts.pieces if isinstance(one, Followed)), None)
        if piece is None or not await self._wants(parts.contact_id, piece):
            return Outcome(State.ENDED, reason=NOT_WANTED, code=LEFT)
        try:
            found = await policies_now(self.ledger, [piece.policy], beijing(now()).date())
        except Broken:  # nothing is said of a library that cannot be proved
            words = "政策库现在不能核对，稍后再发"
            return Outcome(State.RETRYING, reason=words, code=QUIET, retry_after=60.0)
        if piece.policy not in found or piece.event not in found[piece.policy].events:
            return Outcome(State.ENDED, reason="所告知的事项已过去或已更改", code=LEFT)
        wait = self.matching.waits({}, delivery_id, contact)
        if not wait:
            return None
        return Outcome(State.RETRYING, reason=NIGHT, code=QUIET, retry_after=wait)

    async def _wants(self, contact_id: str, piece: Followed) -> bool:
        query = select(*COLUMNS).where(
            Subscription.contact_id == contact_id,
            Subscription.policy == piece.policy,
            Subscription.state == "active",
        )
        async with self.ledger.db.session() as session:
            try:
                proved = await prove(session, [*(await session.execute(query)).all()])
            except Broken:
                return False
        today = beijing(now()).date().isoformat()
        return any(row[_NAMES["paused_until"]] <= today for row in proved.rows)


async def _lacking(session: AsyncSession, policy: str, event: str, last: str) -> Sequence[Row]:
    """A page of those who follow it, did not know this when they began, and have no row of it."""
    mine = (
        Delivery.content_key == key_of(policy, event),
        Delivery.contact_id == Subscription.contact_id,
    )
    query = (
        select(*COLUMNS)
        .join(Contact, Contact.id == Subscription.contact_id)
        .where(
            Subscription.policy == policy,
            Subscription.state == "active",
            Subscription.id > last,
            Contact.state == "active",
            ~Subscription.known.contains(event, autoescape=True),
            ~exists().where(*mine),
        )
    )
    return [*(await session.execute(query.order_by(Subscription.id).limit(_PAGE))).all()]


async def _platforms(session: AsyncSession) -> dict[str, str]:
    rows = await session.execute(select(Account.id, Account.platform))
    return {row.id: row.platform for row in rows}
