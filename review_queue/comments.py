"""What staff do about readers' comments: asked by one person, and what shows more let by another.

A reply is reviewed like a staff answer and is no item: its words pass the gates, a second person
lets each of them go, and the digest of the words is signed. Featuring is the same, for the
comment's own words then stand under the house's name.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.comment_models import Comment, CommentAct, CommentArea
from bot.commenting import OF_AREA, REVIEWED, Act
from bot.delivery.commenting import (
    ASKED,
    DECIDED,
    DROPPED,
    READY,
    WAITING,
    subject_of,
)
from config.clock import now
from gates.finding import Finding
from ledger.append import Ledger, Transaction
from ledger.verify import Broken
from review_queue.canonical import commitment
from staff.refusal import Reason, Refused, missing, refuse
from staff.rights import entitled
from storage.database import new_id, new_salt

MOST_REPLY, MOST_WHY = 300, 300
"""Characters of a reply, which the platform limits without a number, and of a reason."""
OPEN_STATES = (WAITING, READY)


@dataclass(frozen=True)
class Asking:
    """What somebody wants done: `words` of a reply, else why."""

    act: Act
    number: int
    words: str


@dataclass(frozen=True)
class Comments:
    """The acts; `check` asks the gates about a short text."""

    ledger: Ledger
    check: Callable[[str], Awaitable[Sequence[Finding]]]

    async def ask(self, area_id: str, staff_id: str, asking: Asking) -> CommentAct:
        """Ask for one act; what shows less is let go at once. Refused 403, 404, 409 or 422."""
        words = " ".join(asking.words.split())
        async with self.ledger.db.session() as session:
            area, comment = await _place(session, area_id, asking)
        refuse(_word_faults(asking.act, words))
        await self._pass_gates(asking.act, words, comment)
        async with self.ledger.transaction() as tx:
            await entitled(tx.session, staff_id, "comments.ask")
            refuse(await _state_faults(tx.session, area, comment, asking))
            reviewed = asking.act in REVIEWED
            row = CommentAct(
                id=new_id(),
                area_id=area_id,
                number=asking.number,
                act=asking.act.value,
                words=words,
                salt=new_salt(),
                by=staff_id,
                state=WAITING if reviewed else READY,
                asked_at=now(),
                next_at=None if reviewed else now(),
            )
            tx.session.add(row)
            body = {
                **{"act": row.id, "what": row.act, "comment": row.number},
                **{"publication": area.publication_id, "index": area.place},
                "words": digest_of(row),
            }
            await tx.append(ASKED, subject=subject_of(area_id), actor=staff_id, body=body)
        return row

    async def decide(self, act_id: str, staff_id: str, *, approved: bool) -> CommentAct:
        """Let an act go, or drop it; never by who asked. Refused 403, 404 or 409."""
        async with self.ledger.db.session() as session:
            asked = await session.get(CommentAct, act_id)
            if asked is None:
                raise missing("条留言处理")
            area = await session.get_one(CommentArea, asked.area_id)
            mine = (Comment.area_id == asked.area_id, Comment.number == asked.number)
            comment = (await session.scalars(select(Comment).where(*mine))).first()
        if approved:
            await self._pass_gates(Act(asked.act), asked.words, comment)
        try:
            entries = await self.ledger.facts(subject_of(asked.area_id))
        except Broken as broken:
            raise Refused(409, [Reason("ledger", str(broken))]) from broken
        by = next((one.actor for one in entries if one.body["act"] == act_id), "")
        async with self.ledger.transaction() as tx:
            await entitled(tx.session, staff_id, "comments.decide")
            row = await tx.session.get_one(CommentAct, act_id)
            if staff_id == by:
                raise Refused(403, [Reason("second_person", "提出的人不能自己同意")])
            faults = []
            if row.state != WAITING:
                faults.append(Reason("state", "这一条已经有人处理过，请看页面上的最新结果"))
            if not (row.whole and area.whole and _as_asked(row, entries)):
                faults.append(Reason("seal", "这条记录与签名的不符，不能采用：请重新提出"))
            refuse(faults)
            row.state, row.next_at = (READY, now()) if approved else (DROPPED, None)
            row.finished_at = None if approved else now()
            await _sign_decided(tx, row, staff_id, approved=approved)
        return row

    async def _pass_gates(self, act: Act, words: str, comment: Comment | None) -> None:
        """What readers will read under the house's name has nothing in it that blocks an article.

        Of a comment what is masked here is looked at on its page too: a number in it blocks.
        """
        if act not in (Act.REPLY, Act.FEATURE):
            return
        text = words if act is Act.REPLY else comment.text if comment is not None else ""
        found = [one for one in await self.check(text) if one.severity == "block"]
        if act is Act.FEATURE and "［" in text:
            words = "留言里有个人信息，不能精选：请换一条，或回复时不提"
            refuse([Reason("personal", words)])
        refuse([Reason(one.rule, f"{one.text}：{one.reason}") for one in found])


async def _sign_decided(tx: Transaction, row: CommentAct, staff_id: str, *, approved: bool) -> None:
    body = {"act": row.id, "approved": approved}
    await tx.append(DECIDED, subject=subject_of(row.area_id), actor=staff_id, body=body)


def digest_of(row: CommentAct) -> str:
    """What the ledger keeps of an act's words."""
    return commitment(row.salt, row.words)


