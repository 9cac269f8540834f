"""Which addresses no provider may have, however they are spelled.

A metadata service hands out credentials to whoever asks from the machine it serves, so no
configuration may point there. Loopback and private addresses may be a model server at home.
"""

import ipaddress
import re
import socket
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA_NAMES = frozenset({"metadata.google.internal", "metadata.goog", "instance-data"})
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
        ),
    )
)
_PRINTABLE = re.compile(r"[\x21-\x7e]*")
# Ranges of IPv6 whose last 32 bits are an IPv4 address: NAT64 (RFC 6052, RFC 8215) and the old
# IPv4-compatible form.
CARRIERS = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")))
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
    if host.rstrip(".").lower() in METADATA_NAMES:
        return f"points at a metadata service ({host})"
    address = _as_address(host)
    return refused_address(str(address)) if address else None


def refused_address(address: str) -> str | None:
    """Why no connection may be made to this IP address; None when it may."""
    for one in _meanings(ipaddress.ip_address(address.partition("%")[0])):
        if one in METADATA_ADDRESSES:
            return f"points at a metadata service ({address})"
        if one.is_link_local:
            return f"points at a link-local address ({address})"
        if one.is_multicast or one.is_unspecified:
            return f"points at an address that no server has ({address})"
    return None


def _as_address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        if not _NUMERIC.fullmatch(host):
            return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
    except OSError:
        return None


def _meanings(address: Address) -> list[Address]:
    """The address itself and every IPv4 address that is carried in it."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    carried: list[Address | None] = [address.ipv4_mapped, address.sixtofour]
    if any(address in carrier for carrier in CARRIERS):
        carried.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if address.teredo:
        carried += address.teredo
    return [address, *(one for one in carried if one is not None)]
