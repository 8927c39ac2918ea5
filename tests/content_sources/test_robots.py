"""A site's robots.txt is kept: longest match, wildcards, our name; a broken one forbids nothing."""

import pytest
from aiohttp import web

from content_sources.answers import FetchError
from content_sources.fetch import Fetcher
from tests.content_sources.conftest import Site

RULES = """User-agent: *
Disallow: /admin
Allow: /admin/open
Disallow: /*.doc$

User-agent: shenfa
Disallow: /not-for-us
Disallow: /admin
Allow: /admin/open
Disallow: /*.doc$
"""


async def allowed(site: Site, fetcher: Fetcher, path: str) -> bool:
    try:
        await fetcher.fetch(site.serve(path, "<p>正文</p>"), site.judge())
    except FetchError as error:
        return "robots.txt" not in error.message
    return True


@pytest.mark.parametrize(
    ("path", "may"),
    [
        ("/a.html", True),
        ("/admin/a.html", False),
        ("/admin/open/a.html", True),
        ("/f/a.doc", False),
        ("/f/a.docx", True),
        ("/not-for-us/a.html", False),
    ],
)
async def test_what_the_file_forbids_is_not_asked(
    site: Site, fetcher: Fetcher, path: str, *, may: bool
) -> None:
    site.serve("/robots.txt", RULES, "text/plain")
    assert await allowed(site, fetcher, path) is may
    assert site.hits == ([path] if may else [])


@pytest.mark.parametrize(
    ("body", "mime"),
    [
        (b"", "text/plain"),
        (b"\x00\xff\xfe garbage", "text/plain"),
        (b"<html>404</html>", "text/html"),
    ],
)
async def test_a_file_that_cannot_be_read_forbids_nothing(
    site: Site, fetcher: Fetcher, body: bytes, mime: str
) -> None:
    site.serve("/robots.txt", body, mime)
    assert await allowed(site, fetcher, "/a.html")


async def test_the_file_is_asked_once_for_many_pages(site: Site, fetcher: Fetcher) -> None:
    asked = []

    async def robots(_: web.Request) -> web.Response:
        asked.append(1)
        return web.Response(text=RULES)

    site.answer("/robots.txt", robots)
    for number in range(3):
        assert await allowed(site, fetcher, f"/{number}.html")
    assert len(asked) == 1


async def test_a_redirect_to_a_forbidden_page_stops_there(site: Site, fetcher: Fetcher) -> None:
    site.serve("/robots.txt", RULES, "text/plain")
    url = site.redirect("/open.html", "/admin/secret.html")
    with pytest.raises(FetchError, match=r"robots\.txt"):
        await fetcher.fetch(url, site.judge())
    assert site.hits == ["/open.html"]
