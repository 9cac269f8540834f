"""What the echo says to a chat. Pure: the same chat, the same words."""

import re
from collections.abc import Iterator

from gateway.adapters.echo.samples import sample
from gateway.chat.blocks import Block, Text, ToolResult, ToolUse
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    ChatReply,
    Choice,
    Ended,
    ReplyEvent,
    Started,
    Stopped,
    StopReason,
    TextDelta,
    ToolUseStarted,
)
from gateway.chat.request import ChatRequest, Tool
from gateway.dialects.forms import Identity
from gateway.errors import BadRequest
from gateway.usage import Usage
from gateway.wire.json import Json, dumps

GREETING = "This is an echo, not a model. You said: "

_TOKENS = re.compile(r"\w+|[^\w\s]")
_WORDS = re.compile(r"\s*\S+|\s+\Z")


def reply_to(request: ChatRequest, identity: Identity) -> ChatReply:
    if (request.sampling.n or 1) > 1:
        raise BadRequest("n", "the echo answers once; leave n out or make it 1")
    if request.sampling.logprobs:
        raise BadRequest("logprobs", "the echo is no model and has no probabilities")
    calls = _calls(request, identity)
    text, reason = _within_limits("" if calls else _words(request), request)
    content: list[Block] = [*calls] if calls else [Text(text)]
    return ChatReply(
        id=f"chatcmpl-{identity.id}",
        model=request.model,
        created=identity.created,
        choices=[Choice(content, "tool_use" if calls else reason)],
        usage=Usage(
            input_tokens=asked_tokens(request),
            output_tokens=count_tokens(text) + sum(count_tokens(c.arguments) for c in calls),
        ),
    )


def events_of(reply: ChatReply) -> Iterator[ReplyEvent]:
    """A whole reply as the events of a stream, its words one by one."""
    yield Started(reply.id, reply.model, reply.created)
    (choice,) = reply.choices
    for number, block in enumerate(choice.content):
        match block:
            case Text(text):
                for word in words_of(text):
                    yield TextDelta(number, word)
            case ToolUse(id, name, arguments):
                yield ToolUseStarted(number, id, name)
                for word in words_of(arguments):
                    yield ArgumentsDelta(number, word)
        yield BlockEnded(number)
    yield Stopped(choice.stop_reason)
    yield Ended(reply.usage)


def words_of(text: str) -> list[str]:
    """The text in pieces that join to it again: what a stream sends one by one."""
    return _WORDS.findall(text) or [text]


def asked_tokens(request: ChatRequest) -> int:
    return sum(count_tokens(text) for text in _texts(request))


def count_tokens(text: str) -> int:
    return len(_TOKENS.findall(text))


def _words(request: ChatRequest) -> str:
    if results := _latest_results(request):
        answers = [" ".join(_texts_in(result.content)) for result in results]
        text = "This is an echo, not a model. The tools answered: " + "; ".join(answers)
    else:
        text = GREETING + _latest_text(request)
    if request.response_format is None:
        return text
    if request.response_format.schema is None:
        return dumps({"echo": text}).decode()
    return dumps(sample(request.response_format.schema, text)).decode()


def _within_limits(text: str, request: ChatRequest) -> tuple[str, StopReason]:
    reason: StopReason = "end"
    for stop in filter(None, request.sampling.stop or ()):
        before, found, _ = text.partition(stop)
        if found:
            text, reason = before, "stop_sequence"
    limit = request.sampling.max_tokens
    if limit is not None and count_tokens(text) > limit:
        ends = [match.end() for match in _TOKENS.finditer(text)]
        text, reason = text[: ends[limit - 1]] if limit > 0 else "", "length"
    return text, reason


def _calls(request: ChatRequest, identity: Identity) -> list[ToolUse]:
    """Every tool that the caller names or demands; none once tools have answered."""
    tools = [tool for tool in request.tools if isinstance(tool, Tool)]
    if not tools or _latest_results(request):
        return []
    said, choice = _latest_text(request), request.tool_choice
    match choice.mode if choice else "auto":
        case "none":
            chosen = []
        case "named":
            chosen = [tool for tool in tools if choice and tool.name == choice.name]
        case mode:
            chosen = [tool for tool in tools if tool.name in said]
            chosen = chosen or (tools[:1] if mode == "required" else [])
    if request.parallel_tools is False:
        chosen = chosen[:1]
    return [
        ToolUse(f"call_{identity.id[:20]}{nth}", tool.name, _arguments(tool, said))
        for nth, tool in enumerate(chosen)
    ]


def _arguments(tool: Tool, said: str) -> str:
    value: Json = sample(tool.schema, said) if tool.schema else {}
    return dumps(value).decode()


def _latest_results(request: ChatRequest) -> list[ToolResult]:
    turns = [message for message in request.messages if message.role != "system"]
    last = turns[-1].content if turns else []
    return [block for block in last if isinstance(block, ToolResult)]


def _latest_text(request: ChatRequest) -> str:
    for message in reversed(request.messages):
        if message.role == "user" and (texts := list(_texts_in(message.content))):
            return " ".join(texts)
    return ""


def _texts(request: ChatRequest) -> Iterator[str]:
    yield from (text.text for text in request.system)
    for message in request.messages:
        yield from _texts_in(message.content)


def _texts_in(blocks: list[Block] | tuple[Block, ...]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Text):
            yield block.text
        elif isinstance(block, ToolResult):
            yield from _texts_in(block.content)
