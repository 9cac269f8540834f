"""The OpenAPI document, built from the table of query paths when it is first asked for."""

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response

from gateway.dialects import (
    ANTHROPIC_COUNT,
    ANTHROPIC_MESSAGES,
    OPENAI_CHAT,
    OPENAI_COMPACTION,
    OPENAI_EMBEDDINGS,
    OPENAI_RESPONSES,
    Dialect,
)
from gateway.wire.json import Json, dumps
from handler.inference import QUERY_PATHS, QueryPath
from handler.models import MODELS_PATHS


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
        kind, name = (
            _family(shape.dialect),
            _operation(at.removeprefix("/gateway").replace("/v1/models", "/models", 1)),
        )
        yield at, {"get": _read(f"{name}_list", LISTS, f"{kind}ModelList", f"{kind}Error")}
        show = _read(f"{name}_show", SHOWS, f"{kind}Model", f"{kind}Error")
        show["parameters"] = [_parameter("name")]
        yield f"{at}/{{name}}", {"get": show}
    yield "/health", {"get": _read("health", "Whether the process is up.", "Status")}
    yield "/ready", {"get": _read("ready", "Whether the store can be read.", "Status")}


LISTS = "Every endpoint, as a list of models."
SHOWS = "One endpoint, by its name."
SUMMARIES = {
    OPENAI_CHAT: ("A chat completion, whole or streamed.", "ChatRequest"),
    OPENAI_EMBEDDINGS: ("Embeddings of texts.", "EmbeddingsRequest"),
    OPENAI_RESPONSES: ("A response, whole or streamed.", "ResponsesRequest"),
    OPENAI_COMPACTION: ("A conversation, compacted.", "ResponsesRequest"),
    ANTHROPIC_MESSAGES: ("A message, whole or streamed.", "MessagesRequest"),
    ANTHROPIC_COUNT: ("How many tokens a message would take.", "MessagesRequest"),
}


def _query(path: QueryPath) -> Json:
    if path.dialect is None:
        summary, schema = "A chat or embeddings, as the body says.", "InvocationRequest"
    else:
        summary, schema = SUMMARIES[path.dialect]
    content: Json = {"application/json": {"schema": {"type": "object"}}}
    error = f"{_family(path.errors)}Error"
    if path.dialect is None or path.dialect.watch is not None:
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
    if path.dialect is None:
        operation["parameters"] = [_parameter("endpoint")]
    return operation


def _operation(path: str) -> str:
    return path.strip("/").replace("/", "_").replace("{endpoint:path}", "endpoint")


def _family(dialect: Dialect) -> str:
    """How the names of the schemas begin that are not OpenAI's."""
    return "Anthropic" if dialect in (ANTHROPIC_MESSAGES, ANTHROPIC_COUNT) else ""


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


def _object(required: list[str], **properties: Json) -> Json:
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": True,
    }


KEYS: Json = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A gateway key, sgk_…"},
    **{
        name: {"type": "apiKey", "in": "header", "name": name}
        for name in ("x-api-key", "api-key", "x-goog-api-key")
    },
}
TEXT: Json = {"type": "string"}
FLAG: Json = {"type": "boolean"}
ENDPOINT: Json = {"type": "string", "description": "The name of an endpoint."}
MESSAGES: Json = {
    "type": "array",
    "minItems": 1,
    "items": _object(["role"], role=TEXT, content={"description": "A text, or a list of parts."}),
}
INPUT: Json = {
    "description": "A text, or a list of texts, of token numbers, or of lists of token numbers.",
    "anyOf": [TEXT, {"type": "array", "minItems": 1}],
}
CHAT_FIELDS: Json = {
    "messages": MESSAGES,
    "stream": FLAG,
    "temperature": {"type": "number", "minimum": 0, "maximum": 2},
    "max_completion_tokens": {"type": "integer", "minimum": 1},
    "tools": {"type": "array", "items": {"type": "object"}},
    "response_format": {"type": "object"},
}
EMBEDDINGS_FIELDS: Json = {"input": INPUT, "encoding_format": {"enum": ["float", "base64"]}}
SCHEMAS: Json = {
    "ChatRequest": _object(["model", "messages"], model=ENDPOINT, **CHAT_FIELDS),
    "EmbeddingsRequest": _object(["model", "input"], model=ENDPOINT, **EMBEDDINGS_FIELDS),
    "ResponsesRequest": _object(
        ["model"],
        model=ENDPOINT,
        input={"description": "A text or a list of input items.", "type": ["string", "array"]},
        stream=FLAG,
    ),
    "MessagesRequest": _object(
        ["model", "messages"],
        model=ENDPOINT,
        messages=MESSAGES,
        max_tokens={"type": "integer", "minimum": 1},
        system={"description": "A text, or a list of blocks.", "type": ["string", "array"]},
        stream=FLAG,
        tools={"type": "array", "items": {"type": "object"}},
    ),
    "InvocationRequest": {
        "anyOf": [_object(["messages"], **CHAT_FIELDS), _object(["input"], **EMBEDDINGS_FIELDS)]
    },
    "Model": _object(
        ["id", "object", "created", "owned_by"],
        id=ENDPOINT,
        object={"const": "model"},
        created={"type": "integer"},
        owned_by=TEXT,
    ),
    "ModelList": _object(
        ["object", "data"],
        object={"const": "list"},
        data={"type": "array", "items": {"$ref": "#/components/schemas/Model"}},
    ),
    "AnthropicModel": _object(
        ["type", "id", "display_name", "created_at", "lifecycle"],
        type={"const": "model"},
        id=ENDPOINT,
        display_name=TEXT,
        created_at={"type": "string", "format": "date-time"},
        lifecycle={"const": "active"},
    ),
    "AnthropicModelList": _object(
        ["data", "has_more", "first_id", "last_id"],
        data={"type": "array", "items": {"$ref": "#/components/schemas/AnthropicModel"}},
        has_more=FLAG,
        first_id={"type": ["string", "null"]},
        last_id={"type": ["string", "null"]},
    ),
    "Status": _object(["status"], status=TEXT),
    "AnthropicError": _object(
        ["type", "error"],
        type={"const": "error"},
        error=_object(["type", "message"], type=TEXT, message=TEXT),
        request_id=TEXT,
    ),
    "Error": _object(
        ["error"],
        error=_object(
            ["message", "type", "param", "code"],
            message=TEXT,
            type=TEXT,
            param={"type": ["string", "null"]},
            code={"type": ["string", "null"]},
        ),
        detail={
            "description": "On MLflow's routes: the message once more.",
            "type": ["string", "object"],
        },
    ),
}
