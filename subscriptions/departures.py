"""What is known, without asking, of why people leave: how they said so, which topic, after what.

Only counts are kept, by day; the words themselves and who said them are not.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import State
from bot.models import Delivery, Publication
from config.clock import now
from subscriptions.models import LeaveCount, Subscription
from subscriptions.subscribers import today

HOW: Mapping[str, str] = {
    "button": "点了退订按钮或选项",
    "word": "说了退订，没有说为什么",
    "many": "嫌太多、太频繁",
    "disturbed": "嫌打扰",
    "useless": "觉得没有用、不感兴趣",
    "forgotten": "说“忘记我”，要求删除全部信息",
}
"""How it was said, by the key that is kept."""
AFTER = timedelta(days=7)
"""A push that came no longer ago may be why."""
LEAST = 5
"""Fewer are not told as a number: somebody could be recognised."""
_SAYS = {
    "disturbed": ("打扰", "骚扰", "轰炸", "吵", "烦", "扰"),
    "many": ("太多", "频繁", "嫌多", "天天", "老是", "总是", "整天", "成天", "一直"),
    "useless": ("没用", "没意思", "兴趣", "用不上", "用不着", "无聊", "不喜欢", "没必要", "垃圾"),
}
_ARRIVED = (State.PUBLISHED, State.SUBMITTED, State.UNKNOWN)


def said(text: str) -> str:
    """The kind of reason in a withdrawal that was understood; `word` when it gives none."""
    return next((how for how, words in _SAYS.items() if any(w in text for w in words)), "word")


async def note(session: AsyncSession, rows: Iterable[Subscription], how: str) -> None:
    """Count subscriptions of one contact that just ended, in the transaction that ended them."""
    gone = list(rows)
    if not gone:
        return
    day, item = today(), await _last_item(session, gone[0].contact_id)
    for row in gone:
        key = (day, row.account_id, row.topic, how, item)
        found = await session.get(LeaveCount, key)
        if found is None:
            names = ("day", "account_id", "topic", "how", "item_id")
            found = LeaveCount(**dict(zip(names, key, strict=True)), count=0)
            session.add(found)
        found.count += 1
    await session.flush()


async def _last_item(session: AsyncSession, contact_id: str) -> str:
    """The item of the push that reached them last, if that was lately."""
    query = (
        select(Publication.item_id)
        .join(Delivery, Delivery.publication_id == Publication.id)
        .where(
            Delivery.contact_id == contact_id,
            Delivery.release_id.is_not(None),
            Delivery.state.in_(_ARRIVED),
            Delivery.finished_at > now() - AFTER,
        )
        .order_by(Delivery.finished_at.desc())
        .limit(1)
    )
    return await session.scalar(query) or ""


def masked(number: int) -> str:
    """A number of people, or that they are too few to be told."""
    return f"不足 {LEAST}" if 0 < number < LEAST else str(number)
