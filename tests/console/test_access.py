"""Who gets in, who stays in, and who may do what: every route, every role, every form."""

import re
from datetime import timedelta

import pytest
from aiohttp import web
from sqlalchemy import select

from config.clock import now
from console.web import streams
from console.web.permissions import ACTIONS, PUBLIC, action_of, may, needs
from staff.models import ConsoleSession
from staff.roles import ROLES
from staff.sessions import ABSOLUTE, IDLE
from staff.slowing import Pace
from tests.console.office import PASSWORD, Browser, Office, dismiss, set_roles, token_of


def routes(office: Office) -> list[tuple[str, str, object]]:
    """(method, path with ids filled in, handler) of every route that is registered."""
    app = office.server.app
    assert app is not None
    apps = [app] + [r._app for r in app.router.resources() if hasattr(r, "_app")]
    result = []
    for one in apps:
        for route in one.router.routes():
            if route.resource is None or hasattr(route.resource, "_app") or route.method == "HEAD":
                continue  # HEAD is the GET handler itself
            path = re.sub(r"\{sha256[^/]*\}", "0" * 64, route.resource.canonical)
            path = path.replace("{sha256}", "0" * 64)
            path = re.sub(r"\{[a-z_]+\}", "x", path)
            result.append((route.method, path, route.handler))
    return result


async def test_every_route_declares_its_action(office: Office) -> None:
    found = routes(office)
    assert len(found) > 70
    undeclared = [(method, path) for method, path, handler in found if not action_of(handler)]
    assert undeclared == []


async def test_nobody_gets_in_without_signing_in(office: Office) -> None:
    client = office.client()
    for method, path, handler in routes(office):
        if action_of(handler) == PUBLIC:
            continue
        answer = await client.request(method, path, allow_redirects=False)
        if path.startswith("/api/"):
            body = await answer.json()
            assert (answer.status, body["error"]) == (401, "no_session"), (method, path)
        else:
            assert answer.status == 303, (method, path)
            assert answer.headers["Location"].startswith("/console/signin"), (method, path)


async def test_a_person_without_the_role_is_refused_everywhere(office: Office) -> None:
    browser = await office.signed_in("editor")
    await _roles(office, "editor", [])
    for method, path, handler in routes(office):
        if action_of(handler) == PUBLIC:
            continue
        headers = {"X-CSRF": browser.csrf}
        answer = await browser.client.request(method, path, headers=headers, allow_redirects=False)
        assert answer.status == 403, (method, path, answer.status)
        text = await answer.text()
        assert "您的角色不能做这件事" in text, (method, path)


