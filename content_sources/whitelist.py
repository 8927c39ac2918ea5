"""The source list: says before any request whether a URL belongs to a determined source.

Deny by default. Pure; the rules come from active Source rows. Basis: 互联网新闻信息服务管理规定
第十五条 (only from determined sources, traceable).
"""

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from yarl import URL

_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class SourceRule:
    """What one determined source permits. `hosts`: exact `host` or `host:port`."""

    id: str
    organisation: str
    hosts: tuple[str, ...]
    allow_http: bool
    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True)
class Refusal:
    """Why a URL may not be fetched: a short rule name and one line for people."""

    rule: str
    message: str


@dataclass(frozen=True)
class _Place:
    scheme: str
    host: str
    port: int


def judge(url: str, sources: Sequence[SourceRule], as_of: datetime) -> SourceRule | Refusal:
    """The source that covers `url` at `as_of`, or why none does."""
    place = _place(url)
    if isinstance(place, Refusal):
        return place
    covering = [one for one in sources if _covers(one, place)]
    if not covering:
        return Refusal("host", f"网址 {place.host} 不在稿源白名单内：请先由管理员登记并批准该稿源")
    faults = list(_faults(covering, place, as_of))
    for source, fault in zip(covering, faults, strict=True):
        if fault is None:
            return source
    return next(fault for fault in faults if fault is not None)


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
    return _Place(parts.scheme, host, _DEFAULT_PORTS[parts.scheme] if port is None else port)


def _ascii_host(host: str) -> str:
    """Lower-case, punycode, without the last dot; ValueError when it is no host name."""
    if not host:
        return ""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        encoded = host.removesuffix(".").encode("idna").decode("ascii")
        return encoded.lower()


def _listed(entry: str) -> tuple[str, int | None]:
    """A listed host and its port; no port means the default ports only."""
    try:
        parts = urlsplit(f"//{entry}")
        return _ascii_host(parts.hostname or ""), parts.port
    except ValueError:
        return "", None


def _covers(source: SourceRule, place: _Place) -> bool:
    for entry in source.hosts:
        host, port = _listed(entry)
        wanted = _DEFAULT_PORTS[place.scheme] if port is None else port
        if host and host == place.host and wanted == place.port:
            return True
    return False


def _faults(
    sources: Sequence[SourceRule], place: _Place, as_of: datetime
) -> Iterator[Refusal | None]:
    for source in sources:
        if as_of < source.valid_from:
            yield Refusal("validity", f"稿源“{source.organisation}”尚未生效")
        elif source.valid_to is not None and as_of >= source.valid_to:
            yield Refusal("validity", f"稿源“{source.organisation}”已过有效期：请重新核定")
        elif place.scheme == "http" and not source.allow_http:
            yield Refusal("scheme", f"稿源“{source.organisation}”只能通过 https 抓取")
        else:
            yield None
