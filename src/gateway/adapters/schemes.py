"""One transport made of several, chosen by the URL's scheme."""

from collections.abc import AsyncIterable, Mapping

from gateway.errors import UpstreamUnreachable
from gateway.ports import Transport, Upstream


class SchemeTransport:
    def __init__(self, transports: Mapping[str, Transport]) -> None:
        self._transports = transports

    async def open(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes | AsyncIterable[bytes],
        *,
        patience: float,
        method: str = "POST",
    ) -> Upstream:
        transport = self._transports.get(url.partition(":")[0].lower())
        if transport is None:
            raise UpstreamUnreachable("the provider's base URL has a scheme that nothing serves")
        return await transport.open(url, headers, body, patience=patience, method=method)

    async def close(self) -> None:
        for transport in set(self._transports.values()):
            await transport.close()
