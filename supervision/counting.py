"""Signed counts of a day, for what is no entry of its own; a root binds them to their rows."""

import hashlib
from datetime import date, timedelta

from sqlalchemy import select

from bot.models import Contact, InboundMessage
from config.clock import beijing, now
from ledger.append import Ledger
from supervision.auditing import looks_root
from supervision.figures import COUNTED, Span
from supervision.promised import acts_of
from supervision.promises import signed

_SUBJECT = "counts"
_MOST_DAYS = 7
"""An office that stood still signs so many days at once and goes on with the next turn."""


async def count_days(ledger: Ledger) -> int:
    """Sign every day that is over and was not counted yet, from yesterday's predecessor on."""
    today, done = beijing(now()).date(), 0
    for day in _days(await _last(ledger), today)[:_MOST_DAYS]:
        done += await _count(ledger, day)
    return done


async def _last(ledger: Ledger) -> date | None:
    told = [one for one in await ledger.facts(_SUBJECT) if one.kind == COUNTED]
    return date.fromisoformat(told[-1].body["day"]) if told else None


def _days(last: date | None, today: date) -> list[date]:
    first = today - timedelta(days=1) if last is None else last + timedelta(days=1)
    return [first + timedelta(days=n) for n in range((today - first).days)]


async def _count(ledger: Ledger, day: date) -> int:
    begin, end = Span(day, day + timedelta(days=1)).moments
    said = (
        select(InboundMessage.id)
        .where(InboundMessage.at >= begin, InboundMessage.at < end, InboundMessage.kind == "text")
        .order_by(InboundMessage.id)
    )
    new = select(Contact.id).where(Contact.created_at >= begin, Contact.created_at < end)
    async with ledger.transaction() as tx:
        # Asked again with the lock in hand: another process may have signed the day meanwhile.
        last = await _last(ledger)
        if last is not None and last >= day:
            return 0
        messages = (await tx.session.scalars(said)).all()
        contacts = (await tx.session.scalars(new)).all()
        kept = signed(await acts_of(tx.session, day))
        seen, seen_root = await looks_root(tx.session, Span(day, day + timedelta(days=1)))
        root = hashlib.sha256("\n".join(messages).encode()).hexdigest()
        body = {"day": day.isoformat(), "messages": len(messages), "contacts": len(contacts)}
        body |= {"promises": kept, "looks": seen, "looks_root": seen_root}
        await tx.append(COUNTED, subject=_SUBJECT, actor="system", body={**body, "root": root})
    return 1
