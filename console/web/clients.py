"""From which address a request comes, also behind proxies that the office trusts."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web

from console.web.deps import DEPS

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
_CARRIED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")


def client_of(request: web.Request) -> str:
    """The address that sign-ins are counted for.

    X-Forwarded-For is believed as far as SHENFA_TRUSTED_PROXIES wrote it: from the right, over
    proxies we trust, to the first address that is none of them. Everything left of it is the
    client's own word.
    """
    said = ",".join(request.headers.getall("X-Forwarded-For", ()))
    return rightmost(request.remote or "", said, request.config_dict[DEPS].settings.proxies)


def comes_from(request: web.Request, networks: Sequence[Network]) -> bool:
    """Whether a request was made in one of these networks.

    What came over a proxy that we do not trust was made anywhere, whatever that proxy's address.
    """
    proxies = request.config_dict[DEPS].settings.proxies
    remote = _address(request.remote or "")
    if remote is None:
        return False
    carried = any(name in request.headers for name in _CARRIED)
    if carried and not any(remote in network for network in proxies):
        return False
    said = ",".join(request.headers.getall("X-Forwarded-For", ()))
    found = _over(remote, said, proxies)
    return any(found in network for network in networks)


def rightmost(remote: str, said: str, proxies: Sequence[Network]) -> str:
    """The rightmost untrusted address of `remote` and the header that stands before it."""
    found = _address(remote)
    return remote if found is None else _household(_over(found, said, proxies))


def _over(found: Address, said: str, proxies: Sequence[Network]) -> Address:
    for hop in reversed(said.split(",")):
        if not any(found in network for network in proxies):
            break
        # No address: the proxy passed on what it was told, and only the proxy itself is certain.
        if (before := _address(hop)) is None:
            break
        found = before
    return found


def _address(text: str) -> Address | None:
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


def _household(found: Address) -> str:
    """An IPv4 address, or the /64 that one household holds: it may take any address in it."""
    if found.version == 4:
        return str(found)
    return str(ip_network((found, 64), strict=False))
