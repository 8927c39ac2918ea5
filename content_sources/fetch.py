"""Fetch one address of a determined source: judged before every hop, capped and timed.

Private addresses are refused by the socket guard of bot.http, whatever name led there. A site's
robots.txt is kept (RFC 9309); one that cannot be read forbids nothing, the sources being agreed.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from urllib.parse import urljoin

import aiohttp
from protego import Protego

from bot.http import Blocked, open_session
from config.clock import now
from content_sources.charset import decode
from content_sources.whitelist import Refusal, SourceRule

Judge = Callable[[str], SourceRule | Refusal]

LARGEST = 10 * 1024 * 1024  # bytes after decompression
SECONDS = 20.0  # for one address with all its redirects
HOPS = 5
AGENT = "Shenfa/1 (+government notice relay)"
ROBOTS_FOR = timedelta(hours=1)
KEPT_HEADERS = ("content-type", "etag", "last-modified", "date", "server", "content-language")
PAGES = frozenset({"text/html", "application/xhtml+xml", "text/plain"})
FEEDS = PAGES | {
    "application/rss+xml",
    "application/atom+xml",
    "application/xml",
    "text/xml",
    "application/rdf+xml",
}
PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
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

    Codes: refused, private, redirects, status, content_type, too_large, timeout, network.
    """

    def __init__(self, code: str, message: str) -> None:
        """Keep both; the exception's text is the message."""
        super().__init__(message)
        self.code = code
        self.message = message


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
        return _mime(self.headers.get("content-type", ""))

    @property
    def text(self) -> str:
        """The body decoded by header, meta tag or guess."""
        return decode(self.body, self.headers.get("content-type", ""))


class Fetcher:
    """One HTTP session for all sources; `allowed_private` are `host:port` pairs of development."""

    def __init__(self, allowed_private: frozenset[str] = frozenset()) -> None:
        """Opens nothing before the first fetch."""
        self._allowed = allowed_private
        self._session: aiohttp.ClientSession | None = None
        self._robots: dict[str, tuple[Protego | None, datetime]] = {}

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def fetch(
        self,
        url: str,
        judge: Judge,
        accept: frozenset[str] = PAGES,
        conditions: dict[str, str] | None = None,
    ) -> Fetched:
        """GET `url`; every address on the way is judged first. FetchError when it may not or fails.

        `conditions` are If-None-Match and If-Modified-Since of the last answer.
        """
        headers = {"User-Agent": AGENT, "Accept-Encoding": "gzip, deflate"} | (conditions or {})
        try:
            async with asyncio.timeout(SECONDS):
                return await self._follow(url, judge, accept, headers)
        except TimeoutError as error:
            raise FetchError("timeout", f"稿源网站没有在 {SECONDS:.0f} 秒内答复：{url}") from error
        except aiohttp.InvalidURL as error:
            raise FetchError("refused", f"网址无法识别：{url}") from error
        except (aiohttp.ClientError, OSError) as error:
            if _blocked(error):
                message = f"网址指向内部网络地址，已拒绝访问：{url}"
                raise FetchError("private", message) from error
            raise FetchError("network", f"连不上稿源网站，请稍后再试：{url}") from error

    async def _follow(
        self, url: str, judge: Judge, accept: frozenset[str], headers: dict[str, str]
    ) -> Fetched:
        if self._session is None:
            self._session = open_session(self._allowed, limit=8)
        here = url
        for _ in range(HOPS + 1):
            verdict = judge(here)
            if isinstance(verdict, Refusal):
                where = "" if here == url else f"（由 {url} 跳转而来）"
                raise FetchError("refused", verdict.message + where)
            if not await self._permits(self._session, here):
                raise FetchError("refused", f"网站的 robots.txt 不允许抓取：{here}")
            async with self._session.get(here, headers=headers, allow_redirects=False) as response:
                target = response.headers.get("Location", "")
                if response.status not in (301, 302, 303, 307, 308) or not target:
                    return await _read(url, here, response, accept)
                here = urljoin(here, target)
        raise FetchError("redirects", f"网址跳转超过 {HOPS} 次，已停止：{url}")

    async def _permits(self, session: aiohttp.ClientSession, url: str) -> bool:
        place = urljoin(url, "/robots.txt")
        rules, until = self._robots.get(place, (None, None))
        if until is None or until < now():
            rules = await _robots(session, place)
            self._robots[place] = rules, now() + ROBOTS_FOR
        return rules is None or bool(rules.can_fetch(url, AGENT))


def _blocked(error: Exception) -> bool:
    """Whether the socket guard said no, alone or among the addresses of one name."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return isinstance(cause, Blocked) or "private address refused" in str(cause)


async def _robots(session: aiohttp.ClientSession, place: str) -> Protego | None:
    headers = {"User-Agent": AGENT, "Accept-Encoding": "gzip, deflate"}
    async with session.get(place, headers=headers, allow_redirects=False) as response:
        if response.status != 200 or _mime(response.headers.get("Content-Type", "")) == "text/html":
            return None
        return Protego.parse(decode(await _capped(response, place)))


async def _read(
    url: str, final_url: str, response: aiohttp.ClientResponse, accept: frozenset[str]
) -> Fetched:
    kept = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    body = b""
    if response.status != 304:
        if response.status != 200:
            raise FetchError("status", f"稿源网站返回状态码 {response.status}：{final_url}")
        mime = _mime(response.headers.get("Content-Type", ""))
        if mime not in accept:
            raise FetchError(
                "content_type", f"网址的内容类型 {mime or '未注明'} 不能抓取：{final_url}"
            )
        body = await _capped(response, final_url)
    return Fetched(url, final_url, response.status, MappingProxyType(kept), body, now())


async def _capped(response: aiohttp.ClientResponse, url: str) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(64 * 1024):
        size += len(part)
        if size > LARGEST:
            raise FetchError("too_large", f"网页超过 {LARGEST // 1024 // 1024} MB，不予抓取：{url}")
        parts.append(part)
    return b"".join(parts)


def _mime(content_type: str) -> str:
    return content_type.split(";", 1)[0].strip().lower()