def _as_asked(row: CommentAct, entries: Sequence[object]) -> bool:
    asked = [one for one in entries if getattr(one, "kind", "") == ASKED]
    said = {"act": row.id, "what": row.act, "comment": row.number, "words": digest_of(row)}
    return any(said.items() <= dict(getattr(one, "body", {})).items() for one in asked)


async def _place(
    session: AsyncSession, area_id: str, asking: Asking
) -> tuple[CommentArea, Comment | None]:
    area = await session.get(CommentArea, area_id)
    if area is None:
        raise missing("处留言")
    if asking.act in OF_AREA:
        return area, None
    mine = (Comment.area_id == area_id, Comment.number == asking.number)
    comment = (await session.scalars(select(Comment).where(*mine))).first()
    if comment is None or comment.gone:
        raise missing("条留言")
    return area, comment


def _word_faults(act: Act, words: str) -> list[Reason]:
    if act is Act.REPLY:
        if not 0 < len(words) <= MOST_REPLY:
            return [Reason("words", f"回复应为 1 至 {MOST_REPLY} 字：请填写或缩短")]
    elif act is not Act.FEATURE and not words:
        return [Reason("words", "请写明原因")]
    if len(words) > MOST_WHY:
        return [Reason("words", f"原因最多 {MOST_WHY} 字，请缩短")]
    return []


async def _state_faults(
    session: AsyncSession, area: CommentArea, comment: Comment | None, asking: Asking
) -> list[Reason]:
    """Why this act makes no sense now."""
    if not area.whole or (comment is not None and not comment.whole):
        return [Reason("seal", "这条记录被绕过本系统改动，不能采用")]
    waiting = select(CommentAct.id).where(
        CommentAct.area_id == area.id,
        CommentAct.number == asking.number,
        CommentAct.act == asking.act.value,
        CommentAct.state.in_((*OPEN_STATES, "doing")),
    )
    if (await session.scalars(waiting.limit(1))).first() is not None:
        return [Reason("state", "同样的处理已经提出过，请等它有结果")]
    already = {
        Act.FEATURE: comment is not None and comment.featured,
        Act.UNFEATURE: comment is not None and not comment.featured,
        Act.REPLY: comment is not None and bool(comment.reply),
        Act.UNREPLY: comment is not None and not comment.reply,
        Act.CLOSE: area.closed,
        Act.OPEN: not area.closed,
    }
    if already.get(asking.act):
        return [Reason("state", "现在已经是这样，不用处理")]
    return []
