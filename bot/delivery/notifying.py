"""Notices: an agreement is used up before its call, and what the call came to stands after it."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.consents import finish, left_of, pause, reserve
from bot.contract import Outcome, State
from bot.delivery.choosing import NOTICES
from bot.delivery.digest import Ready
from bot.delivery.outbox import Work
from bot.delivery.preparing import Opened
from bot.delivery.wiring import Wiring
from bot.models import Contact
from bot.notice_models import NoticePause
from bot.noticing import (
    FULL,
    PAUSED_FOR,
    REFUSED_BY,
    Consent,
    Did,
    Notice,
    Noticing,
    Template,
)
from config.clock import now

_AGAIN = 0.5  # seconds after which a way is chosen anew


async def note_agreements(session: AsyncSession, pushes: Sequence[Work]) -> None:
    """What is left of the agreements of those who are to get a push."""
    left = await left_of(session, {one.contact_id for one in pushes})
    for one in pushes:
        one.agreed = left.get(one.contact_id, one.agreed)


def template_of(one: Work) -> Template | None:
    """The notice template of a message that goes as a notice."""
    chosen = one.chosen
    return chosen.template if chosen is not None and chosen.via in NOTICES else None


async def notify(wiring: Wiring, way: Opened, ready: Ready, one: Work) -> Outcome:
    """One notice to one person."""
    channel, account, address = way
    template = template_of(one)
    if template is None or not isinstance(channel, Noticing):
        raise TypeError("no notice was chosen")
    if not template.long_term:
        db = wiring.db
        async with db.writing() if db.is_sqlite else db.session() as session:
            left = await reserve(session, one.contact_id, template.id, one.attempt_id)
        if not left:
            words = "同意的次数刚被另一条用掉，重新选择送达方式"
            return Outcome(State.RETRYING, reason=words, code="choose", retry_after=_AGAIN)
    notice = Notice(template, ready.form, ready.reason, ready.link)
    return await channel.notify(account, address, notice, ready.still)


async def settle(session: AsyncSession, finished: Sequence[Work]) -> list[tuple[str, str, str]]:
    """Write what each notice came to; templates that were refused to everybody, with words.

    Those as account, template and words, once for each time it begins.
    """
    news = []
    for one in sorted(finished, key=lambda one: one.contact_id):
        template = template_of(one)
        if template is None:
            continue
        came = _came(one, template)
        if came is not None:
            query = select(Contact).where(Contact.id == one.contact_id).with_for_update()
            contact = (await session.scalars(query)).first()
            if contact is not None:
                await finish(session, contact, template.id, one.attempt_id, came)
        if PAUSED_FOR in one.outcome.detail and await pause(session, _pause(one, template)):
            news.append((one.account_id, template.id, one.outcome.reason))
    return news


def _came(one: Work, template: Template) -> Consent | None:
    outcome = one.outcome
    key = f"use:{one.attempt_id}"
    if REFUSED_BY in outcome.detail:
        return Consent(template.id, Did.REFUSED, key)
    if template.long_term or outcome.state is State.UNKNOWN:
        return None  # what may have arrived stays used
    if outcome.state is State.PUBLISHED:
        return Consent(template.id, Did.USED, key, outcome.ref)
    return Consent(template.id, Did.BACK, key)


def _pause(one: Work, template: Template) -> NoticePause:
    moment, outcome = now(), one.outcome
    return NoticePause(
        account_id=one.account_id,
        template=template.id,
        code=str(outcome.detail.get("stop", FULL))[:20],
        why=outcome.reason[:200],
        since=moment,
        until=moment + timedelta(seconds=float(outcome.detail[PAUSED_FOR])),
    )
