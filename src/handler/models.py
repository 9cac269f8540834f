"""The endpoints, listed as each API lists its models."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from gateway.dialects import ANTHROPIC_MESSAGES, GEMINI, OPENAI_CHAT, Dialect
from gateway.errors import BadRequest, EndpointNotFound, GatewayError, NotFound
from gateway.ports import EndpointStore
from gateway.routing.endpoint import Endpoint
from gateway.wire.json import Json, dumps
from handler.door import CALLER, REQUEST_ID
from handler.errors import answer_for
from handler.inference import GEMINI_METHODS, GEMINI_ROOTS
from handler.sending import response_of

MOST_ON_A_PAGE = 1000
GEMINIS_PAGE = 50  # models where no pageSize is asked for: https://ai.google.dev/api/models


@dataclass(frozen=True, slots=True)
class Shape:
    """How an API lists models. ``model``: one, of an endpoint's name and when it was created.
    ``page``: of all of them those that the query asks for (BadRequest where it asks for none)."""

    model: Callable[[str, int], Json]
    page: Callable[[Sequence[Json], Mapping[str, str]], Json]
    dialect: Dialect = OPENAI_CHAT
    detail: bool = False


class Models:
    """Those the caller may call."""

    def __init__(self, endpoints: EndpointStore, shape: Shape) -> None:
        self._endpoints, self._shape = endpoints, shape
        self._started = int(time.time())  # the age of endpoints that nobody created

    async def list(self, request: Request) -> Response:
        caller = request.scope[CALLER]
        try:
            found = await self._endpoints.list()
            shown = [self._model(endpoint) for endpoint in found if caller.may_call(endpoint.name)]
            return _json(self._shape.page(shown, request.query_params))
        except GatewayError as error:
            return self._refusal(error, request)

    async def show(self, request: Request) -> Response:
        name = request.path_params["name"]
        try:
            if not request.scope[CALLER].may_call(name):
                raise EndpointNotFound(name)
            return _json(self._model(await self._endpoints.find(name)))
        except NotFound as error:
            error.code = "model_not_found"
            return self._refusal(error, request)
        except GatewayError as error:
            return self._refusal(error, request)

    def _model(self, endpoint: Endpoint) -> Json:
        return self._shape.model(endpoint.name, endpoint.created or self._started)

    def _refusal(self, error: GatewayError, request: Request) -> Response:
        return response_of(
            answer_for(
                error,
                detail=self._shape.detail,
                dialect=self._shape.dialect,
                request_id=request.scope[REQUEST_ID],
            )
        )


def _json(body: Json) -> Response:
    return Response(dumps(body), media_type="application/json")


def _openai_model(owner: str) -> Callable[[str, int], Json]:
    return lambda name, created: {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": owner,
    }


def _openai_page(models: Sequence[Json], _: Mapping[str, str]) -> Json:
    return {"object": "list", "data": models}


def _anthropic_model(name: str, created: int) -> Json:
    moment = datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": moment,
        "lifecycle": "active",
    }


def _anthropic_page(models: Sequence[Json], query: Mapping[str, str]) -> Json:
    """All of them, unless a ``limit`` is asked for: a cursor that is no model's ends the list."""
    limit = query.get("limit", str(MOST_ON_A_PAGE))
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= MOST_ON_A_PAGE):
        raise BadRequest("limit", f"must be a number from 1 to {MOST_ON_A_PAGE}")
    names = [model["id"] for model in models]
    after, before = query.get("after_id"), query.get("before_id")
    start = _place(names, after) + 1 if after is not None else 0
    end = _place(names, before) if before is not None else len(models)
    within, size = models[start:end], int(limit)
    page = within[-size:] if before is not None and after is None else within[:size]
    return {
        "data": page,
        "has_more": len(within) > len(page),
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
    }


def _place(names: Sequence[str], cursor: str) -> int:
    return names.index(cursor) if cursor in names else len(names)


def _gemini_model(name: str, created: int) -> Json:
    del created  # this API does not tell it
    return {
        "name": f"models/{name}",
        "displayName": name,
        "version": "1",
        "supportedGenerationMethods": [method for method, *_ in GEMINI_METHODS],
    }


def _gemini_page(models: Sequence[Json], query: Mapping[str, str]) -> Json:
    """``pageToken``: the name behind which the page begins."""
    size = query.get("pageSize", "")
    if size and not (size.isascii() and size.isdigit()):
        raise BadRequest("pageSize", "must be a number")
    most = min(int(size[:9] or 0) or GEMINIS_PAGE, MOST_ON_A_PAGE)
    names = [model["name"] for model in models]
    token = query.get("pageToken")
    start = _place(names, token) + 1 if token else 0
    page = models[start : start + most]
    if start + most < len(models):
        return {"models": page, "nextPageToken": page[-1]["name"]}
    return {"models": page}


AS_OPENAI = Shape(_openai_model("sluicegate"), _openai_page)
AS_MLFLOW = Shape(_openai_model("mlflow"), _openai_page, detail=True)
AS_ANTHROPIC = Shape(_anthropic_model, _anthropic_page, ANTHROPIC_MESSAGES)
AS_GEMINI = Shape(_gemini_model, _gemini_page, GEMINI)

# Where the models are listed; below it, at /NAME, each of them is shown.
MODELS_PATHS: Mapping[str, Shape] = {
    "/gateway/openai/v1/models": AS_OPENAI,
    "/gateway/mlflow/v1/models": AS_MLFLOW,
    "/gateway/anthropic/v1/models": AS_ANTHROPIC,
    **{f"{root}/models": AS_GEMINI for root in GEMINI_ROOTS},
    "/gateway/openai/v1/v1/models": AS_OPENAI,
    "/gateway/mlflow/v1/v1/models": AS_MLFLOW,
    "/gateway/anthropic/v1/v1/models": AS_ANTHROPIC,
}
