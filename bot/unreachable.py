"""Who cannot be reached now, by which way, since when and what restores it: read, and not kept.

The same columns that keep a message from being called are read here, so the page says what holds.
Nobody is named: a person is the end of their random reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, exists, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.codes import WINDOW_HOLD
from bot.contract import State
from bot.delivery.routes import ACTIVE
from bot.models import Contact, Delivery
from bot.notice_models import NoticeConsent
from bot.noticing import ENDED_WORDS

MOST = 100
"""So many people are listed at once, the newest first."""


class Scope(StrEnum):
    """What does not reach a person any more."""

    ALL = "all"
    PUSHES = "pushes"
    MESSAGES = "messages"
    NOTICE = "notice"


SCOPE_WORDS: Mapping[str, str] = {
    Scope.ALL: "所有方式",
    Scope.PUSHES: "推送",
    Scope.MESSAGES: "客服消息",
    Scope.NOTICE: "订阅通知",
}
KIND_WORDS: Mapping[str, str] = {"ended": "已终止", "paused": "暂停"}
RESTORED_BY: Mapping[str, str] = {
    Scope.ALL: "对方重新关注或来信",
    Scope.PUSHES: "对方再次来信，或重新同意接收通知",
    Scope.MESSAGES: "对方下次来信，或同意接收通知",
    Scope.NOTICE: "对方重新同意这个模板",
}
_WINDOW = "不在平台允许的时限或条数内，等对方下次来信"


@dataclass(frozen=True)
class Cause:
    """One reason for which people are out of reach, and how many."""

    scope: str
    why: str
    code: str
    count: int
    since: datetime | None
    """The newest of them."""

    @property
    def kind(self) -> str:
        """Whether it ended or rests."""
        return "paused" if self.scope == Scope.MESSAGES else "ended"

    @property
    def words(self) -> str:
        """The reason for staff; of a notice also its template."""
        if self.scope == Scope.NOTICE:
            return ENDED_WORDS.get(self.why, self.why)
        return self.why or "平台没有说明"

    @property
    def restored_by(self) -> str:
        """What makes it work again, by itself."""
        return RESTORED_BY[self.scope]


@dataclass(frozen=True)
class Person:
    """One person out of reach by one way: a masked reference, and since when."""

    who: str
    account_id: str
    cause: Cause


def _queries() -> Mapping[Scope, Any]:
    """For each way: reference, account, reason, code and since when, of who is out of reach."""
    who = (Contact.subject_ref.label("who"), Contact.account_id.label("account_id"))
    gone = select(
        *who, Contact.ended_reason.label("why"), literal("").label("code"),
        Contact.ended_at.label("since"),
    ).where(Contact.state != ACTIVE, Contact.address != "")  # fmt: skip
    acts = (Contact.last_inbound_at, Contact.brief_at)
    refused = select(
        *who, Contact.refused_why.label("why"), literal("").label("code"),
        Contact.refused_at.label("since"),
    ).where(
        Contact.state == ACTIVE,
        Contact.refused_at.is_not(None),
        and_(*(or_(at.is_(None), at <= Contact.refused_at) for at in acts)),
    )  # fmt: skip
    waiting = exists().where(
        Delivery.contact_id == Contact.id,
        Delivery.state == State.HELD,
        Delivery.hold == WINDOW_HOLD,
    )
    paused = select(
        *who, literal(_WINDOW).label("why"), Contact.paused_code.label("code"),
        Contact.paused_at.label("since"),
    ).where(Contact.state == ACTIVE, Contact.paused_at.is_not(None), waiting)  # fmt: skip
    notices = (
        select(
            *who, NoticeConsent.why.label("why"), NoticeConsent.template.label("code"),
            NoticeConsent.ended_at.label("since"),
        )
        .join(NoticeConsent, NoticeConsent.contact_id == Contact.id)
        .where(
            Contact.state == ACTIVE, NoticeConsent.left == 0, NoticeConsent.ended_at.is_not(None)
        )
    )  # fmt: skip
    return {
        Scope.ALL: gone,
        Scope.PUSHES: refused,
        Scope.MESSAGES: paused,
        Scope.NOTICE: notices,
    }


async def causes(session: AsyncSession) -> list[Cause]:
    """Every reason with how many people it keeps out of reach, the most first."""
    found = []
    for scope, query in _queries().items():
        rows = query.subquery()
        counted = select(rows.c.why, rows.c.code, func.count(), func.max(rows.c.since))
        for why, code, count, since in await session.execute(
            counted.group_by(rows.c.why, rows.c.code)
        ):
            found.append(Cause(scope, why, code, count, since))
    return sorted(found, key=lambda one: (-one.count, one.scope, one.why, one.code))


async def people(session: AsyncSession, cause: Cause) -> list[Person]:
    """Those of one reason, the newest first and at most MOST."""
    rows = _queries()[Scope(cause.scope)].subquery()
    query = (
        select(rows.c.who, rows.c.account_id, rows.c.since)
        .where(rows.c.why == cause.why, rows.c.code == cause.code)
        .order_by(rows.c.since.desc(), rows.c.who)
        .limit(MOST)
    )
    return [
        Person(
            f"订阅者 …{who[-4:]}",
            account,
            Cause(cause.scope, cause.why, cause.code, 1, since),
        )
        for who, account, since in await session.execute(query)
    ]
