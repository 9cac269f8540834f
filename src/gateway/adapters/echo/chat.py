"""The echo in OpenAI's Chat Completions dialect."""

from collections.abc import Iterable, Iterator

from gateway.adapters.echo.speech import Identity, reply_to, words_of
from gateway.chat.blocks import Text, ToolUse
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    ChatReply,
    Ended,
    ReplyEvent,
    Started,
    TextDelta,
    ToolUseStarted,
)
from gateway.dialects.openai_chat import ReplyWriter, read_request, write_reply
from gateway.wire.json import Json, dumps


def answer_chat(body: Json, identity: Identity) -> bytes | Iterable[bytes]:
    request = read_request(body)
    reply = reply_to(request, identity)
    if not request.stream:
        return dumps(write_reply(reply))
    options = body.get("stream_options") or {}
    writer = ReplyWriter(include_usage=options.get("include_usage") is True)
    return (written for event in events_of(reply) if (written := writer.feed(event)))


def events_of(reply: ChatReply) -> Iterator[ReplyEvent]:
    """A whole reply as the events of a stream, its words one by one."""
    yield Started(reply.id, reply.model, reply.created)
    for number, block in enumerate(reply.content):
        match block:
            case Text(text):
                for word in words_of(text):
                    yield TextDelta(number, word)
            case ToolUse(id, name, arguments):
                yield ToolUseStarted(number, id, name)
                for word in words_of(arguments):
                    yield ArgumentsDelta(number, word)
        yield BlockEnded(number)
    yield Ended(reply.stop_reason, reply.usage)
