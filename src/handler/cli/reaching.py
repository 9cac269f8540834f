"""Whether hosts can be reached: a TCP connection and nothing more, so that no call is paid for."""

import asyncio
import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.providers.catalog import PROVIDERS
from gateway.providers.egress import AllowList, EgressGuard, private_url
from gateway.routing.endpoint import Target

PATIENCE = 2  # seconds
Address = tuple[str, int]


def address_of(target: Target) -> Address | None:
    """None for what is served within the process, or has no address that can be read."""
    provider = PROVIDERS.get(target.provider)
    try:
        parts = urlsplit(target.base_url or (provider.base_url if provider else ""))
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname and port else None


@dataclass(frozen=True, slots=True)
class Problem:
    """``entry``: what would have to be allowed; None where that is not what is missing."""

    what: str
    entry: str | None = None


async def reach_all(
    addresses: Iterable[Address | None], allowed: AllowList
) -> Mapping[Address | None, Problem | None]:
    """Each address and why the gateway cannot reach it, or None. All at once."""
    known, guard = list(addresses), EgressGuard((), lambda: allowed)
    problems = await asyncio.gather(*(_reach(address, guard) for address in known))
    return dict(zip(known, problems, strict=True))


async def _reach(address: Address | None, guard: EgressGuard) -> Problem | None:
    if address is None:
        return None
    host, port = address
    try:
        async with asyncio.timeout(PATIENCE):
            return await _connect(host, port, guard)
    except TimeoutError:
        return Problem(f"{host}, port {port}, did not answer in {PATIENCE} s")
    except (socket.gaierror, UnicodeError):
        return Problem(f"the name {host} does not resolve")
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else error
        return Problem(f"{host}, port {port}: {why}")


async def _connect(host: str, port: int, guard: EgressGuard) -> Problem | None:
    """The name is resolved first: no connection goes where the gateway itself would make none."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    allowed = [one for one in addresses if guard.refuses(host, port, one) is None]
    if not allowed:
        return _refused(host, port, addresses[0], guard)
    problem: OSError | None = None
    for address in allowed:
        try:
            _, writer = await asyncio.open_connection(address, port)
        except OSError as error:
            problem = error
        else:
            writer.close()
            return None
    raise problem or OSError("no address")


def _refused(host: str, port: int, address: str, guard: EgressGuard) -> Problem:
    urls = (f"http://{_bracketed(one)}:{port}" for one in (host, address))
    entry = next(filter(None, map(private_url, urls)), None)
    if entry is None:
        return Problem(guard.refuses(host, port, address) or "")
    who = address if host == address else f"{host} is at {address}, which"
    return Problem(f"{who} is not a public address, and not allowed", entry)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
