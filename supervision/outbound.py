"""What leaves is watched: more than usual, at an hour of rest, or of nothing that was queued.

The program itself refuses all three before each call; this looks at the calls that were made, so
that a fault of it, or rows put there past it, is told within minutes. A planned push to everybody
and a busy day are no such thing: each message of them has its reason.
"""

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import Account, Attempt, Contact, Delivery, Publication
from config.clock import now
from content_sources.tasks import owner_of
from ledger.append import Ledger
from review_queue.models import Revision
from review_queue.workflow import EMERGENCY
from staff.people import active_with
from staff.tasks import Tell
from storage.database import id_at
from subscriptions.hours import PushHours, urgent

PREFIX = "outbound."
BURST, NIGHT, STRAY = "outbound.burst", "outbound.night", "outbound.stray"
HOUR, LATELY, DAYS = 3600.0, 600.0, 7
FLOOR = 60
"""Calls of one account in an hour below which nothing is a burst."""
TIMES = 3
"""A burst is so many times what the hour had reason for, and so many times the busiest hour."""


@dataclass(frozen=True)
class Sent:
    """Calls of one account in an hour, the messages they were for, and calls for none queued."""

    calls: int
    messages: int
    stray: int


async def sent_by_account(session: AsyncSession, begin: float, end: float) -> dict[str, Sent]:
    """Calls begun between two moments by the machine's clock; "" is what has no row at all."""
    out = select(Publication.id).where(
        Publication.release_id == Delivery.release_id,
        Publication.account_id == Delivery.account_id,
    )
    queued = or_(
        Publication.id.is_not(None),
        Delivery.id.is_not(None) & Delivery.release_id.is_(None),
        Delivery.release_id.is_not(None) & out.correlate(Delivery).exists(),
    )
    message = func.coalesce(Attempt.delivery_id, Attempt.publication_id)
    # Written out: a server takes two parameters of one value for two expressions.
    account = func.coalesce(Delivery.account_id, Publication.account_id, literal_column("''"))
    query = (
        select(
            account,
            func.count(),
            func.count(func.distinct(case((queued, message)))),
            func.sum(case((queued, 0), else_=1)),
        )
        .select_from(Attempt)
        .outerjoin(Delivery, Delivery.id == Attempt.delivery_id)
        .outerjoin(Publication, Publication.id == Attempt.publication_id)
        .where(Attempt.id >= id_at(begin), Attempt.id < id_at(end))
        .group_by(account)
    )
    found = (await session.execute(query)).all()
    return {key: Sent(calls, messages, int(stray)) for key, calls, messages, stray in found}


async def busiest(session: AsyncSession, account: str, end: float) -> int:
    """The most calls of this account in one hour of the days before."""
    most = 0
    for back in range(DAYS * 24):
        upto = end - HOUR * back
        found = await sent_by_account(session, upto - HOUR, upto)
        most = max(most, found[account].calls if account in found else 0)
    return most


async def at_night(session: AsyncSession, begin: float, end: float) -> Counter[str]:
    """Pushes between two moments that nobody reviewed for the night, by account.

    Who has written since their message was made is awake.
    """
    query = (
        select(Delivery.account_id, Publication.item_id, Publication.digest, func.count())
        .join(Attempt, Attempt.delivery_id == Delivery.id)
        .join(Publication, Publication.id == Delivery.publication_id)
        .join(Contact, Contact.id == Delivery.contact_id)
        .where(
            Attempt.id >= id_at(begin),
            Attempt.id < id_at(end),
            or_(Contact.last_inbound_at.is_(None), Contact.last_inbound_at < Delivery.created_at),
            or_(Contact.brief_at.is_(None), Contact.brief_at < Delivery.created_at),
        )
        .group_by(Delivery.account_id, Publication.item_id, Publication.digest)
    )
    found = Counter[str]()
    for account, item, digest, number in (await session.execute(query)).all():
        if not await _reviewed_for_night(session, item, digest):
            found[account] += number
    return found


