"""The schemas of the OpenAPI document."""

from gateway.wire.json import Json


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
    "GenerateContentRequest": _object(
        ["contents"],
        contents={"type": "array", "minItems": 1, "items": _object(["parts"])},
        systemInstruction=_object(["parts"]),
        tools={"type": "array", "items": {"type": "object"}},
        generationConfig={"type": "object"},
    ),
    "GeminiRequest": _object([]),
    "GeminiModel": _object(["name"], name=TEXT, displayName=TEXT),
    "GeminiModelList": _object(
        ["models"],
        models={"type": "array", "items": {"$ref": "#/components/schemas/GeminiModel"}},
        nextPageToken=TEXT,
    ),
    "GeminiError": _object(
        ["error"],
        error=_object(
            ["code", "message", "status"], code={"type": "integer"}, message=TEXT, status=TEXT
        ),
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
