"""单位统一登录: only who is bound and confirmed, only by what the provider really signed for us."""

import json
import re
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from commands.homes import settings_for
from commands.lines import BadInput
from config.clock import now
from ledger.models import LedgerEntry
from staff import provider as provider_module
from staff.provider import client_of
from staff.refusal import Refused
from tests.console import provider as fakes
from tests.console.office import PASSWORD, Browser, Office, build, close, dismiss
from tests.console.provider import CLIENT, SECRET, FakeProvider, serve
from tests.console.test_second_factor import QUICK, code_of, set_up

BACK = "/console/signin/provider/back"


@pytest.fixture
async def fake() -> AsyncIterator[FakeProvider]:
    made = FakeProvider()
    server = await serve(made)
    yield made
    await server.close()


@pytest.fixture
async def office(tmp_path: Path, fake: FakeProvider) -> AsyncIterator[Office]:
    """An office that signs in by the provider; `editor` is bound to u-1001 and confirmed."""
    made = await build(
        tmp_path,
        QUICK.hash(PASSWORD),
        dev=True,
        dev_allow=urlsplit(fake.url).netloc,
        oidc_issuer=fake.url,
        oidc_client_id=CLIENT,
        oidc_client_secret=SECRET,
    )
    yield made
    await close(made)


async def there(browser: Browser, address: str) -> str:
    """What the provider sends the browser back with: the path and query of our own address."""
    answer = await browser.client.session.get(address, allow_redirects=False)
    parts = urlsplit(answer.headers["Location"])
    assert parts.path == BACK
    return f"{parts.path}?{parts.query}"


async def left(browser: Browser, next_path: str = "") -> str:
    """The provider's address a browser is sent to."""
    answer = await browser.client.get(
        "/console/signin/provider", params={"next": next_path}, allow_redirects=False
    )
    assert answer.status == 303, await answer.text()
    return answer.headers["Location"]


async def signed_in(browser: Browser, next_path: str = "") -> tuple[int, str, str]:
    """Status, where to and page of coming back."""
    answer = await browser.client.get(
        await there(browser, await left(browser, next_path)), allow_redirects=False
    )
    return answer.status, answer.headers.get("Location", ""), await answer.text()


async def bound(office: Office, login: str) -> Browser:
    """A browser of somebody who bound the subject that the provider has just now."""
    browser = await office.signed_in(login)
    _, page = await browser.post("/console/me/identity")
    address = re.findall(r'href="(http://127[^"]+)"', page)[0].replace("&amp;", "&")
    answer = await browser.client.get(await there(browser, address), allow_redirects=False)
    assert answer.headers.get("Location", "") == "/console/me/identity?done=identity_bound"
    return browser


async def confirmed(office: Office, login: str) -> None:
    await bound(office, login)
    admin = await office.signed_in("admin1")
    assert (await admin.post(f"/console/identities/{login}/confirm"))[0] == 303


async def last_sign_in(office: Office) -> Any:
    """How the newest session was opened, as it was signed."""
    newest = select(LedgerEntry.preimage).where(LedgerEntry.kind == "signin")
    async with office.deps.db.session() as session:
        text = (await session.scalars(newest.order_by(LedgerEntry.seq.desc()).limit(1))).one()
    return json.loads(text)["body"]


