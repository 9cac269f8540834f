"""What must be kept of a stream until its end is bounded."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.chat.blocks import Citation, Foreign, Media, Seal
from gateway.chat.reply import (
    ArgumentsDelta,
    CitationDelta,
    Ended,
    RefusalDelta,
    ReplyEvent,
    SealDelta,
    Started,
    Stopped,
    TextDelta,
    ThinkingDelta,
    TokenLogprob,
    ToolUseStarted,
    WholeBlock,
)
from gateway.chat.request import ChatRequest
from gateway.dialects import OPENAI_CHAT, OPENAI_RESPONSES
from gateway.dialects.forms import Asked, Identity
from gateway.dialects.openai_chat import CHAT_FORM, choice, writer
from gateway.dialects.openai_responses import RESPONSES_FORM
from gateway.dialects.openai_responses.writer import LONGEST, ReplyWriter
from gateway.errors import UpstreamBroke
from gateway.exchange.exchange import Call
from gateway.exchange.translation import ChatTranslation, translation_for
from gateway.providers.quirks import Quirks
from gateway.usage import Usage
from gateway.wire.json import dumps
from gateway.wire.sse import write_event
from tests.fakes import CALLER

START = Started("r", "m", 1)
MANY = 3000
ASKED = Asked({"model": "m", "input": "hi"}, ChatRequest("m", []))
TOP = tuple(TokenLogprob("b", -1.0) for _ in range(20))


def responses(longest: int = 2000) -> ReplyWriter:
    told = ReplyWriter(ASKED, longest)
    told.feed(START)
    return told


# Events that keep something, each again and again: after those that open their block.
GROWING: dict[str, list[ReplyEvent]] = {
    "a text": [TextDelta(0, "abc")],
    "probabilities": [TextDelta(0, "a", logprobs=(TokenLogprob("a", -0.1, top=TOP),))],
    "thoughts": [ThinkingDelta(0, "abc")],
    "refusals": [RefusalDelta(0, "abc")],
    "arguments": [ToolUseStarted(0, "t", "f"), ArgumentsDelta(0, "abc")],
    "citations": [TextDelta(0, "a"), CitationDelta(0, Citation("https://a", "A", "a", 0, 1))],
    "seals": [ThinkingDelta(0, "a"), SealDelta(0, Seal("anthropic", "S" * 9))],
}


@pytest.mark.parametrize("events", GROWING.values(), ids=GROWING)
def test_an_answer_that_never_ends_is_given_up(events: list[ReplyEvent]) -> None:
    told = responses()
    for event in events[:-1]:
        told.feed(event)
    with pytest.raises(UpstreamBroke) as broke:
        for _ in range(MANY):
            told.feed(events[-1])
    assert str(broke.value) == "the provider's answer is longer than 2000 characters"


@pytest.mark.parametrize(
    "block",
    [
        lambda nth: ToolUseStarted(nth, f"t{nth}", "f"),
        lambda nth: TextDelta(nth, "a"),
        lambda nth: WholeBlock(nth, Media("image", "image/png", base64="A" * 40)),
        lambda nth: WholeBlock(nth, Foreign("openai_responses", {"type": "x", "y": "z" * 40})),
    ],
)
def test_so_are_blocks_without_end(block: Any) -> None:
    told = responses()
    with pytest.raises(UpstreamBroke):
        for nth in range(MANY):
            told.feed(block(nth))


def test_an_answer_as_long_as_may_be_is_told_whole() -> None:
    told = responses(64 + 2000)
    for _ in range(1000):
        told.feed(TextDelta(0, "ab"))
    last = told.feed(Stopped("end")) + told.feed(Ended(Usage()))
    assert last.count(b"ab" * 1000) == 4  # the text's end, the part's, the item's, the response's
    with pytest.raises(UpstreamBroke):
        told.feed(TextDelta(0, "c"))


def test_the_bound_is_far_above_what_a_model_says() -> None:
    # 128,000 tokens of 8 characters, each with its probability and those of 20 others.
    most = 128_000 * 8
    assert most * 60 < LONGEST
    with_probabilities = 32_000 * (8 + 64 * 22)  # as far as models go that tell them
    assert with_probabilities < LONGEST


def chunk(content: str) -> bytes:
    delta = {"index": 0, "delta": {"content": content}, "finish_reason": None}
    said = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return write_event(dumps({**said, "choices": [delta]}))


def test_the_callers_stream_then_fails_and_keeps_what_it_has() -> None:
    short = replace(RESPONSES_FORM, writer=lambda asked: ReplyWriter(asked, 200))
    body = {"model": "e", "input": "hi", "stream": True}
    call = Call("r", CALLER, replace(OPENAI_RESPONSES, chat=short), "e", dumps(body), body)
    crossing = translation_for(call, OPENAI_CHAT)
    assert isinstance(crossing, ChatTranslation)
    crossing.request("m", Quirks())
    told = crossing.feed(chunk("one ") + chunk("two ") + chunk("x" * 200) + chunk("never"))
    assert (b'"delta":"one "' in told, b'"delta":"two "' in told) == (True, True)
    assert b"never" not in told
    assert isinstance(crossing.failure, UpstreamBroke)
    assert str(crossing.failure) == "the provider's answer is longer than 200 characters"
    assert (crossing.feed(chunk("more")), crossing.finish()) == (b"", b"")


def test_thoughts_that_never_end_are_given_up_in_chat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "LONGEST", 100)
    told = CHAT_FORM.writer(Asked({}, ChatRequest("m", [])))
    told.feed(START)
    with pytest.raises(UpstreamBroke) as broke:
        for _ in range(MANY):
            told.feed(ThinkingDelta(0, "abc"))
    assert str(broke.value) == "the model's thoughts are longer than 100 characters"


def test_so_is_a_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "LONGEST", 100)
    reader = CHAT_FORM.reader(Identity("i", 1))
    delta = {"index": 0, "delta": {"audio": {"id": "a", "data": "AAAA"}}, "finish_reason": None}
    said = dumps({"id": "c", "object": "chat.completion.chunk", "choices": [delta]})
    with pytest.raises(UpstreamBroke) as broke:
        for _ in range(MANY):
            reader.feed(said)
    assert str(broke.value) == "the provider's recording is longer than 100 characters"
