"""Whoever kept an old row, sealed as it was, and writes it back gets in nowhere."""

from typing import Any

from sqlalchemy import insert, select

from ledger.models import Incident
from review_queue.governance.handovers import ask_reset
from staff.models import ApiToken, ConsoleSession, Staff
from staff.newest import newest_password, password_digest
from staff.sessions import new_token
from tests.console.office import PASSWORD, Browser, Office, dismiss, set_roles

OWN = "a new password of my own"


class Kept:
    """Every row of some tables as it stood once, seals included."""

    def __init__(self, office: Office, *tables: Any) -> None:
        self.office, self.tables = office, [one.__table__ for one in tables]
        self.rows: dict[str, list[dict[str, Any]]] = {}

    async def keep(self) -> "Kept":
        async with self.office.deps.db.session() as session:
            for table in self.tables:
                found = (await session.execute(select(table))).mappings().all()
                self.rows[table.name] = [dict(row) for row in found]
        return self

    async def put_back(self) -> None:
        async with self.office.deps.db.session() as session:
            for table in self.tables:
                key = next(iter(table.primary_key)).name
                for row in self.rows[table.name]:
                    await session.execute(table.delete().where(table.c[key] == row[key]))
                    await session.execute(insert(table), [row])


async def told(office: Office) -> set[str]:
    async with office.deps.db.session() as session:
        query = select(Incident.subject).where(Incident.kind == "row_changed")
        return {subject.split(":")[0] for subject in (await session.scalars(query)).all()}


async def change_password(browser: Browser) -> None:
    status, _ = await browser.post("/console/me/password", old=PASSWORD, new=OWN)
    assert status == 303


async def with_token(office: Office, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return (await office.client().get("/api/v1/items", headers=headers)).status


async def test_an_old_password_put_back_opens_nothing(office: Office) -> None:
    browser, kept = await office.signed_in("editor"), await Kept(office, Staff).keep()
    await change_password(browser)
    assert await Browser(office.client()).sign_in("editor", OWN) == 303
    await kept.put_back()
    assert await Browser(office.client()).sign_in("editor", PASSWORD) == 401
    assert await told(office) == {"staff"}
    # Nor does the person make it good again by changing it in a session that is still open.
    status, text = await browser.post("/console/me/password", old=PASSWORD, new=OWN + "2")
    assert (status, "绕过本系统改动" in text) == (403, True)


async def test_roles_given_later_do_not_make_an_old_password_good(office: Office) -> None:
    kept = await Kept(office, Staff).keep()
    await change_password(await office.signed_in("editor"))
    await kept.put_back()
    await set_roles(office, "editor", ["editor", "duty"])
    assert await Browser(office.client()).sign_in("editor", PASSWORD) == 401


async def test_the_password_of_before_a_reset_opens_nothing(office: Office) -> None:
    made, people, kept = office.deps.governance.proposals, office.people, Kept(office, Staff)
    await kept.keep()
    row, _ = await ask_reset(made, "editor", people["admin1"], "本人忘记密码")
    await made.approve(row.id, people["admin2"])
    await kept.put_back()
    assert await Browser(office.client()).sign_in("editor", PASSWORD) == 401
    assert await told(office) == {"staff"}


async def test_a_password_that_no_entry_names_is_taken_as_before(office: Office) -> None:
    """As after an upgrade: the entries of earlier versions hold no digest."""
    entries = await office.deps.ledger.facts(f"staff:{office.people['editor']}")
    async with office.deps.db.session() as session:
        row = await session.get_one(Staff, office.people["editor"])
    digest = password_digest(row.id, row.password_hash)
    assert [entry.body["password_digest"] for entry in entries] == [digest]
    for entry in entries:
        del entry.body["password_digest"]
    row.password_hash = "another"
    assert newest_password(row, entries)


async def test_a_session_signed_out_and_put_back_opens_nothing(office: Office) -> None:
    browser = await office.signed_in("editor")
    kept = await Kept(office, ConsoleSession).keep()
    cookies = browser.client.session.cookie_jar.filter_cookies(browser.client.make_url("/"))
    headers = {"Cookie": f"shenfa_session={cookies['shenfa_session'].value}"}
    assert (await browser.post("/console/signout"))[0] == 303
    await kept.put_back()
    answer = await office.client().get("/console/items", headers=headers, allow_redirects=False)
    assert answer.status == 303
    assert await told(office) == {"console_session"}
    assert await Browser(office.client()).sign_in("editor", PASSWORD) == 303


async def test_other_sessions_ended_and_put_back_open_nothing(office: Office) -> None:
    here, there = await office.signed_in("editor"), await office.signed_in("editor")
    kept = await Kept(office, ConsoleSession).keep()
    assert (await here.post("/console/me/sessions"))[0] == 303
    await kept.put_back()
    assert (await there.get("/console/items"))[0] == 303
    assert (await here.get("/console/items"))[0] == 200
    assert await told(office) == {"console_session"}


async def test_what_a_new_password_ended_opens_nothing_when_put_back(office: Office) -> None:
    here, there = await office.signed_in("editor"), await office.signed_in("editor")
    token = await new_token(office.deps.db, office.people["editor"], "统计脚本")
    kept = await Kept(office, ConsoleSession, ApiToken).keep()
    await change_password(here)
    await kept.put_back()
    assert (await there.get("/console/items"))[0] == 303
    assert await with_token(office, token) == 401
    assert (await here.get("/console/items"))[0] == 200
    assert await told(office) == {"console_session", "api_token"}
    later = await new_token(office.deps.db, office.people["editor"], "统计脚本")
    assert await with_token(office, later) == 200


async def test_a_token_ended_and_put_back_opens_nothing(office: Office) -> None:
    browser = await office.signed_in("editor")
    token = await new_token(office.deps.db, office.people["editor"], "统计脚本")
    kept = await Kept(office, ApiToken).keep()
    assert await with_token(office, token) == 200
    assert (await browser.post("/console/me/tokens/end"))[0] == 303
    await kept.put_back()
    assert await with_token(office, token) == 401
    assert (await browser.get("/console/items"))[0] == 200
    assert await told(office) == {"api_token"}


async def test_whoever_comes_back_does_not_find_the_sessions_of_before(office: Office) -> None:
    browser = await office.signed_in("editor")
    await dismiss(office, "editor")
    await set_roles(office, "editor", ["editor"])
    # The row says it goes on: nothing ended it but the signed entry.
    async with office.deps.db.session() as session:
        query = select(ConsoleSession.revoked_at)
        assert (await session.scalars(query)).all() == [None]
    assert (await browser.get("/console/items"))[0] == 303
    assert await Browser(office.client()).sign_in("editor", PASSWORD) == 303
