"""The job that verifies the chain, and stops publishing when it breaks."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from config.clock import now
from ledger.append import Ledger
from ledger.reopening import mend_incidents
from ledger.verify import Broken
from storage.switches import Switch, set_switch
from storage.triggers import triggers_of

WHOLE_EVERY = timedelta(hours=24)
STOPS = ("publishing", "push")
_log = structlog.get_logger("ledger.watch")


class Watch:
    """Looks at what is new each time it is asked, and at the whole chain once a day."""

    def __init__(self, ledger: Ledger) -> None:
        """The first look reads everything: a new process remembers nothing."""
        self._ledger = ledger
        self._whole_at: datetime | None = None
        self._said: set[str] = set()

    async def look(self) -> Broken | None:
        """Verify; a break opens one incident and stops publishing. It never resumes by itself.

        On a whole chain the table of incidents is put right by what was signed.
        """
        if found := await triggers_of(self._ledger.db):
            await self._tell_triggers(found)
        try:
            await self._ledger.refresh()
            await self._ledger.check_columns()
            if self._whole_at is None or now() - self._whole_at >= WHOLE_EVERY:
                verdict = await self._ledger.verify_whole()
                if verdict.first_bad is not None:
                    raise Broken(verdict.first_bad, verdict.problem)
                self._whole_at = now()
            await mend_incidents(self._ledger)
        except Broken as broken:
            await self._stop(broken)
            return broken
        return None

    async def _tell_triggers(self, found: Sequence[str]) -> None:
        # First to the log: such a trigger may forbid the very entry that tells of it.
        _log.error("database_triggers", count=len(found), first=found[0][:80])
        with suppress(DBAPIError):
            await self._ledger.open_incident(
                "database_triggers",
                subject="database",
                message="数据库里有触发器，本系统没有任何触发器：它能拦下或改动要写入的记录，"
                "请数据库管理员查明是谁加的，并删去",
                detail={"count": len(found)},
            )

    async def _stop(self, broken: Broken) -> None:
        words = f"{broken}。已停止公开发布和推送"
        _log.error("ledger_broken", seq=broken.seq, problem=broken.problem)
        async with self._ledger.transaction() as tx:
            query = select(Switch.name).where(Switch.name.in_(STOPS), Switch.stopped.is_(True))
            stopped = set((await tx.session.scalars(query)).all())
            for name in STOPS:
                # Signed once by each process, whatever the table says: a row written as stopped
                # must not keep the entry away.
                if name not in stopped & self._said:
                    self._said.add(name)
                    await set_switch(tx.session, name, stopped=True, reason=words, by="system")
                    await tx.append(
                        "switch.set",
                        subject=f"switch:{name}",
                        actor="system",
                        body={"stopped": True},
                    )
        await self._ledger.open_incident(
            "ledger_broken",
            subject="ledger",
            message=f"{words}：请保存导出文件和锚定文件，查明是谁改动了数据库，"
            "用备份恢复后再由管理员恢复发布",
            detail={"first_bad": broken.seq, "problem": broken.problem},
        )
