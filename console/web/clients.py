"""From which address a request comes, also behind proxies that the office trusts."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web

from console.web.deps import DEPS

Network = IPv4Network | IPv6Network


def client_of(request: web.Request) -> str:
    """The address that sign-ins are counted for.

    X-Forwarded-For is believed as far as SHENFA_TRUSTED_PROXIES wrote it: from the right, over
    proxies we trust, to the first address that is none of them. Everything left of it is the
    client's own word.
    """
    said = ",".join(request.headers.getall("X-Forwarded-For", ()))
    return rightmost(request.remote or "", said, request.config_dict[DEPS].settings.proxies)


def rightmost(remote: str, said: str, proxies: Sequence[Network]) -> str:
    """The rightmost untrusted address of `remote` and the header that stands before it."""
    found = _address(remote)
    if found is None:
        return remote
    for hop in reversed(said.split(",")):
        if not any(found in network for network in proxies):
            break
        # No address: the proxy passed on what it was told, and only the proxy itself is certain.
        if (before := _address(hop)) is None:
            break
        found = before
    return _household(found)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address as proxies write them: bare, with a port, in brackets."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _household(found: IPv4Address | IPv6Address) -> str:
    """An IPv4 address, or the /64 that one household holds: it may take any address in it."""
    if found.version == 4:
        return str(found)
    return str(ip_network((found, 64), strict=False))
