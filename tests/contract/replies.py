"""Replies as hypothesis draws them: several choices, every block, and streams that interleave."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

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
    StopReason,
    TextDelta,
    ThinkingDelta,
    TokenLogprob,
    ToolUseStarted,
    WholeBlock,
)
from gateway.usage import Usage
from tests.contract.pieces import (
    ISSUERS,
    base64s,
    foreign,
    names,
    refusals,
    said_texts,
    some_words,
    thoughts_of,
    tool_uses,
)

counts = st.integers(0, 50_000)
pictures = st.builds(Media, st.just("image"), st.just("image/png"), base64=base64s)
tokens = st.builds(
    lambda token, logprob: TokenLogprob(
        token, logprob, list(token.encode()), (TokenLogprob(token, logprob, list(token.encode())),)
    ),
    some_words,
    st.sampled_from([-0.5, 0.0, -12.25]),
)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    output = draw(st.integers(1, 50_000))
    reasoning = draw(st.just(0) | st.integers(0, output))
    return Usage(
        draw(st.integers(1, 50_000)), output, draw(counts), draw(st.just(0) | counts), reasoning
    )


@st.composite
def contents(draw: st.DrawFn, first: int, issuer: str | None) -> list[Block]:
    """``first``: the number of its first call; ``issuer``: whose model it is. A model refuses in
    place of an answer."""
    content: list[Block] = []
    if draw(st.integers(0, 9)) == 0:
        return [draw(refusals)]
    rare: st.SearchStrategy[Block] = foreign | pictures
    ways = ["text", "text", "call", "call", "thought", "rare"]
    for nth in range(draw(st.integers(1 if first else 0, 5))):
        kind = draw(st.sampled_from(ways))
        if kind == "rare":  # it has an id of its own
            ways.remove(kind)
        kinds: dict[str, st.SearchStrategy[Block]] = {
            "text": said_texts,
            "call": tool_uses(first + nth),
            "thought": thoughts_of(issuer),
            "rare": rare,
        }
        content.append(draw(kinds[kind]))
    return content


@st.composite
def choices(draw: st.DrawFn, first: int, issuer: str | None) -> Choice:
    """Who called a tool stops for that, or has no room for more."""
    content = draw(contents(first, issuer))
    reasons: list[StopReason] = ["end", "end", "length", "stop_sequence", "refusal", "pause"]
    if any(isinstance(block, ToolUse) for block in content):
        reasons = ["tool_use", "tool_use", "length"]
    elif any(isinstance(block, Refusal) for block in content):
        reasons = ["refusal"]
    reason = draw(st.sampled_from(reasons))
    choice = Choice(content, reason, "STOP" if reason == "stop_sequence" else None)
    if any(isinstance(block, Text) and block.text for block in content):
        choice.logprobs = draw(st.just([]) | st.just([]) | st.lists(tokens, max_size=2))
    return choice


@st.composite
def replies(draw: st.DrawFn) -> ChatReply:
    number = draw(st.sampled_from([1, 1, 1, 2]))
    issuer = draw(st.sampled_from([None, *ISSUERS]))
    return ChatReply(
        id=draw(names.map("msg_{}".format)),
        model=draw(names),
        created=draw(st.integers(1_600_000_000, 1_900_000_000)),
        choices=[draw(choices(nth * 10, issuer)) for nth in range(number)],
        usage=draw(usages()),
        service_tier=draw(st.sampled_from([None, None, "default", "flex", "priority"])),
    )


@dataclass
class Telling:
    """What is still to be told of a block."""

    kind: type[Block]
    rest: list[Any]  # events that have a block's number
    number: int | None = None


@st.composite
def streams(draw: st.DrawFn) -> list[ReplyEvent]:
    """A reply as it is streamed. Calls come interleaved with each other and with what is said,
    choices with each other; a thought is told to its end before all else of its choice goes on."""
    reply = draw(replies())
    begun = draw(st.none() | st.just(Usage(reply.usage.input_tokens)))
    events: list[ReplyEvent] = [Started(reply.id, reply.model, reply.created, begun)]
    waiting = {
        nth: [Telling(type(block), draw(pieces(block, nth))) for block in choice.content]
        for nth, choice in enumerate(reply.choices)
    }
    for nth, choice in enumerate(reply.choices):
        attach(choice.logprobs, waiting[nth])
    number = 0
    while waiting:
        nth = draw(st.sampled_from(sorted(waiting)))
        ready = ready_of(waiting[nth])
        if not ready:
            choice = reply.choices[nth]
            events.append(Stopped(choice.stop_reason, choice.stop_sequence, nth))
            del waiting[nth]
            continue
        telling = draw(st.sampled_from(ready))
        if telling.number is None:
            telling.number, number = number, number + 1
        event = telling.rest.pop(0)
        event.block = telling.number
        events.append(event)
        if not telling.rest:
            waiting[nth].remove(telling)
    return [*events, Ended(reply.usage, reply.service_tier)]


def ready_of(waiting: list[Telling]) -> list[Telling]:
    said = [telling for telling in waiting if telling.kind is not ToolUse][:1]
    if said and said[0].number is not None and said[0].kind is Thinking:
        return said
    return [telling for telling in waiting if telling.kind is ToolUse][:2] + said


def attach(logprobs: list[TokenLogprob], tellings: list[Telling]) -> None:
    """To the first piece of text that says something."""
    for telling in tellings:
        for event in telling.rest:
            if isinstance(event, TextDelta) and event.text and logprobs:
                event.logprobs = tuple(logprobs)
                return


@st.composite
def pieces(draw: st.DrawFn, block: Block, choice: int) -> list[Any]:
    """A block as events, up to its end; its number is not known yet."""
    told: list[Any] = []
    match block:
        case Text(text):
            told = [TextDelta(0, one, choice) for one in draw(cut(text))]
            told += [CitationDelta(0, citation, choice) for citation in block.citations]
        case Thinking(text):
            parts = draw(cut(text)) or [""]
            told = [ThinkingDelta(0, one, choice, block.redacted, block.id) for one in parts]
        case Refusal(text):
            told = [RefusalDelta(0, one, choice) for one in draw(cut(text))]
        case ToolUse(id, name, arguments):
            told = [ToolUseStarted(0, id, name, choice, block.seal)]
            told += [ArgumentsDelta(0, one, choice) for one in draw(cut(arguments))]
        case Media() | Foreign():
            told = [WholeBlock(0, block, choice)]
    if isinstance(block, Text | Thinking) and block.seal:
        told.append(SealDelta(0, block.seal, choice))
        if isinstance(block, Thinking) and draw(st.booleans()):  # the seal comes first
            told = [ThinkingDelta(0, "", choice, block.redacted, block.id), told.pop(), *told]
    return [*told, BlockEnded(0, choice)]


@st.composite
def cut(draw: st.DrawFn, text: str) -> list[str]:
    """A text in pieces, wherever it may be cut."""
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=3)))
    parts = [text[a:b] for a, b in pairwise([0, *places, len(text)])]
    return [part for part in parts if part]
