"""The endpoints, listed as OpenAI's clients list models."""

import time

from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import EndpointNotFound, GatewayError, NotFound
from gateway.ports import EndpointStore
from gateway.routing.endpoint import Endpoint
from gateway.wire.json import Json, dumps
from handler.door import CALLER
from handler.errors import answer_for
from handler.sending import response_of


class Models:
    """Those the caller may call. ``owner``: who the listed models say they belong to."""

    def __init__(self, endpoints: EndpointStore, owner: str, *, detail: bool) -> None:
        self._endpoints, self._owner, self._detail = endpoints, owner, detail
        self._started = int(time.time())  # the age of endpoints that nobody created

    async def list(self, request: Request) -> Response:
        try:
            found = await self._endpoints.list()
        except GatewayError as error:
            return self._refusal(error)
        caller = request.scope[CALLER]
        shown = [self._model(endpoint) for endpoint in found if caller.may_call(endpoint.name)]
        return _json({"object": "list", "data": shown})

    async def show(self, request: Request) -> Response:
        name = request.path_params["name"]
        try:
            if not request.scope[CALLER].may_call(name):
                raise EndpointNotFound(name)
            return _json(self._model(await self._endpoints.find(name)))
        except NotFound as error:
            error.code = "model_not_found"
            return self._refusal(error)
        except GatewayError as error:
            return self._refusal(error)

    def _model(self, endpoint: Endpoint) -> Json:
        return {
            "id": endpoint.name,
            "object": "model",
            "created": endpoint.created or self._started,
            "owned_by": self._owner,
        }

    def _refusal(self, error: GatewayError) -> Response:
        return response_of(answer_for(error, detail=self._detail))


def _json(body: Json) -> Response:
    return Response(dumps(body), media_type="application/json")
