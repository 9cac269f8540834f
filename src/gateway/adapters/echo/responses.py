"""The echo in OpenAI's Responses dialect, and the count of what it would be asked."""

from collections.abc import Iterable
from dataclasses import replace

from gateway.adapters.echo.speech import asked_tokens, events_of, reply_to
from gateway.dialects.forms import Asked, Identity
from gateway.dialects.openai_responses import RESPONSES_FORM
from gateway.dialects.openai_responses.count import write_count
from gateway.dialects.openai_responses.request import read_counted
from gateway.wire.json import Json, dumps


def answer_responses(body: Json, identity: Identity) -> bytes | Iterable[bytes]:
    request = RESPONSES_FORM.read_request(body)
    reply = replace(reply_to(request, identity), id=f"resp_{identity.id}")
    asked = Asked(body, request)
    if not request.stream:
        return dumps(RESPONSES_FORM.write_reply(reply, asked).body)
    writer = RESPONSES_FORM.writer(asked)
    return (written for event in events_of(reply) if (written := writer.feed(event)))


def answer_input_tokens(body: Json, identity: Identity) -> bytes:
    """Counted as the usage of its answers is."""
    del identity  # a count has none
    return dumps(write_count(asked_tokens(read_counted(body))))
