"""`shenfa init`: a home made from a setup file, in one signed transaction."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, TypedDict

from sqlalchemy import select

from bot.accounts import Accounts, NewAccount
from bot.channels import CHANNELS
from bot.models import Organisation
from config.clock import BEIJING, now, use_clock_file
from config.settings import Settings
from config.setup import Setup, SetupError, SourceSetup
from content_sources.changes import determine
from content_sources.models import Column, Source
from escalations.roster import DutyLine, set_roster
from escalations.routes import Routes, line_of
from facets.remit import written
from facets.taxonomy import starting_taxonomy
from gates.engine import RuleSet
from knowledge.changes import PolicyKind, policy_form
from knowledge.documents import read_documents
from knowledge.library import import_payload
from ledger.append import Ledger, Transaction
from ledger.models import LedgerEntry
from migrations.run import upgrade
from office.keys import open_crypt, open_database, open_ledger
from office.parts import NO_QUIET, calendar_of, seed_texts, starting_levels
from office.setup_check import check_setup
from review_queue.governance.kinds import seed
from review_queue.governance.rulesets import rows_of, seal_version
from review_queue.workflow import Workflow, read_workflow, unfillable
from staff.factors import FIRST_WEEK
from staff.models import Staff
from staff.people import Person, hash_password, set_staff
from staff.proposals import INIT, Approval
from staff.since import ALL
from storage.database import Database, new_id
from storage.seals import sealed_tables


class Initialised(TypedDict):
    """What `shenfa init` prints; the passwords are shown this once and stored nowhere."""

    home: str
    console: str
    public_key: str
    staff: list[dict[str, str]]
    accounts: list[dict[str, str]]
    warnings: list[str]


async def initialise(settings: Settings, setup: Setup) -> Initialised:
    """Make a home from a setup file: keys, tables, the signed genesis entry, people, accounts.

    Returns what a person needs once: addresses, passwords, the public key. SetupError, before
    anything is made, when the home is in use already or something of the setup cannot be used.
    """
    use_clock_file(settings.dev_clock_file)
    check_setup(setup, settings)
    db = open_database(settings)
    try:
        await upgrade(db)
        async with db.session() as session:
            if (await session.scalars(select(LedgerEntry.seq).limit(1))).first() is not None:
                raise SetupError(f"{settings.home} 已经初始化过：请换一个 --home，或先备份再清空")
        return await _initialise(settings, setup, db)
    finally:
        await db.close()


async def _initialise(settings: Settings, setup: Setup, db: Database) -> Initialised:
    ledger = open_ledger(settings, db)
    passwords = {
        person.login: person.password or secrets.token_urlsafe(9) for person in setup.staff
    }
    # Hashing is slow on purpose and leaves the thread: all at once, before the write lock is held.
    made = await asyncio.gather(*(hash_password(word) for word in passwords.values()))
    hashes = dict(zip(passwords, made, strict=True))
    flows, rules = _starting_levels(setup), RuleSet.load()
    crypt = open_crypt(settings)
    accounts = Accounts(db, crypt, settings.allowed_private)
    # One transaction: an office that is half made could not be initialised again.
    async with ledger.transaction() as tx:
        organisation = await _begin(tx, setup, flows, rules)
        people = await _add_people(tx, setup, hashes)
        for row in setup.accounts:
            wanted = row.model_dump()
            wanted["settings"] = written(starting_taxonomy(), row.settings)
            await accounts.create(tx, NewAccount(organisation_id=organisation.id, **wanted), "init")
        for source in setup.sources:
            await _add_source(tx, source)
        await _add_policies(tx, ledger, setup.policies)
        await _add_roster(tx, setup, people)
        await _add_alarms(tx, setup, people, Routes(crypt, settings.allowed_private))
    return {
        "home": str(settings.home),
        "console": f"{settings.public_url}/console/",
        "public_key": ledger.public_hex,
        "staff": [
            {"login": row.login, "name": row.name, "password": passwords[row.login]}
            for row in setup.staff
        ],
        "accounts": [
            {
                "slug": row.slug,
                "platform": row.platform,
                "callback": f"{settings.public_url}/{row.platform}/{row.slug}",
            }
            for row in setup.accounts
        ],
        "warnings": unfillable(flows, {row.login: row.roles for row in setup.staff})
        + _admin_warnings(setup)
        + _account_warnings(setup),
    }


async def _begin(
    tx: Transaction, setup: Setup, flows: Mapping[str, Workflow], rules: RuleSet
) -> Organisation:
    """The office itself, its genesis entry, and the levels and rules that it starts with."""
    organisation = Organisation(id=new_id(), name=setup.organisation, parent_id=None)
    tx.session.add(organisation)
    # First of all entries: levels and rules that nobody approved are proved by these digests.
    await tx.append(
        "genesis",
        subject="office",
        actor="init",
        body={
            "organisation": setup.organisation,
            "workflows": {klass: flow.digest for klass, flow in flows.items()},
            "ruleset": seal_version(1, rows_of(rules))[1],
            "sealed": sealed_tables(),
            "once": True,
            "incidents": True,
            "second_factor_from": _first_week(setup).isoformat(),
            "rules": list(ALL),
        },
    )
    await seed(tx, flows.values(), rules)
    own = {"calendar": calendar_of(setup.calendar)} if setup.calendar else {}
    own |= {} if setup.quiet_hours else {"pushing": NO_QUIET}
    await seed_texts(tx, own=own)
    return organisation


def _first_week(setup: Setup) -> datetime:
    """Until when admins and reviewers may sign in by password alone."""
    # check_setup refused a later one: who holds the setup file does not decide that the door
    # stays open.
    if setup.second_factor_from is None:
        return now() + FIRST_WEEK
    return datetime.combine(setup.second_factor_from, time(), BEIJING)


async def _add_people(
    tx: Transaction, setup: Setup, hashes: Mapping[str, str]
) -> Mapping[str, Staff]:
    """Everybody of the setup file by login, each with a signed entry."""
    return {
        row.login: await set_staff(
            tx, Person(row.login, row.name, tuple(row.roles), hashes[row.login]), "init"
        )
        for row in setup.staff
    }


async def _add_roster(tx: Transaction, setup: Setup, people: Mapping[str, Staff]) -> None:
    lines = [DutyLine(duty.topic, duty.tier, people[duty.login].id) for duty in setup.roster]
    await set_roster(tx, lines, "init")


async def _add_alarms(
    tx: Transaction, setup: Setup, people: Mapping[str, Staff], routes: Routes
) -> None:
    """How each is called on duty; after the accounts, by which some of it leaves."""
    for row in setup.staff:
        lines = [line_of(one, number) for number, one in enumerate(row.alarm, 1)]
        if lines:
            await routes.put(tx, people[row.login].id, lines, "init")


async def _add_policies(tx: Transaction, ledger: Ledger, files: Sequence[str]) -> None:
    """The library an office begins with: like its sources, signed as part of what init made."""

    async def nothing_more(_title: str, _text: str) -> Sequence[Any]:
        return ()  # check_setup asked the gates before anything was made

    kind, start = PolicyKind(ledger, nothing_more), Approval(0, None, INIT, INIT)
    for file in files:
        for draft in read_documents(Path(file)):
            await kind.apply(tx, policy_form(import_payload(draft)), start)


def _starting_levels(setup: Setup) -> dict[str, Workflow]:
    """The levels a new office starts with, single classes replaced by the setup file's."""
    flows = starting_levels()
    version = max(flow.version for flow in flows.values())
    return flows | {
        klass: read_workflow(klass, version, row) for klass, row in setup.levels.items()
    }


