"""What an office made by an earlier version needs once, beyond new columns."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.account_entries import sign_account
from bot.models import Account, Contact, Delivery
from escalations.models import RosterEntry
from escalations.roster import DutyLine, sign_roster
from escalations.routes import MAIL, WEBHOOK, Line, Routes
from knowledge.models import Told
from ledger.append import Ledger, Transaction
from ledger.verify import Broken, Entry
from office.unsent import seal_deliveries
from staff.models import ApiToken, ConsoleSession, Staff
from staff.people import ALARMS
from staff.refusal import Refused
from staff.since import ACCOUNTS, ALL, ROSTER, RULES
from storage.crypt import DataKey, place_of
from storage.database import Base, rows_of
from storage.seals import Sealed, seals_of
from subscriptions.models import Subscription

SUBJECT = "office"
SEALED = "office.sealed"
_PAGE = 5_000
TABLES: tuple[type[Sealed], ...] = (
    *(Staff, ConsoleSession, ApiToken, Account, Delivery),
    *(Subscription, Told),
)
CONTACTS = "contact.seal"
"""Contacts were bound to their place, and named so, before they were sealed."""
FIRST = frozenset({"staff", "console_session", "api_token", "account", "contact"})
"""What was sealed, or bound to its place, before an office said which tables are."""


async def seal_what_stood(ledger: Ledger, crypt: DataKey) -> int:
    """Seal the rows and bind the ciphertexts an earlier version wrote; how many rows.

    Once for each table in the life of an office, said so by a signed entry: a row that comes
    without a seal later is one that somebody wrote past this program. An office made by this
    version begins sealed.
    """
    try:
        facts = await ledger.facts(SUBJECT)
    except Broken:  # the console opens all the same and shows where; nothing unsealed is believed
        return 0
    names = {str(table.__dict__["__tablename__"]) for table in TABLES}
    wanted = {*names, Contact.__tablename__} - _sealed(facts)
    if not facts or not wanted:
        return 0
    async with ledger.transaction() as tx:
        counts = {
            str(table.__dict__["__tablename__"]): await _seal(tx, ledger, table, crypt)
            for table in TABLES
            if table.__dict__["__tablename__"] in wanted
        }
        if Contact.__tablename__ in wanted:
            counts[Contact.__tablename__] = await _bind_contacts(tx.session, crypt)
        await _say(tx, counts)
    return sum(counts.values())


async def seal_contacts(ledger: Ledger) -> int:
    """Seal who the contacts of an earlier version are; how many. Once, as above."""
    try:
        facts = await ledger.facts(SUBJECT)
    except Broken:
        return 0
    if not facts or CONTACTS in _sealed(facts):
        return 0
    async with ledger.transaction() as tx:
        rows = await _seal_pages(tx.session, Contact)
        await _say(tx, {CONTACTS: rows})
    return rows


async def sign_what_stood(ledger: Ledger) -> list[str]:
    """Sign what an earlier version kept in tables alone, and from when on its rules count.

    Accounts and the roster as they are now; what was decided before stays judged as it was then.
    Returns the rules that were brought. Once each: later nothing unsigned is taken in.
    """
    try:
        facts = await ledger.facts(SUBJECT)
    except Broken:
        return []
    known = {rule for entry in facts for rule in entry.body.get("rules", ())}
    brought = [rule for rule in ALL if rule not in known]
    if not facts or not brought:
        return []
    async with ledger.transaction() as tx:
        if ACCOUNTS in brought:
            # What somebody wrote past the earlier version is not signed with the rest.
            for account in (await tx.session.scalars(select(Account))).all():
                if account.whole:
                    await sign_account(tx, account, "system")
        if ROSTER in brought:
            query = select(RosterEntry).order_by(RosterEntry.position, RosterEntry.id)
            rows = (await tx.session.scalars(query)).all()
            lines = [DutyLine(row.topic, row.tier, row.staff_id) for row in rows]
            await sign_roster(tx, lines, "system")
        await tx.append(RULES, subject=SUBJECT, actor="system", body={"rules": brought})
    return brought


async def move_alarms(ledger: Ledger, crypt: DataKey, routes: Routes) -> int:
    """Make the one way an earlier version alarmed a person by the first of theirs; how many.

    Only from a row that this program wrote, and for nobody whose ways were signed since.
    """
    moved = 0
    async with ledger.db.session() as session:
        query = select(Staff.id).where(Staff.alarm_account != "", Staff.alarm_address != "")
        rows = await rows_of(session, Staff, [*(await session.scalars(query))])
        stood = [one for one, row in rows.items() if row.whole]
    with suppress(Broken):
        for staff_id in stood:
            async with ledger.transaction() as tx:
                row = await tx.session.get_one(Staff, staff_id)
                line = await _old_line(tx.session, row, crypt)
                known = any(one.kind == ALARMS for one in await ledger.facts(f"staff:{staff_id}"))
                if line is not None and not known:
                    # An address that may no longer be used is dropped: it reached nobody.
                    with suppress(Refused):
                        await routes.put(tx, staff_id, [line], "system")
                        moved += 1
                row.alarm_account = row.alarm_address = ""
    return moved


async def _old_line(session: AsyncSession, row: Staff, crypt: DataKey) -> Line | None:
    """What stood there, or None when it named no account of today or does not open."""
    try:
        address = crypt.decrypt(row.alarm_address, place_of("staff", row.id, "alarm_address"))
    except ValueError:
        return None
    if row.alarm_account in (WEBHOOK, MAIL):
        return Line(row.alarm_account, address)
    query = select(Account.platform).where(Account.slug == row.alarm_account)
    platform = (await session.scalars(query)).first()
    return Line(platform, address, row.alarm_account) if platform else None


def _sealed(facts: Sequence[Entry]) -> set[str]:
    """The tables that are sealed by signed word."""
    found: set[str] = set()
    for entry in facts:
        said = entry.body.get("sealed") if entry.kind == "genesis" else None
        if isinstance(said, list):
            found |= {*map(str, said), Contact.__tablename__}
            found |= {CONTACTS} if Contact.__tablename__ in said else set()
        elif said:
            found |= FIRST
        if entry.kind == SEALED:
            # The first of these entries named classes, and always all of them.
            rows = set(entry.body["rows"])
            found |= FIRST if "Staff" in rows else rows
    return found


async def _say(tx: Transaction, counts: dict[str, int]) -> None:
    await tx.append(SEALED, subject=SUBJECT, actor="system", body={"rows": counts})


async def _seal(tx: Transaction, ledger: Ledger, table: type[Sealed], crypt: DataKey) -> int:
    if table is Delivery:
        return await seal_deliveries(tx, ledger)
    if table in (Subscription, Told):
        return await _seal_pages(tx.session, table)
    rows: Sequence[Any] = (await tx.session.scalars(select(table))).all()
    for row in rows:
        if isinstance(row, Account):
            row.secrets = _bound(crypt, row.secrets, place_of("account", row.id, "secrets"))
        elif isinstance(row, Staff) and row.alarm_address:
            place = place_of("staff", row.id, "alarm_address")
            row.alarm_address = _bound(crypt, row.alarm_address, place)
        row.accept()
    return len(rows)


async def _seal_pages(
    session: AsyncSession, table: type[Contact] | type[Subscription] | type[Told]
) -> int:
    sealed, last, name = 0, "", table.__tablename__
    own, columns = Base.metadata.tables[name], [getattr(table, one) for one in table.SEALED]
    while True:  # page by page: an office has more subscribers than fit into memory
        query = select(*columns).where(table.id > last).order_by(table.id)
        rows = (await session.execute(query.limit(_PAGE))).all()
        if not rows:
            return sealed
        seals = seals_of(session)
        made = [{"key": row[0], "made": seals.of(name, row)} for row in rows]
        statement = update(own).where(own.c.id == bindparam("key")).values(seal=bindparam("made"))
        await session.execute(statement, made)
        sealed, last = sealed + len(rows), rows[-1][0]


async def _bind_contacts(session: AsyncSession, crypt: DataKey) -> int:
    rows = (await session.scalars(select(Contact).where(Contact.address != ""))).all()
    for row in rows:
        row.address = _bound(crypt, row.address, place_of("contact", row.id, "address"))
    return len(rows)


def _bound(crypt: DataKey, value: str, place: str) -> str:
    return crypt.encrypt(crypt.decrypt_unbound(value), place)
