"""Wrong sign-ins slow down who makes them; a browser known from before waits for nobody."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from argon2 import PasswordHasher
from pydantic import ValidationError

from config.settings import Settings
from console.web.clients import rightmost
from staff.slowing import at_the_door
from storage.cache import Cache, MemoryCache, RedisCache
from tests.console.office import PASSWORD, Office, build, close, token_of

ATTACKER, TOWN_HALL, HOME = "203.0.113.9", "198.51.100.20", "198.51.100.77"
Client = TestClient[web.Request, web.Application]


QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest.fixture
def quick_hash() -> str:
    """A password that is checked in no time: what is counted here is tries."""
    return QUICK.hash(PASSWORD)


@pytest.fixture
async def office(tmp_path: Path, quick_hash: str) -> AsyncIterator[Office]:
    """An office that is reached directly."""
    made = await build(tmp_path, quick_hash)
    yield made
    await close(made)


@pytest.fixture
async def proxied(tmp_path: Path, quick_hash: str) -> AsyncIterator[Office]:
    """An office behind a proxy on this machine."""
    made = await build(tmp_path, quick_hash, trusted_proxies="127.0.0.1, 10.0.0.0/8")
    yield made
    await close(made)


async def try_in(
    client: Client, login: str, password: str, said: str = ""
) -> tuple[int, dict[str, str], str]:
    """Status, headers and page of one sign-in, with what the proxy says of the client."""
    headers = {"X-Forwarded-For": said} if said else {}
    page = await client.get("/console/signin", headers=headers)
    fields = {"login": login, "password": password, "csrf": token_of(await page.text())}
    answer = await client.post(
        "/console/signin", data=fields, headers=headers, allow_redirects=False
    )
    return answer.status, dict(answer.headers), await answer.text()


def forget_session(client: Client) -> None:
    """Signed out by itself after a while, as every evening."""
    client.session.cookie_jar.clear(lambda cookie: cookie.key == "shenfa_session")


async def fifty_wrong(office: Office, login: str, address: str) -> list[int]:
    client = office.client()
    # What stands left of the attacker's address is their own invention, another one each time.
    said = [f"{number}.1.1.1, {address}" for number in range(50)]
    return [(await try_in(client, login, "wrong password", one))[0] for one in said]


async def test_fifty_wrong_sign_ins_stop_neither_a_known_browser_nor_other_addresses(
    proxied: Office,
) -> None:
    known = proxied.client()
    assert (await try_in(known, "editor", PASSWORD, ATTACKER))[0] == 303
    forget_session(known)
    statuses = await fifty_wrong(proxied, "editor", ATTACKER)
    assert statuses[:5] == [401] * 5
    assert statuses.count(429) >= 40  # on a slow machine a wait may end in between
    # The same address, the login that is being guessed: known from before.
    assert (await try_in(known, "editor", PASSWORD, ATTACKER))[0] == 303
    # Other addresses behind the same proxy, in browsers that nobody knows: at once, and the
    # guessed login too.
    assert (await try_in(proxied.client(), "reviewer1", PASSWORD, TOWN_HALL))[0] == 303
    assert (await try_in(proxied.client(), "editor", PASSWORD, HOME))[0] == 303


async def test_a_login_guessed_from_everywhere_makes_each_address_wait_for_itself(
    proxied: Office,
) -> None:
    for number in range(30):
        client = proxied.client()
        assert (await try_in(client, "editor", "wrong password", f"192.0.2.{number}"))[0] == 401
    assert (await try_in(proxied.client(), "editor", "wrong password", HOME))[0] == 401
    status, headers, _ = await try_in(proxied.client(), "editor", PASSWORD, HOME)
    assert status == 429
    assert 1 <= int(headers["Retry-After"]) <= 30
    assert (await try_in(proxied.client(), "editor", PASSWORD, TOWN_HALL))[0] == 303


async def test_one_address_that_tries_many_logins_slows_down_too(proxied: Office) -> None:
    client = proxied.client()
    statuses = [
        (await try_in(client, f"made_up_{number}", "wrong password", ATTACKER))[0]
        for number in range(25)
    ]
    assert statuses == [401] * 20 + [429] * 5
    assert (await try_in(proxied.client(), "editor", PASSWORD, TOWN_HALL))[0] == 303


async def test_a_wait_is_an_answer_that_says_how_long_and_ends(office: Office) -> None:
    client = office.client()
    for _ in range(5):
        await try_in(client, "editor", "wrong password")
    status, headers, text = await try_in(client, "editor", PASSWORD)
    assert status == 429
    assert headers["Retry-After"] in ("1", "2")
    assert f"请等 {headers['Retry-After']} 秒再试" in text
    pair = at_the_door("editor", "127.0.0.1")[0]
    assert [pair.seconds(failures) for failures in (5, 6, 7, 8, 9, 50)] == [2, 4, 8, 16, 30, 30]
    await office.deps.cache.delete(pair.waits)  # the two seconds went by
    assert (await try_in(client, "editor", PASSWORD))[0] == 303
    # A right one ends the count as well.
    assert (await try_in(office.client(), "editor", "wrong password"))[0] == 401


async def test_thirty_tries_at_the_same_moment_are_no_cheaper(office: Office) -> None:
    client = office.client()
    text = await (await client.get("/console/signin")).text()
    fields = {"login": "editor", "password": "wrong password", "csrf": token_of(text)}

    async def one() -> int:
        return (await client.post("/console/signin", data=fields, allow_redirects=False)).status

    statuses = await asyncio.gather(*(one() for _ in range(30)))
    assert statuses.count(401) <= 6
    assert statuses.count(429) >= 24


async def test_the_known_mark_is_bound_to_its_person_and_waits_for_its_own_failures(
    office: Office,
) -> None:
    mine = office.client()
    assert (await try_in(mine, "editor", PASSWORD))[0] == 303
    kept = mine.session.cookie_jar.filter_cookies(mine.make_url("/console/signin"))
    (mark,) = [one for name, one in kept.items() if name.startswith("shenfa_known_")]
    for _ in range(5):
        await try_in(office.client(), "reviewer1", "wrong password")
    # The mark of the editor, worn as the reviewer's.
    stolen = office.client()
    stolen.session.cookie_jar.update_cookies({mark.key: mark.value})
    assert (await try_in(stolen, "reviewer1", PASSWORD))[0] == 429
    assert (await try_in(office.client(), "reviewer1", PASSWORD))[0] == 429
    # A changed one is worth nothing.
    bent = office.client()
    bent.session.cookie_jar.update_cookies({mark.key: "9" + mark.value})
    for _ in range(5):
        await try_in(office.client(), "editor", "wrong password")
    assert (await try_in(bent, "editor", PASSWORD))[0] == 429
    forget_session(mine)
    statuses = [(await try_in(mine, "editor", "wrong password"))[0] for _ in range(6)]
    assert statuses == [401] * 5 + [429]


async def test_a_new_password_makes_other_known_browsers_strangers(office: Office) -> None:
    here, elsewhere = await office.signed_in("editor"), office.client()
    assert (await try_in(elsewhere, "editor", PASSWORD))[0] == 303
    new = "another password 1"
    assert (await here.post("/console/me/password", old=PASSWORD, new=new))[0] == 303
    for _ in range(5):
        await try_in(office.client(), "editor", "wrong password")
    assert (await try_in(elsewhere, "editor", new))[0] == 429
    forget_session(here.client)
    assert (await try_in(here.client, "editor", new))[0] == 303


async def test_without_trusted_proxies_the_header_changes_nothing(office: Office) -> None:
    client = office.client()
    statuses = [
        (await try_in(client, "editor", "wrong password", f"192.0.2.{number}"))[0]
        for number in range(6)
    ]
    assert statuses == [401] * 5 + [429]


@pytest.mark.parametrize(
    ("remote", "said", "client"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("203.0.113.5", "1.1.1.1", "203.0.113.5"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1, <script>", "10.0.0.1"),
        ("::ffff:10.0.0.1", "[2001:db8:1:2:3:4:5:6]:443", "2001:db8:1:2::/64"),
        ("10.0.0.1", "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("", "203.0.113.9", ""),
    ],
)
def test_the_client_is_the_rightmost_untrusted_address(
    tmp_path: Path, remote: str, said: str, client: str
) -> None:
    proxies = Settings(home=tmp_path, trusted_proxies="10.0.0.0/8").proxies
    assert rightmost(remote, said, proxies) == client


def test_a_proxy_that_is_no_address_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="SHENFA_TRUSTED_PROXIES：nginx 不是地址或网段"):
        Settings(home=tmp_path, trusted_proxies="127.0.0.1,nginx")


async def take_back(cache: Cache) -> None:
    assert [await cache.count("a", 5), await cache.count("a", 5, -1)] == [1, 0]
    assert await cache.count("a", 5) == 1


async def test_a_count_can_be_taken_back() -> None:
    await take_back(MemoryCache())


@pytest.mark.servers
async def test_a_count_can_be_taken_back_on_redis(redis_url: str) -> None:
    cache = RedisCache(redis_url)
    await take_back(cache)
    await cache.close()
