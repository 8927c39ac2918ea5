"""Fetch one address of a determined source: judged before every hop, capped and timed.

A name is resolved once for a fetch, every address it has is checked, and the connection goes to
those addresses and no other; the socket guard of bot.http checks once more what is dialled. A
site's robots.txt is kept (RFC 9309); one that cannot be read forbids nothing, the sources being
agreed.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from time import monotonic
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from protego import Protego
from yarl import URL

from bot.addresses import is_plain, literal
from bot.http import Blocked, guard, permitted
from config.clock import now
from content_sources.answers import (
    FILES,
    PAGES,
    Fetched,
    FetchError,
    Order,
    mime_of,
    read_answer,
    read_start,
)
from content_sources.manners import MOST_HOSTS, Resting, Turns
from content_sources.whitelist import Judge, Refusal
from documents.charset import decode

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""A host name in, all its IP addresses out; OSError when it has none."""

SECONDS = 20.0  # for one address with all its redirects
SECONDS_FILE = 60.0  # where files are accepted
HOPS = 5
LONGEST_URL = 2000
AGENT = "Shenfa/1 (+government notice relay)"
ROBOTS_FOR = timedelta(hours=1)
REDIRECTS = (301, 302, 303, 307, 308)


_pins: ContextVar[dict[str, tuple[str, ...]]] = ContextVar("pins")


class _Pinned(AbstractResolver):
    """Gives aiohttp the addresses this fetch has checked, and none for any other name."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The pinned addresses of `host`."""
        found = _pins.get({}).get(host, ())
        if not found:
            raise OSError(f"{host} was not checked for this fetch")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        """Nothing is open."""


