"""The fetcher against a real server: hops, addresses, sizes, types, charsets."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web

from config.clock import now
from content_sources import answers
from content_sources import fetch as fetch_module
from content_sources.answers import FetchError
from content_sources.fetch import Fetcher
from documents.sniff import true_mime
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
    assert site.hits == ["/round"]


async def test_a_chain_without_an_end_is_cut(site: Site, fetcher: Fetcher) -> None:
    async def onward(request: web.Request) -> web.Response:
        number = int(request.query["n"]) + 1
        return web.Response(status=302, headers={"Location": f"/on?n={number}"})

    with pytest.raises(FetchError) as stopped:
        await fetcher.fetch(site.answer("/on", onward) + "?n=0", site.judge())
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
    packed = gzip.compress(b" " * (answers.LARGEST + 1))
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


# --- hostile answers ----------------------------------------------------------------------


@pytest.fixture
async def raw() -> AsyncIterator[Callable[[bytes], object]]:
    """A server that sends exactly these bytes again and again until the other side leaves."""
    servers = []

    async def serve(head: bytes, endless: bytes = b"") -> str:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked = await reader.readuntil(b"\r\n\r\n")
            robots = asked.startswith(b"GET /robots.txt")
            answer = b"HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            try:
                writer.write(answer if robots else head)
                await writer.drain()
                while endless and not robots:
                    writer.write(endless)
                    await writer.drain()
                    await asyncio.sleep(0)
            except ConnectionError:
                pass
            finally:
                writer.close()

        servers.append(await asyncio.start_server(talk, "127.0.0.1", 0))
        return f"127.0.0.1:{servers[-1].sockets[0].getsockname()[1]}"

    yield serve
    for server in servers:
        server.close()


async def outcome(site: Site, host: str) -> str:
    """The error code of fetching `http://host/a.html`."""
    fetcher = Fetcher(frozenset({host}))
    try:
        with pytest.raises(FetchError) as failed:
            await fetcher.fetch(f"http://{host}/a.html", site.judge(site.rule(hosts=(host,))))
    finally:
        await fetcher.close()
    return failed.value.code


OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


async def test_a_body_without_an_end_is_cut_off_at_the_cap(site: Site, raw) -> None:
    assert await outcome(site, await raw(OK + b"\r\n", b"<p>" + b"a" * 65536)) == "too_large"


async def test_a_body_that_announces_a_gigabyte_is_not_read(site: Site, raw) -> None:
    announced = OK + b"Content-Length: 1073741824\r\n\r\n<p>"
    assert await outcome(site, await raw(announced)) == "too_large"


async def test_headers_without_an_end_are_not_collected(site: Site, raw) -> None:
    assert await outcome(site, await raw(OK, b"X-More: " + b"a" * 4000 + b"\r\n")) == "network"


async def test_one_giant_header_is_refused(site: Site, raw) -> None:
    assert await outcome(site, await raw(OK + b"X: ", b"a" * 65536)) == "network"


async def test_what_is_no_http_is_a_network_fault(site: Site, raw) -> None:
    assert await outcome(site, await raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")) == "network"


async def test_a_body_cut_off_in_the_middle_is_not_taken(site: Site, raw) -> None:
    assert await outcome(site, await raw(OK + b"Content-Length: 100\r\n\r\n<p>half")) == "network"


async def test_a_site_that_dribbles_is_given_up(
    site: Site, raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter(range(0, 10**9, 10_000))
    monkeypatch.setattr(answers, "monotonic", lambda: float(next(moments)))
    monkeypatch.setattr(fetch_module, "SECONDS", 100.0)
    assert await outcome(site, await raw(OK + b"\r\n<p>", b"a")) == "timeout"


def packed(name: str, data: bytes) -> bytes:
    if name == "raw":
        machine = zlib.compressobj(wbits=-15)
        return machine.compress(data) + machine.flush()
    return gzip.compress(data) if name == "gzip" else zlib.compress(data)


@pytest.mark.parametrize("name", ["gzip", "deflate", "raw"])
async def test_packed_pages_are_unpacked(site: Site, fetcher: Fetcher, name: str) -> None:
    page = "<p>青禾县</p>" * 5000
    encoding = "deflate" if name == "raw" else name
    body = packed(name, page.encode())
    url = site.serve("/p.html", body, "text/html", **{"Content-Encoding": encoding})
    assert (await fetcher.fetch(url, site.judge())).text == page


async def test_two_packed_parts_are_one_page(site: Site, fetcher: Fetcher) -> None:
    body = gzip.compress("<p>青".encode()) + gzip.compress("禾</p>".encode())
    url = site.serve("/p.html", body, "text/html", **{"Content-Encoding": "gzip"})
    assert (await fetcher.fetch(url, site.judge())).text == "<p>青禾</p>"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"<p>whole</p>" * 900, mtime=0)[:-20]),
        ("gzip", b"<p>not packed at all</p>"),
        ("br", b"\x0b\x02\x80<p>"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"<p>", mtime=0), mtime=0)),
    ],
    ids=["cut off", "not packed", "not asked for", "packed twice"],  # the bytes hold the time
)
async def test_packing_that_is_broken_or_was_not_asked_for_is_refused(
    site: Site, fetcher: Fetcher, encoding: str, body: bytes
) -> None:
    url = site.serve("/p.html", body, "text/html", **{"Content-Encoding": encoding})
    with pytest.raises(FetchError, match="压缩") as refused:
        await fetcher.fetch(url, site.judge())
    assert refused.value.code == "content_type"


@pytest.mark.parametrize(
    ("mime", "body"),
    [
        ("text/html", b"%PDF-1.7 pretending"),
        ("text/html", b"MZ\x90\x00\x03\x00\x00\x00"),
        ("text/html", b"\x89PNG\r\n\x1a\n\x00\x00"),
        ("text/html", b"PK\x03\x04 pretending"),
        ("text/plain", b"\x7fELF\x02\x01\x01\x00"),
        ("text/html", b"\x00\x01\x02\x03" * 100),
        ("", b"plain words without any type"),
    ],
)
async def test_a_page_must_be_one_by_its_content_too(
    site: Site, fetcher: Fetcher, mime: str, body: bytes
) -> None:
    with pytest.raises(FetchError) as refused:
        await fetcher.fetch(site.serve("/p.html", body, mime), site.judge())
    assert refused.value.code == "content_type"


@pytest.mark.parametrize(
    ("mime", "body"),
    [
        ("image/png", b"<html>login</html>"),
        ("image/jpeg", b"<svg onload=alert(1)>"),
        ("application/pdf", b"<!DOCTYPE html><p>not found</p>"),
        ("application/octet-stream", b"MZ\x90\x00\x03\x00\x00\x00"),
        ("application/zip", b"#!/bin/sh"),
    ],
)
async def test_a_file_must_be_one_by_its_content_too(
    site: Site, fetcher: Fetcher, mime: str, body: bytes
) -> None:
    with pytest.raises(FetchError) as refused:
        await fetcher.fetch(site.serve("/f", body, mime), site.judge(), answers.FILES)
    assert refused.value.code == "content_type"


async def test_a_picture_that_is_another_picture_is_taken_for_what_it_is(
    site: Site, fetcher: Fetcher
) -> None:
    body = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
    url = site.serve("/a.jpg", body, "image/jpg")
    fetched = await fetcher.fetch(url, site.judge(), answers.PICTURES)
    assert true_mime(fetched.mime, fetched.body) == "image/png"
    assert true_mime("application/pdf", b"%PDF-1.7") == "application/pdf"


@pytest.mark.parametrize(
    "target", ["http://[::1", "http://[bad]/", "http://a:99999/", "http://\x7f/"]
)
async def test_a_redirect_that_is_no_address_is_refused(
    site: Site, fetcher: Fetcher, target: str
) -> None:
    with pytest.raises(FetchError) as refused:
        await fetcher.fetch(site.redirect("/r", target), lambda _: site.rule())
    assert refused.value.code in ("refused", "network")


async def test_a_page_without_a_type_is_judged_by_its_content(site: Site, raw) -> None:
    host = await raw(b"HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n<!DOCTYPE html><p>ok</p> ")
    fetcher = Fetcher(frozenset({host}))
    fetched = await fetcher.fetch(f"http://{host}/", site.judge(site.rule(hosts=(host,))))
    await fetcher.close()
    assert fetched.body.startswith(b"<!DOCTYPE")


# --- conditions, retry-after --------------------------------------------------------------


async def test_what_has_not_changed_is_not_sent_again(site: Site, fetcher: Fetcher) -> None:
    async def answer(request: web.Request) -> web.Response:
        same = request.headers.get("If-None-Match") == '"7"'
        return web.Response(status=304 if same else 200, text="<p>", content_type="text/html")

    url = site.answer("/c.html", answer)
    again = await fetcher.fetch(url, site.judge(), conditions={"If-None-Match": '"7"'})
    assert (again.status, again.body) == (304, b"")


async def test_not_modified_to_a_question_never_asked_is_a_fault(
    site: Site, fetcher: Fetcher
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=304)

    with pytest.raises(FetchError, match="304"):
        await fetcher.fetch(site.answer("/c.html", answer), site.judge())


@pytest.mark.parametrize(
    ("status", "given", "least", "most"),
    [
        (503, "120", 120, 120),
        (429, format_datetime(now() + timedelta(hours=5)), 3600, 5 * 3600),
        (429, "soon", 60, 60),
        (429, f"Mon, 01 Jan {9 * 10**30} 00:00:00 GMT", 60, 60),
        (404, "120", 0, 0),
    ],
    ids=[
        "seconds",
        "a moment",
        "no number",
        "no year",
        "not asked",
    ],
)
async def test_a_site_that_asks_for_rest_is_not_asked_again(
    site: Site, fetcher: Fetcher, status: int, given: str, least: float, most: float
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Retry-After": given})

    url = site.answer("/busy.html", answer)
    with pytest.raises(FetchError, match=str(status)) as busy:
        await fetcher.fetch(url, site.judge())
    assert least <= busy.value.wait <= most
    with pytest.raises(FetchError) as after:
        await fetcher.fetch(url, site.judge())
    assert after.value.code == ("later" if least else "status")
    assert len(site.hits) == (1 if least else 2)