def _admin_warnings(setup: Setup) -> list[str]:
    if sum("admin" in row.roles for row in setup.staff) >= 2:
        return []
    return ["管理员少于两位：级次、规则、人员的变更都要另一位管理员批准，请在 staff 里再加一位"]


def _account_warnings(setup: Setup) -> list[str]:
    counts = Counter(row.platform for row in setup.accounts)
    return [
        f"{CHANNELS[platform].label}有 {count} 个账号：原则上一个平台只开一个，请核对理由"
        for platform, count in counts.items()
        if count > 1
    ]


async def _add_source(tx: Transaction, setup: SourceSetup) -> None:
    """One determined source of the setup file, with its columns, as a signed entry."""
    source = Source(
        id=new_id(),
        organisation=setup.organisation,
        hosts=setup.hosts,
        allow_http=setup.allow_http,
        basis=setup.basis,
        list_version=setup.list_version,
        owner=setup.owner,
        paths=setup.paths,
        topics=setup.topics,
        picture_licence=setup.picture_licence,
        basis_file="",
        valid_from=datetime.combine(setup.valid_from, time(), UTC),
        valid_to=datetime.combine(setup.valid_to, time(), UTC) if setup.valid_to else None,
        state="active",
        proposed_by="init",
        approved_by="init",
    )
    await determine(tx, source)
    for column in setup.columns:
        tx.session.add(
            Column(id=new_id(), source_id=source.id, next_at=now(), **column.model_dump())
        )
