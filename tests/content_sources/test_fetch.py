"""The fetcher against a real server: hops, addresses, sizes, types, charsets."""

import gzip

import pytest

from content_sources import fetch as fetch_module
from content_sources.fetch import Fetcher, FetchError
from tests.content_sources.conftest import Site


async def test_a_listed_page_arrives_as_text(site: Site, fetcher: Fetcher) -> None:
    url = site.serve("/a.html", "<p>青禾县</p>", "text/html; charset=utf-8", ETag='"1"')
    fetched = await fetcher.fetch(url, site.judge())
    assert fetched.text == "<p>青禾县</p>"
    assert (fetched.status, fetched.mime, fetched.headers["etag"]) == (200, "text/html", '"1"')


async def test_a_page_that_says_gb2312_is_read_as_gb18030(site: Site, fetcher: Fetcher) -> None:
    page = '<meta http-equiv="Content-Type" content="text/html; charset=gb2312"><p>㙍县政府</p>'
    fetched = await fetcher.fetch(site.serve("/gb.html", page.encode("gb18030")), site.judge())
    assert "㙍县政府" in fetched.text


async def test_a_refused_address_is_never_asked(site: Site, fetcher: Fetcher) -> None:
    with pytest.raises(FetchError) as refused:
        await fetcher.fetch(f"http://localhost:{site.port}/a.html", site.judge())
    assert refused.value.code == "refused"
    assert site.hits == []


async def test_every_hop_is_judged(site: Site, fetcher: Fetcher) -> None:
    url = site.redirect("/hop", f"http://localhost:{site.port}/elsewhere")
    with pytest.raises(FetchError, match="跳转而来"):
        await fetcher.fetch(url, site.judge())
    assert site.hits == ["/hop"]


async def test_a_redirect_inside_the_list_is_followed(site: Site, fetcher: Fetcher) -> None:
    target = site.serve("/new.html", "<p>新</p>")
    fetched = await fetcher.fetch(site.redirect("/old.html", "/new.html"), site.judge())
    assert (fetched.url, fetched.final_url) == (f"{site.base}/old.html", target)


async def test_a_circle_of_redirects_ends(site: Site, fetcher: Fetcher) -> None:
    url = site.redirect("/round", "/round")
    with pytest.raises(FetchError) as stopped:
        await fetcher.fetch(url, site.judge())
    assert stopped.value.code == "redirects"
    assert len(site.hits) == fetch_module.HOPS + 1


async def test_a_listed_name_that_leads_inside_is_refused(site: Site) -> None:
    guarded = Fetcher(frozenset())
    try:
        for host in ("127.0.0.1", "localhost"):
            rule = site.rule(hosts=(f"{host}:{site.port}",))
            with pytest.raises(FetchError) as refused:
                await guarded.fetch(f"http://{host}:{site.port}/a.html", site.judge(rule))
            assert refused.value.code == "private"
    finally:
        await guarded.close()
    assert site.hits == []


async def test_a_small_packed_answer_cannot_grow_past_the_cap(site: Site, fetcher: Fetcher) -> None:
    packed = gzip.compress(b" " * (fetch_module.LARGEST + 1))
    assert len(packed) < 20_000
    url = site.serve("/bomb.html", packed, "text/html", **{"Content-Encoding": "gzip"})
    with pytest.raises(FetchError) as refused:
        await fetcher.fetch(url, site.judge())
    assert refused.value.code == "too_large"


async def test_a_program_is_not_a_page(site: Site, fetcher: Fetcher) -> None:
    url = site.serve("/tool.exe", b"MZ", "application/x-msdownload")
    with pytest.raises(FetchError, match="内容类型") as refused:
        await fetcher.fetch(url, site.judge())
    assert refused.value.code == "content_type"


async def test_a_slow_site_is_given_up(
    site: Site, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_module, "SECONDS", 0.0)
    with pytest.raises(FetchError) as late:
        await fetcher.fetch(site.serve("/a.html", "<p>慢</p>"), site.judge())
    assert late.value.code == "timeout"


async def test_a_silent_port_is_a_network_fault(site: Site) -> None:
    closed = Fetcher(frozenset({"127.0.0.1:1"}))
    rule = site.rule(hosts=("127.0.0.1:1",))
    try:
        with pytest.raises(FetchError) as failed:
            await closed.fetch("http://127.0.0.1:1/", site.judge(rule))
    finally:
        await closed.close()
    assert failed.value.code == "network"