async def test_who_is_bound_and_confirmed_signs_in_with_the_roles_of_this_office(
    office: Office, fake: FakeProvider
) -> None:
    stranger = Browser(office.client())
    assert ">用单位统一登录</a>" in (await stranger.get("/console/signin"))[1]
    status, _, page = await signed_in(stranger)
    assert (status, "没有绑定本系统的人员" in page) == (401, True)  # nobody is made by signing in
    own = await bound(office, "editor")
    assert (await signed_in(Browser(office.client())))[0] == 401  # not confirmed yet
    assert (await own.post("/console/identities/editor/confirm"))[0] == 403
    admin = await office.signed_in("admin1")
    assert "李雪" in (await admin.get("/console/me/identity"))[1]
    assert (await admin.post("/console/identities/editor/confirm"))[0] == 303
    browser = Browser(office.client())
    assert (await signed_in(browser, "/console/items"))[:2] == (303, "/console/items")
    assert (await browser.get("/console/items"))[0] == 200
    assert (await browser.get("/console/settings/staff"))[0] == 403  # the token said admin
    told = await office.deps.ledger.facts(f"staff:{office.people['editor']}")
    kinds = [one.kind for one in told if one.kind.startswith("identity.")]
    assert kinds == ["identity.bound", "identity.confirmed"]
    assert not any("u-1001" in str(one.body) or fake.url in str(one.body) for one in told)
    assert await last_sign_in(office) == {"by": "provider"}
    # Nobody else takes the same subject; unbound, or gone and back, it opens nothing.
    other = await office.signed_in("reviewer1")
    _, page = await other.post("/console/me/identity")
    address = re.findall(r'href="(http://127[^"]+)"', page)[0].replace("&amp;", "&")
    answer = await other.client.get(await there(other, address))
    assert (answer.status, "已经绑定给别人" in await answer.text()) == (409, True)
    assert (await other.post("/console/identities/editor/unbind"))[0] == 403
    assert (await admin.post("/console/identities/editor/unbind"))[0] == 303
    assert (await signed_in(Browser(office.client())))[0] == 401


async def test_what_the_browser_is_sent_away_with(office: Office, fake: FakeProvider) -> None:
    browser = Browser(office.client())
    address = await left(browser)
    asked = {name: one for name, (one,) in parse_qs(urlsplit(address).query).items()}
    assert address.startswith(f"{fake.url}/authorize?")
    assert (asked["response_type"], asked["scope"], asked["client_id"]) == (
        "code",
        "openid",
        CLIENT,
    )
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert asked["redirect_uri"].endswith(BACK)
    again = {name: one for name, (one,) in parse_qs(urlsplit(await left(browser)).query).items()}
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name]) >= 32
        assert asked[name] != again[name]
    # The verifier and the nonce are in the browser only as ciphertext.
    kept = browser.client.session.cookie_jar.filter_cookies(browser.client.make_url("/"))
    assert kept["shenfa_provider"].value.startswith("b1:")


