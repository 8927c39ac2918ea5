"""When each job of the office was last done: kept for whoever asks, in any process."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.delivery.processes import clock
from bot.models import JobRun
from storage.database import Database

_SAME = 1.0  # seconds within which two moments may be one
_SLACK = 60.0  # seconds a busy machine may take beyond what is usual
_LONG = 3600.0  # seconds after which a turn that has not ended is told
_FORGOTTEN = 7 * 86400.0


@dataclass(frozen=True)
class Run:
    """The last turn of one job in this process, by its monotonic clock."""

    began: float
    ended: float | None = None
    failed: float | None = None
    problem: str = ""


@dataclass(frozen=True)
class Age:
    """How many seconds ago a job was begun, ended and failed; None where it did not.

    `every`: how often it should be done. `ended` is empty while it is being done. `problem` is the
    kind of the last failure.
    """

    every: float
    began: float
    ended: float | None
    failed: float | None
    problem: str

    @property
    def fault(self) -> str:
        """What is wrong with it, in words; empty when nothing is."""
        if self.began > _FORGOTTEN:  # a job of an earlier version, perhaps
            return ""
        if self.ended is None and self.began > _LONG:
            return f"{round(self.began / 60)} 分钟前开始，还没有结束"
        if self.ended is not None and self.began > 3 * self.every + _SLACK:
            return f"应每 {self.every:g} 秒运行，已有 {round(self.began)} 秒没有运行"
        if self.failed is not None and self.ended is not None and self.failed <= self.ended:
            return f"最近一次没有做成（{self.problem}），原因在日志里"
        return ""


class Runs:
    """What this process did of the jobs; `keep` writes what is new of it."""

    def __init__(self, every: Mapping[str, float]) -> None:
        """`every`: in how many seconds each job should be done once."""
        self._every = every
        self._last: dict[str, Run] = {}
        self._kept: dict[str, Run] = {}

    def began(self, name: str) -> None:
        """A turn of it begins."""
        before = self._last.get(name, Run(0.0))
        self._last[name] = replace(before, began=time.monotonic(), ended=None)

    def ended(self, name: str, error: Exception | None) -> None:
        """It is over, well or not."""
        moment, run = time.monotonic(), self._last[name]
        if error is None:
            self._last[name] = replace(run, ended=moment)
        else:
            problem = type(error).__name__
            self._last[name] = replace(run, ended=moment, failed=moment, problem=problem)

    def last(self, name: str) -> Run | None:
        """Its last turn in this process."""
        return self._last.get(name)

    async def keep(self, db: Database) -> None:
        """Write what happened since the last time; a later turn in another process stands."""
        news = {name: run for name, run in self._last.items() if self._kept.get(name) != run}
        if not news:
            return

        def write(session: Session) -> None:
            for name, run in sorted(news.items()):  # in one order, whoever else writes them
                session.execute(_written(db, name, self._every.get(name, 0.0), run))

        await db.unheard(write)
        self._kept |= news


def _written(db: Database, name: str, every: float, run: Run) -> Any:
    values = {
        "name": name,
        "every": every,
        "began": _by_database(db, run.began),
        "ended": _by_database(db, run.ended),
        "problem": run.problem,
    }
    if run.failed is not None:
        values["failed"] = _by_database(db, run.failed)
    insert: Any = (sqlite if db.is_sqlite else postgresql).insert(JobRun).values(**values)
    said = ("every", "began", "ended", *(("failed", "problem") if run.failed is not None else ()))
    return insert.on_conflict_do_update(
        index_elements=["name"],
        set_={column: insert.excluded[column] for column in said},
        # The same turn is written twice, and not counted back to the very same moment. One that is
        # still to come is none: the database's clock may be set back, too.
        where=(JobRun.began <= insert.excluded.began + _SAME) | (JobRun.began > clock(db) + _SAME),
    )


def _by_database(db: Database, moment: float | None) -> ColumnElement[Any] | None:
    return None if moment is None else clock(db) - literal(time.monotonic() - moment)


async def ages(db: Database) -> Mapping[str, Age]:
    """How long ago each job was done, by any process of this office."""
    at = clock(db)
    columns = (at - JobRun.began, at - JobRun.ended, at - JobRun.failed)
    async with db.session() as session:
        query = select(JobRun.name, JobRun.every, *columns, JobRun.problem)
        rows = await session.execute(query)
        return {row[0]: Age(*row[1:]) for row in rows.all()}
