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


class Dialer:
    """``refuses`` is asked about each address; a reason means that no connection goes there.

    ``tls`` stands in for the context that trusts what the machine trusts.
    """

    def __init__(
        self,
        *,
        refuses: Callable[[str], str | None],
        connect_timeout: float,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._refuses, self._timeout, self._given_tls = refuses, connect_timeout, tls
        # Of our own: a look-up cannot be cancelled, and a slow one must not hold up the stores.
        self._resolvers = ThreadPoolExecutor(RESOLVERS, thread_name_prefix="resolver")

    async def dial(self, origin: Origin, deadline: float) -> Connection:
        """Each address in turn, each with its share of the time left, until one answers."""
        loop = asyncio.get_running_loop()
        deadline = min(deadline, loop.time() + self._timeout)
        addresses = await self._addresses(origin, deadline)
        problems = []
        for place, address in enumerate(addresses):
            if reason := self._refuses(address):
                problems.append(f"{address} is refused: {reason}")
                continue
            share = (deadline - loop.time()) / (len(addresses) - place)
            try:
                async with asyncio.timeout(share):
                    return await self._connect(origin, address)
            except TimeoutError:
                problems.append(f"{address} did not answer in time")
            except OSError as error:  # TLS failures are of this kind as well
                problems.append(f"{address}: {error}")
        raise UpstreamUnreachable(f"cannot connect to {origin.host}: {'; '.join(problems)}")

    async def _addresses(self, origin: Origin, deadline: float) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(deadline):
                found = await loop.run_in_executor(
                    self._resolvers,
                    partial(socket.getaddrinfo, type=socket.SOCK_STREAM),
                    *origin[1:],
                )
        except TimeoutError as error:
            problem = "its name did not resolve in time"
            raise UpstreamUnreachable(f"cannot connect to {origin.host}: {problem}") from error
        except (OSError, UnicodeError) as error:
            problem = f"its name does not resolve: {error}"
            raise UpstreamUnreachable(f"cannot connect to {origin.host}: {problem}") from error
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

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
