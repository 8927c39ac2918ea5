"""`shenfa bench digest`: a morning's digests, each of two items, beside the time of their own SQL.

Our own work only: the platform's pace would be the figure else (30 a second, T1), so the channel
answers at once. Everything before and after the call is as in the office: consent asked again,
releases verified, texts put together, rows sealed, attempts and outcomes written.
"""

import gc
import resource
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import event, func, insert, select, update

from app import Shenfa
from bench.figures import Measured, Row, Timed, figure, grown
from bench.office import TOPIC, new_office, released
from bot.contract import AccountView, Outcome, State, Still
from bot.models import Account, Delivery, Publication
from config.clock import now
from config.setup import AccountSetup
from storage.database import Base, Database, new_id
from storage.seals import seals_of
from subscriptions.models import Subscription
from subscriptions.proof import TABLE

ITEMS = 2
PACE = 100_000 / 180
"""People a second: 100,000 in three minutes."""
FLAT = 40.0
"""Megabytes that the process may grow by after its first tenth."""
_MOST = 2.0  # times its own SQL
_BATCH = 2_000


async def digest(n: int = 5_000) -> list[Row]:
    """`n` daily readers and two items: people a second, and how memory grew meanwhile."""
    account = AccountSetup(
        slug="bench",
        platform="telegram",
        name="青禾发布",
        api_base="https://api.telegram.org",
        secrets={"token": "7:bench", "webhook_secret": "b", "chat": "@bench"},
        settings={"per_second": 0},
        assessment_ref="bench",
    )
    async with new_office(account) as shenfa:
        told = _Told()
        shenfa.channels["telegram"].push = told  # type: ignore[method-assign]  # no network
        await _readers(shenfa, n)
        await _rows(shenfa)
        own = _Statements(shenfa.db)
        ours = await _send(shenfa, n, told)
    pace = figure(
        "digest", "digests of two items", "people/s", Measured(n / ours, n / own.seconds, PACE), n
    )
    pace["detail"] = {"items": ITEMS, "database": "sqlite", "statements": own.count}
    pace["detail"] |= grown(Timed(max(1, n // 2), told.half), Timed(n, ours))
    pace["ok"] = pace["ok"] and pace["ratio"] <= _MOST
    memory = Measured(told.grown, told.grown, FLAT)
    return [pace, figure("digest", "memory that grew", "MB", memory, n)]


class _Told:
    """A channel's push that answers at once, counts, and looks at the memory of the process."""

    def __init__(self) -> None:
        self.calls = 0
        self.early = 0.0
        self.tenth = 0
        self.begun = self.half = 0.0
        self.middle = 0

    async def __call__(
        self,
        account: AccountView,
        address: str,
        rendering: Mapping[str, Any],
        reason: str,
        still: Still,
    ) -> Outcome:
        await still()
        self.calls += 1
        if self.calls == self.tenth:
            self.early = _peak()
        if self.calls == self.middle:
            self.half = time.perf_counter() - self.begun
        return Outcome(State.PUBLISHED, ref=str(self.calls))

    @property
    def grown(self) -> float:
        return max(0.1, _peak() - self.early)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def _readers(shenfa: Shenfa, n: int) -> None:
    """People who asked for a topic once a day."""
    async with shenfa.db.session() as session:
        account = (await session.scalars(select(Account))).one()
    table, moment = Base.metadata.tables["subscription"], now()
    wish = {"account_id": account.id, "topic": TOPIC, "consent_version": "1", "created_at": moment}
    wish |= {"grp": "", "region": "", "frequency": "daily", "state": "active", "after_end": 0}
    for begin in range(0, n, _BATCH):
        async with shenfa.db.session() as session:
            rows = []
            for number in range(begin, min(n, begin + _BATCH)):
                person = await shenfa.contacts.upsert(session, account.id, str(number + 1), moment)
                rows.append({**wish, "id": new_id(), "contact_id": person.id})
            for row in rows:
                said = [row["grp" if name == "group" else name] for name in Subscription.SEALED]
                row["seal"] = seals_of(session).of(TABLE, said)
            await session.execute(insert(table), rows)
            await session.flush()
            session.expunge_all()


async def _rows(shenfa: Shenfa) -> None:
    """Two released items, and the rows of their pushes: they wait for the morning."""
    for _ in range(ITEMS):
        item_id, release_id = await released(shenfa)
        release = await shenfa.releases.verify(release_id)
        async with shenfa.db.session() as session:
            account = (await session.scalars(select(Account))).one()
        publication = Publication(
            id=new_id(), release_id=release_id, item_id=item_id, account_id=account.id,
            digest=release.digest, state=State.PUBLISHED, due_at=now(),
        )  # fmt: skip
        await shenfa.matching.create_deliveries(shenfa.db, publication, release)
    async with shenfa.db.session() as session:  # it is morning
        await session.execute(update(Base.metadata.tables["delivery"]).values(next_at=None))


async def _send(shenfa: Shenfa, n: int, told: _Told) -> float:
    """Seconds until every row says published, one message a person."""
    told.tenth, told.middle = max(1, n // 10), max(1, n // 2)
    await shenfa.lease.start()
    gc.collect()
    begun = told.begun = time.perf_counter()
    while await shenfa.sender.deliver_due():
        pass
    taken = time.perf_counter() - begun
    await shenfa.lease.stop()
    async with shenfa.db.session() as session:
        rows = await session.execute(select(Delivery.state, func.count()).group_by(Delivery.state))
        states = dict(rows.all())
    if states != {State.PUBLISHED: ITEMS * n} or told.calls != n:
        raise RuntimeError(f"{told.calls} messages to {n} people; rows: {states}")
    return taken


class _Statements:
    """The seconds a database spends on what is asked of it, from the asking to the answer."""

    def __init__(self, db: Database) -> None:
        self.seconds, self.count = 0.0, 0
        engine = db.engine.sync_engine
        event.listen(engine, "before_cursor_execute", self._begin)
        event.listen(engine, "after_cursor_execute", self._end)

    def _begin(self, connection: Any, *_: Any) -> None:
        connection.info["begun"] = time.perf_counter()

    def _end(self, connection: Any, *_: Any) -> None:
        self.seconds += time.perf_counter() - connection.info["begun"]
        self.count += 1
