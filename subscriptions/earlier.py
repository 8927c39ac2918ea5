"""Whoever was sent a push of what is now corrected is told of the correction, once."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import Release, State
from bot.delivery.mended import CORRECTED
from bot.delivery.once import told_of
from bot.models import Contact, Delivery, Publication
from bot.sealing import COLUMNS, read_apart, sealed_as
from config.clock import now
from ledger.append import Ledger
from review_queue.told import approved_draft
from storage.database import Database
from storage.seals import seals_of
from subscriptions.rows import Matched, Push, write_rows

SENT = "您收到过《"
"""How a reason begins that is no subscription's: see Matching.wants."""
_PAGE = 5_000
_REACHED = (State.PUBLISHED, State.UNKNOWN)


async def rows_for_earlier(
    db: Database, ledger: Ledger, publication: Publication, release: Release, hold: str = ""
) -> int:
    """Rows for those who have or may have the old one and get none by their subscriptions.

    Made after those, so that nobody's own wish is passed over; rows are unique for a release and a
    person. `hold` is what they wait for. Raises ledger.verify.Broken.
    """
    draft = await approved_draft(ledger, release.item_id, release.digest)
    if draft is None or draft.corrects is None:
        return 0
    about = draft.corrects
    old = await approved_draft(ledger, about.item, about.digest)
    told = told_of(await ledger.facts(f"item:{about.item}")).values()
    mine = [one.publication for one in told if one.account == publication.account_id]
    if old is None or not mine:
        return 0
    moment = now()
    push = Push(release.id, publication.id, publication.account_id, moment, (moment,), hold=hold)
    made, last = 0, ""
    while True:
        async with db.session() as session:
            ids, last, more = await _reached(session, mine, last)
            matched: list[Matched] = [(one, f"{SENT}{old.title}》{CORRECTED}", 0) for one in ids]
            made += await write_rows(session, push, matched) if matched else 0
        if not more:
            return made


async def _reached(
    session: AsyncSession, publications: list[str], last: str
) -> tuple[list[str], str, bool]:
    """Contacts of one page of rows that were sent, by their seals, and whether there is another."""
    query = (
        select(*COLUMNS)
        .join(Contact, Contact.id == Delivery.contact_id)
        .where(
            Delivery.publication_id.in_(publications),
            Delivery.state.in_(_REACHED),
            Delivery.id > last,
            Contact.state == "active",
        )
        .order_by(Delivery.id)
        .limit(_PAGE)
    )
    rows, wrong = await read_apart(session, query)
    seals = seals_of(session)
    ids = sorted({str(row["contact_id"]) for row in rows if sealed_as(seals, row)})
    seen = [*wrong, *(str(row["id"]) for row in rows)]
    return ids, max(seen, default=last), len(seen) >= _PAGE