async def _reviewed_for_night(session: AsyncSession, item: str, digest: str) -> bool:
    query = select(Revision.canonical).where(Revision.item_id == item, Revision.digest == digest)
    text = (await session.scalars(query.limit(1))).first()
    if text is None:
        return False
    said: Mapping[str, Any] = json.loads(text)
    return said.get("klass") == EMERGENCY or urgent(said.get("audience") or {})


async def look_out(ledger: Ledger, hours: PushHours, tell: Tell, *, end: float = 0.0) -> list[str]:
    """A job of five minutes; the kinds of what was found.

    1. the calls of the last hour by account; 2. what is of nothing queued, or more than the hour
    had reason for and more than ever lately; 3. pushes of the last minutes in hours of rest; 4. an
    incident for each, and its account's owner is told. What was closed is told again only for
    what was sent since.
    """
    end = end or time.time()
    quiet = all(hours.quiet(one) for one in (_at(end - LATELY), _at(end)))
    new: list[_Found] = []
    async with ledger.db.session() as session:
        found = await _in_hour(session, end - HOUR, end)
        found += await _in_night(session, end - LATELY, end) if quiet else []
        for one in found:
            closed = await _closed(ledger, one, end - HOUR)
            look = _in_night if one.kind == NIGHT else _in_hour
            since = await look(session, closed, end) if closed else found
            new += [one] if any(it.key == one.key for it in since) else []
    for one in new:
        await _open(ledger, tell, one)
    return [one.kind for one in new]


@dataclass(frozen=True)
class _Found:
    """So many calls of one account that should not be."""

    kind: str
    account: str
    number: int

    @property
    def subject(self) -> str:
        return f"account:{self.account}" if self.account else "office"

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.subject


async def _in_hour(session: AsyncSession, begin: float, end: float) -> list[_Found]:
    found = []
    for account, sent in (await sent_by_account(session, begin, end)).items():
        if sent.stray:
            found.append(_Found(STRAY, account, sent.stray))
        many = sent.calls >= FLOOR and sent.calls > TIMES * sent.messages
        if many and sent.calls > TIMES * await busiest(session, account, end - HOUR):
            found.append(_Found(BURST, account, sent.calls))
    return found


async def _in_night(session: AsyncSession, begin: float, end: float) -> list[_Found]:
    night = await at_night(session, begin, end)
    return [_Found(NIGHT, account, number) for account, number in night.items()]


async def _closed(ledger: Ledger, one: _Found, since: float) -> float:
    """When the last incident of it was closed, by signed entries; 0 for none since that moment."""
    for entry in reversed((await ledger.incidents()).closed):
        at = datetime.fromisoformat(entry.at).timestamp()
        if at < since:
            return 0.0
        opened = (await ledger.facts(entry.subject))[0].body
        if (opened["kind"], opened["subject"]) == one.key:
            return at
    return 0.0


def _at(moment: float) -> datetime:
    """By the office's clock, which a trial may have moved."""
    return now() + (datetime.fromtimestamp(moment, now().tzinfo) - datetime.now(now().tzinfo))


_WORDS = {
    BURST: "一小时内调用平台发送 {number} 次，远多于排定的消息，也远多于近 {days} 天最忙的一小时",
    NIGHT: "在夜间时段推送了 {number} 条没有按夜间送审的消息",
    STRAY: "有 {number} 次发送找不到发布队列里的稿件",
}


async def _open(ledger: Ledger, tell: Tell, one: _Found) -> None:
    if (await ledger.incidents()).find(one.key) is not None:
        return
    async with ledger.db.session() as session:
        row = await session.get(Account, one.account) if one.account else None
        owner = await owner_of(session, row.owner) if row is not None else None
        people = [owner] if owner else await active_with(session, {"supervisor", "admin"})
    name = f"账号“{row.name}”" if row is not None else "本单位"
    words = f"{name}{_WORDS[one.kind].format(number=one.number, days=DAYS)}"
    message = f"{words}：请先停止发送，查明后再恢复"
    await ledger.open_incident(one.kind, subject=one.subject, message=message, detail={})
    for staff_id in people:
        await tell(staff_id, f"{words}：请马上到控制台“事件”处理")
