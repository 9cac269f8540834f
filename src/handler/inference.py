"""The query plane: from path and bytes to a Call, from an Answer to bytes."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from gateway.dialects import (
    ANTHROPIC_COUNT,
    ANTHROPIC_MESSAGES,
    GEMINI,
    GEMINI_BATCH_EMBED,
    GEMINI_COUNT,
    GEMINI_EMBED,
    OPENAI_CHAT,
    OPENAI_COMPACTION,
    OPENAI_EMBEDDINGS,
    OPENAI_INPUT_TOKENS,
    OPENAI_RESPONSES,
    Dialect,
)
from gateway.dialects.base import json_type
from gateway.errors import BadRequest, GatewayError, Unprocessable
from gateway.exchange.answer import Answer
from gateway.exchange.exchange import HOPS, Call
from gateway.exchange.gateway import Gateway
from gateway.providers.catalog import PROVIDERS
from gateway.wire.json import Json
from handler.bodies import CallerGone, read_body, read_object, refuse_upgrade
from handler.door import CALLER, REQUEST_ID
from handler.errors import answer_for
from handler.hang_up import HangUp
from handler.json_array import as_array
from handler.lambda_time import seconds_left
from handler.sending import send_answer

logger = logging.getLogger("sluicegate")

READ = frozenset({"content-length", "content-encoding", HOPS})
FORWARDED = frozenset().union(
    *(
        provider.terms_in(dialect).forwards
        for provider in PROVIDERS.values()
        for dialect in provider.speaks
    )
)
KEPT = {name.encode(): name for name in READ | FORWARDED}


@dataclass(frozen=True, slots=True)
class QueryPath:
    """``dialect``: None where the body tells. ``unified``: MLflow's own API, with its manners.
    ``streamed``: whether the answer is a stream; None where the body tells."""

    path: str
    dialect: Dialect | None
    unified: bool
    streamed: bool | None = None

    @property
    def errors(self) -> Dialect:
        """The dialect in which its errors are said."""
        return self.dialect or OPENAI_CHAT


# Where Gemini's SDKs look for the API: 1.x below /v1beta, 3.x below /v1, LiteLLM below neither;
# all of them where the base URL already ends in a version, too, which need not be theirs.
VERSIONS = ("/v1beta", "/v1", "/v1alpha")
GEMINI_ROOTS = tuple(
    f"/gateway/gemini{given}{added}"
    for added in ("", "/v1beta", "/v1")
    for given in (("", *VERSIONS) if not added else VERSIONS)
)
GEMINI_METHODS: tuple[tuple[str, Dialect, bool], ...] = (
    ("generateContent", GEMINI, False),
    ("streamGenerateContent", GEMINI, True),
    ("countTokens", GEMINI_COUNT, False),
    ("embedContent", GEMINI_EMBED, False),
    ("batchEmbedContents", GEMINI_BATCH_EMBED, False),
)

PLAIN_PATHS = (
    QueryPath("/gateway/openai/v1/chat/completions", OPENAI_CHAT, unified=False),
    QueryPath("/gateway/mlflow/v1/chat/completions", OPENAI_CHAT, unified=True),
    QueryPath("/gateway/openai/v1/embeddings", OPENAI_EMBEDDINGS, unified=False),
    QueryPath("/gateway/mlflow/v1/embeddings", OPENAI_EMBEDDINGS, unified=True),
    QueryPath("/gateway/openai/v1/responses", OPENAI_RESPONSES, unified=False),
    QueryPath("/gateway/mlflow/v1/responses", OPENAI_RESPONSES, unified=True),
    QueryPath("/gateway/openai/v1/responses/input_tokens", OPENAI_INPUT_TOKENS, unified=False),
    QueryPath("/gateway/openai/v1/responses/compact", OPENAI_COMPACTION, unified=False),
    QueryPath("/gateway/anthropic/v1/messages", ANTHROPIC_MESSAGES, unified=False),
    QueryPath("/gateway/anthropic/v1/messages/count_tokens", ANTHROPIC_COUNT, unified=False),
)
QUERY_PATHS = (
    *PLAIN_PATHS,
    QueryPath("/gateway/{endpoint:path}/mlflow/invocations", None, unified=True),
    *(
        QueryPath(
            f"{root}/models/{{endpoint:path}}:{method}", dialect, unified=False, streamed=streamed
        )
        for root in GEMINI_ROOTS
        for method, dialect, streamed in GEMINI_METHODS
    ),
    # Anthropic's SDKs add /v1 to their base URL, even where it stands there already; so do others.
    *(replace(path, path=path.path.replace("/v1/", "/v1/v1/", 1)) for path in PLAIN_PATHS),
)


class Query:
    """An ASGI endpoint for one query path."""

    def __init__(self, gateway: Gateway, path: QueryPath, *, max_body: int) -> None:
        self._gateway, self._path, self._max_body = gateway, path, max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, request_id = time.perf_counter(), scope[REQUEST_ID]
        try:
            with HangUp(receive) as hang_up:
                answer = await self._answer(scope, receive, request_id, hang_up)
                timed = started if self._path.unified else None
                await send_answer(answer, send, started=timed, before_last=hang_up.stop)
        except CallerGone:
            logger.debug("request %s: the caller hung up", request_id)

    async def _answer(
        self, scope: Scope, receive: Receive, request_id: str, hang_up: HangUp
    ) -> Answer:
        try:
            call = await self._call(scope, receive, request_id)
            hang_up.watch()
            answer = await self._gateway.answer(call)
            return as_array(answer) if call.streamed and not _wants_events(scope) else answer
        except GatewayError as error:
            return self._refusal(error, request_id)
        except CallerGone:
            raise
        except Exception:
            logger.exception("request %s failed", request_id)
            ours = GatewayError(f"the gateway failed; its log says why (request {request_id})")
            return self._refusal(ours, request_id)

    def _refusal(self, error: GatewayError, request_id: str) -> Answer:
        path = self._path
        return answer_for(error, request_id=request_id, detail=path.unified, dialect=path.errors)

    async def _call(self, scope: Scope, receive: Receive, request_id: str) -> Call:
        refuse_upgrade(scope["headers"])
        headers = _headers(scope)
        text = await read_body(receive, headers, self._max_body)
        body = read_object(text)
        dialect, named = self._path.dialect, scope["path_params"].get("endpoint")
        if dialect is None:
            dialect = _told_by(body)
        endpoint = _model(body) if named is None else str(named)
        (dialect.check_closely if self._path.unified else dialect.check)(body)
        left = seconds_left(scope)
        return Call(
            request_id,
            scope[CALLER],
            dialect,
            endpoint,
            text,
            body,
            headers,
            deadline=None if left is None else self._gateway.clock() + left,
            arrived=int(time.time()),
            streamed=self._path.streamed,
            unified=self._path.unified,
        )


def _wants_events(scope: Scope) -> bool:
    """Gemini's callers get a JSON array unless they ask for events."""
    return "sse" in parse_qs(scope["query_string"].decode("latin-1")).get("alt", ())


def _headers(scope: Scope) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    for raw, value in scope["headers"]:
        if name := KEPT.get(raw):
            text = value.decode("latin-1")
            headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


def _model(body: Json) -> str:
    model: Any = body.get("model")
    if model is None:
        raise BadRequest(None, "Missing required 'model' parameter in request body")
    if not isinstance(model, str) or not model:
        raise BadRequest("model", f"must be the name of an endpoint, not {json_type(model)}")
    return model


def _told_by(body: Json) -> Dialect:
    if "model" in body:
        raise Unprocessable(
            "The parameter 'model' is not permitted to be passed. The route being queried already "
            "defines a model instance.",
            field="model",
        )
    if "messages" in body:
        return OPENAI_CHAT
    if "input" in body:
        return OPENAI_EMBEDDINGS
    raise BadRequest(
        None,
        "Invalid request: payload format must be either chat or embeddings: "
        "a field 'messages' or 'input' is required",
    )
