"""A stream of messages, written.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from collections.abc import Mapping
from typing import Any

from gateway.chat.blocks import Refusal, Seal, Thinking, ToolUse
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
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
    ToolUseStarted,
    WholeBlock,
)
from gateway.chat.seals import with_seal
from gateway.dialects.anthropic_messages.estimate import tokens_in
from gateway.dialects.anthropic_messages.reply import (
    signature_of,
    silent,
    stop_reason_out,
    write_citation,
    write_thought,
    write_whole,
)
from gateway.dialects.anthropic_messages.usage import write_usage
from gateway.dialects.forms import Asked
from gateway.usage import Usage
from gateway.wire.json import Json, dumps
from gateway.wire.sse import write_event

# The kinds of block that are written piece by piece: how each begins, and how its pieces look.
EMPTY: Mapping[str, Json] = {
    "text": {"type": "text", "text": ""},
    "thinking": {"type": "thinking", "thinking": "", "signature": ""},
}
PIECES: Mapping[str, str] = {
    "text": '"text_delta","text":',
    "thinking": '"thinking_delta","thinking":',
    "tool_use": '"input_json_delta","partial_json":',
}
NONE = -1  # no block is open
END = b"}}\n\n"  # of a delta's event

Piece = TextDelta | RefusalDelta | CitationDelta | ThinkingDelta | SealDelta
OfBlock = Piece | ToolUseStarted | ArgumentsDelta | WholeBlock | BlockEnded


class MessagesWriter:
    """One block is open at a time. A text or a thought ends where another block begins, and goes on
    as one more; a call of a tool cannot, so what comes of other blocks meanwhile waits for its end.
    A thought's seal is kept until the thought ends.

    What the input took is told at the start, since clients plan by it: as the provider told it, or
    else as it is estimated. At the end, as in a whole answer, only what the provider told: 0 where
    it never did.
    """

    __slots__ = (
        "_asked",
        "_closed",
        "_kind",
        "_next",
        "_open",
        "_over",
        "_prefix",
        "_redacted",
        "_said",
        "_seals",
        "_silent",
        "_stop",
        "_thoughts",
        "_waiting",
        "dropped",
    )

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._silent = silent(asked)
        self.dropped: set[str] = set()
        self._open, self._kind, self._prefix = NONE, "", b""  # the block, and how its pieces begin
        self._next = 0  # number of the next block on the wire
        self._closed: set[int] = set()
        self._thoughts: set[int] = set()
        self._redacted: set[int] = set()
        self._seals: dict[int, Seal] = {}
        self._waiting: dict[int, list[OfBlock]] = {}
        self._said: set[Any] = set()
        self._stop: tuple[StopReason, str | None] = ("end", None)
        self._over = False

    def feed(self, event: ReplyEvent) -> bytes:
        # The deltas that dominate, of the block that is open: this is done for every token.
        if isinstance(event, TextDelta):
            if event.block == self._open and self._kind == "text" and not event.logprobs:
                return self._prefix + dumps(event.text) + END if event.text else b""
        elif isinstance(event, ArgumentsDelta):
            if event.block == self._open and self._kind == "tool_use":
                return self._prefix + dumps(event.json) + END if event.json else b""
        elif (
            isinstance(event, ThinkingDelta)
            and event.block == self._open
            and self._kind == "thinking"
            and not self._silent
        ):
            return self._prefix + dumps(event.text) + END if event.text else b""
        return self._general(event)

    def _general(self, event: ReplyEvent) -> bytes:
        if self._over:
            return b""
        match event:
            case Started():
                return self._start(event)
            case Ended(usage, tier):
                return self._end(usage, tier)
            case Stopped(reason, sequence, choice):
                if choice == 0:
                    self._stop = (reason, sequence)
                else:
                    self.dropped.add("n")
                return b""
        if event.choice:
            self.dropped.add("n")
            return b""
        if self._kind == "tool_use" and event.block != self._open != NONE:
            self._waiting.setdefault(event.block, []).append(event)
            return b""
        return self._write(event) + self._awaited()

    def _start(self, started: Started) -> bytes:
        usage = started.usage
        if usage is None or not usage.prompt_tokens:
            usage = Usage(input_tokens=tokens_in(self._asked.request))
        message: Json = {
            "id": started.id,
            "type": "message",
            "role": "assistant",
            "model": started.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**write_usage(usage), "output_tokens": max(usage.output_tokens, 1)},
        }
        return _event("message_start", message=message)

    def _awaited(self) -> bytes:
        """What waited for the end of a tool's call, in the order in which it began."""
        out = b""
        while self._waiting and (self._open == NONE or self._kind != "tool_use"):
            block = next(iter(self._waiting))
            out += b"".join(self._write(event) for event in self._waiting.pop(block))
        return out

    def _write(self, event: OfBlock) -> bytes:
        match event:
            case TextDelta(block, text, logprobs=logprobs):
                if logprobs:
                    self.dropped.add("logprobs")
                return self._piece("text", block, text)
            case ThinkingDelta(block, text, redacted=redacted):
                if redacted:
                    self._redacted.add(block)
                    return b""
                self._thoughts.add(block)
                return self._piece("thinking", block, "" if self._silent else text)
            case ArgumentsDelta(block, json):
                return self._piece("tool_use", block, json)
            case RefusalDelta(block, text):
                self.dropped.add("refusal")
                self._said.add(Refusal)
                return self._piece("text", block, text)
            case CitationDelta():
                return self._cite(event)
            case SealDelta(block, seal):
                return self._seal(block, seal)
            case ToolUseStarted(block, call, name, seal=seal):
                self._said.add(ToolUse)
                sealed = with_seal(call, seal or self._seals.pop(block, None))
                called = {"type": "tool_use", "id": sealed, "name": name, "input": {}}
                return self._begin("tool_use", block, called)
            case WholeBlock(block, content):
                whole = write_whole(content, self.dropped)
                return self._whole(block, whole) if whole else b""
            case _:
                return self._ended(event.block)

    def _piece(self, kind: str, block: int, text: str) -> bytes:
        if not text:
            return b""
        out = b""
        if (block, kind) != (self._open, self._kind):
            if kind == "tool_use":  # a call that was never begun
                return b""
            if kind == "text" and block in self._seals:
                del self._seals[block]
                self.dropped.add("signature")
            out = self._begin(kind, block, EMPTY[kind])
        return out + self._prefix + dumps(text) + END

    def _cite(self, event: CitationDelta) -> bytes:
        written = write_citation(event.citation, None, self.dropped)
        if written is None:
            return b""
        out = b""
        if event.block != self._open:
            if event.block in self._closed:  # its text is told already
                self.dropped.add("citations")
                return b""
            out = self._begin("text", event.block, EMPTY["text"])
        return out + self._delta({"type": "citations_delta", "citation": written})

    def _seal(self, block: int, seal: Seal) -> bytes:
        if block in self._redacted:
            self._redacted.discard(block)
            whole = write_thought(Thinking("", seal, redacted=True), silent=False)
            return self._whole(block, whole) if whole else b""
        if block in self._closed or (block == self._open and self._kind != "thinking"):
            self.dropped.add("signature")
        else:
            self._seals[block] = seal
        return b""

    def _ended(self, block: int) -> bytes:
        if block == self._open:
            return self._close()
        if block in self._redacted:  # nothing was told of it
            self.dropped.add("thinking")
        elif block in self._seals and block in self._thoughts:  # one without words
            return self._begin("thinking", block, EMPTY["thinking"]) + self._close()
        elif self._seals.pop(block, None):  # on a text without words
            self.dropped.add("signature")
        return b""

    def _begin(self, kind: str, block: int, content: Json) -> bytes:
        out = self._close() + _event("content_block_start", index=self._next, content_block=content)
        head = f'{{"type":"content_block_delta","index":{self._next},"delta":{{"type":'
        pieces = PIECES.get(kind, "")
        self._prefix = f"event: content_block_delta\ndata: {head}{pieces}".encode()
        self._open, self._kind, self._next = block, kind, self._next + 1
        return out

    def _whole(self, block: int, content: Json) -> bytes:
        if content["type"] != "text":
            return self._begin("", block, content) + self._close()
        return self._piece("text", block, content["text"]) + self._close()

    def _delta(self, delta: Json) -> bytes:
        return _event("content_block_delta", index=self._next - 1, delta=delta)

    def _close(self) -> bytes:
        if self._open == NONE:
            return b""
        out = b""
        if self._kind == "thinking":
            signature = signature_of(self._seals.pop(self._open, None))
            out = self._delta({"type": "signature_delta", "signature": signature})
        self._closed.add(self._open)
        self._open = NONE
        return out + _event("content_block_stop", index=self._next - 1)

    def _end(self, usage: Usage, tier: str | None) -> bytes:
        out = self._close() + self._awaited()
        while self._open != NONE:
            out += self._close() + self._awaited()
        self._over = True
        if tier is not None:  # the API tells it at the start
            self.dropped.add("service_tier")
        reason, sequence = self._stop
        delta = {"stop_reason": stop_reason_out(reason, self._said), "stop_sequence": sequence}
        told = _event("message_delta", delta=delta, usage=write_usage(usage))
        return out + told + _event("message_stop")


def _event(name: str, **fields: Any) -> bytes:
    return write_event(dumps({"type": name, **fields}), name)
