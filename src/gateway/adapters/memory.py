"""Stores that live as long as the process."""

from collections.abc import Iterable, Sequence

from gateway.errors import EndpointNotFound
from gateway.metering.records import Record
from gateway.routing.endpoint import Endpoint


class MemoryEndpoints:
    def __init__(self, endpoints: Iterable[Endpoint] = ()) -> None:
        self._endpoints = {endpoint.name: endpoint for endpoint in endpoints}

    async def find(self, name: str) -> Endpoint:
        if name not in self._endpoints:
            raise EndpointNotFound(name)
        return self._endpoints[name]

    async def list(self) -> Sequence[Endpoint]:
        return sorted(self._endpoints.values(), key=lambda endpoint: endpoint.name)

    async def put(self, endpoint: Endpoint) -> None:
        self._endpoints[endpoint.name] = endpoint

    async def delete(self, name: str) -> None:
        if self._endpoints.pop(name, None) is None:
            raise EndpointNotFound(name)


class MemoryLedger:
    def __init__(self) -> None:
        self.records: list[Record] = []

    async def write(self, record: Record) -> None:
        self.records.append(record)
