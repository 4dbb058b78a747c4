"""Which addresses this host may fetch for members: public ones, and those the admin allows.

A member's link must not become a way into the network the bot runs in (server-side request
forgery). Looking at the link is not enough: a public name may resolve to a private address, may
resolve differently a moment later (DNS rebinding), a public page may redirect to a private one,
and `2130706433`, `0x7f.1` and `::ffff:7f00:1` all mean 127.0.0.1. So the decision is made for the
numeric address that is about to be connected to, by whoever connects (`guarded_http` in the bot,
`ytdlp_network` in the extraction workers), after every lookup and for every redirect.

Instead of listing what is private, IPv6 passes only inside of the range in use for global unicast
(2000::/3), less its special blocks; IPv6 forms that carry an IPv4 address are judged by that.
Sources: IANA's special-purpose address registries for IPv4 and IPv6 (RFC 6890).
"""

import ipaddress
import socket
from collections.abc import Iterable

from services.audio.errors import AddressRefused

_REFUSED_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; one cloud's metadata service too
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's host agent on an otherwise public address
        "169.254.0.0/16",  # link-local: the usual metadata services
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in ("2001::/23", "2001:db8::/32", "3fff::/20")  # Teredo and other special uses
)
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

_SENTENCE = (
    "That address leads into a private network, where this bot does not go. "
    "Its host can allow it with ALLOW_HOSTS."
)


def refusal() -> AddressRefused:
    """Return the error for an address that may not be connected to."""
    return AddressRefused(_SENTENCE)


class AddressGuard:
    """Decides about numeric addresses, together with the name and port they stand for.

    `allow_hosts` holds hosts or `host:port`, as members write them in a link.
    """

    def __init__(self, allow_hosts: Iterable[str] = ()) -> None:
        self._allowed = {_canonical(entry) for entry in allow_hosts if entry.strip()}

    def allows_host(self, host: str, port: int) -> bool:
        """Tell whether the admin allows this host by name, wherever it leads."""
        name = _host(host)
        return (name, None) in self._allowed or (name, port) in self._allowed

    def permits(self, host: str, port: int, address: str) -> bool:
        """Tell whether `address`, which `host` has resolved to, may be connected to."""
        return self.allows_host(host, port) or is_public(address)

    def check_host(self, host: str, port: int) -> None:
        """Refuse a host that is itself a forbidden address, in whatever spelling.

        A name passes; what it resolves to is to be checked by `permits`.

        Raises:
            AddressRefused: it is a private address.
        """
        literal = _literal(host)
        if literal is not None and not self.permits(host, port, literal):
            raise refusal()


def is_public(address: str) -> bool:
    """Tell whether a numeric address belongs to the public internet."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        embedded = _embedded_v4(ip)
        if embedded is None:
            return ip in _GLOBAL_V6 and not any(ip in network for network in _REFUSED_V6)
        ip = embedded
    return not any(ip in network for network in _REFUSED_V4)


def _embedded_v4(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip in _SIX_TO_FOUR:
        return ipaddress.IPv4Address(int(ip) >> 80 & 0xFFFFFFFF)
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return None


def _literal(host: str) -> str | None:
    """Return the numeric address that a host spells; None for a name."""
    bare = host.strip("[]").removesuffix(".")
    try:
        return str(ipaddress.ip_address(bare.partition("%")[0]))
    except ValueError:
        pass
    try:
        # the C library's own reading of decimal, octal, hexadecimal and shortened spellings
        return socket.inet_ntoa(socket.inet_aton(bare))
    except (OSError, UnicodeError):
        return None


def _host(host: str) -> str:
    return _literal(host) or host.strip("[]").removesuffix(".").lower()


def _canonical(entry: str) -> tuple[str, int | None]:
    """Split `host`, `host:port`, `[v6]:port` or a bare IPv6 address."""
    entry = entry.strip()
    host, colon, port = entry.rpartition(":")
    if colon and port.isdigit() and (host.endswith("]") or ":" not in host):
        return _host(host), int(port)
    return _host(entry), None
