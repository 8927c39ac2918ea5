"""Anchors to places that can be out of reach: a mail box, a webhook. Rows say how far each is."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select

from config.clock import now
from ledger.append import Ledger
from ledger.models import AnchorPlace, LedgerEntry

Post = Callable[[str, str], Awaitable[str]]
"""Address and anchor line in; what went wrong out, or an empty text."""
RETRY = timedelta(seconds=30)
RETRY_MOST = timedelta(hours=1)
_log = structlog.get_logger("ledger.remote")


@dataclass(frozen=True)
class Head:
    """The last signed entry: what a place elsewhere is told."""

    seq: int
    hash: str


class RemoteAnchors:
    """Tells every address the newest signed entry; it stands for all entries before it.

    Nothing is lost by a failure: the entry is in the ledger, and the row keeps what was told.
    """

    def __init__(self, ledger: Ledger, addresses: Sequence[str], post: Post) -> None:
        """`post` is given by the root: this room opens no connection."""
        self._ledger = ledger
        self.addresses = tuple(addresses)
        self._post = post

    async def tell_due(self) -> int:
        """Tell every address that lags and may be tried again; returns how many were told."""
        told = 0
        for address in self.addresses:
            async with self._ledger.db.session() as session:
                query = select(LedgerEntry.seq, LedgerEntry.hash).order_by(LedgerEntry.seq.desc())
                signed = query.where(LedgerEntry.signature.is_not(None)).limit(1)
                head = (await session.execute(signed)).first()
                place = await session.get(AnchorPlace, address)
            if head is None or (place and not _due(place, Head(head[0], head[1]), now())):
                continue
            line = json.dumps(self._ledger.mark("anchor", head[0], head[1]))
            problem = await self._post(address, line)
            await self._keep(address, Head(head[0], head[1]), problem)
            told += not problem
        return told

    async def _keep(self, address: str, head: Head, problem: str) -> None:
        async with self._ledger.db.writing() as session:
            place = await session.get(AnchorPlace, address)
            if place is None:
                place = AnchorPlace(address=address, seq=0, hash="", tries=0, problem="")
                session.add(place)
            if problem:
                _log.warning("anchor_not_told", place=address, problem=problem)
                place.tries += 1
                place.next_at = now() + min(RETRY * 2 ** min(place.tries - 1, 10), RETRY_MOST)
            else:
                place.seq, place.hash = head.seq, head.hash
                place.tries, place.next_at, place.told_at = 0, None, now()
            place.problem = problem[:200]


def _due(place: AnchorPlace, head: Head, moment: datetime) -> bool:
    return Head(place.seq, place.hash) != head and (
        place.next_at is None or place.next_at <= moment
    )
