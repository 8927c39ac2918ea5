"""The ledger of agreements to notices: every event once, and what they come to for each person.

Functions of an open session. An agreement is used up by a row before its call; the row says USED
until the platform surely took nothing (BACK) or said that the person refuses (REFUSED).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import Contact
from bot.notice_models import NoticeConsent, NoticeEvent, NoticePause
from bot.noticing import FULL, Consent, Did, Event, balance
from config.clock import now
from storage.database import new_id

LONGEST = timedelta(days=1)


@dataclass(frozen=True)
class Left:
    """By template how many agreements of one person are left.

    Of templates that are refused to everybody none; `full`: until when the account sends none,
    because its number of the day is used up.
    """

    of: Mapping[str, int] = field(default_factory=dict)
    full: datetime | None = None


NOTHING = Left()


async def heard(
    session: AsyncSession, contact: Contact, said: Sequence[Consent], at: datetime
) -> int:
    """Keep what a platform says of this person's agreements, each event once; how many were new."""
    new = 0
    for one in said:
        new += await _hear(session, contact, one, at)
    return new


async def _hear(session: AsyncSession, contact: Contact, one: Consent, at: datetime) -> int:
    known = select(NoticeEvent.id).where(
        NoticeEvent.account_id == contact.account_id, NoticeEvent.dedupe == one.dedupe
    )
    if (await session.scalars(known)).first() is not None:
        return 0
    if one.did is Did.USED and await _is_ours(session, contact.id, one):
        return 0
    _add(session, contact, one, min(at, now()))
    if one.did is Did.ACCEPTED:  # whoever agrees anew may be sent pushes again
        contact.refused_at, contact.refused_why = None, ""
        contact.paused_at, contact.paused_code = None, ""
    await session.flush()
    await _sum_up(session, contact.account_id, contact.id, one.template)
    return 1


def _add(session: AsyncSession, contact: Contact, one: Consent, at: datetime) -> NoticeEvent:
    row = NoticeEvent(
        id=new_id(),
        account_id=contact.account_id,
        contact_id=contact.id,
        template=one.template,
        dedupe=one.dedupe,
        did=one.did,
        message=one.message,
        at=at,
    )
    session.add(row)
    return row


async def _is_ours(session: AsyncSession, contact_id: str, one: Consent) -> bool:
    """Whether a notice that was sent is one we used an agreement for: it is not used up twice.

    Its event may come before our own call has its answer, and then the number is not known yet.
    """
    rows = await _events(session, contact_id, one.template)
    used = [row for row in rows if row.did == Did.USED]
    if any(row.message == one.message for row in used):
        return True
    waiting = next((row for row in used if not row.message), None)
    if waiting is not None:
        waiting.message = one.message
        await session.flush()
    return waiting is not None


async def reserve(session: AsyncSession, contact_id: str, template: str, attempt_id: str) -> bool:
    """Use up one agreement before its call; False when none is left any more."""
    query = select(Contact).where(Contact.id == contact_id).with_for_update()
    contact = (await session.scalars(query)).one()
    rows = await _events(session, contact_id, template)
    if balance(_read(rows)).left <= 0:
        return False
    _add(session, contact, Consent(template, Did.USED, f"use:{attempt_id}"), now())
    await session.flush()
    await _sum_up(session, contact.account_id, contact_id, template)
    return True


async def finish(
    session: AsyncSession, contact: Contact, template: str, attempt_id: str, came: Consent | None
) -> None:
    """What became of a call: its number, nothing was sent (BACK), or the person refuses."""
    query = select(NoticeEvent).where(
        NoticeEvent.account_id == contact.account_id, NoticeEvent.dedupe == f"use:{attempt_id}"
    )
    used = (await session.scalars(query)).first()
    if came is not None and came.did is Did.REFUSED:
        if used is None or not used.whole:
            _add(session, contact, came, now())
        else:
            used.did, used.at = Did.REFUSED, now()
    elif used is not None and used.whole and came is not None:
        used.did, used.message = came.did, used.message or came.message
    await session.flush()
    await _sum_up(session, contact.account_id, contact.id, template)


async def _events(session: AsyncSession, contact_id: str, template: str) -> list[NoticeEvent]:
    query = select(NoticeEvent).where(
        NoticeEvent.contact_id == contact_id, NoticeEvent.template == template
    )
    # What somebody wrote past this program is no agreement.
    rows = (await session.scalars(query.order_by(NoticeEvent.id))).all()
    return [row for row in rows if row.whole]


def _read(rows: Iterable[NoticeEvent]) -> list[Event]:
    return [Event(Did(row.did), row.at, row.id) for row in rows]


async def _sum_up(session: AsyncSession, account_id: str, contact_id: str, template: str) -> None:
    came = balance(_read(await _events(session, contact_id, template)))
    query = select(NoticeConsent).where(
        NoticeConsent.contact_id == contact_id, NoticeConsent.template == template
    )
    row = (await session.scalars(query)).first()
    if row is not None and not row.whole:  # made anew from its events, which carry seals
        await session.delete(row)
        await session.flush()
        row = None
    if row is None:
        row = NoticeConsent(
            id=new_id(), account_id=account_id, contact_id=contact_id, template=template
        )
        session.add(row)
    row.left, row.why = came.left, came.why
    row.ended_at = came.ended_at or (now() if came.why and not came.left else None)
    await session.flush()


async def left_of(session: AsyncSession, contact_ids: Collection[str]) -> dict[str, Left]:
    """What is left of these people's agreements."""
    query = select(NoticeConsent).where(
        NoticeConsent.contact_id.in_(contact_ids), NoticeConsent.left > 0
    )
    rows = [row for row in (await session.scalars(query)).all() if row.whole]
    if not rows:
        return {}
    off = await _paused(session, {row.account_id for row in rows})
    found: dict[str, Left] = {}
    for row in rows:
        before, stop = found.get(row.contact_id, NOTHING), off.get((row.account_id, row.template))
        if stop is None or stop.code == FULL:
            full = stop.until if stop is not None else before.full
            found[row.contact_id] = Left({**before.of, row.template: row.left}, full)
    return found


async def _paused(
    session: AsyncSession, account_ids: Collection[str]
) -> dict[tuple[str, str], NoticePause]:
    """Templates that nobody is sent now, by account."""
    moment = now()
    # None is paused for longer: whoever writes that into the table silences nobody.
    query = select(NoticePause).where(
        NoticePause.account_id.in_(account_ids), NoticePause.until.between(moment, moment + LONGEST)
    )
    return {(row.account_id, row.template): row for row in await session.scalars(query)}


async def pause(session: AsyncSession, row: NoticePause) -> bool:
    """Send nobody this template until its time; whether that is news."""
    known = await session.get(NoticePause, (row.account_id, row.template))
    if known is None:
        session.add(row)
        return True
    news = known.code != row.code or known.until < row.since
    values = {"code": row.code, "why": row.why, "until": row.until}
    values |= {"since": row.since} if news else {}
    mine = (NoticePause.account_id == row.account_id, NoticePause.template == row.template)
    await session.execute(update(NoticePause).where(*mine).values(**values))
    return news


async def forget(session: AsyncSession, contact_id: str) -> None:
    """忘记我: no agreement of this person remains."""
    for model in (NoticeConsent, NoticeEvent):
        await session.execute(delete(model).where(model.contact_id == contact_id))
