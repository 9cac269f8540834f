"""Where our answer shall differ from MLflow's, case by case, each with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.parity.meaning import TEXT


@dataclass(frozen=True)
class Right:
    """``status``, ``body`` (what the JSON answer must hold, or what a stream must come to): None
    means as MLflow.

    ``relayed``: the provider's own words reach the caller whole, and the caller's the provider.
    ``broken``: a stream whose last word is an error, after so many of the provider's events.
    ``sent``: the bodies that the provider sees, whole; ``tries``: how many it sees.
    """

    why: str
    status: int | None = None
    body: Any = None
    relayed: bool = False
    broken: int | None = None
    sent: tuple[Any, ...] = ()
    tries: int = 1


def error(kind: str, **more: Any) -> dict[str, Any]:
    return {"error": {"type": kind, "message": TEXT, **more}, "detail": TEXT}


def anthropics(kind: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": TEXT}, "request_id": TEXT}


NO_SUCH_PATH = Right(
    "404 was a page of HTML; now it is JSON, in OpenAI's shape",
    404,
    {"error": {"type": "not_found_error", "code": "unknown_path", "message": TEXT}},
    tries=0,
)
HI = [{"role": "user", "content": "Hi"}]
WHOLE = "nothing of the provider's answer or of the caller's request is dropped"

# Cases that MLflow gets wrong.
IMPROVED: Mapping[str, Right] = {
    "oai.chat.file_part": Right("a file part was refused", 200, relayed=True),
    "oai.chat.tool_schema_rich": Right("most of a JSON schema was stripped", relayed=True),
    "oai.chat.usage_details": Right(
        f"logprobs were dropped, indexes changed: {WHOLE}", relayed=True
    ),
    "oai.err.drop": Right(
        "a dropped connection was a 500 in plain text", 502, error("upstream_error")
    ),
    "oai.stream.abort": Right("its error event was not OpenAI's", broken=1),
    "oai.stream.bad_json": Right(
        "junk was skipped, and the stream looked complete", 502, error("upstream_error")
    ),
    "oai.stream.reasoning": Right(f"reasoning was dropped: {WHOLE}", relayed=True),
    "val.stop_string": Right("a stop sequence as plain text was refused", 200, relayed=True),
    "fb.model_field_422": Right(
        "a mistake of the caller's was reported as three failed fallbacks",
        422,
        error(
            "invalid_request_error",
            param="model",
            message="The parameter 'model' is not permitted to be passed. "
            "The route being queried already defines a model instance.",
        ),
        tries=0,
    ),
    "fb.stream.all_fail": Right(
        "failure before the first word was 200 with an event; now it is the last provider's status",
        429,
        {"error": {"message": "slow"}, "detail": "slow"},
        tries=3,
    ),
    "fb.unary.400_then_ok": Right(
        "a mistake of the caller's was tried on other models, which hid it",
        400,
        {"error": {"message": "bad req"}, "detail": "bad req"},
    ),
    "pt.oai.err400": Right(
        "the provider's own error was lost", 400, {"error": {"message": "bad", "type": "t"}}
    ),
    "pt.oai.err_stream": Right(
        "an error before the first word was 200 with an event",
        400,
        {"error": {"message": "bad", "type": "t"}},
    ),
    "pt.oai.responses_to_groq": Right("Groq does offer the Responses API", 200, relayed=True),
    "route.absent.openai_v1_images_generations": NO_SUCH_PATH,
    "route.absent.mlflow_v1_responses": Right("there was no such path", 200, relayed=True),
    "route.absent.cohere_v1_rerank": NO_SUCH_PATH,
    "route.absent.anthropic_v1_messages_count_tokens": Right(
        "tokens could not be counted; this body has no messages to count in",
        400,
        anthropics("invalid_request_error"),
        tries=0,
    ),
    "route.absent.get.anthropic_v1_models": Right(
        "models could not be listed", 200, {"has_more": False, "first_id": TEXT}, tries=0
    ),
    "pt.anth.err529_stream": Right(
        "an error before the first word was 200 with an event",
        529,
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    ),
    "pt.anth.to_openai": Right(
        "another maker's model was refused, and not in Anthropic's shape; now the call is translated",
        200,
        {
            "id": TEXT,
            "type": "message",
            "role": "assistant",
            "model": "gpt-4o-2024-08-06",
            "content": [{"type": "text", "text": "Hello!"}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 9, "output_tokens": 3},
        },
        sent=(
            {
                "model": "gpt-4o",
                "messages": HI,
                "max_completion_tokens": 5,
            },
        ),
    ),
    "proxy.get": Right(
        "only POST was handed on", 200, {"id": "chatcmpl-1", "model": "gpt-4o-2024-08-06"}
    ),
    "hdr.pt_anth": Right("every header of the caller's went on to the provider", relayed=True),
    "hdr.pt_gem": Right("every header of the caller's went on to the provider", relayed=True),
    "route.absent.get.gemini_v1beta_models": Right(
        "models could not be listed", 200, {"models": [{"name": "models/anth"}]}, tries=0
    ),
    "route.absent.get.mlflow_v1_models_oai": Right(
        "one model could not be shown",
        200,
        {"id": "oai", "object": "model", "owned_by": "mlflow"},
        tries=0,
    ),
}

AGENTS = Right(
    "an agent's own key went to the provider in the place of the endpoint's; here no key of a "
    "caller's is ever forwarded",
    relayed=True,
)
UNASKED = "what only tells the usage goes to those who asked for it"
# Cases to copy, but for what is said here.
EXCEPTED: Mapping[str, Right] = {
    "hdr.agent.claude-cli": AGENTS,
    "hdr.agent.codex_cli_rs": AGENTS,
    "oai.stream.basic": Right(UNASKED, relayed=True),
    "anth.stream.tools": Right(UNASKED),
    "gem.stream.tool": Right(UNASKED),
    "fb.cross.unary": Right(
        "a Claude model of no known family may think unasked, and its limit counts thoughts too: "
        "it is given more room",
        sent=(
            {"model": "claude-1", "max_tokens": 32768, "messages": HI},
            {"model": "model-1", "messages": HI},
        ),
        tries=2,
    ),
    "fb.max_attempts_1": Right(
        "the last provider's own words are handed on, not a sentence that quotes them",
        500,
        {"error": {"message": "boom"}, "detail": "boom"},
        tries=2,
    ),
    "pt.oai.missing_model": Right(
        "errors on the OpenAI route have OpenAI's shape",
        400,
        {"error": {"message": "Missing required 'model' parameter in request body"}},
        tries=0,
    ),
    "pt.oai.unknown": Right(
        "errors on the OpenAI route have OpenAI's shape",
        404,
        {"error": {"code": "endpoint_not_found", "param": "model", "message": TEXT}},
        tries=0,
    ),
    "val.bad_json": Right(
        "what is wrong with the JSON, another parser says in other words",
        400,
        error("invalid_request_error", code="invalid_json"),
        tries=0,
    ),
    "route.models": Right(
        "the endpoints are ours, not those of the recorder",
        200,
        {"object": "list", "data": [{"id": "anth", "object": "model", "owned_by": "mlflow"}]},
        tries=0,
    ),
}
