"""The worker that takes publications down: claimed, signed, called once, its outcome signed.

No stop switch holds it: whoever stops an office wants less to stand outside, not more.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import func, select

from bot.calling import Call, watch
from bot.contract import AccountView, State, Withheld
from bot.delivery.leases import Lease
from bot.delivery.missing import look_for_missing
from bot.delivery.once import Stood as Published
from bot.delivery.once import stand_of, told_of
from bot.delivery.processes import living
from bot.delivery.spent import note_calls
from bot.delivery.takedowns import CALLING, ENDED, OF_A_PERSON, WAITING
from bot.delivery.taken import (
    Stood,
    Taken,
    away,
    key_of,
    sign_finished,
    sign_submitted,
    taken_of,
    warranted,
)
from bot.delivery.wiring import Wiring
from bot.models import Publication, Takedown
from bot.takedown import SPENT, Notice, Result, Standing, Took
from config.clock import beijing, now
from ledger.changed import row_changed
from ledger.verify import Broken, Entry
from storage.away import gone, surely

_log = structlog.get_logger("bot.delivery")
_AFTER = (10.0, 60.0, 300.0, 1800.0, 3600.0)
"""Seconds before the next try of what surely was not taken; then a person is asked."""
_SETTLING = 5.0
_FORGED, _PUT_OFF = "changed", "settling"
CHANGED = "这条撤下记录被绕过本系统改动，没有采用：请到平台上核对，还在就删除"
LOST = "撤下途中程序中断，不能确定平台是否收到：请到平台上核对，还在就删除"
UNSURE = "平台没有确认这一篇是否发出：请到平台后台核对，发出了就删除"
PARTLY = "已发出的部分已处理；这一篇没有发完，请到平台上再看一眼有没有剩下的"


@dataclass(frozen=True)
class _Found:
    """What is to be done with one row: call the platform for `standing`, or nothing any more."""

    publication: Publication
    standing: Standing | None = None
    took: Took | None = None
    partly: bool = False


class Remover:
    """Takes down what is due. One a process; any number of processes."""

    def __init__(self, wiring: Wiring, lease: Lease) -> None:
        """`lease` is the process's own."""
        self._w = wiring
        self._lease = lease
        self._busy = asyncio.Lock()

    async def remove_due(self, limit: int = 10) -> int:
        """Take down what is due, one after the other; how many were tried."""
        async with self._busy:
            await self._sweep()
            async with self._w.db.session() as session:
                query = select(Takedown.id).where(
                    Takedown.state == WAITING, Takedown.next_at <= now()
                )
                due = list(await session.scalars(query.order_by(Takedown.asked_at).limit(limit)))
            for one in due:
                if self._lease.stopping:
                    break
                await self._lease.guarded(self._remove(one))
            return len(due)

    async def look(self) -> int:
        """See bot.delivery.missing."""
        return await look_for_missing(self._w)

    async def _remove(self, takedown_id: str) -> None:
        row = await self._claim(takedown_id)
        if row is None:
            return
        call = watch()
        [came] = await asyncio.gather(self._call(row), return_exceptions=True)
        took = _took_of(came, begun=call.begun)
        await self._count(row, call)
        # Nobody else knows what came of it.
        await surely(partial(self._finish, row, took))

    async def _count(self, row: Takedown, call: Call) -> None:
        """What was called, beside the account's other calls of the day."""
        with suppress(LookupError, ValueError):  # then nothing was called
            account = await self._w.open_account(row.account_id)
            await surely(partial(note_calls, self._w, account, call))

    async def _claim(self, takedown_id: str) -> Takedown | None:
        async with self._w.db.writing() as session:
            row = await session.get(Takedown, takedown_id)
            if row is None or row.state != WAITING:
                return None
            # What was written past this program keeps its wrong seal, and is told below.
            row.state, row.owner = CALLING, self._lease.owner
            row.attempts += 1
        return row

    async def _call(self, row: Takedown) -> Took:
        try:
            facts = await self._w.ledger.facts(f"item:{row.item_id}")
        except Broken as broken:
            return Took(Result.BY_HAND, f"{broken}。请人到平台上删除这一篇")
        taken = taken_of(facts).get(key_of(row), Taken())
        if not row.whole or not warranted(facts, row) or taken.stood is Stood.DONE:
            await row_changed(self._w.ledger, "takedown", row.id)
            return Took(Result.BY_HAND, CHANGED, _FORGED)
        if taken.stood is Stood.OPEN:
            return Took(Result.UNKNOWN, LOST)
        found = await self._found(row, facts)
        if found.took is not None or found.standing is None:
            return found.took or Took(Result.BY_HAND, UNSURE)
        account = await self._w.open_account(row.account_id)
        channel = self._w.channels[account.platform]
        if channel.deletions_a_day and await self._spent(row, channel.deletions_a_day):
            return Took(Result.RETRY, "今天的删除次数已用完", SPENT)
        notice = await self._notice(row)
        still = _Sign(self, row, found.publication)
        try:
            took = await channel.remove(account, found.standing, notice, still)
        except Withheld as withheld:
            outcome = withheld.outcome
            again = Took(Result.RETRY, outcome.reason, _PUT_OFF, _SETTLING)
            return again if outcome.state is State.RETRYING else Took(Result.UNKNOWN, LOST)
        if found.partly and took.result in (Result.DELETED, Result.EDITED):
            return Took(Result.BY_HAND, PARTLY)
        return took

    async def _found(self, row: Takedown, facts: Sequence[Entry]) -> _Found:
        """What stands where, by signed entries; the row of the publication says only how it is."""
        async with self._w.db.session() as session:
            publication = await session.get_one(Publication, row.publication_id)
        told = told_of(facts).get(row.publication_id)
        if told is not None and away(facts, row.publication_id):
            return _Found(publication, took=Took(Result.GONE, "平台上已经没有这一篇"))
        if told is not None:
            # Its place in an edition as it was signed: a wrong one would delete another's article.
            place = told.index or row.article_idx
            return _Found(publication, Standing(told.ref, told.url, told.at, place))
        if publication.state in (State.SENDING, State.SUBMITTED):
            words = "平台还在处理这次发布，有了结果就撤下"
            return _Found(publication, took=Took(Result.RETRY, words, _PUT_OFF, _SETTLING))
        # A post that was cut short: what is out of it is named by its row alone.
        if publication.state == State.UNKNOWN and publication.whole and publication.ref:
            since = _submitted_at(facts, publication) or row.asked_at
            standing = Standing(publication.ref, "", since, row.article_idx)
            return _Found(publication, standing, partly=True)
        stand = stand_of(facts, publication.release_id, publication.account_id)
        if publication.state == State.UNKNOWN or stand.state is Published.OPEN:
            return _Found(publication, took=Took(Result.BY_HAND, UNSURE))
        return _Found(publication, took=Took(Result.NEVER, "没有发出，不用撤下"))

    async def _notice(self, row: Takedown) -> Notice:
        """Fixed words; a correction is named by the title that was approved for it."""
        page = f"{self._w.public_url}/verify/{row.by or row.publication_id}"
        if not row.by:
            words = "本条信息已由发布单位撤回，请不要再引用或转发。"
            return Notice(f"{words}\n核验：{page}", words)
        async with self._w.db.session() as session:
            correction = await session.get_one(Publication, row.by)
        told = told_of(await self._w.ledger.facts(f"item:{correction.item_id}"))[row.by]
        title = await self._w.title_of(correction.item_id, told.digest)
        words = "本条信息已经更正，请以更正后的为准"
        named = f"《{title}》\n" if title else ""
        return Notice(f"{words}：\n{named}{told.url or page}", f"{words}。", points=True)

    async def _spent(self, row: Takedown, most: int) -> bool:
        """Whether the account's deletions of this Beijing day are used up."""
        today = beijing(now()).replace(hour=0, minute=0, second=0, microsecond=0)
        query = select(func.count()).where(
            Takedown.account_id == row.account_id, Takedown.called_at >= today
        )
        async with self._w.db.session() as session:
            return (await session.scalar(query) or 0) >= most

    async def note_call(self, row: Takedown, publication: Publication) -> None:
        """Sign that the call is about to be made, and count it."""
        await sign_submitted(self._w.ledger, row, publication)
        async with self._w.db.writing() as session:
            (await session.get_one(Takedown, row.id)).called_at = now()

    async def _finish(self, row: Takedown, took: Took) -> None:
        facts = await self._facts(row)
        tries = row.attempts
        counts = took.result is Result.RETRY and took.code not in (SPENT, _PUT_OFF)
        if counts and tries > len(_AFTER):
            took = Took(Result.BY_HAND, f"多次没有成功：{took.reason}。请人到平台上删除")
        taken = taken_of(facts).get(key_of(row), Taken())
        async with self._w.ledger.transaction() as tx:
            mine = await tx.session.get_one(Takedown, row.id)
            publication = await tx.session.get(Publication, row.publication_id)
            _write(mine, took, tries)
            if publication is not None and _owed(took, taken):
                await sign_finished(tx, row, publication, took)
        if took.result in OF_A_PERSON or took.code == SPENT:
            await self._tell(row, took)

    async def _facts(self, row: Takedown) -> Sequence[Entry]:
        try:
            return await self._w.ledger.facts(f"item:{row.item_id}")
        except Broken:  # what came of a call is written down all the same
            return ()

    async def _tell(self, row: Takedown, took: Took) -> None:
        where, how = "账号", "到平台上删除"
        try:
            account = await self._w.open_account(row.account_id)
        except (LookupError, ValueError):
            account = None
        if isinstance(account, AccountView):
            where, how = f"账号“{account.name}”", self._w.channels[account.platform].take_down
        words = took.reason.rstrip("。")
        if took.code == SPENT:
            words = f"{words}，系统到零点以后再删。急的请现在{how}"
        await self._w.on_incident(
            "takedown_failed",
            f"takedown:{row.id}",
            f"{where}上的一篇还没有撤下：{words}。处理好以后在稿件页点“已处理”",
        )

    async def _sweep(self) -> None:
        """What a dead process was at: called already, and nobody knows; or due again."""
        async with self._w.db.session() as session:
            query = select(Takedown).where(
                Takedown.state == CALLING, Takedown.owner != self._lease.owner
            )
            left = (await session.scalars(query)).all()
            alive = (await living(session, self._w.db))[0] if left else set()
        for row in left:
            if row.owner in alive:
                continue
            taken = taken_of(await self._facts(row)).get(key_of(row), Taken())
            if taken.stood is Stood.OPEN:
                await self._finish(row, Took(Result.UNKNOWN, LOST))
                continue
            async with self._w.db.writing() as session:
                mine = await session.get_one(Takedown, row.id)
                mine.state, mine.next_at = WAITING, now()


