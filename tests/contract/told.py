"""What a reply says, whole or streamed, so that two can be compared."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gateway.chat.blocks import Block, Foreign, Media, Refusal, Seal, Text, Thinking, ToolUse
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
from gateway.chat.seals import uncarried, without_seal
from gateway.usage import Usage
from gateway.wire.json import loads
from tests.contract.facets import UNSIGNED, where


@dataclass
class Gathering:
    """Makes a reply of a stream's events, and holds the stream to the order of `chat.reply`.

    ``gaps``: whether numbers of blocks may be left out, where a provider's block was lost.
    """

    reply: ChatReply | None = None
    blocks: dict[int, tuple[int, Block]] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)
    choices: dict[int, Choice] = field(default_factory=dict)
    stopped: set[int] = field(default_factory=set)
    ended: bool = False
    gaps: bool = False

    def take(self, event: ReplyEvent) -> None:
        assert not self.ended, f"after the end: {event}"
        assert isinstance(event, Started) == (self.reply is None), f"out of turn: {event}"
        match event:
            case Started(id, model, created, usage):
                self.reply = ChatReply(id, model, created, [], usage or Usage())
            case Stopped(reason, sequence, choice):
                left = [n for n in self.open if self.blocks[n][0] == choice]
                assert not left, f"choice {choice} stops with blocks {left} open"
                assert choice not in self.stopped, f"choice {choice} stops twice"
                self.stopped.add(choice)
                told = self._choice(choice)
                told.stop_reason, told.stop_sequence = reason, sequence
            case Ended(usage, tier):
                assert not self.open, f"blocks {self.open} never end"
                assert self.stopped == set(self.choices), "a choice never stops"
                assert self.reply
                self.ended, self.reply.usage, self.reply.service_tier = True, usage, tier
            case BlockEnded(block, choice):
                assert block in self.open, f"block {block} ends without being open"
                assert self.blocks[block][0] == choice, f"block {block} is of another choice"
                self.open.discard(block)
            case _:
                self._piece(event)

    def _choice(self, number: int) -> Choice:
        return self.choices.setdefault(number, Choice([], "end"))

    def _piece(self, event: Any) -> None:
        assert event.choice not in self.stopped, f"after its choice has stopped: {event}"
        if event.block not in self.blocks:
            as_begun = event.block == len(self.blocks)
            assert self.gaps or as_begun, f"blocks are numbered as they begin: {event}"
            begun = begin(event)
            self.blocks[event.block] = (event.choice, begun)
            self._choice(event.choice).content.append(begun)
            self.open.add(event.block)
        assert event.block in self.open, f"after its block has ended: {event}"
        choice, block = self.blocks[event.block]
        assert choice == event.choice, f"block {event.block} is of choice {choice}: {event}"
        add(block, event)
        if isinstance(event, TextDelta):
            self.choices[choice].logprobs += event.logprobs


def begin(event: Any) -> Block:
    match event:
        case TextDelta() | CitationDelta():
            return Text("")
        case ThinkingDelta(redacted=redacted, id=id):
            return Thinking("", redacted=redacted, id=id)
        case RefusalDelta():
            return Refusal("")
        case ToolUseStarted(id=id, name=name, seal=seal):
            return ToolUse(id, name, "", seal)
        case WholeBlock(content=content):
            return content
    raise AssertionError(f"no block begins with {event}")


def add(block: Block, event: Any) -> None:
    match event, block:
        case TextDelta(), Text():
            block.text += event.text
        case ThinkingDelta(), Thinking():
            block.text += event.text
        case RefusalDelta(), Refusal():
            block.text += event.text
        case CitationDelta(), Text():
            block.citations.append(event.citation)
        case SealDelta(), Text() | Thinking() | ToolUse():
            assert block.seal is None, "sealed twice"
            block.seal = event.seal
        case ArgumentsDelta(), ToolUse():
            block.arguments += event.json
        case (ToolUseStarted(), ToolUse()) | (WholeBlock(), _):
            pass
        case _:
            raise AssertionError(f"no piece of a {type(block).__name__}: {event}")


def gathered(events: Iterable[ReplyEvent]) -> ChatReply:
    gathering = Gathering()
    for event in events:
        gathering.take(event)
    assert gathering.ended, "the stream never ends"
    assert gathering.reply
    gathering.reply.choices = [gathering.choices[n] for n in sorted(gathering.choices)]
    return gathering.reply


# -- as facets


def facets(reply: ChatReply, *, as_values: bool) -> dict[str, Any]:
    """By the names under which a dialect reports what it could not say; ``n``: the other choices.

    A seal that was carried is the seal that it was. ``as_values``: see `facets.calls`.
    """
    told: dict[str, Any] = {"n": len(reply.choices), "service_tier": reply.service_tier}
    for nth, choice in enumerate(reply.choices):
        for name, value in of_choice(choice, as_values=as_values).items():
            told[f"{name}/{nth}"] = value
    return {name: value for name, value in told.items() if value not in (None, [], "")}


def of_choice(choice: Choice, *, as_values: bool) -> dict[str, Any]:
    texts = [block for block in choice.content if isinstance(block, Text)]
    uses = [block for block in choice.content if isinstance(block, ToolUse)]
    told: dict[str, Any] = {
        "text": "".join(block.text for block in texts),
        "refusal": "".join(b.text for b in choice.content if isinstance(b, Refusal)),
        "calls": [call_of(block, as_values=as_values) for block in uses],
        "thinking": thoughts_of(choice),
        # In no order: a text may overtake a call that has not ended.
        "signature": sorted(one for b in choice.content if (one := signature_of(b))),
        "citations": list(
            dict.fromkeys((c.url, c.title, c.quote or None) for b in texts for c in b.citations)
        ),
        "logprobs": [(one.token, one.logprob, len(one.top)) for one in choice.logprobs],
        "stop_reason": choice.stop_reason,
        "stop_sequence": choice.stop_sequence,
    }
    for block in choice.content:
        if isinstance(block, Media):
            told.setdefault(block.kind, []).append(where(block))
        if isinstance(block, Foreign):
            told.setdefault(block.kind, []).append(block.data)
    return told


def call_of(call: ToolUse, *, as_values: bool) -> tuple[str, str, Any]:
    arguments = call.arguments or "{}"
    return without_seal(call.id)[0], call.name, loads(arguments) if as_values else arguments


def signature_of(block: Block) -> tuple[str, str, str] | None:
    seal = getattr(block, "seal", None)
    if isinstance(block, ToolUse):
        seal = seal or without_seal(block.id)[1]
    if seal is None or isinstance(block, Thinking) or seal.value == UNSIGNED:
        return None
    told = was(seal)
    return type(block).__name__, told.issuer, told.value


def was(seal: Seal) -> Seal:
    """The seal that one may carry."""
    return uncarried(seal.value, seal.issuer) or seal


def thoughts_of(choice: Choice) -> list[tuple[str, str | None, str | None]]:
    """Some APIs do not tell where one ends that has no seal, and another begins."""
    told: list[tuple[str, str | None, str | None]] = []
    for block in choice.content:
        one = thought_of(block) if isinstance(block, Thinking) else ("", None, None)
        if told and isinstance(block, Thinking) and told[-1][1] is None and one[1] is None:
            told[-1] = (told[-1][0] + one[0], None, None)
        elif isinstance(block, Thinking):
            told.append(one)
    return told


def thought_of(thought: Thinking) -> tuple[str, str | None, str | None]:
    if thought.seal is None:
        return thought.text, None, None
    told = was(thought.seal)
    issuer = told.issuer.partition("~")[0]  # Gemini's form notes there what its parts cannot say
    return thought.text, issuer, told.value
