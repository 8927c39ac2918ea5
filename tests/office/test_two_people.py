"""Accounts and the roster of a running office: changed by two people, used as they were signed."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from app import Shenfa, open_shenfa
from bot.models import Account
from config.settings import Settings
from config.setup import AccountSetup, RosterSetup, Setup, StaffSetup
from escalations.ladder import ladder_of
from escalations.models import RosterEntry
from escalations.roster import roster_now
from ledger.models import Incident
from office.setup import initialise
from staff.models import Staff
from staff.refusal import Refused

PEOPLE = {
    "admin1": ["admin"],
    "admin2": ["admin"],
    "editor": ["editor"],
    "duty1": ["duty"],
    "duty2": ["duty"],
    "watch": ["supervisor"],
}
SECRETS = {"token": "1:old", "webhook_secret": "hush", "chat": "@qinghe"}
WHY = "平台通知更换密钥"


@pytest.fixture
async def shenfa(tmp_path: Path) -> AsyncIterator[Shenfa]:
    settings = Settings(home=tmp_path / "home")
    setup = Setup(
        organisation="青禾县",
        staff=[
            StaffSetup(login=login, name=login, roles=roles, password="a-long-password")
            for login, roles in PEOPLE.items()
        ],
        accounts=[
            AccountSetup(
                slug=slug,
                platform="telegram",
                name=name,
                api_base="https://api.telegram.org",
                secrets=SECRETS | {"token": f"{slug}:old"},
                assessment_ref="DEMO",
            )
            for slug, name in (("first", "青禾发布"), ("second", "青禾政务"))
        ],
        roster=[RosterSetup(login="duty1")],
    )
    await initialise(settings, setup)
    async with open_shenfa(settings) as opened:
        yield opened


async def ids(shenfa: Shenfa) -> dict[str, str]:
    async with shenfa.db.session() as session:
        rows = await session.execute(select(Staff.login, Staff.id))
        return {row.login: row.id for row in rows}


async def account(shenfa: Shenfa, slug: str = "first") -> Account:
    async with shenfa.db.session() as session:
        return (await session.scalars(select(Account).where(Account.slug == slug))).one()


async def changed(shenfa: Shenfa, kind: str, payload: Any) -> str:
    """Proposed by one admin and approved by the other; the proposal's stored text."""
    people, made = await ids(shenfa), shenfa.governance.proposals
    row = await made.propose(kind, payload, people["admin1"], WHY)
    with pytest.raises(Refused):
        await made.approve(row.id, people["admin1"])
    await made.approve(row.id, people["admin2"])
    return row.payload + str(row.effect)


async def test_secrets_and_address_change_by_two_people_and_are_never_shown(shenfa: Shenfa) -> None:
    row = await account(shenfa)
    payload = {
        "slug": "first",
        "name": "青禾县发布",
        "secrets": SECRETS | {"token": "first:newer"},
        "settings": {"push": "each"},
    }
    stored = await changed(shenfa, "account", payload)
    assert "newer" not in stored
    assert "hush" not in stored
    opened = await shenfa.accounts.open(row.id)
    assert opened.secrets["token"] == "first:newer"
    assert (opened.name, opened.settings) == ("青禾县发布", {"push": "each"})
    await changed(shenfa, "account", {"slug": "first", "enabled": False})
    with pytest.raises(LookupError, match="已停用"):
        await shenfa.accounts.open(row.id)


async def test_the_number_of_an_upgraded_group_is_shown_and_confirmed_by_two(
    shenfa: Shenfa,
) -> None:
    row = await account(shenfa)
    moved = "-1002000000077"
    shown = await changed(shenfa, "account", {"slug": "first", "secrets": {"chat": moved}})
    assert f"chat 由“@qinghe”改为“{moved}”" in shown
    opened = await shenfa.accounts.open(row.id)
    assert opened.secrets == SECRETS | {"token": "first:old", "chat": moved}


async def test_a_new_account_takes_two_people(shenfa: Shenfa) -> None:
    payload = {
        "slug": "third",
        "platform": "telegram",
        "name": "青禾就业",
        "api_base": "https://api.telegram.org",
        "secrets": SECRETS,
        "assessment_ref": "DEMO",
    }
    await changed(shenfa, "account", payload)
    assert (await shenfa.accounts.by_slug("third")).secrets == SECRETS


