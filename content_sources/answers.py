"""What a site answered, within bounds of kind, size and speed; or why there is none."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from types import MappingProxyType

import aiohttp

from config.clock import now
from content_sources.whitelist import Judge
from documents.charset import decode
from documents.sniff import fits
from documents.unpack import PackedError, TooLarge, Unpacker

LARGEST = 10 * 1024 * 1024  # bytes, on the wire and after decompression

SLOWEST = 512  # bytes a second, after GRACE seconds
GRACE = 5.0

ROBOTS_LARGEST = 500 * 1024
KEPT_HEADERS = ("content-type", "etag", "last-modified", "date", "server", "content-language")

PAGES = frozenset({"text/html", "application/xhtml+xml", "text/plain"})
FEEDS = PAGES | {
    "application/rss+xml",
    "application/atom+xml",
    "application/xml",
    "text/xml",
    "application/rdf+xml",
    "application/json",
    "application/feed+json",
}
SITEMAPS = FEEDS | {"application/gzip", "application/x-gzip", "application/octet-stream"}
PICTURES = frozenset({"image/jpeg", "image/jpg", "image/png", "image/gif", "image/webp"})
FILES = PICTURES | {
    "text/plain",
    "application/pdf",
    "application/zip",
    "application/octet-stream",
    "application/msword",
    "application/vnd.ms-excel",
    "application/wps-office.doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class FetchError(Exception):
    """Nothing was fetched. `code` is for programs, `message` one Chinese line for people.

    Codes: refused, private, redirects, status, content_type, too_large, timeout, network, later.
    `wait` is how many seconds the site asked to be left alone (0: it did not say).
    """

    def __init__(self, code: str, message: str, wait: float = 0.0) -> None:
        """Keep them; the exception's text is the message."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.wait = wait


@dataclass(frozen=True)
class Fetched:
    """What an address answered. `headers` has lower-case names; 304 comes with an empty body."""

    url: str
    final_url: str
    status: int
    headers: MappingProxyType[str, str]
    body: bytes
    fetched_at: datetime

    @property
    def mime(self) -> str:
        """The content type without parameters, lower case."""
        return mime_of(self.headers.get("content-type", ""))

    @property
    def text(self) -> str:
        """The body decoded by header, meta tag or guess."""
        return decode(self.body, self.headers.get("content-type", ""))


@dataclass(frozen=True)
class Order:
    """One fetch: what was asked for, under which conditions, until when."""

    url: str
    judge: Judge
    accept: frozenset[str]
    headers: dict[str, str]
    seconds: float


async def read_answer(order: Order, here: str, response: aiohttp.ClientResponse) -> Fetched:
    """The answer to one request, kept within the order's bounds. FetchError."""
    kept = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    asked = any(name.lower().startswith("if-") for name in order.headers)
    body = b""
    if response.status != 304 or not asked:
        if response.status != 200:
            message = f"稿源网站返回状态码 {response.status}：{here}"
            raise FetchError("status", message, _wait(response))
        mime = mime_of(response.headers.get("Content-Type", ""))
        if mime and mime not in order.accept:
            raise FetchError("content_type", f"网址的内容类型 {mime} 不能抓取：{here}")
        body = await _capped(response, here)
        if not fits(mime, body):
            said = mime or "未注明"
            raise FetchError("content_type", f"网址的内容与内容类型 {said} 不符，不能抓取：{here}")
    return Fetched(order.url, here, response.status, MappingProxyType(kept), body, now())


async def _capped(response: aiohttp.ClientResponse, url: str) -> bytes:
    """The unpacked body, cut off when it is too large, grows too much or comes too slowly."""
    try:
        unpacker = Unpacker(response.headers.get("Content-Encoding", ""), LARGEST)
        if (response.content_length or 0) > LARGEST:
            raise TooLarge
        begun, size = monotonic(), 0
        async for part in response.content.iter_chunked(64 * 1024):
            size += len(part)
            unpacker.feed(part)
            passed = monotonic() - begun
            if passed > GRACE and size < SLOWEST * passed:
                raise FetchError("timeout", f"稿源网站传得太慢，已停止：{url}")
        return unpacker.finish()
    except TooLarge as error:
        large = f"网页超过 {LARGEST // 1024 // 1024} MB，不予抓取：{url}"
        raise FetchError("too_large", large) from error
    except PackedError as error:
        raise FetchError("content_type", f"网址的压缩内容无法解开，不能抓取：{url}") from error


async def read_start(response: aiohttp.ClientResponse) -> bytes:
    """The first part of a robots.txt; more of it is not read."""
    unpacker = Unpacker(response.headers.get("Content-Encoding", ""), ROBOTS_LARGEST)
    try:
        async for part in response.content.iter_chunked(16 * 1024):
            unpacker.feed(part)
        return unpacker.finish()
    except (TooLarge, PackedError):
        return unpacker.so_far


def _wait(response: aiohttp.ClientResponse) -> float:
    """Seconds the site asks for: Retry-After as a number or a date; a busy site gets a minute."""
    busy = response.status in (429, 502, 503, 504)
    given = response.headers.get("Retry-After", "").strip()
    if not busy:
        return 0.0
    if given.isascii() and given.isdigit():
        return max(float(given[:9]), 1.0)
    try:
        until = parsedate_to_datetime(given)
    except (ValueError, OverflowError):
        return 60.0
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max((until - now()).total_seconds(), 1.0)


def mime_of(content_type: str) -> str:
    """A content type without its parameters, lower case."""
    return content_type.split(";", 1)[0].strip().lower()
