"""How fast a push goes, and how long it will still take."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import State
from bot.delivery.outbox import DUE
from bot.models import Delivery
from config.clock import now

LATELY = timedelta(seconds=30)


@dataclass(frozen=True)
class Pace:
    """`rate`: messages a second that came to an end of late; `due`: how many may go now."""

    rate: float = 0.0
    due: int = 0

    @property
    def left(self) -> int | None:
        """Seconds until what is due has gone out; None while nothing moves."""
        return round(self.due / self.rate) if self.rate and self.due else None

    @property
    def words(self) -> str:
        """Both for staff."""
        if not self.due:
            return "现在没有等着发的。"
        if self.left is None:
            return f"还有 {self.due} 条等着发，现在没有在发。"
        minutes, seconds = divmod(self.left, 60)
        left = f"{minutes} 分 {seconds} 秒" if minutes else f"{seconds} 秒"
        return f"每秒 {self.rate:.1f} 条，还有 {self.due} 条等着发，大约还要 {left}。"


async def pace_of(session: AsyncSession, publication_id: str) -> Pace:
    """Counted by the database: what ended lately, and what is due."""
    moment = now()
    mine = Delivery.publication_id == publication_id
    ended = select(func.count(), func.min(Delivery.finished_at)).where(
        mine, Delivery.finished_at > moment - LATELY, Delivery.state != State.ENDED
    )
    number, first = (await session.execute(ended)).one()
    waiting = select(func.count()).where(
        mine,
        Delivery.state.in_((*DUE, State.SENDING)),
        or_(Delivery.next_at.is_(None), Delivery.next_at <= moment),
    )
    due = int(await session.scalar(waiting) or 0)
    return Pace(_rate(number, first, moment), due)


def _rate(number: int, first: datetime | None, moment: datetime) -> float:
    if not number or first is None:
        return 0.0
    # A push that has just begun is measured from its beginning.
    return number / max((moment - first).total_seconds(), 1.0)
