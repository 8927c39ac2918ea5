"""The one way bot code opens connections: no private address, no redirect, everything timed."""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.addresses import is_public

TIMEOUT = 20.0  # seconds for one whole call


class Blocked(OSError):
    """A connection to a private address was refused before it was made."""


def permitted(ip: str, port: int, allowed_private: frozenset[str]) -> bool:
    """Whether a connection to this address may be made: public, or named for development."""
    if is_public(ip):
        return True
    address = ipaddress.ip_address(ip)
    names = {f"{address}:{port}"} | ({f"localhost:{port}"} if address.is_loopback else set())
    return bool(names & allowed_private)


def check_api_base(
    url: str, allowed_private: frozenset[str] = frozenset(), name: str = "接口地址 api_base"
) -> str:
    """The address without its last slash; ValueError in Chinese when it may not be used.

    https only, no user name, query or fragment, no private address. `allowed_private` lists the
    `host:port` pairs that development may reach, also over http. `name` is the field's.
    """
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise ValueError(f"{name} 的端口无效：请检查端口号") from error
    host = parts.hostname or ""
    if not host or parts.username or parts.query or parts.fragment:
        raise ValueError(f"{name} 无效：只能写协议、主机、端口和路径")
    if f"{host}:{port}" in allowed_private and parts.scheme in ("http", "https"):
        return url.rstrip("/")
    if parts.scheme != "https":
        raise ValueError(f"{name} 必须以 https:// 开头")
    try:
        private = not permitted(host, port, allowed_private)
    except ValueError:
        private = host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
    if private:
        raise ValueError(f"{name} 不能指向内部网络地址：请改用平台的公开地址")
    return url.rstrip("/")


def guard(allowed_private: frozenset[str]) -> Callable[[Any], socket.socket]:
    """Makes sockets, and refuses private addresses, whatever name led there."""

    def make(info: Any) -> socket.socket:
        family, kind, protocol, _, address = info
        # The dialled address and not the name: a name may lead elsewhere at its second look-up.
        if not permitted(str(address[0]), int(address[1]), allowed_private):
            raise Blocked(f"private address refused: port {address[1]}")
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    return make


def open_session(allowed_private: frozenset[str], limit: int = 256) -> aiohttp.ClientSession:
    """A session whose sockets refuse private addresses, whatever name led there."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=limit, socket_factory=guard(allowed_private)),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT, connect=10),
        trust_env=False,  # a proxy of the environment would dial where this guard cannot see
    )
