"""Readers of a push made at once, and what was signed of it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from bot.models import Account
from config.clock import now
from demo.cast import TELEGRAM_ID
from subscriptions.subscribers import CONSENT_VERSION, Subscribers, Wish
from tests.office.both import Both


async def readers(town: Both, count: int) -> list[str]:
    """So many people on Telegram who want 就业创业 at once."""
    post = {"account": TELEGRAM_ID, "count": count, "prefix": "读者"}
    citizens = [str(one) for one in (await town.talk.post("citizens", **post))["citizens"]]
    shenfa = town.talk.shenfa
    subscribers = Subscribers(shenfa.taxonomy)
    async with shenfa.ledger.transaction() as tx:
        account = await tx.session.scalar(select(Account.id).where(Account.slug == "qinghe-tg"))
        for one in citizens:
            person = await shenfa.contacts.upsert(tx.session, str(account), one, now())
            wish = Wish("employment", frequency="immediate")
            await subscribers.subscribe(tx, person, wish, CONSENT_VERSION)
    return citizens


async def signed(town: Both, kind: str, subject: str) -> list[Mapping[str, Any]]:
    """What the entries of a kind about a subject say."""
    facts = await town.talk.shenfa.ledger.facts(subject)
    return [one.body for one in facts if one.kind == kind]
