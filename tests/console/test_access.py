"""Who gets in, who stays in, and who may do what: every route, every role, every form."""

import re
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from aiohttp.web_urldispatcher import UrlMappingMatchInfo
from sqlalchemy import select

from config.clock import now
from console.web import guard
from console.web.permissions import ACTIONS, PUBLIC, needs
from console.web.refusals import SIGNED_OUT, Guarded, lines, refused, routes_of
from staff.models import ConsoleSession
from staff.refusal import Refused
from staff.roles import ROLES
from staff.sessions import ABSOLUTE, IDLE, Visitor
from staff.slowing import Pace
from tests.console.office import PASSWORD, Browser, Office, dismiss, set_roles, token_of


def routes(office: Office) -> list[Guarded]:
    app = office.server.app
    assert app is not None
    return routes_of(app)


async def test_every_route_declares_its_action(office: Office) -> None:
    found = routes(office)
    assert len(found) > 70
    assert [(one.method, one.path) for one in found if not one.action] == []


async def test_nobody_gets_in_without_signing_in(office: Office) -> None:
    client = office.client()
    for one in routes(office):
        method, path = one.method, one.path
        if one.action == PUBLIC:
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
    for one in routes(office):
        method, path = one.method, one.path
        if one.action == PUBLIC:
            continue
        headers = {"X-CSRF": browser.csrf}
        answer = await browser.client.request(method, path, headers=headers, allow_redirects=False)
        assert answer.status == 403, (method, path, answer.status)
        text = await answer.text()
        assert "您的角色不能做这件事" in text, (method, path)


async def test_each_role_is_refused_exactly_what_the_table_denies(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table of refusals: the guard asked at every route, for every role and for nobody."""
    person: list[Visitor | None] = [None]

    async def who(*_: object, **__: object) -> Visitor | None:
        return person[0]

    monkeypatch.setattr(guard, "_who", who)
    every = [(one, _request(one)) for one in routes(office)]
    turned_away, wrong = 0, []
    for role in (*ROLES, SIGNED_OUT):
        own = Visitor("x", "x", "x", frozenset({role}), "token", "key")
        person[0] = None if role == SIGNED_OUT else own
        for one, request in every:
            closed = await _status(request) == (401 if role == SIGNED_OUT else 403)
            turned_away += closed
            wrong += [] if closed is refused(one, role) else [(role, one.method, one.path)]
    assert wrong == []
    assert office.server.app is not None
    table = "\n".join(lines(office.server.app))
    print(table)  # noqa: T201  what pytest -s shows
    assert table.endswith(f"| {turned_away} |")
    assert turned_away > 1_500, turned_away


def _request(one: Guarded) -> web.Request:
    """A request of this route with the session's own form token."""
    made = make_mocked_request(one.method, one.path, headers={"X-CSRF": "token"})
    made._match_info = UrlMappingMatchInfo({}, one.route)
    return made


async def _status(request: web.Request) -> int:
    """With what the guard turns a request away, or 200."""
    try:
        await guard._admit(request, tokens=False)
    except Refused as why:
        return why.status
    return 200


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


async def test_one_sign_in_is_ended_by_oneself_or_by_an_admin_and_the_others_go_on(
    office: Office,
) -> None:
    phone = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) AppleWebKit Safari/604.1"}
    here, there = await office.signed_in("editor"), Browser(office.client())
    vars(there.client.session)["_default_headers"].update(phone)
    await there.sign_in("editor", PASSWORD)
    status, page = await here.get("/console/me")
    assert (status, "Safari，iPhone" in page, page.count("这台设备")) == (200, True, 1)
    (end,) = re.findall(r'action="(/console/me/sessions/[0-9a-f]{16}/end)"', page)
    other, admin = await office.signed_in("reviewer1"), await office.signed_in("admin1")
    assert (await other.post(end))[0] == 404  # nobody's else
    assert (await here.post(end))[0] == 303
    assert (await there.get("/console/items"))[0] == 303
    assert (await here.get("/console/items"))[0] == 200
    assert (await here.post(end))[0] == 404
    place = "/console/settings/staff/editor/sessions"
    assert (await other.get(place))[0] == 403
    (end,) = re.findall(rf'action="({place}/[0-9a-f]{{16}}/end)"', (await admin.get(place))[1])
    assert (await other.post(end))[0] == 403
    assert (await admin.post(end))[0] == 303
    assert (await here.get("/console/items"))[0] == 303
    assert "没有在任何地方登录" in (await admin.get(place))[1]
    told = await office.deps.ledger.facts(f"access:{office.people['editor']}")
    assert [one.actor for one in told] == [office.people[who] for who in ("editor", "admin1")]


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
