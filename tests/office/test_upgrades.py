"""An office made before rows were sealed is sealed once; later nothing unsealed is believed."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from bot.accounts import Accounts
from bot.models import Account, Contact
from config.clock import now
from escalations.models import RosterEntry
from escalations.roster import DutyLine, roster_now
from escalations.routes import Line, Routes
from facets.taxonomy import starting_taxonomy
from ledger.append import Ledger, load_signing_key, signed_facts
from ledger.models import LedgerEntry
from office.upgrades import SEALED, move_alarms, seal_contacts, seal_what_stood, sign_what_stood
from staff.models import Staff
from staff.since import ALL, counts_from
from storage.crypt import DataKey, place_of
from storage.database import Database
from storage.seals import sealed_tables
from subscriptions.models import Subscription
from subscriptions.subscribers import Subscribers
from tests.made import SEALS

KEY = DataKey(b"k" * 32)
SECRETS = {"token": "1:abc", "webhook_secret": "s", "chat": "-100"}


def unbound(value: str) -> str:
    """A ciphertext as the version before wrote it: bound to no place."""
    nonce = b"0" * 12
    return base64.b64encode(nonce + KEY._box.encrypt(nonce, value.encode(), None)).decode()


async def written_before(db: Database) -> None:
    """Rows without a seal, past the mapping that would seal them."""
    at = {"at": now().isoformat()}
    async with db.session() as session:
        await session.execute(
            text(
                "INSERT INTO staff (id, login, name, roles, password_hash, active, alarm_account, "
                "alarm_address, created_at) VALUES ('p', 'lin', '林', '[\"editor\"]', 'x', true, "
                "'mail', :address, :at)"
            ),
            at | {"address": unbound("lin@example.cn")},
        )
        await session.execute(
            text(
                "INSERT INTO account (id, slug, organisation_id, platform, name, api_base, "
                "secrets, settings, enabled, owner, assessment_ref, created_at) VALUES ('a', 'tg', "
                "'o', 'telegram', '青禾发布', 'https://a.example', :secrets, '{}', true, '', '', "
                ":at)"
            ),
            at | {"secrets": unbound(json.dumps(SECRETS))},
        )
        session.add(
            Contact(
                id="c",
                account_id="a",
                subject_ref="r",
                address=unbound("42424242"),
                address_hash="h",
                state="active",
                ended_reason="",
                created_at=now(),
                window_used=0,
            )
        )


@pytest.fixture
async def older(tmp_path: Path) -> AsyncIterator[Ledger]:
    """A ledger whose genesis does not say that its rows are sealed, and such rows."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'older.db'}", SEALS)
    await database.create_all()
    ledger = Ledger(database, load_signing_key(tmp_path / "l.key"), tmp_path / "anchors.jsonl")
    async with ledger.transaction() as tx:
        await tx.append("genesis", subject="office", actor="init", body={"organisation": "青禾"})
    await written_before(database)
    yield ledger
    await database.close()


async def test_what_stood_is_sealed_and_bound_once(older: Ledger) -> None:
    assert await seal_what_stood(older, KEY) == 3
    async with older.db.session() as session:
        person, account = await session.get_one(Staff, "p"), await session.get_one(Account, "a")
        contact = await session.get_one(Contact, "c")
        assert person.whole
        assert account.whole
    opened = [
        KEY.decrypt(person.alarm_address, place_of("staff", "p", "alarm_address")),
        json.loads(KEY.decrypt(account.secrets, place_of("account", "a", "secrets"))),
        KEY.decrypt(contact.address, place_of("contact", "c", "address")),
    ]
    assert opened == ["lin@example.cn", SECRETS, "42424242"]
    async with older.db.session() as session:
        kinds = (await session.scalars(select(LedgerEntry.kind))).all()
    assert kinds.count(SEALED) == 1
    assert await seal_what_stood(older, KEY) == 0


