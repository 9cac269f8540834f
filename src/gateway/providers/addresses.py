"""What an address is, however it is spelled: forbidden to every provider, public, or neither.

A metadata service hands out credentials to whoever asks from the machine it serves, so no
configuration may point there. What is neither may be a model server at home: ``egress`` decides.
"""

import ipaddress
import re
import socket
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

METADATA_NAMES = frozenset(
    (
        "metadata.google.internal",
        "metadata.goog",
        "instance-data",
        "instance-data.ec2.internal",
        "metadata.tencentyun.com",
    )
)
METADATA_ADDRESSES = frozenset(
    map(
        ipaddress.ip_address,
        (
            "169.254.169.254",  # AWS, Google, Azure and most others
            "169.254.170.2",  # ECS tasks
            "100.100.100.200",  # Alibaba
            "192.0.0.192",  # Oracle
            "168.63.129.16",  # Azure's wire server
            "fd00:ec2::254",  # AWS over IPv6
            "fd00:ec2::23",  # EKS pods
            "fd20:ce::254",  # Google over IPv6
            "fd00:c1::a9fe:a9fe",  # Oracle over IPv6
            "fd00:42::42",  # Scaleway over IPv6
        ),
    )
)


def _networks(*written: str) -> tuple[Network, ...]:
    return tuple(map(ipaddress.ip_network, written))


MAPPED, NAT64, LOCAL_NAT64, COMPATIBLE = _networks(  # RFC 4291, 6052, 8215, 4291
    "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "::/96"
)
# Ranges of IPv6 whose last 32 bits are an IPv4 address.
CARRIERS = (NAT64, LOCAL_NAT64, COMPATIBLE)
# What IANA keeps back: of IPv4 a little, of IPv6 all but these.
RESERVED = _networks("0.0.0.0/8", "240.0.0.0/4")
ASSIGNED = (*_networks("2000::/3", "fc00::/7", "fec0::/10", "::1/128"), MAPPED, *CARRIERS)
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
# Of our own and stricter than ``is_global``, whose table changes between Python 3.11.2 and 3.13:
# IANA's special-purpose registries, and what is of no use any more (6to4 with its relays).
NOT_PUBLIC = _networks(
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",  # carrier-grade NAT
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",  # documentation, as are 198.51.100, 203.0.113, 2001:db8 and 3fff
    "192.88.99.0/24",  # relays of 6to4
    "192.168.0.0/16",
    "198.18.0.0/15",  # benchmarks
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "2001::/23",  # Teredo, benchmarks, ORCHID
    "2001:db8::/32",
    "2002::/16",  # 6to4
    "3fff::/20",
)
_PRINTABLE = re.compile(r"[\x21-\x7e]*")
# What inet_aton takes for an IPv4 address: 1 to 4 numbers, each decimal, octal or hexadecimal.
_NUMERIC = re.compile(r"(?:0[xX][0-9a-fA-F]*|[0-9]+)(?:\.(?:0[xX][0-9a-fA-F]*|[0-9]+)){0,3}\.?")


def refused_url(url: str) -> str | None:
    """Why a provider may not have this base URL; None when it may. Looks nothing up."""
    if not _PRINTABLE.fullmatch(url):
        return "must be plain ASCII without spaces"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"is no URL: {error}"
    if parts.scheme not in ("https", "http") or not host:
        return "must begin with https:// or http:// and name a host"
    if parts.username or parts.password:
        return "must not hold a user or a password: give the key as a secret"
    if "?" in url or "#" in url:
        return "must not hold a query or a fragment"
    return refused_host(host)


def refused_host(host: str) -> str | None:
    """Why no connection may be made to this host of a URL, as far as its spelling tells."""
    if host.rstrip(".").lower() in METADATA_NAMES:
        return f"points at a metadata service ({host})"
    address = spelled_address(host)
    if address and (why := refused_address(str(address))):
        return why
    # Whoever is handed the host may undo %6c or stop at %2f; and only link-local ones need a zone.
    return "must not hold a % in its host" if "%" in host else None


def refused_address(address: str) -> str | None:
    """Why no connection may ever be made to this IP address; None when one may."""
    for one in meanings(read_address(address)):
        if one in METADATA_ADDRESSES:
            return f"points at a metadata service ({address})"
        if one.is_link_local:
            return f"points at a link-local address ({address})"
        if one.is_multicast or one.is_unspecified or _reserved(one):
            return f"points at an address that no server has ({address})"
    return None


def is_public(address: str) -> bool:
    """Whether this IP address is one in the open internet, and carries no other."""
    one = read_address(address)
    if one in NAT64:  # what a machine without IPv4 calls every IPv4 address
        one = ipaddress.IPv4Address(int(one) & 0xFFFFFFFF)
    if isinstance(one, ipaddress.IPv6Address) and one not in GLOBAL_UNICAST:
        return False
    return not any(one in network for network in NOT_PUBLIC)


def read_address(address: str) -> Address:
    """Without its zone; an IPv4-mapped one as the IPv4 address that the system connects to."""
    one = ipaddress.ip_address(address.partition("%")[0])
    return getattr(one, "ipv4_mapped", None) or one


def spelled_address(host: str) -> Address | None:
    """The address that a URL's host is another spelling of; None for a name."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        if not _NUMERIC.fullmatch(host):
            return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
    except OSError:
        return None


def meanings(address: Address) -> list[Address]:
    """The address itself and every IPv4 address that is carried in it."""
    if isinstance(address, ipaddress.IPv4Address) or address.is_loopback:
        return [address]
    carried: list[Address | None] = [address.ipv4_mapped, address.sixtofour]
    if any(address in carrier for carrier in CARRIERS):
        carried.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if address in LOCAL_NAT64:
        carried += _embedded(int(address))
    if address.teredo:
        carried += address.teredo
    return [address, *(one for one in carried if one is not None)]


def _embedded(number: int) -> list[Address]:
    """RFC 6052, 2.2: a network's own prefix may have 48, 56 or 64 bits, and bits 64 to 71 are void.

    What no server has is not meant so: it is the filling of a prefix of another length.
    """
    squeezed = number >> 64 << 56 | number & (1 << 56) - 1
    found = (ipaddress.IPv4Address(squeezed >> shift & 0xFFFFFFFF) for shift in (40, 32, 24))
    return [one for one in found if not (one.is_multicast or _reserved(one))]


def _reserved(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return any(address in network for network in RESERVED)
    return not any(address in network for network in ASSIGNED)