class _Sign:
    """Asked before each call of one taking down; signs once, before the first."""

    def __init__(self, remover: Remover, row: Takedown, publication: Publication) -> None:
        """Of one row and its publication."""
        self._remover, self._row, self._publication = remover, row, publication
        self._signed = False

    async def __call__(self) -> None:
        """Withheld when it was called before."""
        if not self._signed:
            await self._remover.note_call(self._row, self._publication)
            self._signed = True


def _took_of(came: Took | BaseException, *, begun: bool) -> Took:
    if isinstance(came, Took):
        return came
    if isinstance(came, LookupError | ValueError) and not begun:
        return Took(Result.BY_HAND, f"{came}。请人到平台上删除这一篇")
    if begun or not gone(came):
        _log.error("takedown_failed", begun=begun, exc_info=came)
    return Took(Result.UNKNOWN, LOST) if begun else Took(Result.RETRY, "准备撤下时程序出错")


def _owed(took: Took, taken: Taken) -> bool:
    """An unknown end has no entry until somebody knows, and what nobody asked for has none."""
    if took.result is Result.UNKNOWN or took.code == _FORGED or taken.stood is Stood.DONE:
        return False
    return took.result is not Result.RETRY or taken.stood is Stood.OPEN


def _write(row: Takedown, took: Took, tries: int) -> None:
    moment = now()
    row.reason, row.result = took.reason, str(took.result)
    if took.result is not Result.RETRY:
        row.state, row.next_at, row.finished_at = ENDED, None, moment
        return
    row.state = WAITING
    if took.code == SPENT:
        row.next_at = _midnight(moment)
    else:
        wait = took.retry_after or _AFTER[min(tries, len(_AFTER)) - 1]
        row.next_at = moment + timedelta(seconds=wait)
    if took.code in (SPENT, _PUT_OFF):
        row.attempts = tries - 1


def _midnight(moment: datetime) -> datetime:
    """A minute after the platform's day has ended."""
    tomorrow = beijing(moment) + timedelta(days=1)
    return tomorrow.replace(hour=0, minute=1, second=0, microsecond=0)


def _submitted_at(facts: Sequence[Entry], row: Publication) -> datetime | None:
    stand = stand_of(facts, row.release_id, row.account_id)
    return stand.since