@pytest.mark.parametrize(
    "payload",
    [
        {"slug": "first"},
        {"slug": "first", "api_base": "http://10.0.0.5"},
        {"slug": "first", "secrets": {"token": "x"}},
        {"slug": "first", "secrets": "bm90IG91cnM="},
        {"slug": "first", "enabled": "yes"},
        {"slug": "first", "assessment_ref": ""},
        {"slug": "third", "platform": "fax", "name": "x"},
        {"slug": "", "name": "x"},
    ],
)
async def test_what_is_wrong_stops_the_proposal(shenfa: Shenfa, payload: Any) -> None:
    people = await ids(shenfa)
    with pytest.raises(Refused) as caught:
        await shenfa.governance.proposals.propose("account", payload, people["admin1"], WHY)
    assert caught.value.status == 422


async def test_secrets_swapped_between_accounts_by_sql_are_not_used(shenfa: Shenfa) -> None:
    """Row against row, seals and all: each row is another account's, and neither is its own."""
    first, second = await account(shenfa), await account(shenfa, "second")
    async with shenfa.db.session() as session:
        for one, other in ((first, second), (second, first)):
            await session.execute(
                text("UPDATE account SET secrets = :secrets, seal = :seal WHERE id = :id"),
                {"secrets": other.secrets, "seal": other.seal, "id": one.id},
            )
    for one in (first, second):
        with pytest.raises(ValueError, match="与签名的登记不符"):
            await shenfa.accounts.open(one.id)
    assert await subjects(shenfa) == {f"account:{first.id}", f"account:{second.id}"}


async def subjects(shenfa: Shenfa) -> set[str]:
    async with shenfa.db.session() as session:
        query = select(Incident.subject).where(Incident.kind == "row_changed")
        return set((await session.scalars(query)).all())


@pytest.mark.parametrize("column", ["settings", "name", "api_base", "secrets", "enabled"])
async def test_an_old_row_put_back_is_refused_and_two_people_mend_it(
    shenfa: Shenfa, column: str
) -> None:
    async with shenfa.db.session() as session:
        old = dict((await session.execute(text("SELECT * FROM account"))).mappings().first() or {})
    payload = {
        "slug": old["slug"],
        "name": "新名称",
        "settings": {"push": "each"},
        "secrets": SECRETS | {"token": "first:newer"},
        "api_base": "https://api.example.org",
    }
    await changed(shenfa, "account", payload)
    async with shenfa.db.session() as session:
        rest = "name = :name, settings = :settings, api_base = :api_base, secrets = :secrets, "
        await session.execute(
            text(f"UPDATE account SET {rest} enabled = :enabled, seal = :seal WHERE id = :id"),
            {name: old[name] for name in ("name", "settings", "api_base", "secrets", "enabled")}
            | {"seal": old["seal"], "id": old["id"]},
        )
    row = await account(shenfa, str(old["slug"]))
    assert row.whole
    assert getattr(row, column) is not None
    with pytest.raises(ValueError, match="与签名的登记不符"):
        await shenfa.accounts.open(row.id)
    await changed(shenfa, "account", payload)
    assert (await shenfa.accounts.open(row.id)).name == "新名称"


async def test_the_roster_changes_by_two_people_and_a_row_by_sql_calls_nobody(
    shenfa: Shenfa,
) -> None:
    people = await ids(shenfa)
    async with shenfa.db.session() as session:
        assert [one for one, _ in await ladder_of(session, "")] == [
            people["duty1"],
            people["watch"],
        ]
        session.add(RosterEntry(id="x", staff_id=people["editor"], position=-1))
    async with shenfa.db.session() as session:
        assert people["editor"] not in [one for one, _ in await ladder_of(session, "")]
    lines = [
        {"login": "duty2", "topic": "employment", "tier": 0},
        {"login": "duty1", "topic": "", "tier": 1},
    ]
    await changed(shenfa, "roster", {"lines": lines})
    async with shenfa.db.session() as session:
        called = await ladder_of(session, "employment")
        assert [one for one, _ in called] == [people["duty2"], people["duty1"], people["watch"]]
        assert len(await roster_now(session)) == 2
        rows = (await session.scalars(select(RosterEntry.staff_id))).all()
    assert set(rows) == {people["duty1"], people["duty2"]}


@pytest.mark.parametrize(
    "lines",
    [
        "duty1",
        [{"login": "nobody"}],
        [{"login": "duty1", "topic": "weather"}],
        [{"login": "duty1", "tier": -1}],
        [{"login": "duty1", "tier": True}],
        [{"login": "duty1", "topic": "", "tier": 0}],
        [{"login": "duty1"}] * 201,
    ],
)
async def test_a_wrong_roster_is_not_proposed(shenfa: Shenfa, lines: Any) -> None:
    people = await ids(shenfa)
    made = shenfa.governance.proposals
    with pytest.raises(Refused) as caught:
        await made.propose("roster", {"lines": lines}, people["watch"], WHY)
    assert caught.value.status == 422
