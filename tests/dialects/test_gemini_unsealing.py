"""A conversation that another provider's model has answered goes on at one of Google's."""

import pytest
from google.genai import types

from gateway.chat.blocks import Seal, Text, Thinking, ToolUse
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    ChatReply,
    Choice,
    Ended,
    ReplyEvent,
    SealDelta,
    Started,
    Stopped,
    TextDelta,
    ThinkingDelta,
    ToolUseStarted,
)
from gateway.chat.seals import carried
from gateway.dialects.gemini import GEMINI, GEMINI_COUNT
from gateway.usage import Usage
from gateway.wire.json import Json
from tests.dialects.gemini import CHAT, SEAL, asked, write

THEIRS = Seal("anthropic", "sig")
NEWER, OLDER = "gemini-3-pro", "gemini-2.5-flash"
UNSIGNED = "skip_thought_signature_validator"
USER: Json = {"role": "user", "parts": [{"text": "hi"}]}
THOUGHT: Json = {"text": "hm", "thought": True}


def call(signature: str | None = None, name: str = "thoughtSignature") -> Json:
    part: Json = {"functionCall": {"name": "f", "args": {}}}
    return {**part, name: signature} if signature else part


def model(*parts: Json) -> Json:
    return {"role": "model", "parts": list(parts)}


def unsealed(*contents: Json, to: str = NEWER) -> tuple[list[Json], set[str]]:
    body, lost = GEMINI.unseal({"contents": [USER, *contents]}, to)
    assert body["contents"][0] == USER
    return body["contents"][1:], set(lost)


@pytest.mark.parametrize("name", ["thoughtSignature", "thought_signature"])
@pytest.mark.parametrize(("seal", "lost"), [(None, set()), (THEIRS, {"signature"})])
@pytest.mark.parametrize(
    ("to", "left"),
    [(NEWER, UNSIGNED), ("gemini-flash-latest", UNSIGNED), (OLDER, None), ("gemini-2.0-pro", None)],
)
def test_a_call_that_gemini_did_not_make_is_let_pass(
    to: str, left: str | None, seal: Seal | None, lost: set[str], name: str
) -> None:
    sent = model(call(carried(seal), name), call(carried(seal), name))
    assert unsealed(sent, to=to) == ([model(call(left), call(left))], lost)


@pytest.mark.parametrize("to", [NEWER, OLDER])
def test_what_gemini_sealed_or_had_no_need_to_stays(to: str) -> None:
    own = [
        model(THOUGHT, {"text": "a", "thoughtSignature": SEAL}, call(SEAL), call()),
        model({**THOUGHT, "thoughtSignature": SEAL}),
        model(),
    ]
    assert unsealed(*own, model(call(carried(None))), to=to)[0][:-1] == own


@pytest.mark.parametrize("seal", [None, THEIRS])
def test_a_thought_that_is_not_gemini_s_is_left_out_in_all_its_pieces(seal: Seal | None) -> None:
    mark = {"text": "", "thought": True, "thoughtSignature": carried(seal)}
    own = model(THOUGHT)
    contents, lost = unsealed(
        own,
        USER,
        model({"text": "so"}, THOUGHT),
        model(THOUGHT),
        model(mark),
        model({"text": "a"}),
        USER,
        model({**THOUGHT, "thoughtSignature": SEAL}, THOUGHT, mark),
    )
    assert contents == [
        own,
        USER,
        model({"text": "so"}),
        model({"text": "a"}),
        USER,
        model({**THOUGHT, "thoughtSignature": SEAL}),
    ]
    assert lost == {"thinking"}


def test_a_thought_is_gemini_s_where_gemini_sealed_what_is_behind_it() -> None:
    mark = {"text": "", "thought": True, "thoughtSignature": carried(None)}
    theirs = {**mark, "thoughtSignature": carried(THEIRS)}
    sealed = [model(THOUGHT, {**THOUGHT, "thoughtSignature": carried(None)}), model(call(SEAL))]
    assert unsealed(*sealed) == ([model(THOUGHT, THOUGHT), model(call(SEAL))], set())
    streamed = [model(THOUGHT), model(mark), model(call(SEAL))]
    assert unsealed(*streamed) == ([model(THOUGHT), model(call(SEAL))], set())
    foreign = [model(THOUGHT), model(theirs), model(call(SEAL))]
    assert unsealed(*foreign) == ([model(call(SEAL))], {"thinking"})
    earlier = [model(THOUGHT, mark), USER, model(call(SEAL))]
    assert unsealed(*earlier) == ([USER, model(call(SEAL))], {"thinking"})


def test_another_seal_on_a_text_is_taken_off() -> None:
    sealed = {"text": "a", "thoughtSignature": carried(THEIRS)}
    assert unsealed(model(sealed)) == ([model({"text": "a"})], {"signature"})


@pytest.mark.parametrize("name", ["generateContentRequest", "generate_content_request"])
def test_what_is_counted_is_what_would_be_sent(name: str) -> None:
    body = {name: {"contents": [model(call(carried(None)))], "model": "m"}}
    counted = {name: {"contents": [model(call(UNSIGNED))], "model": "m"}}
    assert GEMINI_COUNT.unseal(body, NEWER) == (counted, frozenset())


EVENTS: tuple[ReplyEvent, ...] = (
    Started("r", "m", 1),
    ThinkingDelta(0, "I "),
    ThinkingDelta(0, "think"),
    BlockEnded(0),
    ThinkingDelta(1, "more"),
    SealDelta(1, THEIRS),
    BlockEnded(1),
    TextDelta(2, "a"),
    BlockEnded(2),
    ToolUseStarted(3, "c", "f"),
    ArgumentsDelta(3, "{}"),
    BlockEnded(3),
    Stopped("tool_use"),
    Ended(Usage()),
)
WHOLE = ChatReply(
    "r",
    "m",
    1,
    [
        Choice(
            [Thinking("I think"), Thinking("more", THEIRS), Text("a"), ToolUse("c", "f", "{}")],
            "tool_use",
        )
    ],
)


def as_the_sdk_keeps_it(reply: Json) -> Json:
    """Read and written again, as google-genai's chats do with each answer and each chunk."""
    told = types.GenerateContentResponse.model_validate(reply)
    assert told.candidates
    assert told.candidates[0].content
    kept: Json = told.candidates[0].content.model_dump(
        mode="json", by_alias=True, exclude_none=True
    )
    return kept


@pytest.mark.parametrize(
    "answers", [write(*EVENTS), [CHAT.write_reply(WHOLE, asked()).body]], ids=["stream", "whole"]
)
def test_what_we_wrote_for_another_provider_s_model_is_told_from_what_gemini_made(
    answers: list[Json],
) -> None:
    kept = [as_the_sdk_keeps_it(answer) for answer in answers]
    contents, lost = unsealed(*kept)
    parts = [part for content in contents for part in content["parts"] if part != {"text": ""}]
    function = {"id": "c", "name": "f", "args": {}}
    assert parts == [{"text": "a"}, {"functionCall": function, "thoughtSignature": UNSIGNED}]
    assert lost == {"thinking"}
    (message,) = CHAT.read_request({"contents": kept}).messages
    assert message.content == WHOLE.choices[0].content