async def test_a_table_that_was_empty_when_it_was_sealed_signs_nothing(tmp_path: Path) -> None:
    """An office of the version before: its first entry names the tables that were sealed then."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'before.db'}", SEALS)
    await database.create_all()
    ledger = Ledger(database, load_signing_key(tmp_path / "l.key"), tmp_path / "anchors.jsonl")
    before = [name for name in sealed_tables() if name != "chat_draft"]
    async with ledger.transaction() as tx:
        await tx.append("genesis", subject="office", actor="init", body={"sealed": before})
    for _ in range(3):
        assert await seal_what_stood(ledger, KEY) == 0
    said = [one.body for one in await ledger.facts("office") if one.kind == SEALED]
    assert said == []
    await database.close()


async def test_a_row_without_a_seal_is_not_taken_in_later(older: Ledger) -> None:
    await seal_what_stood(older, KEY)
    async with older.db.session() as session:
        await session.execute(text("UPDATE staff SET roles = '[\"admin\"]', seal = ''"))
    assert await seal_what_stood(older, KEY) == 0
    async with older.db.session() as session:
        assert not (await session.get_one(Staff, "p")).whole


async def test_accounts_and_roster_that_stood_are_signed_once(older: Ledger) -> None:
    await seal_what_stood(older, KEY)
    async with older.db.session() as session:
        session.add(RosterEntry(id="r", staff_id="p", tier=1, topic="employment"))
    assert await sign_what_stood(older) == list(ALL)
    accounts = Accounts(older.db, KEY)
    with pytest.raises(ValueError, match="assessment_ref"):  # as it was: an account abroad
        await accounts.open("a")
    async with older.db.session() as session:
        assert await roster_now(session) == [DutyLine("employment", 1, "p")]
        office = (await signed_facts(session, ["office"]))["office"]
    assert all(counts_from(office, rule) == office[-1].seq for rule in ALL)
    assert await sign_what_stood(older) == []
    async with older.db.session() as session:
        await session.execute(text("DELETE FROM roster_entry"))
    assert await sign_what_stood(older) == []


async def test_an_account_changed_before_the_upgrade_is_not_signed_with_the_rest(
    older: Ledger,
) -> None:
    await seal_what_stood(older, KEY)
    async with older.db.session() as session:
        await session.execute(text("UPDATE account SET name = '别的名字'"))
    await sign_what_stood(older)
    with pytest.raises(ValueError, match="与签名的登记不符"):
        await Accounts(older.db, KEY).open("a")


async def test_an_office_of_this_version_begins_with_every_rule(
    tmp_path: Path, database: Database
) -> None:
    ledger = Ledger(database, load_signing_key(tmp_path / "l.key"), tmp_path / "anchors.jsonl")
    async with ledger.transaction() as tx:
        await tx.append("genesis", subject="office", actor="init", body={"rules": list(ALL)})
    assert await sign_what_stood(ledger) == []


async def test_an_office_of_this_version_begins_sealed(tmp_path: Path, database: Database) -> None:
    ledger = Ledger(database, load_signing_key(tmp_path / "l.key"), tmp_path / "anchors.jsonl")
    async with ledger.transaction() as tx:
        await tx.append("genesis", subject="office", actor="init", body={"sealed": True})
    assert await seal_what_stood(ledger, KEY) == 0


def test_a_ciphertext_opens_only_in_its_own_place() -> None:
    sealed = KEY.encrypt("42424242", place_of("contact", "a", "address"))
    assert KEY.decrypt(sealed, place_of("contact", "a", "address")) == "42424242"
    for elsewhere in (
        place_of("contact", "b", "address"),
        place_of("contact", "a", "name"),
        place_of("staff", "a", "address"),
    ):
        with pytest.raises(ValueError, match="密文无法解开"):
            KEY.decrypt(sealed, elsewhere)
    with pytest.raises(ValueError, match="没有绑定位置"):
        KEY.decrypt(unbound("42424242"), place_of("contact", "a", "address"))


async def test_subscriptions_that_stood_are_sealed_once(older: Ledger) -> None:
    rows = (
        "INSERT INTO subscription (id, contact_id, account_id, topic, grp, region, frequency, "
        "state, consent_version, created_at) VALUES (:id, 'c', 'a', 'employment', '', '', "
        "'immediate', :state, '2026-11', :at)"
    )
    at = {"at": now().isoformat()}
    async with older.db.session() as session:
        for number in range(3):
            state = "left" if number == 2 else "active"
            await session.execute(text(rows), at | {"id": f"s{number}", "state": state})
    await seal_what_stood(older, KEY)
    async with older.db.session() as session:
        stood = (await session.scalars(select(Subscription))).all()
        assert [row.whole for row in stood] == [True] * 3
        await session.execute(text(rows), at | {"id": "later", "state": "active"})
    assert await seal_what_stood(older, KEY) == 0
    async with older.db.session() as session:
        own = await Subscribers(starting_taxonomy()).list(session, "c")
    assert [row.id for row in own] == ["s0", "s1"]


async def test_an_office_sealed_before_subscriptions_were_seals_them_alone(older: Ledger) -> None:
    async with older.transaction() as tx:
        names = ["account", "api_token", "console_session", "contact", "delivery", "staff"]
        body = {"rows": dict.fromkeys(names, 0)}
        await tx.append(SEALED, subject="office", actor="system", body=body)
    await seal_what_stood(older, KEY)
    newest = (await older.facts("office"))[-1]
    assert (newest.kind, newest.body) == (SEALED, {"rows": {"subscription": 0, "told": 0}})


async def test_contacts_of_the_version_before_are_sealed_once(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'before.db'}", SEALS)
    await database.create_all()
    ledger = Ledger(database, load_signing_key(tmp_path / "l.key"), tmp_path / "anchors.jsonl")
    before = [name for name in sealed_tables() if name != "contact"]
    async with ledger.transaction() as tx:
        await tx.append("genesis", subject="office", actor="init", body={"sealed": before})
    insert = (
        "INSERT INTO contact (id, account_id, subject_ref, address, address_hash, state, "
        "ended_reason, created_at, window_used, consent_version) VALUES (:id, 'a', :id, '', :id, "
        "'active', '', '2026-11-01 08:00:00.000000', 0, '')"
    )
    async with database.session() as session:
        await session.execute(text(insert), {"id": "stood"})
    assert await seal_what_stood(ledger, KEY) == 0
    assert await seal_contacts(ledger) == 1
    async with database.session() as session:
        await session.execute(text(insert), {"id": "came later"})
    assert await seal_contacts(ledger) == 0
    async with database.session() as session:
        assert (await session.get_one(Contact, "stood")).whole
        assert not (await session.get_one(Contact, "came later")).whole
    await database.close()


async def test_the_one_way_an_older_office_had_becomes_the_first_of_the_persons_ways(
    older: Ledger,
) -> None:
    routes = Routes(KEY)
    await seal_what_stood(older, KEY)
    assert await move_alarms(older, KEY, routes) == 1
    async with older.db.session() as session:
        (way,) = await routes.read(session, "p")
        person = await session.get_one(Staff, "p")
        assert (person.alarm_account, person.alarm_address, person.whole) == ("", "", True)
    assert (way.line, way.fault) == (Line("mail", "lin@example.cn"), "")
    signed = [one for one in await older.facts("staff:p") if one.kind == "staff.alarms"]
    assert [one.actor for one in signed] == ["system"]
    assert await move_alarms(older, KEY, routes) == 0


@pytest.mark.parametrize(
    "spoilt",
    [
        "UPDATE staff SET alarm_account = 'webhook'",
        "UPDATE staff SET alarm_address = 'b1:AAAA'",
        "UPDATE staff SET alarm_address = x'ff'",
    ],
)
async def test_an_old_way_that_somebody_wrote_is_not_taken_over(older: Ledger, spoilt: str) -> None:
    routes = Routes(KEY)
    await seal_what_stood(older, KEY)
    async with older.db.session() as session:
        await session.execute(text(spoilt))
    assert await move_alarms(older, KEY, routes) == 0
    async with older.db.session() as session:
        assert await routes.read(session, "p") == []


async def test_an_old_row_put_back_replaces_no_way_that_was_signed_since(older: Ledger) -> None:
    routes = Routes(KEY)
    await seal_what_stood(older, KEY)
    columns = "alarm_account, alarm_address, seal"
    async with older.db.session() as session:
        row = (await session.execute(text(f"SELECT {columns} FROM staff"))).one()._asdict()
    await move_alarms(older, KEY, routes)
    async with older.transaction() as tx:
        await routes.put(tx, "p", [Line("mail", "new@example.cn")], "p")
    async with older.db.session() as session:
        put = "UPDATE staff SET alarm_account = :alarm_account, alarm_address = :alarm_address"
        await session.execute(text(f"{put}, seal = :seal"), row)
    assert await move_alarms(older, KEY, routes) == 0
    async with older.db.session() as session:
        (way,) = await routes.read(session, "p")
    assert way.line.address == "new@example.cn"