def changed(**more: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda claims: {k: v for k, v in (claims | more).items() if v is not None}


FALSE = {
    "wrong nonce": changed(nonce="another"),
    "no nonce": changed(nonce=None),
    "a list of nonces": lambda said: said | {"nonce": ["x", said["nonce"]]},
    "wrong issuer": changed(iss="https://evil.example"),
    "issuer with a slash": lambda said: said | {"iss": said["iss"] + "/"},
    "wrong audience": changed(aud="another"),
    "no audience": changed(aud=None),
    "several audiences, nobody named": changed(aud=[CLIENT, "another"]),
    "made for another": changed(aud=[CLIENT, "another"], azp="another"),
    "expired": lambda said: said | {"exp": int(time.time()) - 120},
    "never ends": changed(exp=None),
    "from tomorrow": lambda said: said | {"iat": int(time.time()) + 86_400},
    "no subject": changed(sub=None),
    "empty subject": changed(sub=""),
    "a number for a subject": changed(sub=1001),
    "a long subject": changed(sub="u" * 300),
}
SIGNED = {
    "alg none": fakes.unsigned,
    "public key as secret": fakes.by_public_key,
    "another key": fakes.by_another_key,
    "a key of its own": fakes.by_key_inside,
    "no token at all": lambda *_: "x.y.z",
    "changed afterwards": lambda fake, said: fake.signed(said)[:-8] + "AAAAAAAA",
}


async def test_nothing_false_opens_the_door(
    office: Office, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_module, "_AGAIN", 0.0)
    await confirmed(office, "editor")
    browser = Browser(office.client())
    opened = []
    for name, forge in FALSE.items():
        fake.forge = forge
        status, _, page = await signed_in(browser)
        opened += [] if (status, "没有证明您是谁" in page) == (401, True) else [(name, status)]
    fake.forge = fakes.same
    for name, sign in SIGNED.items():
        fake.sign = sign
        status, _, page = await signed_in(browser)
        opened += [] if (status, "没有证明您是谁" in page) == (401, True) else [(name, status)]
    assert opened == []
    fake.sign = None
    assert (await signed_in(browser))[0] == 303  # and the true one does


async def test_an_answer_counts_once_soon_and_in_its_own_browser(
    office: Office, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await confirmed(office, "editor")
    browser, other = Browser(office.client()), Browser(office.client())
    path = await there(browser, await left(browser))
    await left(other)
    kept = browser.client.session.cookie_jar.filter_cookies(browser.client.make_url("/"))
    cookie = {"Cookie": f"shenfa_provider={kept['shenfa_provider'].value}"}

    async def comes(who: Browser, path: str, **more: Any) -> int:
        return (await who.client.get(path, allow_redirects=False, **more)).status

    assert await comes(other, path) == 401  # somebody else's answer: nobody is signed in as them
    assert await comes(Browser(office.client()), path) == 401
    assert await comes(browser, re.sub("state=[^&]+", "state=x", path)) == 401
    await left(browser)
    assert await comes(browser, path) == 401  # that browser has a newer question
    assert await comes(Browser(office.client()), path, headers=cookie) == 303
    assert await comes(Browser(office.client()), path, headers=cookie) == 401  # replayed
    path = await there(browser, await left(browser))
    assert await comes(browser, re.sub("iss=[^&]+", "iss=https://evil.example", path)) == 401
    path = await there(browser, await left(browser))
    assert await comes(browser, re.sub("code=[^&]+", "code=another", path)) == 401
    path = await there(browser, await left(browser))
    assert await comes(browser, re.sub("code=[^&]+", "error=access_denied", path)) == 401
    path = await there(browser, await left(browser))
    monkeypatch.setattr("staff.identities.WAIT", -1.0)
    assert await comes(browser, path) == 401  # too late


async def test_it_leads_to_no_other_place(office: Office, fake: FakeProvider) -> None:
    await confirmed(office, "editor")
    for path in ("https://evil.example/", "//evil.example", "/\\evil", "/x", "/console\\.evil"):
        assert (await signed_in(Browser(office.client()), path))[1] == "/console/"


@pytest.mark.parametrize("place", ["https://[", "https://x.example/a\r\nX: y", 5])
async def test_an_address_that_is_none_is_an_answer_and_no_fault_of_ours(
    office: Office, fake: FakeProvider, place: object
) -> None:
    fake.said = {"authorization_endpoint": place}
    answer = await office.client().get("/console/signin/provider", allow_redirects=False)
    assert (answer.status, "现在连不上" in await answer.text()) == (503, True)


async def test_one_address_does_not_make_the_office_ask_for_ever(
    office: Office, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.me.provider._MOST", 2)
    browser = Browser(office.client())
    path = await there(browser, await left(browser))
    assert (await browser.client.get(path, allow_redirects=False)).status == 401
    before = len(fake.asked)
    for place in (path, "/console/signin/provider"):
        answer = await browser.client.get(place, allow_redirects=False)
        assert (answer.status, 'name="password"' in await answer.text()) == (429, True)
    assert len(fake.asked) == before


async def test_its_keys_may_change_and_the_old_one_ends(
    office: Office, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await confirmed(office, "editor")
    fake.key, fake.shown = 1, (1,)
    assert (await signed_in(Browser(office.client())))[0] == 401  # read a moment ago: not again yet
    monkeypatch.setattr(provider_module, "_AGAIN", 0.0)
    assert (await signed_in(Browser(office.client())))[0] == 303
    before = len(fake.asked)
    assert (await signed_in(Browser(office.client())))[0] == 303
    assert len(fake.asked) == before  # kept
    fake.key = 0
    assert (await signed_in(Browser(office.client())))[0] == 401


async def test_the_second_step_stays_and_the_password_stays_the_other_way(
    office: Office, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = now()
    monkeypatch.setattr("staff.second_factor.now", lambda: moment)
    await confirmed(office, "editor")
    own = await office.signed_in("editor")
    secret, _ = await set_up(own)
    browser = Browser(office.client())
    assert (await signed_in(browser))[:2] == (303, "/console/signin/second?next=/console/")
    assert (await browser.get("/console/items"))[0] == 303
    page = await browser.client.get("/console/signin/second")
    fields = {
        "code": code_of(secret),
        "csrf": re.findall('csrf" value="([^"]+)', await page.text())[0],
    }
    answer = await browser.client.post("/console/signin/second", data=fields, allow_redirects=False)
    assert answer.status == 303
    assert await last_sign_in(office) == {"by": "provider+totp"}
    # The provider is gone: said, and the other ways go on.
    vars(office.deps.identities.provider)["_read"] = None  # type: ignore[union-attr]
    fake.said = {"issuer": "https://evil.example"}
    stranger = Browser(office.client())
    answer = await stranger.client.get("/console/signin/provider", allow_redirects=False)
    text = await answer.text()
    assert (answer.status, "现在连不上" in text, 'name="password"' in text) == (503, True, True)
    assert await Browser(office.client()).sign_in("reviewer1", PASSWORD) == 303


async def test_a_binding_made_with_a_given_login_or_before_leaving_opens_nothing(
    office: Office, fake: FakeProvider
) -> None:
    await confirmed(office, "editor")
    await dismiss(office, "editor")
    status, _, page = await signed_in(Browser(office.client()))
    assert (status, "没有绑定" in page) == (401, True)
    identities = office.deps.identities
    assert identities is not None
    await identities.bind(office.people["reviewer1"], "a hash")
    for who, words in (("reviewer1", "本人"), ("editor", "停用"), ("duty1", "角色")):
        with pytest.raises(Refused, match=words):
            await identities.confirm("reviewer1", office.people[who])
    with pytest.raises(Refused, match="没有在等待确认"):
        await identities.confirm("reviewer2", office.people["admin1"])
    assert await identities.owner("a hash") is None
    await identities.confirm("reviewer1", office.people["admin2"])
    assert await identities.owner("a hash") == office.people["reviewer1"]


def test_every_fault_of_its_settings_is_named_at_once_and_no_secret_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret-of-the-office\n", "utf-8")
    right = {
        "OIDC_ISSUER": "https://login.example.gov.cn/oidc",
        "OIDC_CLIENT_ID": "shenfa",
        "OIDC_CLIENT_SECRET_FILE": str(secret),
        "PUBLIC_URL": "https://shenfa.example.gov.cn",
    }
    for name, value in right.items():
        monkeypatch.setenv(f"SHENFA_{name}", value)
    client = client_of(settings_for(tmp_path))
    assert client is not None
    assert (client.secret, client.plain) == ("s3cret-of-the-office", False)
    assert client.redirect_uri == f"https://shenfa.example.gov.cn{BACK}"
    assert "s3cret" not in f"{client!r}{settings_for(tmp_path)!r}"
    monkeypatch.setenv("SHENFA_OIDC_ISSUER", "http://login.example.gov.cn")
    monkeypatch.setenv("SHENFA_OIDC_CLIENT_ID", " ")
    monkeypatch.setenv("SHENFA_OIDC_NAME", "很长" * 20)
    monkeypatch.setenv("SHENFA_PUBLIC_URL", "http://shenfa.example.gov.cn")
    monkeypatch.setenv("SHENFA_METRICS_FROM", "nowhere")
    with pytest.raises(BadInput) as told:
        settings_for(tmp_path)
    for name in ("ISSUER：", "CLIENT_ID：", "NAME：", "PUBLIC_URL：", "METRICS_FROM："):
        assert name in str(told.value)
    assert "s3cret" not in str(told.value)
    monkeypatch.setenv("SHENFA_OIDC_CLIENT_SECRET_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(BadInput, match="SHENFA_OIDC_CLIENT_SECRET_FILE：文件"):
        settings_for(tmp_path)
