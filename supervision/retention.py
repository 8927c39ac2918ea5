"""保存期限: what has been kept for its time goes, and how many rows went is signed.

Nothing that decides or proves: entries, texts, releases and receipts stay. Logs are kept for more
than the six months of the law (网络安全法 §21), what tells of data that was handed to somebody else
or looked at for three years (个人信息保护法 §56).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import CursorResult, delete

from bot.models import Attempt
from config.clock import now
from ledger.append import Ledger
from review_queue.models import ItemLook
from staff.models import ConsoleSession
from supervision.models import AuditLook

EXPIRED = "records.expired"
LOGS, SHARED = timedelta(days=200), timedelta(days=3 * 366)


@dataclass(frozen=True)
class Kept:
    """Rows that are kept for so long, counted from a moment of theirs."""

    label: str
    column: Any
    time: timedelta
    why: str


KEPT: Sequence[Kept] = (
    Kept("登录会话", ConsoleSession.seen_at, LOGS, "日志不少于六个月；登录本身另在台账里"),
    Kept("向平台提交的记录", Attempt.started_at, SHARED, "向别人提供数据的记录三年；归档包里另有"),
    Kept("限定知悉稿件的查看记录", ItemLook.at, SHARED, "三年"),
    Kept("审计查看记录", AuditLook.at, SHARED, "三年；每天的次数和摘要留在台账里"),
)


async def expire(ledger: Ledger) -> dict[str, int]:
    """Delete what is past its time, and sign how many of which; empty when nothing was."""
    moment, gone = now(), dict[str, int]()
    async with ledger.transaction() as tx:
        for one in KEPT:
            past = delete(one.column.class_).where(one.column < moment - one.time)
            done = await tx.session.execute(past)
            if isinstance(done, CursorResult) and done.rowcount:
                gone[one.column.class_.__tablename__] = done.rowcount
        if gone:
            body = {"rows": gone}
            await tx.append(EXPIRED, subject="records", actor="system", body=body)
    return gone
