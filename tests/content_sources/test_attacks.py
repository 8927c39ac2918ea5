"""Addresses and redirect chains that try to leave the list of determined sources.

The second half stands without the list: whoever is allowed by mistake still reaches nothing
inside. A trap listens on every loopback address; it must never hear a word.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest
from aiohttp import web
from yarl import URL

from bot.addresses import is_plain, is_public, literal
from content_sources.answers import FetchError
from content_sources.fetch import Fetcher, _check_redirect
from content_sources.whitelist import Refusal, SourceRule, judge
from tests.content_sources.conftest import Site

DAY = datetime(2026, 11, 24, tzinfo=UTC)
HOSTS = ("www.qinghe.example", "政务.qinghe.example", "fass.qinghe.example")
RULE = SourceRule(
    id="s1",
    organisation="青禾县人民政府",
    hosts=HOSTS,
    allow_http=False,
    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
    valid_to=None,
)

SAME_PLACE = [
    "https://www.qinghe.example/a.html",
    "HTTPS://WWW.QingHe.Example/",
    "https://www.qinghe.example./a",
    "https://www.qinghe.example:443/",
    "https://ｗｗｗ.qinghe.example/",
    "https://www。qinghe。example/",
    "https://政务.qinghe.example/",
    "https://xn--zfr164b.qinghe.example/",
    "https://www.qinghe.example?@evil.example",
    "https://www.qinghe.example#@evil.example",
]
ELSEWHERE = [
    "https://evil.example/",
    "https://qinghe.example/",
    "https://a.www.qinghe.example/",
    "https://www.qinghe.example.evil.example/",
    "https://evil.example/https://www.qinghe.example/",
    "https://www.qinghe.example%2eevil.example/",
    "https://www.qin\u0261he.example/",  # U+0261 for g
    "https://fa\u00df.qinghe.example/",  # another host in IDNA 2008
    "https://www.qinghe.example:8443/",
    "https://www.qinghe.example:0/",
    "https://www.qinghe.example:99999/",
    "https://www.qinghe.example:+443/",
    "https://www.qinghe.example@evil.example/",
    "https://www.qinghe.example:x@evil.example/",
    "https://www.qinghe.example;@evil.example/",
    "https://evil.example\\@www.qinghe.example/",
    "https://evil.example \t@www.qinghe.example/",
    "https://www.qin\u200bghe.example/",
    "https://www.qinghe.example\uff0f.evil.example/",
    "https://\ud800.qinghe.example/",
    "https://www.qinghe.example/\ud800",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::1/",
    "http://www.qinghe.example/",
    "ftp://www.qinghe.example/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "//www.qinghe.example/",
    "https:www.qinghe.example",
    "https:///www.qinghe.example/",
    "https://",
    "",
]


@pytest.mark.parametrize("url", SAME_PLACE)
def test_another_spelling_of_a_listed_address_is_allowed(url: str) -> None:
    assert judge(url, [RULE], DAY) is RULE


@pytest.mark.parametrize("url", ELSEWHERE)
def test_an_address_that_only_looks_listed_is_refused_in_one_chinese_line(url: str) -> None:
    refusal = judge(url, [RULE], DAY)
    assert isinstance(refusal, Refusal)
    rules = {"url", "host", "scheme", "userinfo", "subdomain", "lookalike", "port"}
    assert refusal.rule in rules
    assert "\n" not in refusal.message
    assert any("\u4e00" <= char <= "\u9fff" for char in refusal.message)


@pytest.mark.parametrize("url", SAME_PLACE)
def test_the_host_that_is_judged_is_the_host_that_would_be_asked(url: str) -> None:
    asked = (URL(url).raw_host or "").removesuffix(".")
    assert asked in {host.encode("idna").decode() for host in HOSTS}


@pytest.mark.parametrize(
    "target",
    [
        "http://localhost:{port}/secret",
        "http://www.qinghe.example@127.0.0.1:{port}/secret",
        "http://[::ffff:127.0.0.1]:{port}/secret",
        "http://2130706433:{port}/secret",
        "//127.0.0.1:1/secret",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/secret",
        "http://127.0.0.1:{port}\\@evil.example/secret",
    ],
)
async def test_a_redirect_off_the_list_is_not_followed(
    site: Site, fetcher: Fetcher, target: str
) -> None:
    site.serve("/secret", "内部")
    site.redirect("/second", target.format(port=site.port))
    url = site.redirect("/first", "/second")
    with pytest.raises(FetchError) as caught:
        await fetcher.fetch(url, site.judge())
    assert caught.value.code == "refused"
    assert "跳转" in caught.value.message
    assert site.hits == ["/first", "/second"]


async def test_a_redirect_address_of_broken_bytes_is_refused(site: Site, fetcher: Fetcher) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        transport = request.transport
        assert transport is not None
        head = b"HTTP/1.1 302 Found\r\nLocation: /\xff\xfe\r\nContent-Length: 0\r\n\r\n"
        transport.write(head)
        return web.Response()

    url = site.answer("/broken", answer)
    with pytest.raises(FetchError):
        await fetcher.fetch(url, site.judge())


async def test_a_listed_name_that_points_inside_is_refused_at_the_socket(site: Site) -> None:
    """Rebinding: the list and the development exception name localhost, the port differs."""
    site.serve("/secret", "内部")
    rule = site.rule(hosts=(f"localhost:{site.port}",))
    guarded = Fetcher(frozenset({"localhost:1"}))
    try:
        with pytest.raises(FetchError) as caught:
            await guarded.fetch(f"http://localhost:{site.port}/secret", site.judge(rule))
    finally:
        await guarded.close()
    assert caught.value.code == "private"
    assert site.hits == []


# --- without the list: the network guard alone --------------------------------------------

NAMES = {
    "inside.example": ("127.0.0.1",),
    "inside6.example": ("::1",),
    "both.example": ("93.184.215.14", "127.0.0.1"),  # one good address does not excuse a bad one
    "both6.example": ("93.184.215.14", "::ffff:127.0.0.1"),
    "zone.example": ("fe80::1%lo",),
    "metadata.example": ("169.254.169.254",),
    "lan.example": ("10.0.0.8",),
    "nat64.example": ("64:ff9b::7f00:1",),
    "unspecified.example": ("0.0.0.0",),  # noqa: S104
}
PRIVATE_ADDRESSES = [
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",  # noqa: S104
    "0.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.170.2",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::1",
    "2002:c0a8:101::1",
    "2001:0:7f00:1::1",
    "2001:0:4136:e378:8000:63bf:807f:fffe",
    "2001:db8::1",
    "2001:10::1",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "2606:2800::5efe:7f00:1",
    "100::1",
    "3fff::1",
]
PUBLIC_ADDRESSES = ["93.184.215.14", "1.1.1.1", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]
PUBLIC_ADDRESSES += ["64:ff9b::5db8:d70e", "100.128.0.1", "172.32.0.1", "169.253.0.1"]
DISGUISED = [
    "2130706433",
    "0x7f000001",
    "0x7F.0x0.0x0.0x1",
    "017700000001",
    "0177.0.0.1",
    "0177.0000.0000.0001",
    "00000177.1",
    "127.1",
    "127.0.1",
    "0x7f.1",
    "127.0.0.1.",
    "127.000.000.001",
    "0",
    "0x0",
    "4294967295",
    "6425673729",  # 127.0.0.1 again when the number runs over
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.16689662",
    "①②⑦.⓪.⓪.①",
    "１２７.0.0.1",
    "127。0。0。1",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[2002:7f00:1::]",
    "[fe80::1%25lo]",
    "[::1%25lo]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    *NAMES,
]
HOSTILE = [
    *(f"http://{host}:{{port}}/secret" for host in DISGUISED),
    *(
        f"http://[{address}]:{{port}}/" if ":" in address else f"http://{address}:{{port}}/"
        for address in PRIVATE_ADDRESSES
        if "%" not in address
    ),
    "http://user:pass@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@www.qinghe.example/",
    "http://127.0.0.1:{port}?@www.qinghe.example/",
    "http://www.qinghe.example@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}/\r\nHost: www.qinghe.example",
    "http:\\\\127.0.0.1:{port}\\",
    "http:/127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "hTTp://127.0.0.1:{port}/",
    "https://127.0.0.1:{port}/",
    "ftp://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/_GET",
    "dict://127.0.0.1:{port}/info",
    "ws://127.0.0.1:{port}/",
    "unix:///var/run/docker.sock",
    "file://127.0.0.1/etc/passwd",
    "jar:http://127.0.0.1:{port}!/",
    "http://127.0.0.1:{port}%2f@www.qinghe.example/",
]


class Trap:
    """Listens on every loopback address at one port and remembers who came."""

    def __init__(self) -> None:
        self.caught: list[str] = []
        self.port = 0


@pytest.fixture
async def trap() -> AsyncIterator[Trap]:
    made = Trap()

    async def catch(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.caught.append(str(writer.get_extra_info("sockname")))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>secret</p>")
        writer.close()

    first = await asyncio.start_server(catch, "127.0.0.1", 0)
    made.port = first.sockets[0].getsockname()[1]
    servers = [first]
    for address in ("127.0.0.2", "::1"):
        try:
            servers.append(await asyncio.start_server(catch, address, made.port))
        except OSError:  # a machine without IPv6
            continue
    yield made
    for server in servers:
        server.close()


async def resolve(host: str) -> Sequence[str]:
    """The names of this page; localhost as every system knows it; no other name exists."""
    if host.removesuffix(".").lower() == "localhost":
        return ("127.0.0.1", "::1")
    if host not in NAMES:
        raise OSError("no such name")
    return NAMES[host]


def anybody(_: str) -> SourceRule:
    """A list that says yes to everything."""
    return RULE


def test_the_attack_list_is_as_long_as_was_asked_for() -> None:
    assert len(set(HOSTILE)) >= 60


@pytest.mark.parametrize("address", PRIVATE_ADDRESSES)
def test_an_address_of_the_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_an_address_of_the_outside_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", DISGUISED[:21])
def test_a_number_in_disguise_is_seen_as_an_address(host: str) -> None:
    found = literal(host)
    assert found is not None
    assert not is_public(str(found)) or host == "6425673729"
    assert not is_plain(host)


@pytest.mark.parametrize("host", ["www.qinghe.example", "0x7f.qinghe.example", "1.2.3.4.5", "dead"])
def test_a_name_is_not_taken_for_an_address(host: str) -> None:
    assert literal(host) is None
    assert is_plain(host)


@pytest.mark.parametrize("url", HOSTILE)
async def test_no_address_of_the_attack_list_reaches_the_inside(trap: Trap, url: str) -> None:
    guarded = Fetcher(resolve=resolve)
    try:
        with pytest.raises(FetchError) as refused:
            await guarded.fetch(url.format(port=trap.port), anybody)
    finally:
        await guarded.close()
    assert refused.value.code in {"refused", "private", "network"}
    assert trap.caught == []


async def test_no_redirect_to_the_attack_list_reaches_the_inside(site: Site, trap: Trap) -> None:
    """Through an open site, one hop and two, without the list's protection."""
    targets = iter(HOSTILE)
    current = ""

    async def onward(_: web.Request) -> web.Response:
        raw = current.format(port=trap.port).encode().decode("latin-1")
        location = "".join(char for char in raw if char not in "\r\n")
        return web.Response(status=302, headers={"Location": location})

    site.answer("/far", onward)
    near = site.redirect("/near", "/far")
    guarded = Fetcher(frozenset({site.host}), resolve=resolve)
    for target in targets:
        current = target
        with pytest.raises(FetchError):
            await guarded.fetch(near, anybody)
    await guarded.close()
    assert site.hits.count("/far") == len(HOSTILE)
    assert trap.caught == []


