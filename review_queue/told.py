"""What citizens are told of publications: signed entries and released text, never a row alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from bot.account_entries import SET, account_digest, newest_of
from bot.contract import State
from bot.delivery.once import Told, recalled, same, told_of
from bot.delivery.taken import off
from bot.models import Account, Publication
from ledger.append import Ledger
from ledger.changed import row_changed
from ledger.models import LedgerEntry
from ledger.verify import Broken, Entry
from review_queue.canonical import Draft, digest
from review_queue.models import Revision

AGE = 1.0  # seconds: what a page or an answer may lag behind the ledger
_LOOKED = 4
"""How many rows are looked at for each one that is told: recalled ones are left out."""


@dataclass(frozen=True)
class Listed:
    """One account in use, as its newest signed entry describes it."""

    slug: str
    name: str
    platform: str


@dataclass(frozen=True)
class Published:
    """One publication as it may be told: the approved title, the signed address."""

    title: str
    url: str
    at: datetime


async def latest_on(ledger: Ledger, account_id: str, limit: int = 5) -> list[Published]:
    """The newest publications of an account that are out and not recalled."""
    query = (
        select(Publication)
        .where(Publication.account_id == account_id, Publication.state == State.PUBLISHED)
        .order_by(Publication.published_at.desc())
        .limit(limit * _LOOKED)
    )
    async with ledger.db.session() as session:
        rows = (await session.scalars(query)).all()
    found: list[Published] = []
    for row in rows:
        if len(found) < limit and (one := await _told(ledger, row)) is not None:
            found.append(one)
    return found


async def published_of(ledger: Ledger, item_id: str) -> dict[str, Published]:
    """What is out of an item and was not recalled, by account, in the order it went out."""
    query = (
        select(Publication)
        .where(Publication.item_id == item_id, Publication.state == State.PUBLISHED)
        .order_by(Publication.published_at, Publication.id)
    )
    async with ledger.db.session() as session:
        rows = (await session.scalars(query)).all()
    found = {row.account_id: await _told(ledger, row) for row in rows}
    return {account: told for account, told in found.items() if told is not None}


async def _told(ledger: Ledger, row: Publication) -> Published | None:
    facts = await facts_about(ledger, row.item_id)
    told = await told_as_row(ledger, row, facts)
    # What was recalled, corrected or deleted on the platform may stand there, but we point nobody
    # to it.
    if told is None or recalled(facts) or off(facts, row.id) is not None:
        return None
    draft = await approved_draft(ledger, row.item_id, told.digest)
    # Of an edition its articles are told, each with its own address.
    if draft is None or draft.edition:
        return None
    return Published(draft.title, told.url, told.at)


async def facts_about(ledger: Ledger, item_id: str) -> Sequence[Entry]:
    """The signed entries about an item; none when the chain is broken."""
    try:
        return await ledger.facts(f"item:{item_id}", age=AGE)
    except Broken:
        return ()


async def told_as_row(ledger: Ledger, row: Publication, facts: Sequence[Entry]) -> Told | None:
    """What was signed about this publication; a row that says otherwise opens an incident."""
    told = told_of(facts).get(row.id)
    out = row.state == State.PUBLISHED
    wrong = not row.whole or (told is not None and out and not same(row, told))
    if wrong or (out and told is None):
        await row_changed(ledger, "publication", row.id)
    return told


async def approved_draft(ledger: Ledger, item_id: str, wanted: str) -> Draft | None:
    """The text behind a signed digest; None when the tables no longer have it unchanged."""
    query = select(Revision.canonical).where(Revision.item_id == item_id, Revision.digest == wanted)
    async with ledger.db.session() as session:
        text = (await session.scalars(query.limit(1))).first()
    if text is None or digest(text) != wanted:
        return None
    return Draft.from_canonical(text)


async def approved_title(ledger: Ledger, item_id: str, wanted: str) -> str:
    """The title behind a signed digest; empty when the tables no longer have it unchanged."""
    draft = await approved_draft(ledger, item_id, wanted)
    return draft.title if draft is not None else ""


@dataclass(frozen=True)
class Named:
    """What an account is called and where it speaks; both empty when nothing proves them."""

    name: str = ""
    platform: str = ""


async def account_named(ledger: Ledger, account: Account | None) -> Named:
    """By its newest signed entry, else by its sealed row, else nothing."""
    if account is None:
        return Named()
    try:
        facts = await ledger.facts(f"account:{account.id}", age=AGE)
    except Broken:
        facts = []
    signed = newest_of(facts)
    if not account.whole or (signed is not None and not _as_signed(account, signed)):
        await row_changed(ledger, "account", account.id)
    if signed is not None:
        return Named(str(signed.body["name"]), str(signed.body["platform"]))
    return Named(account.name, account.platform) if account.whole else Named()


async def accounts_in_use(ledger: Ledger) -> list[Listed]:
    """The enabled accounts by their newest signed entries, in the order of their slugs.

    What a row says of name, platform or being enabled counts for nothing, and neither does an
    account without an entry; a row that says otherwise than its entry opens an incident.
    """
    # Entries are looked for beside the rows: a row that somebody deleted takes no account away.
    signed_ids = select(LedgerEntry.subject).where(LedgerEntry.kind == SET).distinct()
    async with ledger.db.session() as session:
        rows = {row.id: row for row in (await session.scalars(select(Account))).all()}
        subjects = {f"account:{one}" for one in rows} | set(await session.scalars(signed_ids))
    found: list[Listed] = []
    for subject in sorted(subjects):
        try:
            signed = newest_of(await ledger.facts(subject, age=AGE))
        except Broken:
            return []
        account_id = subject.removeprefix("account:")
        row = rows.get(account_id)
        if row is None or signed is None or not _as_signed(row, signed):
            await row_changed(ledger, "account", account_id)
        if signed is not None and signed.body["enabled"]:
            found.append(Listed(*(str(signed.body[one]) for one in ("slug", "name", "platform"))))
    return sorted(found, key=lambda one: one.slug)


def _as_signed(row: Account, signed: Entry) -> bool:
    # Over every field: an older row put back, seal and all, is another one than was signed last.
    return row.whole and account_digest(row) == signed.body["digest"]
