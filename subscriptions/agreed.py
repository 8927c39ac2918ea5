"""Following one policy, and agreeing anew to a changed notice; the caller's transaction."""

from dataclasses import dataclass

from sqlalchemy import update

from bot.models import Contact
from ledger.append import Transaction
from subscriptions.models import Subscription
from subscriptions.subscribers import Subscribers, Wish, new_row


@dataclass(frozen=True)
class Begun:
    """A policy's id and what is so of it already: of that nothing is told later."""

    policy: str
    known: str


async def follow(
    subs: Subscribers, tx: Transaction, contact: Contact, begun: Begun, version: str
) -> Subscription:
    """Keep once that they follow a policy; SubscriptionError where no more may be kept."""
    own = await subs.list(tx.session, contact.id)
    stands = next((row for row in own if row.policy == begun.policy), None)
    if stands is not None:
        return stands
    row = await new_row(tx.session, contact, Wish(""), own)
    row.policy, row.known, row.consent_version = begun.policy, begun.known, version
    tx.session.add(row)
    await _note(tx, contact.id, version)
    await tx.session.flush()
    return row


async def consent(subs: Subscribers, tx: Transaction, contact_id: str, version: str) -> None:
    """What stands is agreed to anew, under this version of the notice."""
    own = await subs.list(tx.session, contact_id)
    for row in own:
        row.consent_version = version
    await _note(tx, contact_id, version)
    await subs.end(tx, contact_id, "consent", own)


async def _note(tx: Transaction, contact_id: str, version: str) -> None:
    change = update(Contact).where(Contact.id == contact_id).values(consent_version=version)
    await tx.session.execute(change)
