"""The echo in OpenAI's Chat Completions dialect."""

from collections.abc import Iterable

from gateway.adapters.echo.speech import events_of, reply_to
from gateway.dialects.forms import Asked, Identity
from gateway.dialects.openai_chat import CHAT_FORM
from gateway.wire.json import Json, dumps


def answer_chat(body: Json, identity: Identity) -> bytes | Iterable[bytes]:
    request = CHAT_FORM.read_request(body)
    reply, asked = reply_to(request, identity), Asked(body, request)
    if not request.stream:
        return dumps(CHAT_FORM.write_reply(reply, asked).body)
    writer = CHAT_FORM.writer(asked)
    return (written for event in events_of(reply) if (written := writer.feed(event)))
