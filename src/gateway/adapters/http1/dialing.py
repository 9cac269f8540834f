"""New connections: the address is resolved once, checked, and the checked one is connected to."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import NamedTuple

from gateway.adapters.http1.connection import Connection
from gateway.errors import UpstreamUnreachable

RESOLVERS = 16  # names that are looked up at once; threads start as they are needed


class Origin(NamedTuple):
    """Where connections go, and what may share them."""

    scheme: str
    host: str
    port: int


# Given the host of a URL, the port and an address that the host resolved to: why no connection may
# be made there, or None.
Refuses = Callable[[str, int, str], str | None]


class Found(NamedTuple):
    addresses: list[str]
    refusals: list[str]  # why the others were left out


class Resolver:
    """Looks a host up once for each connection, and leaves out what ``refuses`` has a reason for.

    The answer is to be connected to as it is, and never kept: a name that changes its mind between
    the check and the connection, or from one connection to the next, gains nothing. So nor does one
    that mixes good addresses with bad, and the good ones are tried: `localhost` may be allowed on
    one of its two, and to refuse the whole answer would stop nobody who can give two.
    """

    def __init__(self, refuses: Refuses) -> None:
        self._refuses = refuses
        # Of our own: a look-up cannot be cancelled, and a slow one must not hold up the stores.
        self._threads = ThreadPoolExecutor(RESOLVERS, thread_name_prefix="resolver")

    async def find(self, host: str, port: int, deadline: float) -> Found:
        """At least one address; raises UpstreamUnreachable when there is none to connect to."""
        found = Found([], [])
        for address in await self._look_up(host, port, deadline):
            if reason := self._refuses(host, port, address):
                found.refusals.append(reason)
            else:
                found.addresses.append(address)
        if not found.addresses:
            problem = f"no address of it may be connected to: {'; '.join(found.refusals)}"
            raise UpstreamUnreachable(f"cannot connect to {host}: {problem}")
        return found

    async def _look_up(self, host: str, port: int, deadline: float) -> list[str]:
        loop = asyncio.get_running_loop()
        look_up = partial(socket.getaddrinfo, type=socket.SOCK_STREAM)
        try:
            async with asyncio.timeout_at(deadline):
                found = await loop.run_in_executor(self._threads, look_up, host, port)
        except TimeoutError as error:
            problem = "its name did not resolve in time"
            raise UpstreamUnreachable(f"cannot connect to {host}: {problem}") from error
        except (OSError, UnicodeError) as error:
            problem = f"its name does not resolve: {error}"
            raise UpstreamUnreachable(f"cannot connect to {host}: {problem}") from error
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Dialer:
    """``tls`` stands in for the context that trusts what the machine trusts."""

    def __init__(
        self,
        *,
        refuses: Refuses,
        connect_timeout: float,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._resolver = Resolver(refuses)
        self._timeout, self._given_tls = connect_timeout, tls

    async def dial(self, origin: Origin, deadline: float) -> Connection:
        """Each address in turn, each with its share of the time left, until one answers."""
        loop = asyncio.get_running_loop()
        deadline = min(deadline, loop.time() + self._timeout)
        addresses, problems = await self._resolver.find(origin.host, origin.port, deadline)
        for place, address in enumerate(addresses):
            share = (deadline - loop.time()) / (len(addresses) - place)
            try:
                async with asyncio.timeout(share):
                    return await self._connect(origin, address)
            except TimeoutError:
                problems.append(f"{address} did not answer in time")
            except OSError as error:  # TLS failures are of this kind as well
                problems.append(f"{address}: {error}")
        raise UpstreamUnreachable(f"cannot connect to {origin.host}: {'; '.join(problems)}")

    async def _connect(self, origin: Origin, address: str) -> Connection:
        secure = origin.scheme == "https"
        transport, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(origin.host),
            address,
            origin.port,
            ssl=self._tls if secure else None,
            server_hostname=origin.host if secure else None,
        )
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        # Reading the trusted certificates takes tens of milliseconds: not before the first need.
        context = self._given_tls or ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        return context