async def system_resolve(host: str) -> list[str]:
    """All addresses the system knows for a name."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class Fetcher:
    """One HTTP session for all sources; `allowed_private` are `host:port` pairs of development."""

    def __init__(
        self,
        allowed_private: frozenset[str] = frozenset(),
        turns: Turns | None = None,
        resolve: Resolve = system_resolve,
    ) -> None:
        """Opens nothing before the first fetch."""
        self._allowed = allowed_private
        self._turns = turns or Turns(own=allowed_private)
        self._resolve = resolve
        self._session: aiohttp.ClientSession | None = None
        self._robots: dict[str, tuple[Protego | None, datetime]] = {}

    def at_once(self, url: str) -> int:
        """How many requests the host of an address is sent at the same time."""
        return self._turns.at_once(urlsplit(url).netloc.lower())

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
        seconds = SECONDS_FILE if accept >= FILES else SECONDS
        token = _pins.set({})
        try:
            return await self._follow(Order(url, judge, accept, headers, seconds))
        except TimeoutError as error:
            raise FetchError("timeout", f"稿源网站没有在 {seconds:.0f} 秒内答复：{url}") from error
        except (aiohttp.InvalidURL, UnicodeError, ValueError) as error:
            raise FetchError("refused", f"网址无法识别：{url}") from error
        except (aiohttp.ClientError, OSError) as error:
            if _blocked(error):
                raise FetchError("private", _PRIVATE + url) from error
            raise FetchError("network", f"连不上稿源网站，请稍后再试：{url}") from error
        finally:
            _pins.reset(token)

    async def _follow(self, order: Order) -> Fetched:
        here, seen, left = order.url, {order.url}, order.seconds
        for _ in range(HOPS + 1):
            self._check(order, here)
            host = urlsplit(here).netloc.lower()
            if not await self._permits(here):
                raise FetchError("refused", f"网站的 robots.txt 不允许抓取：{here}")
            async with self._turn(host, here):
                begun = monotonic()
                async with asyncio.timeout(left):
                    found = await self._ask(order, here)
                left -= monotonic() - begun
            if isinstance(found, Fetched):
                return found
            _check_redirect(here, found, seen)
            here = found
        raise FetchError("redirects", f"网址跳转超过 {HOPS} 次，已停止：{order.url}")

    def _check(self, order: Order, here: str) -> None:
        """The whitelist's word on this hop, before anything is sent."""
        where = "" if here == order.url else f"（由 {order.url} 跳转而来）"
        verdict = order.judge(here)
        if isinstance(verdict, Refusal):
            raise FetchError("refused", verdict.message + where)
        if len(here) > LONGEST_URL:
            raise FetchError("refused", f"网址超过 {LONGEST_URL} 个字符{where}")

    @asynccontextmanager
    async def _turn(self, host: str, url: str) -> AsyncIterator[None]:
        """A place at the host; what goes wrong there counts against it, an answer in its favour."""
        try:
            async with self._turns.turn(host):
                yield
        except Resting as error:
            message = f"稿源网站正在休息，{error.seconds / 60:.0f} 分钟后再试：{url}"
            raise FetchError("later", message, error.seconds) from error
        except FetchError as error:
            if error.code == "status" and error.wait == 0:
                self._turns.worked(host)
            else:
                self._turns.failed(host, error.wait)
            raise
        except (TimeoutError, aiohttp.ClientError, OSError):
            self._turns.failed(host)
            raise
        self._turns.worked(host)

    async def _ask(self, order: Order, here: str) -> Fetched | str:
        """One request: what it answered, or where it leads."""
        session = await self._connect(here)
        async with session.get(here, headers=order.headers, allow_redirects=False) as response:
            target = response.headers.get("Location", "")
            if response.status in REDIRECTS and target:
                return urljoin(here, target)
            return await read_answer(order, here, response)

    async def _connect(self, url: str) -> aiohttp.ClientSession:
        """The session, after the addresses behind `url` were resolved, checked and pinned."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https"):
            raise FetchError("refused", f"网址只能以 https:// 或 http:// 开头：{url}")
        if not is_plain(host):
            raise FetchError("refused", f"网址的主机写成了数字，已拒绝访问：{url}")
        name = URL(url).raw_host or ""
        pins = _pins.get()
        if name not in pins and literal(name) is None:
            found = tuple(await self._resolve(name))
            port = parts.port or (443 if parts.scheme == "https" else 80)
            if not found:
                raise OSError(f"{name} has no address")
            if not all(permitted(address, port, self._allowed) for address in found):
                raise Blocked(f"private address refused: {name}")
            pins[name] = found
        if self._session is None:
            self._session = _open(self._allowed)
        return self._session

    async def _permits(self, url: str) -> bool:
        place = urljoin(url, "/robots.txt")
        rules, until = self._robots.get(place, (None, None))
        if until is None or until < now():
            rules = await self._read_robots(place)
            if len(self._robots) >= MOST_HOSTS:
                self._robots = {key: kept for key, kept in self._robots.items() if kept[1] > now()}
            self._robots[place] = rules, now() + ROBOTS_FOR
        return rules is None or bool(rules.can_fetch(url, AGENT))

    async def _read_robots(self, place: str) -> Protego | None:
        headers = {"User-Agent": AGENT, "Accept-Encoding": "gzip, deflate"}
        host = urlsplit(place).netloc.lower()
        async with self._turn(host, place), asyncio.timeout(SECONDS):
            session = await self._connect(place)
            async with session.get(place, headers=headers, allow_redirects=False) as response:
                mime = mime_of(response.headers.get("Content-Type", ""))
                if response.status != 200 or mime == "text/html":
                    return None
                body = await read_start(response)
        rules = Protego.parse(decode(body))
        self._turns.crawl_delay(host, float(rules.crawl_delay(AGENT) or 0))
        return rules


_PRIVATE = "网址指向内部网络地址，已拒绝访问："


def _open(allowed: frozenset[str]) -> aiohttp.ClientSession:
    """Checked addresses, guarded sockets, no cookies, no proxy; bodies arrive as they are sent."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=64, resolver=_Pinned(), use_dns_cache=False, socket_factory=guard(allowed)
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=10, sock_read=10),
        auto_decompress=False,
        trust_env=False,
    )


def _blocked(error: Exception) -> bool:
    """Whether the socket guard said no, alone or among the addresses of one name."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return isinstance(cause, Blocked) or "private address refused" in str(cause)


def _check_redirect(here: str, target: str, seen: set[str]) -> None:
    """A circle ends at its second round; what was encrypted stays encrypted."""
    if target in seen:
        raise FetchError("redirects", f"网址跳转成了一个圈，已停止：{target}")
    seen.add(target)
    if here.startswith("https:") and target.lower().startswith("http:"):
        raise FetchError(
            "refused", f"网址从 https 跳转到 http，已停止：{target}（由 {here} 跳转而来）"
        )
