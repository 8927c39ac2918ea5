"""Addresses and redirect chains that try to leave the list of determined sources."""

from datetime import UTC, datetime

import pytest
from aiohttp import web
from yarl import URL

from content_sources.fetch import Fetcher, FetchError
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
    assert refusal.rule in {"url", "host", "scheme", "userinfo"}
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
