"""An office at rest: what only looks at rows is not asked for while nobody writes one.

Whatever is written, by any process, ends the rest at the next tick, and so does the hour of the
first thing that waits for one. What is due and stays (an account that is stopped, a rest of the
platform) keeps the office awake. Only in front of a file of SQLite: a server tells of no news.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, and_, exists, func, literal, select, union_all
from sqlalchemy.orm import Session

from bot.comment_models import CommentAct
from bot.contract import State
from bot.delivery.commenting import DOING, READY
from bot.delivery.outbox import DUE
from bot.delivery.runs import Runs
from bot.delivery.takedowns import CALLING, WAITING
from bot.models import Delivery, InboundMessage, Publication, Takedown
from config.clock import now
from office.jobs import ANSWER, Job
from review_queue.canonical import LIBRARY_KINDS
from review_queue.models import Item
from review_queue.states import ItemState
from storage.away import AWAY
from storage.database import UNREADABLE, Database, UtcTime

AWAKE = 10.0  # seconds for which every job keeps its pace after anything was written
LONGEST = 30.0  # seconds after which a job is asked for all the same
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


LOOKS = frozenset(
    {
        *("publish", "settle", "takedown", "gives_way", "rows", "deliver", ANSWER, "comment_acts"),
        *("shelve", "moving", "notices", "seal", "replies", "announce"),
    }
)
"""Jobs that do nothing but for a row: written since they last looked, or due as told below."""


class Rest:
    """Says which turns of which jobs may be left out; `runs` knows when each was last done."""

    def __init__(self, db: Database, runs: Runs) -> None:
        """Nothing is known yet: every job is asked for."""
        self._db = db
        self._runs = runs
        self._version: int | None = None
        self._since = 0.0
        self._next_of: int | None = None
        self._next: datetime | None = None

    async def spares(self, job: Job) -> bool:
        """Whether this turn would find what the last one left."""
        if job.name not in LOOKS:
            return False
        version, moment = self._db.version(), time.monotonic()
        if version is None:
            return False
        if version != self._version:
            self._version, self._since = version, moment
        # Some look at what they read a second ago, or leave what is a second old to others.
        if moment - self._since < AWAKE or not self._looked(job, moment):
            return False
        try:
            return not await self._is_due(version)
        except (*AWAY, *UNREADABLE):  # then each job looks, and says what it finds
            return False

    def _looked(self, job: Job, moment: float) -> bool:
        """Whether the job looked, well and to its end, since anything was written."""
        last = self._runs.last(job.name)
        if last is None or last.ended is None or last.failed == last.ended:
            return False
        return self._since < last.began and moment - last.began < LONGEST

    async def _is_due(self, version: int) -> bool:
        if self._next_of != version:
            self._next = await self._db.read(next_moment)
            self._next_of = version
        return self._next is not None and self._next <= now()


def next_moment(session: Session) -> datetime | None:
    """When the first of what waits is due; long ago for what waits only to be looked at."""
    parts = union_all(*_with_an_hour(), *_without()).subquery()
    query = select(func.min(parts.c.moment, type_=UtcTime()))
    found: datetime | None = session.execute(query).scalar_one()
    return found


def _with_an_hour() -> Iterator[Select[Any]]:
    """The first hour of each kind; a row without one waits for nothing."""
    publication = Publication.state.in_(DUE)
    for column, waits in (
        (Publication.due_at, and_(publication, Publication.next_at.is_(None))),
        (Publication.next_at, and_(publication, Publication.next_at.is_not(None))),
        (Publication.next_at, Publication.state == State.SUBMITTED),
        (Delivery.next_at, Delivery.state.in_(DUE)),
        (Takedown.next_at, Takedown.state == WAITING),
        (CommentAct.next_at, CommentAct.state.in_((READY, DOING))),
    ):
        moment: Any = func.coalesce(column, literal(_LONG_AGO, UtcTime()), type_=UtcTime())
        yield select(func.min(moment).label("moment")).where(waits)


def _without() -> Iterator[Select[Any]]:
    """Long ago where a row of a kind is left for a job to find."""
    for waits in (
        and_(Publication.state == State.PUBLISHED, Publication.pushed_at.is_(None)),
        Takedown.state == CALLING,
        InboundMessage.waits > "",
        and_(Item.state == ItemState.APPROVED, Item.kind.in_(LIBRARY_KINDS)),
    ):
        one = select(literal(_LONG_AGO, UtcTime()).label("moment"))
        yield one.where(exists().where(waits))
