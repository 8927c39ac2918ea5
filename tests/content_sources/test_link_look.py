"""Where links lead: on the list at every hop, alive, not inside."""

import pytest
from aiohttp import web

from config.clock import now
from content_sources.fetch import Fetcher
from content_sources.link_look import Allowed, LinkLook
from content_sources.whitelist import SourceRule, judge
from tests.content_sources.conftest import Site


def _look(site: Site, fetcher: Fetcher, *, listed: bool = True) -> LinkLook:
    async def sources():
        return site.judge() if listed else site.judge(site.rule(hosts=("elsewhere.example",)))

    return LinkLook(fetcher, sources, Allowed("https://shenfa.example", suffixes=("gov.cn",)))


async def test_a_page_of_a_listed_host_is_fine(site: Site, fetcher: Fetcher) -> None:
    url = site.serve("/ok", "<p>好</p>")
    assert (await _look(site, fetcher)(url)).outcome == "ok"


async def test_a_file_is_alive_whatever_its_type(site: Site, fetcher: Fetcher) -> None:
    url = site.serve("/a.zip", b"PK\x03\x04", "application/zip")
    assert (await _look(site, fetcher)(url)).outcome == "ok"


async def test_a_host_off_the_list_is_not_even_asked(site: Site, fetcher: Fetcher) -> None:
    url = site.serve("/ok", "<p>好</p>")
    fact = await _look(site, fetcher, listed=False)(url)
    assert (fact.outcome, site.hits) == ("off_list", [])
    assert "127.0.0.1" in fact.message


async def test_a_redirect_off_the_list_names_the_final_host(site: Site, fetcher: Fetcher) -> None:
    url = site.redirect("/go", "https://casino.example/win")
    fact = await _look(site, fetcher)(url)
    assert fact.outcome == "off_list"
    assert "casino.example" in fact.message
    assert "/go" in fact.message


@pytest.mark.parametrize(("status", "outcome"), [(404, "dead"), (500, "dead"), (403, "unsure")])
async def test_what_a_site_answers(site: Site, fetcher: Fetcher, status: int, outcome: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    url = site.answer("/page", answer)
    assert (await _look(site, fetcher)(url)).outcome == outcome


async def test_a_host_that_is_gone_is_dead(fetcher: Fetcher, site: Site) -> None:
    gone = Site()
    gone.port = 9
    private = Fetcher(frozenset({gone.host}))
    look = _look(gone, private)
    assert (await look(f"{gone.base}/x")).outcome == "dead"
    await private.close()


async def test_an_inner_address_is_private(site: Site) -> None:
    strict = Fetcher(frozenset())
    url = site.serve("/ok", "<p>好</p>")
    assert (await _look(site, strict)(url)).outcome == "private"
    await strict.close()


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://www.nmg.gov.cn/a", True),
        ("http://rsj.qinghe.gov.cn/", True),
        ("https://gov.cn.evil.example/", False),
        ("https://evilgov.cn/", False),
        ("https://www.nmg.gov.cn@evil.example/", False),
        ("https://www.nmg.gov.cn:8443/", False),
        ("https://shenfa.example/verify/1", True),
    ],
)
def test_government_sites_and_our_own_are_allowed_by_name(url: str, *, allowed: bool) -> None:
    rules = Allowed("https://shenfa.example", suffixes=("gov.cn",)).rules(url)
    assert isinstance(judge(url, rules, now()), SourceRule) == allowed
