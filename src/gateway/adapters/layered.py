"""Several stores seen as one: the first that knows a name answers for it, the last for none."""

from collections.abc import Sequence

from gateway.errors import EndpointNotFound
from gateway.ports import EndpointStore
from gateway.routing.endpoint import Endpoint


class LayeredEndpoints:
    def __init__(self, *layers: EndpointStore) -> None:
        self._layers = layers

    async def find(self, name: str) -> Endpoint:
        missing = EndpointNotFound(name)
        for layer in self._layers:
            try:
                return await layer.find(name)
            except EndpointNotFound as error:
                missing = error
        raise missing

    async def list(self) -> Sequence[Endpoint]:
        found: dict[str, Endpoint] = {}
        for layer in self._layers:
            for endpoint in await layer.list():
                found.setdefault(endpoint.name, endpoint)
        return sorted(found.values(), key=lambda endpoint: endpoint.name)
