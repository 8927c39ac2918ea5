"""Who writes to the database alone gets in nowhere, and an incident names the table."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import insert, select, update

from bot.models import Account
from config.clock import now
from ledger.models import Incident
from staff.models import ApiToken, ConsoleSession, Staff
from staff.people import hash_password
from staff.sessions import new_token, token_hash
from tests.console.office import PASSWORD, Browser, Office

OWN = "a password of the attacker"


async def changed_tables(office: Office) -> set[str]:
    async with office.deps.db.session() as session:
        query = select(Incident.subject).where(Incident.kind == "row_changed")
        return {subject.split(":")[0] for subject in (await session.scalars(query)).all()}


async def forge_session(office: Office, login: str) -> str:
    """A row in `console_session` for a cookie of the attacker's own."""
    async with office.deps.db.session() as session:
        person = (await session.scalars(select(Staff.id).where(Staff.login == login))).one()
        row = {
            "token_hash": token_hash("my-own-cookie"),
            "staff_id": person,
            "csrf": "c",
            "created_at": now(),
            "seen_at": now(),
            "revoked_at": None,
            "user_agent": "",
            "seal": "",
        }
        await session.execute(insert(ConsoleSession), [row])
    return "my-own-cookie"


async def test_a_session_written_by_sql_opens_nothing(office: Office) -> None:
    token = await forge_session(office, "admin1")
    answer = await office.client().get(
        "/console/items", headers={"Cookie": f"shenfa_session={token}"}, allow_redirects=False
    )
    assert answer.status == 303
    assert await changed_tables(office) == {"console_session"}


async def test_a_session_handed_to_somebody_else_opens_nothing(office: Office) -> None:
    browser = await office.signed_in("editor")
    async with office.deps.db.session() as session:
        admin = (await session.scalars(select(Staff.id).where(Staff.login == "admin1"))).one()
        await session.execute(update(ConsoleSession).values(staff_id=admin))
    assert (await browser.get("/console/items"))[0] == 303
    assert await changed_tables(office) == {"console_session"}


async def test_a_token_handed_to_somebody_else_opens_nothing(office: Office) -> None:
    async with office.deps.db.session() as session:
        rows = await session.execute(select(Staff.login, Staff.id))
        ids = {row.login: row.id for row in rows}
    token = await new_token(office.deps.db, ids["editor"], "统计脚本")
    async with office.deps.db.session() as session:
        await session.execute(update(ApiToken).values(staff_id=ids["admin1"]))
    answer = await office.client().get(
        "/api/v1/items", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status == 401
    assert await changed_tables(office) == {"api_token"}


async def own_password(office: Office) -> None:
    stored = await hash_password(OWN)
    async with office.deps.db.session() as session:
        await session.execute(update(Staff).values(password_hash=stored))


async def copied_password(office: Office) -> None:
    """Sun knows their own password and copies its hash to the admin's row."""
    async with office.deps.db.session() as session:
        own = (await session.scalars(select(Staff.password_hash).limit(1))).first()
        await session.execute(
            update(Staff).where(Staff.login == "admin1").values(password_hash=own, name="甲")
        )
        await session.execute(update(Staff).values(alarm_account="webhook"))


async def more_roles(office: Office) -> None:
    async with office.deps.db.session() as session:
        await session.execute(update(Staff).values(roles=["admin", "editor", "reviewer_3"]))


@pytest.mark.parametrize("attack", [own_password, copied_password, more_roles])
async def test_a_person_changed_by_sql_cannot_sign_in(
    office: Office, attack: Callable[[Office], Awaitable[None]]
) -> None:
    await attack(office)
    for password in (OWN, PASSWORD):
        assert await Browser(office.client()).sign_in("admin1", password) == 401
    assert await changed_tables(office) == {"staff"}


async def test_who_is_signed_in_when_their_row_is_changed_is_out_at_once(office: Office) -> None:
    browser = await office.signed_in("editor")
    await more_roles(office)
    assert (await browser.get("/console/items"))[0] == 303
    assert await changed_tables(office) == {"staff"}


async def test_a_row_that_was_changed_is_not_sealed_by_a_later_use(office: Office) -> None:
    """Signing in writes nothing to the person, but an edit of their row might: it stays broken."""
    await more_roles(office)
    async with office.deps.db.session() as session:
        for row in (await session.scalars(select(Staff))).all():
            row.name = f"{row.name}同志"
    async with office.deps.db.session() as session:
        assert not any(row.whole for row in (await session.scalars(select(Staff))).all())


async def test_accounts_changed_by_sql_are_not_whole(office: Office) -> None:
    async with office.deps.db.session() as session:
        await session.execute(update(Account).values(name="别的名字"))
    async with office.deps.db.session() as session:
        assert not any(row.whole for row in (await session.scalars(select(Account))).all())
