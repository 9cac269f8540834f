"""Whether hosts can be reached: a TCP connection and nothing more, so that no call is paid for."""

import asyncio
import os
import socket
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from gateway.providers.addresses import refused_address
from gateway.providers.catalog import PROVIDERS
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


async def reach_all(addresses: Iterable[Address | None]) -> Mapping[Address | None, str | None]:
    """Each address and why it cannot be reached, or None. All at once."""
    known = list(addresses)
    problems = await asyncio.gather(*(_reach(address) for address in known))
    return dict(zip(known, problems, strict=True))


async def _reach(address: Address | None) -> str | None:
    if address is None:
        return None
    host, port = address
    try:
        async with asyncio.timeout(PATIENCE):
            return await _connect(host, port)
    except TimeoutError:
        return f"{host}, port {port}, did not answer in {PATIENCE} s"
    except (socket.gaierror, UnicodeError):
        return f"the name {host} does not resolve"
    except OSError as error:
        return f"{host}, port {port}: {os.strerror(error.errno) if error.errno else error}"


async def _connect(host: str, port: int) -> str | None:
    """The name is resolved first: no connection goes to an address that no provider may have."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    allowed = [str(one[4][0]) for one in found if refused_address(str(one[4][0])) is None]
    if not allowed:
        return f"{host} {refused_address(str(found[0][4][0]))}"
    problem: OSError | None = None
    for address in dict.fromkeys(allowed):
        try:
            _, writer = await asyncio.open_connection(address, port)
        except OSError as error:
            problem = error
        else:
            writer.close()
            return None
    raise problem or OSError("no address")
