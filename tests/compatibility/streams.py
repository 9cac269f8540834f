"""A whole reply as the events of a stream, and back."""

from collections.abc import Iterator

from gateway.chat.blocks import Block, Foreign, Media, Refusal, Text, Thinking, ToolUse
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    ChatReply,
    Choice,
    CitationDelta,
    Ended,
    RefusalDelta,
    ReplyEvent,
    SealDelta,
    Started,
    Stopped,
    TextDelta,
    ThinkingDelta,
    ToolUseStarted,
    WholeBlock,
)


def events_of(reply: ChatReply) -> Iterator[ReplyEvent]:
    """A whole reply as the events of a stream, every piece in two."""
    yield Started(reply.id, reply.model, reply.created)
    for number, block in enumerate(reply.choices[0].content):
        yield from _pieces(number, block)
        yield BlockEnded(number)
    choice = reply.choices[0]
    yield Stopped(choice.stop_reason, choice.stop_sequence)
    yield Ended(reply.usage, reply.service_tier)


def _pieces(number: int, block: Block) -> Iterator[ReplyEvent]:
    match block:
        case Text(text):
            yield TextDelta(number, text[:2])
            yield TextDelta(number, text[2:])
            for citation in block.citations:
                yield CitationDelta(number, citation)
        case Refusal(text):
            yield RefusalDelta(number, text)
        case Thinking(text, seal):
            yield ThinkingDelta(number, text)
            if seal:
                yield SealDelta(number, seal)
        case ToolUse(id, name, arguments, seal):
            yield ToolUseStarted(number, id, name, seal=seal)
            yield ArgumentsDelta(number, arguments[:3])
            yield ArgumentsDelta(number, arguments[3:])
        case Media() | Foreign():
            yield WholeBlock(number, block)


def gathered(told: list[ReplyEvent]) -> ChatReply:
    """The whole that a stream's events tell. First choice only."""
    reply, numbered = ChatReply("", "", 0, [Choice([], "end")]), dict[int, Block]()
    for event in told:
        match event:
            case Started(id, model, created):
                reply.id, reply.model, reply.created = id, model, created
            case TextDelta(number, text):
                block = numbered.setdefault(number, Text(""))
                assert isinstance(block, Text)
                block.text += text
            case ThinkingDelta(number, text):
                block = numbered.setdefault(number, Thinking(""))
                assert isinstance(block, Thinking)
                block.text += text
            case RefusalDelta(number, text):
                block = numbered.setdefault(number, Refusal(""))
                assert isinstance(block, Refusal)
                block.text += text
            case ToolUseStarted(number, id, name):
                numbered[number] = ToolUse(id, name, "", event.seal)
            case ArgumentsDelta(number, json):
                block = numbered[number]
                assert isinstance(block, ToolUse)
                block.arguments += json
            case WholeBlock(number, content):
                numbered[number] = content
            case Stopped(reason, sequence):
                reply.choices[0].stop_reason, reply.choices[0].stop_sequence = reason, sequence
            case Ended(usage):
                reply.usage = usage
            case CitationDelta(number, citation):
                block = numbered[number]
                assert isinstance(block, Text)
                block.citations.append(citation)
            case SealDelta() | BlockEnded():
                pass
    reply.choices[0].content = [numbered[number] for number in sorted(numbered)]
    return reply
