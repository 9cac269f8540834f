"""What a Responses request must be before it is worth sending, and what a reply must be."""

from gateway.dialects.base import json_type
from gateway.dialects.openai_errors import failure_in
from gateway.errors import BadRequest, UpstreamBroke
from gateway.wire.json import Json

# A request may leave `input` out when it goes on from what the provider holds.
HELD_BY_PROVIDER = ("previous_response_id", "conversation", "prompt")


def check(body: Json) -> None:
    given = body.get("input")
    if given is None and not any(body.get(field) for field in HELD_BY_PROVIDER):
        raise BadRequest("input", "is required: a text, or a list of input items")
    check_count(body)
    stream = body.get("stream")
    if stream is not None and not isinstance(stream, bool):
        raise BadRequest("stream", f"must be a boolean, not {json_type(stream)}")


def check_count(body: Json) -> None:
    """Where tokens are only counted, every field may be absent: instructions or tools count too."""
    given = body.get("input")
    if given is not None and not isinstance(given, str | list):
        raise BadRequest("input", f"must be a string or an array, not {json_type(given)}")


def check_compaction(body: Json) -> None:
    check(body)
    if body.get("stream"):
        # The sentence is the one that MLflow's gateway answers with.
        raise BadRequest(
            None,
            "stream=true is not supported on /responses/compact; compaction is a unary request.",
        )


def check_reply(body: Json) -> None:
    """A response that failed has an id, too, beside its error."""
    error = body.get("error")
    if body.get("status") == "failed" or (error and not body.get("id")):
        raise failure_in(error)
    if body.get("id"):
        return
    raise UpstreamBroke("the provider's answer has no id: it is no response")


def check_counted(body: Json) -> None:
    tokens = body.get("input_tokens")
    if isinstance(tokens, int) and not isinstance(tokens, bool):
        return
    if error := body.get("error"):
        raise failure_in(error)
    raise UpstreamBroke("the provider's answer has no input_tokens: nothing was counted")
