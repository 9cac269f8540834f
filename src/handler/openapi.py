"""The OpenAPI document, built from the table of query paths when it is first asked for."""

import re
from collections.abc import Iterator, Mapping

from starlette.requests import Request
from starlette.responses import Response

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
from gateway.wire.json import Json, dumps
from handler.inference import QUERY_PATHS, QueryPath
from handler.models import MODELS_PATHS
from handler.openapi_schemas import KEYS, SCHEMAS
from handler.proxy import PROXY_METHODS, PROXY_PATH


class OpenApi:
    def __init__(self, version: str) -> None:
        self._version = version
        self._text: bytes | None = None

    async def show(self, _: Request) -> Response:
        self._text = self._text or dumps(document(self._version))
        return Response(self._text, media_type="application/json")


def document(version: str) -> Json:
    """The whole document, OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sluicegate",
            "version": version,
            "description": "An AI gateway: call an endpoint with the SDK you already use.",
        },
        # Wherever the SDK puts its key; none where the gateway is open to its own machine.
        "security": [*({name: []} for name in KEYS), {}],
        "paths": dict(_paths()),
        "components": {"schemas": SCHEMAS, "securitySchemes": KEYS},
    }


def _paths() -> Iterator[tuple[str, Json]]:
    for path in QUERY_PATHS:
        yield path.path.replace(":path}", "}"), {"post": _query(path)}
    for at, shape in MODELS_PATHS.items():
        kind, name = _family(shape.dialect), at.removeprefix("/gateway")
        if shape.dialect is not GEMINI:  # the others have one version, or the first is plain
            name = name.replace("/v1/models", "/models", 1)
        name = _operation(name)
        yield at, {"get": _read(f"{name}_list", LISTS, f"{kind}ModelList", f"{kind}Error")}
        show = _read(f"{name}_show", SHOWS, f"{kind}Model", f"{kind}Error")
        show["parameters"] = [_parameter("name")]
        yield f"{at}/{{name}}", {"get": show}
    yield PROXY_PATH.replace(":path}", "}"), {name.lower(): _raw(name) for name in PROXY_METHODS}
    yield "/health", {"get": _read("health", "Whether the process is up.", "Status")}
    yield "/ready", {"get": _read("ready", "Whether the store can be read.", "Status")}


LISTS = "Every endpoint, as a list of models."
SHOWS = "One endpoint, by its name."
SUMMARIES = {
    OPENAI_CHAT: ("A chat completion, whole or streamed.", "ChatRequest"),
    OPENAI_EMBEDDINGS: ("Embeddings of texts.", "EmbeddingsRequest"),
    OPENAI_RESPONSES: ("A response, whole or streamed.", "ResponsesRequest"),
    OPENAI_INPUT_TOKENS: ("How many tokens a response would take.", "ResponsesRequest"),
    OPENAI_COMPACTION: ("A conversation, compacted.", "ResponsesRequest"),
    ANTHROPIC_MESSAGES: ("A message, whole or streamed.", "MessagesRequest"),
    ANTHROPIC_COUNT: ("How many tokens a message would take.", "MessagesRequest"),
    GEMINI: ("Content, whole or streamed.", "GenerateContentRequest"),
    GEMINI_COUNT: ("How many tokens a content would take.", "GeminiRequest"),
    GEMINI_EMBED: ("An embedding of a content.", "GeminiRequest"),
    GEMINI_BATCH_EMBED: ("Embeddings of several contents.", "GeminiRequest"),
}


FAMILIES: Mapping[Dialect, str] = {
    **dict.fromkeys((ANTHROPIC_MESSAGES, ANTHROPIC_COUNT), "Anthropic"),
    **dict.fromkeys((GEMINI, GEMINI_COUNT, GEMINI_EMBED, GEMINI_BATCH_EMBED), "Gemini"),
}


def _query(path: QueryPath) -> Json:
    if path.dialect is None:
        summary, schema = "A chat or embeddings, as the body says.", "InvocationRequest"
    else:
        summary, schema = SUMMARIES[path.dialect]
    content: Json = {"application/json": {"schema": {"type": "object"}}}
    error = f"{_family(path.errors)}Error"
    streams = path.dialect is None or path.dialect.watch is not None
    if streams and path.streamed is not False:
        content["text/event-stream"] = {"schema": {"type": "string"}}
    operation: Json = {
        "operationId": _operation(path.path),
        "summary": summary,
        "requestBody": {"required": True, "content": _json_of(schema)},
        "responses": {
            "200": {"description": "The provider's answer.", "content": content},
            "default": {"description": "An error.", "content": _json_of(error)},
        },
    }
    if "{endpoint" in path.path:
        operation["parameters"] = [_parameter("endpoint")]
    return operation


def _raw(method: str) -> Json:
    """Whatever the provider takes at this path, and whatever it answers."""
    operation: Json = {
        "operationId": f"proxy_{method.lower()}",
        "summary": "A request as it is, to the endpoint's provider.",
        "parameters": [_parameter("endpoint"), _parameter("path")],
        "responses": {
            "default": {
                "description": "The provider's answer as it is, or an error of the gateway's.",
                "content": {"*/*": {"schema": {}}, **_json_of("Error")},
            },
        },
    }
    if method not in ("GET", "DELETE"):
        operation["requestBody"] = {"content": {"*/*": {"schema": {}}}}
    return operation


def _operation(path: str) -> str:
    return re.sub(r"\W+", "_", path.replace("{endpoint:path}", "endpoint")).strip("_")


def _family(dialect: Dialect) -> str:
    """How the names of the schemas begin that are not OpenAI's."""
    return FAMILIES.get(dialect, "")


def _read(name: str, summary: str, schema: str, error: str = "Error") -> Json:
    return {
        "operationId": name,
        "summary": summary,
        "responses": {
            "200": {"description": summary, "content": _json_of(schema)},
            "default": {"description": "An error.", "content": _json_of(error)},
        },
    }


def _parameter(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _json_of(schema: str) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
