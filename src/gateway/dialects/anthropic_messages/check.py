"""What a Messages request must be before it is worth sending, and what a reply must be."""

from gateway.dialects.anthropic_messages.errors import failure_in
from gateway.dialects.base import json_type
from gateway.errors import BadRequest, UpstreamBroke
from gateway.wire.json import Json


def check(body: Json) -> None:
    messages = body.get("messages")
    if messages is None:
        raise BadRequest("messages", "is required: a list of messages, each with a role")
    if not isinstance(messages, list):
        raise BadRequest("messages", f"must be an array, not {json_type(messages)}")
    stream = body.get("stream")
    if stream is not None and not isinstance(stream, bool):
        raise BadRequest("stream", f"must be a boolean, not {json_type(stream)}")


def check_count(body: Json) -> None:
    check(body)
    if body.get("stream"):
        raise BadRequest("stream", "a count of tokens is not streamed")


def check_reply(body: Json) -> None:
    if isinstance(body.get("content"), list):
        return
    _refuse_error(body)
    raise UpstreamBroke("the provider's answer has no content: it is no message")


def check_counted(body: Json) -> None:
    if isinstance(body.get("input_tokens"), int):
        return
    _refuse_error(body)
    raise UpstreamBroke("the provider's answer has no input_tokens: it is no count of tokens")


def _refuse_error(body: Json) -> None:
    if error := body.get("error"):
        raise failure_in(error)
