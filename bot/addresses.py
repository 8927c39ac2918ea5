"""Which IP addresses are public, and which host names are IP addresses in disguise. Pure."""

import ipaddress
import re
import unicodedata

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_CLOSED_4 = tuple(
    ipaddress.IPv4Network(net)
    for net in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, and a cloud's metadata service
        "168.63.129.16/32",  # a cloud's host service on a public-looking address
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",
        "224.0.0.0/3",
    )
)
_OPEN_6 = ipaddress.IPv6Network("2000::/3")  # the only global unicast space handed out
_CLOSED_6 = tuple(
    ipaddress.IPv6Network(net)
    for net in (
        "2001::/23",  # Teredo, ORCHID and other special uses
        "2001:db8::/32",
        "2002::/16",  # 6to4: any IPv4 address can be inside
        "3fff::/20",
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")


def is_public(address: str) -> bool:
    """Whether an IP address (a zone id may follow) is one a stranger on the Internet could have."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not any(ip in net for net in _CLOSED_4)
    if ip.scope_id is not None:
        return False
    if ip in _NAT64:
        return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    isatap = (int(ip) >> 32) & 0xFFFF == 0x5EFE
    return ip in _OPEN_6 and ip.is_global and not isatap and not any(ip in net for net in _CLOSED_6)


def literal(host: str) -> Address | None:
    """The IP address some program would read in `host`, or None when it is a name.

    Reads what inet_aton reads: one to four parts, decimal, octal or hexadecimal, the last part
    filling what is left; also full-width digits, brackets, a last dot and a zone id.
    """
    plain = unicodedata.normalize("NFKC", host).strip().strip("[]").removesuffix(".")
    try:
        return ipaddress.ip_address(plain)
    except ValueError:
        parts = plain.split(".")
    if not 1 <= len(parts) <= 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    numbers = [_number(part) for part in parts]
    value = 0
    for part in numbers[:-1]:
        value = (value << 8) | (part & 0xFF)
    value = (value << (8 * (5 - len(numbers)))) | numbers[-1]
    return ipaddress.IPv4Address(value & 0xFFFFFFFF)


def is_plain(host: str) -> bool:
    """Whether `host` is a name, or an IP address written the one usual way without a zone."""
    ip = literal(host)
    if ip is None:
        return True
    written = host.strip("[]").lower()
    if isinstance(ip, ipaddress.IPv6Address):
        return ip.scope_id is None and ":" in written
    return written == str(ip)


def _number(part: str) -> int:
    if part[:2] in ("0x", "0X"):
        return int(part[2:] or "0", 16)
    if len(part) > 1 and part[0] == "0":
        return int(part, 8) if all(char in "01234567" for char in part) else int(part)
    return int(part)
