"""Where the gateway may connect: to public addresses, and to others that the operator allows."""

import ipaddress
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from gateway.providers.addresses import (
    CARRIERS,
    MAPPED,
    Address,
    Network,
    is_public,
    meanings,
    read_address,
    refused_address,
    refused_host,
    spelled_address,
)

PORTS = {"http": 80, "https": 443}
FORMS = "write HOST, HOST:PORT, [IPV6]:PORT, NETWORK/BITS or NETWORK/BITS:PORT"
SHORTEST_PREFIX = {4: 8, 6: 7}  # 10.0.0.0/8 and fc00::/7 are the widest private networks
PRIVATE_NAMES = (".localhost", ".local", ".internal")
_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_ENTRY = re.compile(
    r"(?:\[(?P<six>[^\[\]]*)\]|(?P<bare_six>[^\[\]/]*:[^\[\]/]*:[^\[\]/]*)|(?P<host>[^\[\]/:]*))"
    r"(?:/(?P<bits>[0-9]+))?(?::(?P<port>.*))?"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list: a name or a network, and a port, or None for every port."""

    place: str | Network
    port: int | None

    def admits(self, host: str, port: int, address: Address) -> bool:
        if self.port not in (None, port):
            return False
        return host == self.place if isinstance(self.place, str) else address in self.place


@dataclass(frozen=True, slots=True)
class AllowList:
    """Which places that are not public may be connected to."""

    entries: tuple[Entry, ...] = ()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> Self:
        """Raises ValueError, which names the entry and the fix."""
        return cls(tuple(map(_read_entry, entries)))

    def admits(self, host: str, port: int, address: str) -> bool:
        """``address``: one that ``host``, of a URL, resolved to.

        An entry with a name admits all that the name resolves to, one with an address or a network
        what is connected to. None admits what no provider may have.
        """
        name, connected = host.rstrip(".").lower(), read_address(address)
        if not any(entry.admits(name, port, connected) for entry in self.entries):
            return False
        return refused_address(address) is None


class EgressGuard:
    """``forbidden``: addresses with ports that no entry opens, such as the gateway's own.

    One of the loopback, or ``0.0.0.0``, stands for all of the loopback. ``allowed`` is asked at
    each connection to a place that is not public, since settings change meanwhile.
    """

    def __init__(
        self, forbidden: Collection[tuple[str, int]], allowed: Callable[[], AllowList]
    ) -> None:
        self._forbidden = frozenset((_own(read_address(place)), port) for place, port in forbidden)
        self._allowed = allowed

    def refuses(self, host: str, port: int, address: str) -> str | None:
        """Why no connection may be made to this address, which ``host`` resolved to, or None."""
        if why := refused_host(host) or refused_address(address):
            return f"{host} {why}"
        if any((_own(one), port) in self._forbidden for one in meanings(read_address(address))):
            place = _written(address, port)
            return f"{place} is the gateway's own or its platform's, and is never connected to"
        if is_public(address) or self._allowed().admits(host, port, address):
            return None
        who = address if spelled_address(host) else f"{host} is at {address}, which"
        entry = _fix(host, port, address)
        fix = f"allow it: `sluicegate settings allow {entry}`, or allow_private: [{entry}]"
        return f"{who} is not a public address; to let the gateway connect there, {fix}"


def private_url(url: str) -> str | None:
    """The allow entry that this base URL needs, as far as its spelling tells; None for none.

    Also None for what no entry could open: ``refused_url`` says that. Looks nothing up.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in PORTS or not host or not port or refused_host(host):
        return None
    address = spelled_address(host)
    if address is None:
        return _written(host.rstrip("."), port) if _private_name(host) else None
    if is_public(str(address)):
        return None
    return _written(str(address), port)


def _own(address: Address) -> Address:
    # A server on every address of this machine is reached by each address of its loopback.
    if address.is_loopback or address.is_unspecified:
        return ipaddress.IPv4Address("127.0.0.1")
    return address


def _private_name(host: str) -> bool:
    name = host.rstrip(".").lower()
    return name == "localhost" or name.endswith(PRIVATE_NAMES)


def _fix(host: str, port: int, address: str) -> str:
    # Elsewhere an entry with the name would let whoever answers for it choose the address.
    entry = _written(host.rstrip(".") if _private_name(host) else address, port)
    return f'"{entry}"' if entry.startswith("[") else entry  # as YAML wants it


def _written(place: str, port: int) -> str:
    if spelled_address(place):
        place = str(read_address(place))
    return f"[{place}]:{port}" if ":" in place else f"{place}:{port}"


def _read_entry(entry: str) -> Entry:
    text = entry.strip()
    before, at, host = text.rpartition("@")
    if at:
        told = f"{text!r}" if ":" not in before else f"…@{host}"  # no password is said back
        raise ValueError(f"{told}: leave out the @ and the user before it")
    if "://" in text:
        raise ValueError(f"{entry!r}: leave out {text.partition('://')[0]}:// and any path")
    if "*" in text:
        raise ValueError(f"{entry!r}: name each host, or give a network, such as 10.0.0.0/8")
    parts = _ENTRY.fullmatch(text)
    if not parts:
        raise ValueError(f"{entry!r} cannot be read: {FORMS}")
    host = parts["six"] or parts["bare_six"] or parts["host"] or ""
    address = spelled_address(host)
    if (address is None and (parts["six"] or parts["bits"])) or "%" in host:
        raise ValueError(f"{entry!r} cannot be read: {FORMS}")
    place = _read_network(entry, host, address, parts["bits"]) if address else None
    return Entry(place or _read_name(entry, host), _read_port(entry, parts))


def _read_port(entry: str, parts: re.Match[str]) -> int | None:
    port: str | None = parts["port"]
    if port is None:
        return None
    if not re.fullmatch("[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise ValueError(f"{entry!r}: the port must be 1 to 65535; leave :{port} out for every one")
    return int(port)


def _read_name(entry: str, host: str) -> str:
    name = host.rstrip(".").lower()
    if len(name) > 253 or not _NAME.fullmatch(name):
        raise ValueError(f"{entry!r} cannot be read: {FORMS}")
    if why := refused_host(name):
        raise ValueError(f"{entry!r} {why}, which nothing allows: leave it out")
    return name


def _read_network(entry: str, host: str, address: Address, bits: str | None) -> Network:
    if address.version == 4 and host != str(address):  # is 010.0.0.1 10.0.0.1 or 8.0.0.1?
        raise ValueError(f"{entry!r}: write the address as {address}")
    try:
        network = ipaddress.ip_network(f"{address}/{bits or address.max_prefixlen}", strict=False)
    except ValueError as error:
        problem = f"the bits must be {SHORTEST_PREFIX[address.version]} to {address.max_prefixlen}"
        raise ValueError(f"{entry!r}: {problem}") from error
    if address != network.network_address:
        raise ValueError(f"{entry!r}: write {network}, or {address} alone")
    if address in MAPPED and network.prefixlen >= 96:
        network = ipaddress.IPv4Network((int(address) & 0xFFFFFFFF, network.prefixlen - 96))
    if network.prefixlen < SHORTEST_PREFIX[network.version]:
        shortest = SHORTEST_PREFIX[network.version]
        raise ValueError(f"{entry!r} is too wide: name a network of /{shortest} or narrower")
    ends = [refused_address(str(end)) for end in (network[0], network[-1])]
    # The ends of a carrier are worthless IPv4 addresses; what lies between may be good.
    if all(ends) and not (network.num_addresses > 1 and _carries(network)):
        raise ValueError(f"{entry!r} {ends[0]}, which nothing allows: leave it out")
    return network


def _carries(network: Network) -> bool:
    return any(network.overlaps(carrier) for carrier in CARRIERS)