async def test_a_name_that_changes_its_mind_is_asked_only_once(site: Site, trap: Trap) -> None:
    """The second answer of the name server would be the trap; nobody asks for it."""
    answers = iter([("127.0.0.1",), ("127.0.0.2",), ("127.0.0.2",)])
    asked: list[str] = []

    async def changing(host: str) -> Sequence[str]:
        asked.append(host)
        return next(answers)

    site.serve("/a.html", "<p>公开</p>")
    url = f"http://rebind.example:{site.port}/old.html"
    site.redirect("/old.html", "/a.html")
    guarded = Fetcher(frozenset({f"127.0.0.1:{site.port}"}), resolve=changing)
    try:
        fetched = await guarded.fetch(url, anybody)
    finally:
        await guarded.close()
    assert fetched.body == "<p>公开</p>".encode()
    assert asked == ["rebind.example"]


async def test_a_name_that_turns_inward_between_two_fetches_is_refused(site: Site) -> None:
    answers = iter([("127.0.0.1",), ("10.0.0.1",)])

    async def changing(_: str) -> Sequence[str]:
        return next(answers)

    url = f"http://rebind.example:{site.port}/a.html"
    site.serve("/a.html", "<p>公开</p>")
    guarded = Fetcher(frozenset({f"127.0.0.1:{site.port}"}), resolve=changing)
    try:
        await guarded.fetch(url, anybody)
        with pytest.raises(FetchError) as refused:
            await guarded.fetch(url, anybody)
    finally:
        await guarded.close()
    assert refused.value.code == "private"
    assert site.hits == ["/a.html"]


