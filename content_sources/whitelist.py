"""The source list: says before any request whether a URL belongs to a determined source.

Deny by default. Pure; the rules come from the caller (table rows for fetching, signed entries
for sending). Basis: 互联网新闻信息服务管理规定 第十五条 (only from determined sources, traceable).
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from urllib.parse import unquote, urlsplit

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from yarl import URL

from config.clock import now
from content_sources.models import Source
from storage.database import Database

_DEFAULT_PORTS = {"https": 443, "http": 80}
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*")
_PAIRS = "аaеeоoрpсcуyхxкkмmтtвbнhіlѕsјjһhԁdԛqԝwαaοoεeρpτtυuιlκkνv0o1lil|l"
_ALIKE = dict(zip(map(ord, _PAIRS[::2]), _PAIRS[1::2], strict=True))


@dataclass(frozen=True)
class SourceRule:
    """What one determined source permits. `hosts`: exact `host` or `host:port`.

    `paths` are prefixes and `topics` facet keys; empty means all.
    """

    id: str
    organisation: str
    hosts: tuple[str, ...]
    allow_http: bool
    valid_from: datetime
    valid_to: datetime | None
    paths: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    picture_licence: str = ""
    revoked: bool = False


@dataclass(frozen=True)
class Refusal:
    """Why a URL may not be fetched: a short rule name and one line for people.

    Rules: url, scheme, userinfo, host, subdomain, lookalike, port, revoked, not_yet, expired,
    scope.
    """

    rule: str
    message: str


@dataclass(frozen=True)
class _Place:
    scheme: str
    host: str
    port: int
    path: str


def judge(url: str, sources: Sequence[SourceRule], as_of: datetime) -> SourceRule | Refusal:
    """The source that covers `url` at `as_of`, or why none does."""
    place = _place(url)
    if isinstance(place, Refusal):
        return place
    covering = [one for one in sources if covers(one.hosts, place.scheme, place.host, place.port)]
    if not covering:
        return _unlisted(place, sources)
    faults = list(_faults(covering, place, as_of))
    for source, fault in zip(covering, faults, strict=True):
        if fault is None:
            return source
    return next(fault for fault in faults if fault is not None)


def host_of(url: str) -> tuple[str, str, int] | None:
    """Scheme, host in its ASCII form and port; None when the address cannot be read safely."""
    place = _place(url)
    return None if isinstance(place, Refusal) else (place.scheme, place.host, place.port)


def covers(hosts: Sequence[str], scheme: str, host: str, port: int) -> bool:
    """Whether one of the listed hosts is this host at this port."""
    for entry in hosts:
        name, listed = _listed(entry)
        if name and name == host and (_DEFAULT_PORTS[scheme] if listed is None else listed) == port:
            return True
    return False


def listed_host(text: str) -> str:
    """A host as it is kept in the list: ASCII, lower case, `host` or `host:port`.

    ValueError (one Chinese line) for addresses, wildcards, user-info, paths and IP addresses.
    """
    try:
        parts = urlsplit(f"//{text.strip()}")
        port, host = parts.port, _ascii_host(parts.hostname or "")
        requested = URL(f"https://{text.strip()}").raw_host or ""
    except ValueError as error:
        raise ValueError(f"“{text[:60]}”不是有效的域名") from error
    if parts.path or parts.query or parts.fragment or "@" in text:
        raise ValueError(f"“{text[:60]}”不是完整的域名：只写域名，不带 http、路径和用户名")
    if not _HOST.fullmatch(host) or host != requested.removesuffix("."):
        raise ValueError(f"“{text[:60]}”不是完整的域名：例如 www.example.gov.cn")
    if port is None or port == _DEFAULT_PORTS["https"]:
        return host
    if port == 0:
        raise ValueError(f"“{text[:60]}”的端口不对")
    return f"{host}:{port}"


def alike(host: str, hosts: Sequence[str]) -> str:
    """The listed host that `host` could be taken for, or empty; equal hosts are not alike."""
    name, _ = _listed(host)
    shape = _skeleton(name)
    for entry in hosts:
        listed, _ = _listed(entry)
        if listed and listed != name and shape == _skeleton(listed):
            return listed
    return ""


def _place(url: str) -> _Place | Refusal:
    if any(ord(char) <= 32 or char == "\\" for char in url):
        return Refusal("url", "网址里有空格、反斜线或控制字符：请填写完整的网址")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _ascii_host(parts.hostname or "")
        requested = URL(url).raw_host or ""
        url.encode()
    except ValueError:
        return Refusal("url", "网址无法识别：请检查主机名和端口")
    if parts.scheme not in _DEFAULT_PORTS:
        return Refusal("scheme", "网址只能以 https:// 开头")
    if "@" in parts.netloc:
        return Refusal("userinfo", "网址里不能带用户名或密码：请去掉 @ 之前的部分")
    if not host:
        return Refusal("url", "网址缺少主机名：请填写完整的网址")
    if host != requested.removesuffix("."):  # IDNA 2003 and 2008 read some letters differently
        return Refusal("url", "网址的主机名有歧义：请改用英文字母的主机名")
    number = _DEFAULT_PORTS[parts.scheme] if port is None else port
    return _Place(parts.scheme, host, number, parts.path or "/")


def _ascii_host(host: str) -> str:
    """Lower-case, punycode, without the last dot; ValueError when it is no host name."""
    if not host:
        return ""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        encoded = host.removesuffix(".").encode("idna").decode("ascii")
        return encoded.lower()


@lru_cache(maxsize=20_000)
def _listed(entry: str) -> tuple[str, int | None]:
    """A listed host and its port; no port means the default ports only."""
    try:
        parts = urlsplit(f"//{entry}")
        return _ascii_host(parts.hostname or ""), parts.port
    except ValueError:
        return "", None


@lru_cache(maxsize=20_000)
def _skeleton(host: str) -> str:
    """A host as the eye reads it: look-alike letters and figures become the Latin ones."""
    try:
        shown = host.encode("ascii").decode("idna")
    except UnicodeError:
        shown = host
    plain = unicodedata.normalize("NFKD", shown).casefold()
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return plain.translate(_ALIKE).replace("rn", "m").replace("vv", "w")


def _unlisted(place: _Place, sources: Sequence[SourceRule]) -> Refusal:
    """Nobody listed this host: the most telling reason, for the person who typed it."""
    hosts = [entry for source in sources if not source.revoked for entry in source.hosts]
    names = {_listed(entry)[0] for entry in hosts} - {""}
    if place.host in names:
        return Refusal("port", f"网址的端口 {place.port} 不在稿源登记的端口内：{place.host}")
    for name in names:
        if place.host.endswith(f".{name}") or name.endswith(f".{place.host}"):
            return Refusal(
                "subdomain", f"网址 {place.host} 与已登记的 {name} 不是同一个主机：须单独登记并批准"
            )
        if place.host.startswith(f"{name}."):
            return Refusal(
                "lookalike", f"网址 {place.host} 冒用了 {name} 的名字：不是这家稿源的网站"
            )
    if twin := alike(place.host, hosts):
        return Refusal("lookalike", f"网址 {place.host} 与 {twin} 形似而不同：请核对，谨防假冒网站")
    return Refusal("host", f"网址 {place.host} 不在稿源白名单内：请先由管理员登记并批准该稿源")


def _faults(
    sources: Sequence[SourceRule], place: _Place, as_of: datetime
) -> Iterator[Refusal | None]:
    for source in sources:
        if source.revoked:
            yield Refusal("revoked", f"稿源“{source.organisation}”已撤销：不能再转载")
        elif as_of < source.valid_from:
            yield Refusal("not_yet", f"稿源“{source.organisation}”尚未生效")
        elif source.valid_to is not None and as_of >= source.valid_to:
            yield Refusal("expired", f"稿源“{source.organisation}”已过有效期：请重新核定")
        elif place.scheme == "http" and not source.allow_http:
            yield Refusal("scheme", f"稿源“{source.organisation}”只能通过 https 抓取")
        elif not _in_scope(place.path, source.paths):
            yield Refusal("scope", f"网址不在稿源“{source.organisation}”准许转载的栏目路径内")
        else:
            yield None


def _in_scope(path: str, prefixes: Sequence[str]) -> bool:
    """Whether the path lies below a prefix; a path that could mean another one is outside."""
    if not prefixes:
        return True
    plain = unquote(path)
    hidden = "\\" in plain or "%" in plain or plain.count("/") != path.count("/")
    if hidden or any(part in (".", "..") for part in plain.split("/")):
        return False
    wholes = [prefix.rstrip("/") for prefix in prefixes]
    return any(plain == whole or plain.startswith(f"{whole}/") for whole in wholes)


Judge = Callable[[str], SourceRule | Refusal]


async def source_rules(session: AsyncSession) -> list[SourceRule]:
    """What the table of sources permits to be fetched."""
    rows = (await session.scalars(select(Source).where(Source.state == "active"))).all()
    return [
        SourceRule(
            id=row.id,
            organisation=row.organisation,
            hosts=tuple(row.hosts),
            allow_http=row.allow_http,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            paths=tuple(row.paths),
        )
        for row in rows
    ]


async def judging(db: Database) -> Judge:
    """The source list's word on any address, as the list is now."""
    async with db.session() as session:
        return partial(judge, sources=await source_rules(session), as_of=now())
