"""The one way bot code opens connections: no private address, no redirect, everything timed."""

import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

import aiohttp

TIMEOUT = 20.0  # seconds for one whole call


class Blocked(OSError):
    """A connection to a private address was refused before it was made."""


def _allowed(ip: str, port: int, allowed_private: frozenset[str]) -> bool:
    address = ipaddress.ip_address(ip.split("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_global and not address.is_multicast:
        return True
    names = {f"{address}:{port}"} | ({f"localhost:{port}"} if address.is_loopback else set())
    return bool(names & allowed_private)


def check_api_base(url: str, allowed_private: frozenset[str] = frozenset()) -> str:
    """The address without its last slash; ValueError in Chinese when it may not be used.

    https only, no user name, query or fragment, no private address. `allowed_private` lists the
    `host:port` pairs that development may reach, also over http.
    """
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise ValueError("接口地址 api_base 的端口无效：请检查端口号") from error
    host = parts.hostname or ""
    if not host or parts.username or parts.query or parts.fragment:
        raise ValueError("接口地址 api_base 无效：只能写协议、主机、端口和路径")
    if f"{host}:{port}" in allowed_private and parts.scheme in ("http", "https"):
        return url.rstrip("/")
    if parts.scheme != "https":
        raise ValueError("接口地址 api_base 必须以 https:// 开头")
    try:
        private = not _allowed(host, port, allowed_private)
    except ValueError:
        private = host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
    if private:
        raise ValueError("接口地址 api_base 不能指向内部网络地址：请改用平台的公开地址")
    return url.rstrip("/")


def open_session(allowed_private: frozenset[str], limit: int = 256) -> aiohttp.ClientSession:
    """A session whose sockets refuse private addresses, whatever name led there."""

    def make(info: Any) -> socket.socket:
        family, kind, protocol, _, address = info
        if not _allowed(str(address[0]), int(address[1]), allowed_private):
            raise Blocked(f"private address refused: port {address[1]}")
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=limit, socket_factory=make),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT, connect=10),
        trust_env=False,
    )
