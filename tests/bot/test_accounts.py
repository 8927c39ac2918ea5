"""Accounts and contacts: checked addresses, encrypted secrets, erasable people."""

from typing import Any

import pytest
from sqlalchemy import text

from bot.account_entries import sign_account
from bot.accounts import Accounts, NewAccount
from bot.http import check_api_base
from bot.models import Account, Contact, Delivery
from config.clock import now
from storage.crypt import DataKey
from storage.database import Database, new_id
from tests.bot.conftest import AES_KEY, Office
from tests.made import a_ledger


@pytest.mark.parametrize(
    "url",
    [
        "http://api.weixin.qq.com",
        "https://127.0.0.1",
        "https://localhost",
        "https://10.1.2.3",
        "https://[::1]",
        "https://[::ffff:127.0.0.1]",
        "https://169.254.169.254",
        "https://0.0.0.0",
        "https://user@api.telegram.org",
        "https://api.telegram.org?x=1",
        "ftp://api.telegram.org",
        "https://",
        "https://printer.local",
    ],
)
def test_hostile_addresses_are_refused_with_one_line(url: str) -> None:
    with pytest.raises(ValueError, match="api_base"):
        check_api_base(url)


def test_public_https_and_what_development_allows_are_taken() -> None:
    assert check_api_base("https://api.telegram.org/") == "https://api.telegram.org"
    allowed = frozenset({"127.0.0.1:9000"})
    assert check_api_base("http://127.0.0.1:9000/wechat", allowed).endswith("/wechat")
    with pytest.raises(ValueError, match="api_base"):
        check_api_base("http://127.0.0.1:9001", allowed)


def _new(**changes: Any) -> NewAccount:
    values: dict[str, Any] = {
        "slug": "tg",
        "organisation_id": new_id(),
        "platform": "telegram",
        "name": "青禾",
        "api_base": "https://api.telegram.org",
        "secrets": {"token": "1:very-secret", "webhook_secret": "s", "chat": "@q"},
        "assessment_ref": "DEMO",
    }
    return NewAccount(**(values | changes))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"assessment_ref": ""}, "assessment_ref"),
        ({"platform": "fax"}, "platform"),
        ({"secrets": {"token": "1:x"}}, "webhook_secret"),
        (
            {
                "platform": "wechat",
                "secrets": {"appid": "a", "secret": "b", "token": "c", "aes_key": "short"},
            },
            "aes_key",
        ),
    ],
)
async def test_what_is_missing_is_named(
    db: Database, crypt: DataKey, changes: dict[str, Any], word: str
) -> None:
    with pytest.raises(ValueError, match=word):
        async with a_ledger(db).transaction() as tx:
            await Accounts(db, crypt).create(tx, _new(**changes), "init")


async def test_secrets_are_encrypted_in_the_database_and_open_again(
    db: Database, crypt: DataKey
) -> None:
    accounts, ledger = Accounts(db, crypt), a_ledger(db)
    async with ledger.transaction() as tx:
        row = await accounts.create(tx, _new(), "init")
    async with db.session() as session:
        stored = (await session.execute(text("SELECT secrets FROM account"))).scalar_one()
    assert "very-secret" not in stored
    assert (await accounts.by_slug("tg")).secrets["token"] == "1:very-secret"
    async with ledger.transaction() as tx:
        held = await tx.session.get_one(Account, row.id)
        held.enabled = False
        await tx.session.flush()
        await sign_account(tx, held, "init")
    with pytest.raises(LookupError, match="已停用"):
        await accounts.open(row.id)


async def test_an_address_moved_to_a_private_host_in_the_table_is_not_opened(
    db: Database, crypt: DataKey
) -> None:
    accounts = Accounts(db, crypt)
    async with a_ledger(db).transaction() as tx:
        row = await accounts.create(
            tx,
            _new(
                platform="wechat",
                secrets={"appid": "a", "secret": "b", "token": "c", "aes_key": AES_KEY},
            ),
            "init",
        )
        row.api_base = "https://10.0.0.5"
        await tx.session.flush()
        await sign_account(tx, row, "init")  # even if two people were talked into it
    with pytest.raises(ValueError, match="内部网络"):
        await accounts.open(row.id)


async def test_an_older_row_put_back_is_not_opened(db: Database, crypt: DataKey) -> None:
    """Sealed and once true: the secrets of last week, an address given up, another's name."""
    told: list[tuple[str, str]] = []

    async def changed(table: str, row_id: str) -> None:
        told.append((table, row_id))

    accounts, ledger = Accounts(db, crypt, on_changed=changed), a_ledger(db)
    async with ledger.transaction() as tx:
        row = await accounts.create(tx, _new(), "init")
    async with db.session() as session:
        old = dict((await session.execute(text("SELECT * FROM account"))).mappings().one())
    async with ledger.transaction() as tx:
        held = await tx.session.get_one(Account, row.id)
        secrets = {"token": "2:newer", "webhook_secret": "s", "chat": "@q"}
        held.secrets = accounts.encrypted(row.id, secrets)
        await tx.session.flush()
        await sign_account(tx, held, "admin")
    assert (await accounts.open(row.id)).secrets["token"] == "2:newer"
    async with db.session() as session:
        await session.execute(
            text("UPDATE account SET secrets = :secrets, seal = :seal"),
            {"secrets": old["secrets"], "seal": old["seal"]},
        )
    async with db.session() as session:
        assert (await session.get_one(Account, row.id)).whole
    with pytest.raises(ValueError, match="与签名的登记不符"):
        await accounts.open(row.id)
    assert told == [("account", row.id)]


async def test_an_account_nobody_signed_is_not_opened(db: Database, crypt: DataKey) -> None:
    accounts = Accounts(db, crypt)
    async with a_ledger(db).transaction() as tx:
        row = await accounts.create(tx, _new(), "init")
        await tx.session.execute(text("DELETE FROM ledger_entry"))
    with pytest.raises((ValueError, LookupError)):
        await accounts.open(row.id)


async def test_a_contact_is_one_row_with_no_plain_address(office: Office) -> None:
    async with office.db.session() as session:
        first = await office.contacts.upsert(session, office.account.id, "42424242", now())
        second = await office.contacts.upsert(session, office.account.id, "42424242", now())
        assert first.id == second.id
        assert office.contacts.address(first) == "42424242"
        row = (await session.execute(text("SELECT * FROM contact"))).one()
    assert "42424242" not in str(row)


async def test_erasing_removes_the_address_and_what_waits(office: Office) -> None:
    [delivery] = await office.deliveries(office.release(), ["42424242"])
    async with office.db.session() as session:
        contact = await office.contacts.find(session, office.account.id, "42424242")
        assert contact is not None
        await office.contacts.erase(session, contact.id)
    async with office.db.session() as session:
        assert await office.contacts.find(session, office.account.id, "42424242") is None
    assert (await office.row(Contact, contact.id)).address == ""
    assert (await office.row(Delivery, delivery)).state == "ended"
    assert await office.process().sender.deliver_due() == 0
    assert (await office.row(Account, office.account.id)).enabled
