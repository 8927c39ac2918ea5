"""`shenfa init`: a home made from a setup file, in one signed transaction."""

import asyncio
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import TypedDict

from sqlalchemy import select

from bot.accounts import Accounts, NewAccount
from bot.models import Organisation
from config.clock import BEIJING, now, use_clock_file
from config.settings import CONFIG, Settings
from config.setup import Setup, SetupError, SourceSetup
from content_sources.changes import determine
from content_sources.models import Column, Source
from escalations.roster import DutyLine, set_roster
from escalations.routes import Routes, line_of
from gates.engine import RuleSet
from ledger.append import Transaction
from ledger.models import LedgerEntry
from migrations.run import upgrade
from office.keys import open_crypt, open_database, open_ledger
from office.parts import NO_QUIET, seed_texts
from review_queue.governance.kinds import seed
from review_queue.governance.rulesets import rows_of, seal_version
from review_queue.workflow import Workflow, WorkflowError, load_workflows, read_workflow, unfillable
from staff.factors import FIRST_WEEK
from staff.models import Staff
from staff.people import Person, hash_password, set_staff
from staff.refusal import Refused
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

    Returns what a person needs once: addresses, passwords, the public key. SetupError when the
    home is in use already or the file names something that does not exist.
    """
    use_clock_file(settings.dev_clock_file)
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
            await accounts.create(
                tx, NewAccount(organisation_id=organisation.id, **row.model_dump()), "init"
            )
        for source in setup.sources:
            await _add_source(tx, source)
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
        + _admin_warnings(setup),
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
    await seed_texts(tx, texts={} if setup.quiet_hours else {"pushing": NO_QUIET})
    return organisation


def _first_week(setup: Setup) -> datetime:
    """Until when admins and reviewers may sign in by password alone."""
    latest = now() + FIRST_WEEK
    if setup.second_factor_from is None:
        return latest
    wanted = datetime.combine(setup.second_factor_from, time(), BEIJING)
    # Later would be never: who holds the setup file does not decide that the door stays open.
    if wanted > latest:
        words = "最多宽限一周，从初始化起算：请写早一些的日期，或去掉这一行"
        raise SetupError(f"second_factor_from：{words}")
    return wanted


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
    for duty in setup.roster:
        if duty.login not in people:
            raise SetupError(f"值班表 roster 里的 {duty.login} 不在人员 staff 中，请先加上")
    lines = [DutyLine(duty.topic, duty.tier, people[duty.login].id) for duty in setup.roster]
    await set_roster(tx, lines, "init")


async def _add_alarms(
    tx: Transaction, setup: Setup, people: Mapping[str, Staff], routes: Routes
) -> None:
    """How each is called on duty; after the accounts, by which some of it leaves."""
    for row in setup.staff:
        try:
            lines = [line_of(one, number) for number, one in enumerate(row.alarm, 1)]
            if lines:
                await routes.put(tx, people[row.login].id, lines, "init")
        except Refused as refused:
            raise SetupError(f"人员 staff 的 {row.login} 的 alarm：{refused}") from refused


def _starting_levels(setup: Setup) -> dict[str, Workflow]:
    """The levels of workflows.yaml, single classes replaced by the setup file's."""
    flows = load_workflows(CONFIG / "workflows.yaml")
    version = max(flow.version for flow in flows.values())
    try:
        return flows | {
            klass: read_workflow(klass, version, row) for klass, row in setup.levels.items()
        }
    except WorkflowError as error:
        raise SetupError(f"审核级次 levels：{error}") from error


def _admin_warnings(setup: Setup) -> list[str]:
    if sum("admin" in row.roles for row in setup.staff) >= 2:
        return []
    return ["管理员少于两位：级次、规则、人员的变更都要另一位管理员批准，请在 staff 里再加一位"]


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