async def test_the_development_setting_opens_one_port_and_no_other(site: Site, trap: Trap) -> None:
    site.serve("/a.html", "<p>公开</p>")
    guarded = Fetcher(frozenset({site.host}), resolve=resolve)
    try:
        assert (await guarded.fetch(f"{site.base}/a.html", anybody)).status == 200
        with pytest.raises(FetchError) as refused:
            await guarded.fetch(f"http://127.0.0.1:{trap.port}/", anybody)
    finally:
        await guarded.close()
    assert refused.value.code == "private"
    assert trap.caught == []


async def test_a_proxy_in_the_environment_is_not_asked(
    site: Site, trap: Trap, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
    site.serve("/a.html", "<p>公开</p>")
    guarded = Fetcher(frozenset({site.host}), resolve=resolve)
    try:
        assert (await guarded.fetch(f"{site.base}/a.html", anybody)).status == 200
    finally:
        await guarded.close()
    assert trap.caught == []


async def test_a_cookie_of_one_answer_is_not_carried_to_the_next(
    site: Site, fetcher: Fetcher
) -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Cookie", ""))
        made = web.Response(text="<p>", content_type="text/html")
        made.set_cookie("track", "1")
        return made

    url = site.answer("/c.html", answer)
    await fetcher.fetch(url, site.judge())
    await fetcher.fetch(url, site.judge())
    assert seen == ["", ""]


def test_what_was_encrypted_does_not_continue_in_the_open() -> None:
    with pytest.raises(FetchError, match="https 跳转到 http"):
        _check_redirect("https://www.qinghe.example/", "http://www.qinghe.example/", set())
    _check_redirect("http://www.qinghe.example/", "https://www.qinghe.example/", set())