async def test_each_role_is_refused_exactly_what_the_table_denies(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table of refusals: every role at every route, and how many of them are closed."""
    monkeypatch.setattr(streams, "LONGEST", 0.0)  # what goes on for ever ends at once
    browser = await office.signed_in("editor")
    guarded = [
        (method, path, str(action_of(handler)))
        for method, path, handler in routes(office)
        if action_of(handler) != PUBLIC and not ends_session(path)
    ]
    refusals, wrong = 0, []
    for role in ROLES:
        await _roles(office, "editor", [role])
        for method, path, action in guarded:
            # What a role may do is asked for once only: behind the guard it is a page like others.
            if may([role], action) and role != min(ACTIONS[action]):
                continue
            refused = await _is_refused(browser, method, path)
            refusals += refused
            if refused is may([role], action):
                wrong.append((role, method, path))
    assert wrong == []
    open_pairs = sum(len(ACTIONS[action]) for _, _, action in guarded)
    assert refusals == len(ROLES) * len(guarded) - open_pairs
    assert refusals > 900, refusals


def ends_session(path: str) -> bool:
    return path == "/console/signout" or "end" in path.rsplit("/", 1)[-1]


async def _is_refused(browser: Browser, method: str, path: str) -> bool:
    headers = {"X-CSRF": browser.csrf}
    answer = await browser.client.request(method, path, headers=headers, allow_redirects=False)
    return answer.status == 403 and "您的角色不能做这件事" in await answer.text()


async def _roles(office: Office, login: str, roles: list[str]) -> None:
    await set_roles(office, login, roles)


def test_an_action_must_stand_in_the_table() -> None:
    with pytest.raises(KeyError):
        needs("items.publish_everything")
    assert all(roles <= set(ROLES) for roles in ACTIONS.values())


async def test_a_route_that_declares_nothing_is_closed(office: Office) -> None:
    browser = await office.signed_in("admin1")
    app = office.server.app
    assert app is not None
    mounted = {one.canonical: one for one in app.router.resources()}
    console = vars(mounted["/console"])["_app"]
    route = next(r for r in console.router.routes() if r.resource.canonical == "/console/ledger")
    undeclared = route.handler.action
    del route.handler.action  # type: ignore[attr-defined]
    try:
        assert (await browser.get("/console/ledger"))[0] == 403
    finally:
        route.handler.action = undeclared  # type: ignore[attr-defined]
    assert (await browser.get("/console/ledger"))[0] == 200


# --- signing in -----------------------------------------------------------------------------


async def test_the_right_password_signs_in_and_a_wrong_one_says_nothing_more(
    office: Office,
) -> None:
    browser = Browser(office.client())
    assert await browser.sign_in("editor", "wrong password") == 401
    assert await browser.sign_in("no such person", "wrong password") == 401
    assert await browser.sign_in("editor", PASSWORD) == 303
    status, text = await browser.get("/console/")
    assert status == 200
    assert "李雪" in text


async def test_a_deactivated_person_cannot_sign_in_and_is_signed_out(office: Office) -> None:
    browser = await office.signed_in("duty1")
    await dismiss(office, "duty1")
    assert (await browser.get("/console/"))[0] == 303
    assert await Browser(office.client()).sign_in("duty1", PASSWORD) == 401


async def test_repeated_failures_are_stopped_even_for_the_right_password(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pace, "seconds", lambda *_: 60.0)  # two seconds pass on a busy machine
    browser = Browser(office.client())
    statuses = [await browser.sign_in("editor", "wrong password") for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    assert await browser.sign_in("editor", PASSWORD) == 429
    assert await browser.sign_in("reviewer1", PASSWORD) == 303


async def test_the_session_cookie_is_closed_to_scripts_and_to_other_hosts(office: Office) -> None:
    browser = Browser(office.client())
    page = await browser.client.get("/console/signin")
    fields = {"login": "editor", "password": PASSWORD, "csrf": token_of(await page.text())}
    answer = await browser.client.post("/console/signin", data=fields, allow_redirects=False)
    cookie = answer.cookies["shenfa_session"]
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    assert cookie["domain"] == ""
    async with office.deps.db.session() as session:
        stored = (await session.scalars(select(ConsoleSession.token_hash))).all()
    assert cookie.value not in stored


@pytest.mark.parametrize(
    "next_path", ["https://evil.example/", "//evil.example", "/\\evil.example", "/wechat/x"]
)
async def test_signing_in_never_leads_to_another_place(office: Office, next_path: str) -> None:
    client = office.client()
    page = await client.get("/console/signin", params={"next": next_path})
    fields = {"login": "editor", "password": PASSWORD, "csrf": token_of(await page.text())}
    answer = await client.post(
        "/console/signin", data=fields | {"next": next_path}, allow_redirects=False
    )
    assert answer.headers["Location"] == "/console/"


@pytest.mark.parametrize(
    ("column", "age"), [("seen_at", IDLE), ("created_at", ABSOLUTE)], ids=["idle", "absolute"]
)
async def test_a_session_ends_by_itself(office: Office, column: str, age: timedelta) -> None:
    browser = await office.signed_in("editor")
    assert (await browser.get("/console/items"))[0] == 200
    old = now() - age - timedelta(seconds=1)
    async with office.deps.db.session() as session:
        for row in (await session.scalars(select(ConsoleSession))).all():
            setattr(row, column, old)
    status, _ = await browser.get("/console/items")
    assert status == 303
    assert (await browser.api("GET", "/items"))[0] == 401


async def test_signing_out_ends_the_session_on_the_server(office: Office) -> None:
    browser = await office.signed_in("editor")
    kept = browser.client.session.cookie_jar.filter_cookies(browser.client.make_url("/"))
    token = kept["shenfa_session"].value
    assert (await browser.post("/console/signout"))[0] == 303
    answer = await office.client().get(
        "/console/items", headers={"Cookie": f"shenfa_session={token}"}, allow_redirects=False
    )
    assert answer.status == 303


async def test_other_sessions_can_be_ended(office: Office) -> None:
    here, there = await office.signed_in("editor"), await office.signed_in("editor")
    assert (await here.post("/console/me/sessions"))[0] == 303
    assert (await there.get("/console/items"))[0] == 303
    assert (await here.get("/console/items"))[0] == 200


# --- forms ----------------------------------------------------------------------------------


async def test_a_form_without_the_token_of_this_session_changes_nothing(office: Office) -> None:
    row = await office.submitted()
    browser = await office.signed_in("reviewer1")
    other = await office.signed_in("editor")
    for token in ("", "x", other.csrf):
        status, _ = await browser.post(f"/console/items/{row.id}/claim", csrf=token)
        assert status == 403
    assert (await browser.post(f"/console/items/{row.id}/claim"))[0] == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=["origin", "null", "cross-site", "same-site"],
)
async def test_a_form_from_another_site_is_refused_even_with_the_token(
    office: Office, headers: dict[str, str]
) -> None:
    browser = await office.signed_in("editor")
    answer = await browser.client.post(
        "/console/signout", data={"csrf": browser.csrf}, headers=headers, allow_redirects=False
    )
    assert answer.status == 403
    assert (await browser.get("/console/items"))[0] == 200


async def test_the_api_needs_the_token_in_a_header_when_a_cookie_speaks(office: Office) -> None:
    browser = await office.signed_in("admin1")
    body = {"name": "push", "stopped": True, "reason": "演练"}
    answer = await browser.client.post("/api/v1/switches", json=body)
    assert answer.status == 403
    assert (await answer.json())["rule"] == "csrf"
    assert (await browser.api("POST", "/switches", body))[0] == 200


async def test_a_bearer_token_has_the_rights_of_its_person_and_can_be_ended(
    office: Office,
) -> None:
    browser = await office.signed_in("editor")
    _, text = await browser.post("/console/me/tokens", name="统计脚本")
    token = re.findall(r"sf_[\w-]{40,}", text)[0]
    headers = {"Authorization": f"Bearer {token}"}
    client = office.client()
    assert (await client.get("/api/v1/items", headers=headers)).status == 200
    refused = await client.post(
        "/api/v1/switches", headers=headers, json={"name": "push", "stopped": True, "reason": "x"}
    )
    assert refused.status == 403
    await browser.post("/console/me/tokens/end")
    assert (await client.get("/api/v1/items", headers=headers)).status == 401


async def test_every_answer_carries_the_security_headers(office: Office) -> None:
    browser = await office.signed_in("editor")
    for path in ("/console/", "/console/none", "/api/v1/items", "/console/static/console.css"):
        answer = await browser.client.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self';")
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
    assert (await browser.client.get("/console/")).headers["Cache-Control"] == "no-store"


async def test_an_unexpected_error_shows_a_plain_page_and_no_detail(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("a secret in the message")

    browser = await office.signed_in("editor")
    monkeypatch.setattr("console.home.pages._quiet_accounts", broken)
    status, text = await browser.get("/console/")
    assert status == 500
    assert "系统出错" in text
    assert "secret" not in text


def test_the_test_walks_sub_applications() -> None:
    assert hasattr(web.Application().add_subapp("/x/", web.Application()), "_app")


@pytest.mark.parametrize("path", ["/", "/console"])
async def test_the_bare_address_leads_to_the_console(office: Office, path: str) -> None:
    answer = await office.client().get(path, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/console/")


async def test_many_successful_sign_ins_from_one_address_are_no_attack(office: Office) -> None:
    for _ in range(8):
        assert await Browser(office.client()).sign_in("editor", PASSWORD) == 303
