"""The second step: codes of the phone, recovery codes, passkeys; who must have it, from when."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from json import dumps
from pathlib import Path
from typing import Any

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import delete, select, text, update

from config.clock import now
from console.web.guard import COOKIE
from ledger.models import Incident, LedgerEntry
from review_queue.governance.handovers import ask_reset
from staff import second_factor
from staff.door import Attempt
from staff.factors import BEGUN, FIRST_WEEK, RECOVERED, required_from
from staff.models import ConsoleSession, SecondFactor
from staff.passkeys import Passkeys, Place
from staff.refusal import Refused
from staff.second_factor import begin_first_week, reset_second_factor
from tests.console.office import PASSWORD, Browser, Office, build, close, token_of
from tests.review_queue.device import Device

QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """People whose passwords are checked in no time."""
    made = await build(tmp_path, QUICK.hash(PASSWORD))
    yield made
    await close(made)


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch) -> None:
    """The half minute of a code does not end in the middle of a test."""
    moment = now()
    monkeypatch.setattr("staff.second_factor.now", lambda: moment)


def code_of(secret: str, steps: int = 0) -> str:
    """What the phone shows, so many steps from now."""
    return pyotp.HOTP(secret).at(int(vars(second_factor)["now"]().timestamp()) // 30 + steps)


async def set_up(browser: Browser, **proof: str) -> tuple[str, list[str]]:
    """Secret and recovery codes of a person who sets it up on the page."""
    status, shown = await browser.post("/console/me/second/begin", password=PASSWORD, **proof)
    assert status == 200, shown
    (secret,) = re.findall(r"密钥：<span[^>]*>([A-Z2-7]{32})<", shown)
    assert "<svg" in shown
    assert "otpauth://totp/" in shown
    status, shown = await browser.post("/console/me/second/confirm", code=code_of(secret, -1))
    assert status == 200, shown
    codes = re.findall(r"<li>([2-9a-z]{4}-[2-9a-z]{4}-[2-9a-z]{4})</li>", shown)
    assert len(set(codes)) == 10
    return secret, codes


async def password_only(office: Office, login: str) -> Browser:
    """A browser where the password was right and the second step is asked."""
    browser = Browser(office.client())
    page = await browser.client.get("/console/signin")
    browser.csrf = token_of(await page.text())
    fields = {"login": login, "password": PASSWORD, "csrf": browser.csrf}
    answer = await browser.client.post("/console/signin", data=fields, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (
        303,
        "/console/signin/second?next=/console/",
    )
    assert COOKIE not in answer.cookies
    assert (await browser.get("/console/"))[0] == 303
    return browser


async def second(browser: Browser, code: str) -> tuple[int, str]:
    return await browser.post("/console/signin/second", code=code)


async def kinds(office: Office, kind: str) -> int:
    async with office.deps.db.session() as session:
        found = await session.scalars(select(LedgerEntry.seq).where(LedgerEntry.kind == kind))
        return len(found.all())


async def incidents(office: Office) -> list[str]:
    async with office.deps.db.session() as session:
        return list((await session.scalars(select(Incident.kind))).all())


# --- codes ------------------------------------------------------------------------------------


async def test_after_the_password_the_code_of_the_phone_is_asked(office: Office) -> None:
    secret, _ = await set_up(await office.signed_in("reviewer1"))
    browser = await password_only(office, "reviewer1")
    status, shown = await second(browser, "000000")
    assert status == 401
    assert "动态码或恢复码不对" in shown
    assert (await browser.get("/console/"))[0] == 303
    assert (await second(browser, code_of(secret)))[0] == 303
    assert (await browser.get("/console/"))[0] == 200


async def test_a_code_opens_once_and_never_again(office: Office) -> None:
    secret, _ = await set_up(await office.signed_in("editor"))
    code = code_of(secret)
    assert (await second(await password_only(office, "editor"), code))[0] == 303
    for seen in (code, code_of(secret, -1)):
        assert (await second(await password_only(office, "editor"), seen))[0] == 401
    assert (await second(await password_only(office, "editor"), code_of(secret, 1)))[0] == 303


async def test_a_recovery_code_opens_once_is_signed_and_said(office: Office) -> None:
    _, codes = await set_up(await office.signed_in("editor"))
    browser = await password_only(office, "editor")
    typed = codes[0].upper().replace("-", " ")
    answer = await browser.client.post(
        "/console/signin/second", data={"csrf": browser.csrf, "code": typed}
    )
    assert "您用了一个恢复码登录，已记入台账" in await answer.text()
    assert "还剩 9 个恢复码" in (await browser.get("/console/me/second"))[1]
    assert await kinds(office, RECOVERED) == 1
    assert (await second(await password_only(office, "editor"), codes[0]))[0] == 401
    assert (await second(await password_only(office, "editor"), codes[1]))[0] == 303


async def test_the_second_step_needs_the_first_and_ends_after_some_tries(office: Office) -> None:
    secret, _ = await set_up(await office.signed_in("editor"))
    stranger = Browser(office.client())
    stranger.csrf = token_of((await stranger.get("/console/signin"))[1])
    assert (await second(stranger, code_of(secret)))[0] == 401
    browser = await password_only(office, "editor")
    statuses = [(await second(browser, "000000"))[0] for _ in range(9)]
    assert set(statuses) == {401, 429}
    assert (await second(browser, code_of(secret)))[0] == 401
    assert (await browser.get("/console/"))[0] == 303


async def test_who_guesses_codes_after_a_right_password_is_told_of(office: Office) -> None:
    await set_up(await office.signed_in("editor"))
    door = office.deps.door
    for number in range(12):
        attempt = Attempt("editor", PASSWORD, f"192.0.2.{number}", "x")
        for key in ("signin:code-wait:", "signin:code:"):
            await office.deps.cache.delete(key + office.people["editor"])
        with pytest.raises(Refused):
            await door.prove(attempt, "000000")
    assert (await incidents(office)).count("second_step_guessed") == 1


async def test_six_digits_are_not_guessed_from_many_addresses(office: Office) -> None:
    await set_up(await office.signed_in("editor"))
    rules = []
    for number in range(10):
        attempt = Attempt("editor", PASSWORD, f"192.0.2.{number}", "x")
        with pytest.raises(Refused) as refused:
            await office.deps.door.prove(attempt, "000000")
        rules.append(refused.value.reasons[0].rule)
    assert rules == ["code"] * 5 + ["wait"] * 5


# --- who writes to the database -----------------------------------------------------------------


async def test_a_row_deleted_or_changed_by_sql_closes_the_door_and_is_told(office: Office) -> None:
    secret, _ = await set_up(await office.signed_in("editor"))
    own, _ = await set_up(await office.signed_in("duty1"))
    async with office.deps.db.session() as session:
        other = await session.get_one(SecondFactor, office.people["duty1"])
        kept = {"secret": other.secret, "recovery": other.recovery, "seal": other.seal}
        mine = SecondFactor.staff_id == office.people["editor"]
        await session.execute(update(SecondFactor).where(mine).values(**kept))
    for code in (code_of(own), code_of(secret)):
        status, shown = await second(await password_only(office, "editor"), code)
        assert status == 403
        assert "绕过本系统改动" in shown
    async with office.deps.db.session() as session:
        await session.execute(delete(SecondFactor))
    assert (await second(await password_only(office, "editor"), code_of(secret)))[0] == 403
    assert await incidents(office) == ["row_changed"]


async def test_an_older_row_put_back_does_not_bring_a_used_recovery_code_back(
    office: Office,
) -> None:
    _, codes = await set_up(await office.signed_in("editor"))
    async with office.deps.db.session() as session:
        table = SecondFactor.__table__
        older = (await session.execute(select(table))).mappings().one()
    assert (await second(await password_only(office, "editor"), codes[0]))[0] == 303
    async with office.deps.db.session() as session:
        await session.execute(update(SecondFactor).values(**older))
    assert (await second(await password_only(office, "editor"), codes[0]))[0] == 401
    assert (await second(await password_only(office, "editor"), codes[1]))[0] == 303


async def test_neither_secret_nor_recovery_codes_stand_in_the_database(office: Office) -> None:
    secret, codes = await set_up(await office.signed_in("editor"))
    async with office.deps.db.session() as session:
        row = (await session.execute(text("SELECT * FROM second_factor"))).one()
        said = (await session.scalars(select(LedgerEntry.preimage))).all()
    whole = " ".join([*map(str, row), *said])
    for word in (secret, *codes, *(code.replace("-", "") for code in codes)):
        assert word not in whole


# --- changing it ----------------------------------------------------------------------------------


async def test_setting_up_replacing_and_giving_up_need_password_and_code(office: Office) -> None:
    browser = await office.signed_in("duty1")
    assert (await browser.post("/console/me/second/begin", password="wrong password"))[0] == 403
    secret, codes = await set_up(browser)
    for proof in ({}, {"code": "000000"}):
        status, _ = await browser.post("/console/me/second/begin", password=PASSWORD, **proof)
        assert status == 401
    newer, _ = await set_up(browser, code=codes[0])
    assert (await second(await password_only(office, "duty1"), code_of(secret, 1)))[0] == 401
    assert (await second(await password_only(office, "duty1"), code_of(newer)))[0] == 303
    status, _ = await browser.post("/console/me/second/remove", password=PASSWORD, code="1")
    assert status == 401
    proof = {"password": PASSWORD, "code": code_of(newer, 1)}
    assert (await browser.post("/console/me/second/remove", **proof))[0] == 303
    assert await Browser(office.client()).sign_in("duty1", PASSWORD) == 303


async def test_who_must_have_it_can_replace_it_and_not_give_it_up(office: Office) -> None:
    browser = await office.signed_in("reviewer2")
    secret, _ = await set_up(browser)
    proof = {"password": PASSWORD, "code": code_of(secret)}
    status, shown = await browser.post("/console/me/second/remove", **proof)
    assert status == 409
    assert "可以更换，不能去掉" in shown


async def test_setting_it_up_ends_what_the_password_alone_had_opened(office: Office) -> None:
    there, here = await office.signed_in("editor"), await office.signed_in("editor")
    await set_up(here)
    assert (await there.get("/console/items"))[0] == 303
    assert (await here.get("/console/items"))[0] == 200


async def test_a_reset_takes_it_away_and_ends_every_session(office: Office) -> None:
    browser = await office.signed_in("editor")
    await set_up(browser)
    async with office.deps.ledger.transaction() as tx:
        await reset_second_factor(tx, office.people["editor"], office.people["admin1"])
    assert (await browser.get("/console/items"))[0] == 303
    assert await Browser(office.client()).sign_in("editor", PASSWORD) == 303


async def test_a_password_reset_between_the_steps_ends_them(office: Office) -> None:
    secret, _ = await set_up(await office.signed_in("editor"))
    browser = await password_only(office, "editor")
    made, people = office.deps.governance.proposals, office.people
    row, _ = await ask_reset(made, "editor", people["admin1"], "本人忘记密码")
    await made.approve(row.id, people["admin2"])
    assert (await second(browser, code_of(secret)))[0] == 401


# --- who must have it -----------------------------------------------------------------------------


async def first_week_over(office: Office) -> None:
    body = {"second_factor_from": (now() - timedelta(minutes=1)).isoformat()}
    async with office.deps.ledger.transaction() as tx:
        await tx.append(BEGUN, subject="office", actor="system", body=body)


@pytest.mark.parametrize("login", ["admin1", "reviewer1", "reviewer2", "reviewer3"])
async def test_after_the_first_week_a_password_alone_opens_only_the_set_up(
    office: Office, login: str
) -> None:
    before = await office.signed_in(login)
    token = before.csrf
    await first_week_over(office)
    browser = Browser(office.client())
    page = await browser.client.get("/console/signin")
    fields = {"login": login, "password": PASSWORD, "csrf": token_of(await page.text())}
    await browser.client.post("/console/signin", data=fields, allow_redirects=False)
    for path in ("/console/", "/console/items", "/console/me", "/console/me/passkeys"):
        answer = await browser.client.get(path, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/console/me/second"), path
    assert (await browser.api("GET", "/items"))[1]["rule"] == "set_up"
    # Whoever signed in before that moment is no exception.
    assert (await before.api("GET", "/items"))[0] == 403
    assert (await before.post("/console/me/tokens", csrf=token, name="x"))[0] == 303
    shown = (await browser.get("/console/me/second"))[1]
    assert "请先设好第二步验证" in shown
    browser.csrf = token_of(shown)
    await set_up(browser)
    assert (await browser.get("/console/"))[0] == 200
    async with office.deps.db.session() as session:
        tokens = (await session.execute(text("SELECT count(*) FROM api_token"))).scalar()
    assert tokens == 0


async def test_a_token_of_the_first_week_runs_until_the_second_step_is_set_up(
    office: Office,
) -> None:
    browser = await office.signed_in("admin1")
    _, shown = await browser.post("/console/me/tokens", name="统计脚本")
    headers = {"Authorization": f"Bearer {re.findall(r'sf_[-_0-9A-Za-z]{40,}', shown)[0]}"}
    client = office.client()
    await first_week_over(office)
    assert (await client.get("/api/v1/items", headers=headers)).status == 200
    await set_up(browser)
    assert (await client.get("/api/v1/items", headers=headers)).status == 401


async def test_whose_roles_do_not_ask_for_it_go_on_as_before(office: Office) -> None:
    await first_week_over(office)
    for login in ("editor", "duty1"):
        assert (await (await office.signed_in(login)).get("/console/"))[0] == 200


async def test_in_the_first_week_the_pages_ask_for_it_and_everything_works(office: Office) -> None:
    async with office.deps.ledger.transaction() as tx:
        await tx.append("genesis", subject="office", actor="init", body={"sealed": True})
    await begin_first_week(office.deps.ledger)
    facts = await office.deps.ledger.facts("office")
    assert abs(required_from(facts) - now() - FIRST_WEEK) < timedelta(minutes=1)  # type: ignore[operator]
    await begin_first_week(office.deps.ledger)
    assert await kinds(office, BEGUN) == 1
    admin, editor = await office.signed_in("admin1"), await office.signed_in("editor")
    for path in ("/console/", "/console/me"):
        assert "请设好第二步验证" in (await admin.get(path))[1]
        assert "请设好第二步验证" not in (await editor.get(path))[1]
    await set_up(admin)
    assert "请设好第二步验证" not in (await admin.get("/console/"))[1]


# --- passkeys -------------------------------------------------------------------------------------


async def with_device(office: Office, login: str) -> Device:
    """A confirmed passkey of this person, made on localhost."""
    origin = f"http://localhost:{office.server.port}"
    device, keys = Device(origin), Passkeys(office.deps.ledger, office.deps.cache)
    options = await keys.begin(office.people[login], Place(origin))
    row = await keys.finish(office.people[login], Place(origin), device.create(options), "电脑")
    await keys.confirm(row.id, office.people["admin1"])
    return device


async def ask(browser: Browser, path: str, device: Device) -> dict[str, Any]:
    answer = await browser.client.post(
        path, data={"csrf": browser.csrf}, headers={"Host": device.origin.split("//")[1]}
    )
    assert answer.status == 200, await answer.text()
    return dict(await answer.json())


async def test_a_confirmed_passkey_is_the_second_step(office: Office) -> None:
    device = await with_device(office, "reviewer1")
    browser = await password_only(office, "reviewer1")
    options = await ask(browser, "/console/signin/second/options", device)
    assert len(options["allowCredentials"]) == 1
    stranger = Device(device.origin)
    stranger.id = device.id
    for signer, status in ((stranger, 401), (device, 303)):
        signed = dumps(signer.sign(options))
        assert (await browser.post("/console/signin/second/passkey", passkey=signed))[0] == status
    assert (await browser.get("/console/"))[0] == 200


async def test_a_passkey_alone_signs_in_and_waits_for_nobody(office: Office) -> None:
    device = await with_device(office, "reviewer1")
    for _ in range(6):
        await Browser(office.client()).sign_in("reviewer1", "wrong password")
    browser = Browser(office.client())
    browser.csrf = token_of((await browser.get("/console/signin"))[1])
    options = await ask(browser, "/console/signin/passkey/options", device)
    assert options.get("allowCredentials", []) == []  # nobody learns whose keys there are
    signed = dumps(device.sign(options))
    assert (await browser.post("/console/signin/passkey", passkey=signed))[0] == 303
    assert "张海" in (await browser.get("/console/"))[1]
    other = Browser(office.client())
    other.csrf = token_of((await other.get("/console/signin"))[1])
    await ask(other, "/console/signin/passkey/options", device)
    # Signed for another question; and the same answer a second time.
    assert (await other.post("/console/signin/passkey", passkey=signed))[0] == 401
    browser.csrf = token_of((await browser.get("/console/"))[1])
    again = await browser.client.get("/console/signin")
    assert again.status == 200


async def test_a_passkey_that_nobody_confirmed_or_that_was_stopped_signs_in_nobody(
    office: Office,
) -> None:
    device = await with_device(office, "reviewer1")
    keys = Passkeys(office.deps.ledger, office.deps.cache)
    origin = Place(device.origin)
    unconfirmed = Device(device.origin)
    made = await keys.begin(office.people["editor"], origin)
    await keys.finish(office.people["editor"], origin, unconfirmed.create(made), "手机")
    async with office.deps.db.session() as session:
        row = (await session.execute(text("SELECT id FROM passkey ORDER BY id LIMIT 1"))).scalar()
    await keys.revoke(str(row), office.people["reviewer1"])
    for one in (device, unconfirmed):
        browser = Browser(office.client())
        browser.csrf = token_of((await browser.get("/console/signin"))[1])
        options = await ask(browser, "/console/signin/passkey/options", one)
        signed = dumps(one.sign(options))
        status, shown = await browser.post("/console/signin/passkey", passkey=signed)
        assert status == 401
        assert "不能登录" in shown
    # Its owner is back to password alone.
    assert await Browser(office.client()).sign_in("reviewer1", PASSWORD) == 303


# --- the command line -----------------------------------------------------------------------------


async def test_the_command_line_asks_for_the_code_as_well(office: Office) -> None:
    secret, _ = await set_up(await office.signed_in("editor"))
    door, attempt = office.deps.door, Attempt("editor", PASSWORD, "command line", "shenfa")
    with pytest.raises(Refused) as refused:
        await door.prove(attempt)
    assert refused.value.reasons[0].rule == "code_needed"
    assert await door.prove(attempt, code_of(secret)) == office.people["editor"]
    await with_device(office, "reviewer1")
    with pytest.raises(Refused, match="命令行用不了"):
        await door.prove(Attempt("reviewer1", PASSWORD, "command line", "shenfa"))
    await first_week_over(office)
    with pytest.raises(Refused, match="请先在网页登录设好"):
        await door.prove(Attempt("admin1", PASSWORD, "command line", "shenfa"))


async def test_no_session_is_left_behind_by_a_step_that_was_not_taken(office: Office) -> None:
    await set_up(await office.signed_in("editor"))
    async with office.deps.db.session() as session:
        before = len((await session.scalars(select(ConsoleSession))).all())
    await password_only(office, "editor")
    async with office.deps.db.session() as session:
        assert len((await session.scalars(select(ConsoleSession))).all()) == before
