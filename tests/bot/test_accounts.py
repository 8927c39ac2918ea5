"""Accounts and contacts: checked addresses, encrypted secrets, erasable people."""

from typing import Any

import pytest
from sqlalchemy import text

from bot.accounts import Accounts, NewAccount
from bot.http import check_api_base
from bot.models import Account, Contact, Delivery
from config.clock import now
from storage.crypt import DataKey
from storage.database import Database, new_id
from tests.bot.conftest import AES_KEY, Office


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
    async with db.session() as session:
        with pytest.raises(ValueError, match=word):
            await Accounts(db, crypt).create(session, _new(**changes))


async def test_secrets_are_encrypted_in_the_database_and_open_again(
    db: Database, crypt: DataKey
) -> None:
    accounts = Accounts(db, crypt)
    async with db.session() as session:
        row = await accounts.create(session, _new())
    async with db.session() as session:
        stored = (await session.execute(text("SELECT secrets FROM account"))).scalar_one()
    assert "very-secret" not in stored
    assert (await accounts.by_slug("tg")).secrets["token"] == "1:very-secret"
    async with db.session() as session:
        await accounts.enable(session, row.id, enabled=False)
    with pytest.raises(LookupError, match="已停用"):
        await accounts.open(row.id)


async def test_an_address_moved_to_a_private_host_in_the_table_is_not_opened(
    db: Database, crypt: DataKey
) -> None:
    accounts = Accounts(db, crypt)
    async with db.session() as session:
        row = await accounts.create(
            session,
            _new(
                platform="wechat",
                secrets={"appid": "a", "secret": "b", "token": "c", "aes_key": AES_KEY},
            ),
        )
        row.api_base = "https://10.0.0.5"
    with pytest.raises(ValueError, match="内部网络"):
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
