"""Comments: read from the platform, and what staff let be done about them, done and signed.

An act goes only when signed entries let it, whatever its row says; made again it changes nothing
more, so what had no answer is simply tried again.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.calling import watch
from bot.comment_models import Comment, CommentAct, CommentArea
from bot.commenting import AREAS, OF_AREA, REVIEWED, Act, Area, Commenting, Doing, NotRead, Written
from bot.contract import AccountView, Outcome, State, Withheld
from bot.delivery.leases import Lease
from bot.delivery.retrying import give_up
from bot.delivery.spent import note_calls
from bot.delivery.together import articles_of
from bot.delivery.wiring import Wiring
from bot.models import Publication
from config.clock import now
from ledger.changed import row_changed
from ledger.stops import stopped_now
from ledger.verify import Broken, Entry
from storage.away import surely
from storage.database import new_id

ASKED, DECIDED, DONE = "comment.asked", "comment.decided", "comment.done"
WAITING, READY, DOING, ENDED, FAILED, DROPPED = (
    *("waiting", "ready", "doing", "done", "failed", "dropped"),
)
_OFTEN, _SELDOM = timedelta(hours=1), timedelta(days=1)
_YOUNG, _OLD = timedelta(days=7), timedelta(days=30)
"""How long what was sent is looked at often, and at all."""
_LOST = timedelta(minutes=5)  # after it a claim of a dead process is taken over
CHANGED = "这条记录被绕过本系统改动，没有采用：请重新提出"


def subject_of(area_id: str) -> str:
    """What the entries about the comments of one area are about."""
    return f"comments:{area_id}"


async def open_areas(session: AsyncSession, row: Publication, outcome: Outcome) -> None:
    """Remember where readers may write under what was just given to the platform."""
    told = outcome.detail.get(AREAS)
    if not told:
        return
    known = set(
        await session.scalars(select(CommentArea.place).where(CommentArea.publication_id == row.id))
    )
    items = {one.article_index: one.item_id for one in await articles_of(session, row.id)}
    for place in told["articles"]:
        if place not in known:
            session.add(
                CommentArea(
                    id=new_id(),
                    publication_id=row.id,
                    item_id=items.get(place + 1, row.item_id),
                    account_id=row.account_id,
                    place=place,
                    data=str(told["data"])[:40],
                    next_at=now() + _OFTEN,
                )
            )


def warranted(entries: Sequence[Entry], row: CommentAct, words: str) -> bool:
    """Whether signed entries let this act go: as it was asked, and by a second person if need be.

    `words` is the digest of what the row says.
    """
    asked = next((one for one in entries if one.kind == ASKED and one.body["act"] == row.id), None)
    said = {"what": row.act, "comment": row.number, "words": words}
    if asked is None or any(asked.body[name] != value for name, value in said.items()):
        return False
    decided = [one for one in entries if one.kind == DECIDED and one.body["act"] == row.id]
    if any(not one.body["approved"] for one in decided):
        return False
    return row.act not in REVIEWED or any(one.actor != asked.actor for one in decided)


@dataclass(frozen=True)
class Commenter:
    """Reads what readers wrote, and does what staff let be done. One a process.

    `mask` hides personal data before it is stored, `digest_of` is what an entry keeps of words.
    """

    wiring: Wiring
    lease: Lease
    mask: Callable[[str], str]
    digest_of: Callable[[CommentAct], str]

    # --- reading --------------------------------------------------------------------------

    async def read_due(self, limit: int = 20) -> int:
        """Read areas whose time has come; how many."""
        async with self.wiring.db.session() as session:
            query = select(CommentArea.id).where(CommentArea.next_at <= now())
            due = (await session.scalars(query.order_by(CommentArea.next_at).limit(limit))).all()
        for one in due:
            await self.read(one)
        return len(due)

    async def read(self, area_id: str) -> str:
        """Read one area now; empty, or why it could not be read."""
        async with self.wiring.db.session() as session:
            area = await session.get_one(CommentArea, area_id)
            place = await session.get(Publication, area.publication_id)
        if not area.whole or place is None:
            await self._put_off(area_id, None, CHANGED)
            await row_changed(self.wiring.ledger, "comment_area", area_id)
            return CHANGED
        problem, found = "", []
        call = watch()
        try:
            account = await self.wiring.open_account(area.account_id)
            channel = self.wiring.channels[account.platform]
            if place.state == State.PUBLISHED and isinstance(channel, Commenting):
                found = list(await channel.comments(account, Area(area.data, area.place)))
                await self._keep(area_id, found)
        except (NotRead, LookupError, ValueError) as error:
            problem = str(error)
        else:
            await note_calls(self.wiring, account, call)
        await self._put_off(area_id, _next(place), problem)
        return problem

    async def _keep(self, area_id: str, found: Sequence[Written]) -> None:
        async with self.wiring.db.writing() as session:
            mine = select(Comment).where(Comment.area_id == area_id)
            known = {row.number: row for row in await session.scalars(mine)}
            for one in found:
                row = known.pop(one.number, None)
                if row is None:
                    row = Comment(
                        id=new_id(), area_id=area_id, number=one.number, text=self.mask(one.text)
                    )
                    session.add(row)
                row.at, row.featured, row.gone = one.at, one.featured, False
                row.reply = one.reply
            for row in known.values():
                row.gone = True

    async def _put_off(self, area_id: str, then: datetime | None, problem: str) -> None:
        async with self.wiring.db.writing() as session:
            area = await session.get_one(CommentArea, area_id)
            area.next_at, area.problem = then, problem

    # --- doing ----------------------------------------------------------------------------

    async def do_due(self, limit: int = 10) -> int:
        """Do what was let go, one after the other; how many were tried."""
        async with self.wiring.db.session() as session:
            query = select(CommentAct.id).where(
                CommentAct.state.in_((READY, DOING)), CommentAct.next_at <= now()
            )
            due = (await session.scalars(query.order_by(CommentAct.asked_at).limit(limit))).all()
        for one in due:
            if self.lease.stopping:
                break
            await self.lease.guarded(self._do(one))
        return len(due)

    async def _do(self, act_id: str) -> None:
        async with self.wiring.db.writing() as session:
            row = await session.get_one(CommentAct, act_id)
            if row.state not in (READY, DOING) or (row.next_at and row.next_at > now()):
                return
            row.state, row.next_at, row.attempts = DOING, now() + _LOST, row.attempts + 1
            area = await session.get(CommentArea, row.area_id)
        [came] = await asyncio.gather(self._call(row, area), return_exceptions=True)
        outcome = came if isinstance(came, Outcome) else _of_error(came)
        await surely(partial(self._finish, row, give_up(outcome, row.attempts)))

    async def _call(self, row: CommentAct, area: CommentArea | None) -> Outcome:
        if area is None or not (row.whole and area.whole):
            return await self._changed(row)
        try:
            entries = await self.wiring.ledger.facts(subject_of(area.id))
        except Broken as broken:
            return Outcome(State.RETRYING, reason=str(broken), retry_after=60.0)
        if not warranted(entries, row, self.digest_of(row)):
            return await self._changed(row)
        account = await self.wiring.open_account(area.account_id)
        channel = self.wiring.channels[account.platform]
        if not isinstance(channel, Commenting):
            return Outcome(State.FAILED, reason="这个平台没有留言")
        call, act = watch(), Act(row.act)
        doing = Doing(act, row.number, row.words if act is Act.REPLY else "")
        outcome = await channel.do(
            account, Area(area.data, area.place), doing, partial(self._still, account, act)
        )
        await note_calls(self.wiring, account, call)
        return outcome

    async def _still(self, account: AccountView, act: Act) -> None:
        """What shows more to readers stops with publishing; what shows less goes on."""
        stops = ("publishing", f"account:{account.id}")
        if act in REVIEWED and await stopped_now(self.wiring.ledger, *stops):
            raise Withheld(Outcome(State.RETRYING, reason="已按开关停止发布", retry_after=30.0))

    async def _changed(self, row: CommentAct) -> Outcome:
        await row_changed(self.wiring.ledger, "comment_act", row.id)
        return Outcome(State.FAILED, reason=CHANGED, code="changed")

    async def _finish(self, row: CommentAct, outcome: Outcome) -> None:
        again = outcome.state is State.RETRYING
        wait = max(outcome.retry_after, 5.0 * 2 ** min(row.attempts, 9))
        async with self.wiring.ledger.transaction() as tx:
            mine = await tx.session.get_one(CommentAct, row.id)
            mine.reason = outcome.reason
            if again:
                mine.state, mine.next_at = READY, now() + timedelta(seconds=wait)
                return
            done = outcome.state is State.PUBLISHED
            mine.state, mine.next_at = (ENDED if done else FAILED), None
            mine.finished_at = now()
            if done:
                await _show(tx.session, row)
            body = {"act": row.id, "result": "done" if done else "refused"}
            await tx.append(DONE, subject=subject_of(row.area_id), actor="system", body=body)
        if not done:
            words = f"一条留言没有处理成：{outcome.reason.rstrip('。')}。请在“发布”页的留言里核对"
            await self.wiring.on_incident("comment_failed", subject_of(row.area_id), words)


async def _show(session: AsyncSession, row: CommentAct) -> None:
    """What the platform now shows, before it is read again."""
    act = Act(row.act)
    if act in OF_AREA:
        (await session.get_one(CommentArea, row.area_id)).closed = act is Act.CLOSE
        return
    mine = (Comment.area_id == row.area_id, Comment.number == row.number)
    comment = (await session.scalars(select(Comment).where(*mine))).first()
    if comment is None:
        return
    if act in (Act.FEATURE, Act.UNFEATURE):
        comment.featured = act is Act.FEATURE
    elif act is Act.DELETE:
        comment.gone = True
    else:
        comment.reply = row.words if act is Act.REPLY else ""


def _of_error(error: BaseException) -> Outcome:
    if isinstance(error, Withheld):
        return error.outcome
    if isinstance(error, LookupError | ValueError):
        return Outcome(State.FAILED, reason=str(error))
    return Outcome(State.RETRYING, reason="没有连上平台", retry_after=30.0)


def _next(place: Publication) -> datetime | None:
    """When an area is read again: often in its first week, daily in its first month."""
    since = now() - (place.published_at or place.due_at)
    if since > _OLD:
        return None
    return now() + (_OFTEN if since < _YOUNG else _SELDOM)
