"""Messages and counts, whole, both ways."""

from typing import Any

import pytest

from gateway.chat.blocks import (
    Block,
    Citation,
    Foreign,
    Media,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from gateway.chat.reply import ChatReply, Choice, StopReason, TokenLogprob
from gateway.chat.request import ChatRequest, Message, Reasoning, Sampling, Tool
from gateway.chat.seals import carried, with_seal
from gateway.dialects import ANTHROPIC_COUNT, ANTHROPIC_MESSAGES
from gateway.dialects.anthropic_messages import read_reply, write_reply
from gateway.dialects.forms import Written
from gateway.errors import UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json
from tests.dialects.messages import IDENTITY, MESSAGE, OVERLOADED, asked

GEMINI = Seal("gemini", "G=")


def read(*content: Json, **fields: Any) -> ChatReply:
    body = {**MESSAGE, "content": list(content), "stop_reason": "end_turn", **fields}
    return read_reply(body, IDENTITY)


def write(*content: Block, reason: StopReason = "end", **fields: Any) -> Written:
    reply = ChatReply("msg_1", "m", 0, [Choice(list(content), reason)], **fields)
    return write_reply(reply, asked())


def told(*content: Block) -> tuple[Any, set[str]]:
    written = write(*content)
    return written.body["content"], set(written.dropped)


def test_a_whole_message_is_read() -> None:
    assert read(
        {"type": "thinking", "thinking": "Hm", "signature": "S"},
        {"type": "redacted_thinking", "data": "R"},
        {"type": "text", "text": "I look", "citations": None},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
        stop_reason="tool_use",
        usage={
            "input_tokens": 7,
            "output_tokens": 5,
            "cache_read_input_tokens": 4,
            "cache_creation_input_tokens": 3,
            "output_tokens_details": {"thinking_tokens": 2},
            "service_tier": "standard",
        },
    ) == ChatReply(
        "msg_1",
        "claude-real",
        IDENTITY.created,
        [
            Choice(
                [
                    Thinking("Hm", Seal("anthropic", "S")),
                    Thinking("", Seal("anthropic", "R"), redacted=True),
                    Text("I look"),
                    Foreign(
                        "anthropic_messages",
                        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
                    ),
                    ToolUse("t", "f", '{"a":1}'),
                ],
                "tool_use",
            )
        ],
        Usage(7, 5, 4, 3, 2),
        "default",
    )


def test_a_message_without_a_name_gets_ours() -> None:
    assert read_reply({"content": []}, IDENTITY) == ChatReply(
        "msg_ours", "", IDENTITY.created, [Choice([], "end")]
    )


def test_what_was_written_to_the_cache_is_added_up_where_no_sum_is_told() -> None:
    parts = {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4}
    assert read(usage={"input_tokens": 1, "cache_creation": parts}).usage == Usage(
        1, cache_write_tokens=7
    )
    summed = {"cache_creation_input_tokens": 9, "cache_creation": parts}
    assert read(usage=summed).usage == Usage(cache_write_tokens=9)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("end_turn", "end"),
        ("max_tokens", "length"),
        ("tool_use", "tool_use"),
        ("pause_turn", "pause"),
        ("compaction", "pause"),
        ("refusal", "refusal"),
        ("model_context_window_exceeded", "length"),
        ("unheard_of", "end"),
        (None, "end"),
    ],
)
def test_every_reason_to_stop_is_known(theirs: str | None, ours: StopReason) -> None:
    assert read(stop_reason=theirs).choices == [Choice([], ours)]


def test_the_text_that_ended_it_is_told() -> None:
    stopped = {"stop_reason": "stop_sequence", "stop_sequence": "END"}
    assert read(**stopped).choices == [Choice([], "stop_sequence", "END")]


def test_why_the_api_refused_is_told_in_its_words() -> None:
    details: Json = {"type": "refusal", "category": "bio", "explanation": "Too risky."}
    refused = read(stop_reason="refusal", stop_details=details)
    assert refused.choices == [Choice([Refusal("Too risky.")], "refusal")]
    for silent in (None, {**details, "explanation": None}):
        assert read(stop_reason="refusal", stop_details=silent).choices == [Choice([], "refusal")]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"type": "error", "error": OVERLOADED},
            "the provider failed while it answered: Overloaded",
        ),
        ({}, "the provider's answer has no content: it is no message"),
        (
            {"content": [{"type": "text"}]},
            "the provider's answer is malformed: content[0].text: is required",
        ),
        (
            {"content": [], "id": 5},
            "the provider's answer is malformed: id: must be a string, not an integer",
        ),
    ],
)
def test_what_is_no_message_is_the_providers_fault(body: Json, message: str) -> None:
    with pytest.raises(UpstreamBroke) as broke:
        read_reply(body, IDENTITY)
    assert str(broke.value) == message


def test_a_whole_message_is_written() -> None:
    written = write(
        Thinking("Hm", Seal("anthropic", "S")),
        Text("I look", citations=[Citation("u", "t", "q", 0, 6)]),
        ToolUse("t", "f", '{"a":1}'),
        reason="tool_use",
        usage=Usage(7, 5, 4, 3, 2),
        service_tier="priority",
    )
    assert written == Written(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": [
                {"type": "thinking", "thinking": "Hm", "signature": "S"},
                {
                    "type": "text",
                    "text": "I look",
                    "citations": [
                        {
                            "type": "web_search_result_location",
                            "url": "u",
                            "title": "t",
                            "cited_text": "q",
                            "encrypted_index": "",
                        }
                    ],
                },
                {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
            ],
            "stop_reason": "tool_use",
            "stop_sequence": None,
            "usage": {
                "input_tokens": 7,
                "cache_creation_input_tokens": 3,
                "cache_read_input_tokens": 4,
                "output_tokens": 5,
                "output_tokens_details": {"thinking_tokens": 2},
                "service_tier": "priority",
            },
        }
    )


def test_a_written_message_reads_as_what_it_means() -> None:
    content: list[Block] = [
        Thinking("Hm", Seal("anthropic", "S")),
        Thinking("", GEMINI, redacted=True),
        Thinking("told"),
        Text("a", citations=[Citation("u", "t", "q", 0, 1)]),
        ToolUse("t", "f", '{"a', GEMINI),
    ]
    reply = ChatReply(
        "i", "m", IDENTITY.created, [Choice(content, "tool_use", None)], Usage(1, 2, 3, 4, 1)
    )
    written = write_reply(reply, asked())
    assert (read_reply(written.body, IDENTITY), set(written.dropped)) == (reply, set())


@pytest.mark.parametrize(
    ("block", "content", "dropped"),
    [
        (
            Thinking("Hm"),
            {"type": "thinking", "thinking": "Hm", "signature": carried(None)},
            set(),
        ),
        (
            Thinking("Hm", GEMINI),
            {"type": "thinking", "thinking": "Hm", "signature": carried(GEMINI)},
            set(),
        ),
        (
            Thinking("", GEMINI, redacted=True),
            {"type": "redacted_thinking", "data": carried(GEMINI)},
            set(),
        ),
        (Thinking("", redacted=True), None, {"thinking"}),
        (Thinking(""), None, {"thinking"}),
        (
            ToolUse("t", "f", "", GEMINI),
            {"type": "tool_use", "id": with_seal("t", GEMINI), "name": "f", "input": {}},
            set(),
        ),
        (
            ToolUse("t", "f", "[1]"),
            {"type": "tool_use", "id": "t", "name": "f", "input": {"INVALID_JSON": "[1]"}},
            set(),
        ),
        (Text("", seal=GEMINI), None, {"signature"}),
        (Text("a", seal=GEMINI), {"type": "text", "text": "a"}, {"signature"}),
        (
            Text("a", citations=[Citation(title="t")]),
            {"type": "text", "text": "a"},
            {"citations"},
        ),
        (Refusal("no"), {"type": "text", "text": "no"}, {"refusal"}),
        (ToolResult("t", ()), None, {"tool_result"}),
        (Media("image", base64="AA"), None, {"image"}),
        (Media("audio", transcript="hello"), {"type": "text", "text": "hello"}, {"audio"}),
        (Foreign("gemini", {"executableCode": {}}), None, {"executableCode"}),
        (Foreign("anthropic_messages", {"type": "fallback"}), {"type": "fallback"}, set()),
    ],
)
def test_each_block_is_told_as_nearly_as_it_can_be(
    block: Block, content: Json | None, dropped: set[str]
) -> None:
    assert told(block) == ([] if content is None else [content], dropped)


@pytest.mark.parametrize(
    ("start", "end", "dropped"),
    [(None, None, set()), (0, 3, set()), (0, 2, {"citations"}), (1, 3, {"citations"})],
)
def test_a_citation_of_a_part_of_the_text_is_told_as_of_the_whole(
    start: int | None, end: int | None, dropped: set[str]
) -> None:
    (block,), lost = told(Text("abc", citations=[Citation("u", start=start, end=end)]))
    assert (len(block["citations"]), lost) == (1, dropped)


@pytest.mark.parametrize(
    ("reason", "content", "written"),
    [
        ("end", [], "end_turn"),
        ("length", [], "max_tokens"),
        ("tool_use", [], "tool_use"),
        ("refusal", [], "refusal"),
        ("pause", [], "pause_turn"),
        ("stop_sequence", [], "stop_sequence"),
        ("end", [ToolUse("t", "f", "{}")], "tool_use"),  # some say stop, and callers go by this
        ("end", [Refusal("no")], "refusal"),
        ("length", [ToolUse("t", "f", "{")], "max_tokens"),
    ],
)
def test_every_reason_to_stop_has_a_word(
    reason: StopReason, content: list[Block], written: str
) -> None:
    assert write(*content, reason=reason).body["stop_reason"] == written


def test_of_several_choices_the_first_is_told() -> None:
    logprobs = [TokenLogprob("a", -1.0)]
    first = Choice([Text("a")], "stop_sequence", "END", logprobs)
    reply = ChatReply("i", "m", 0, [first, Choice([], "end")], service_tier="flex")
    written = write_reply(reply, asked())
    assert written.dropped == {"n", "logprobs", "service_tier"}
    assert (written.body["content"], written.body["stop_sequence"]) == (
        [{"type": "text", "text": "a"}],
        "END",
    )


def test_who_asked_for_signatures_alone_gets_no_thoughts() -> None:
    content: list[Block] = [Thinking("Hm", GEMINI), Thinking("Hm"), Thinking("", redacted=True)]
    reply = ChatReply("i", "m", 0, [Choice(content, "end")])
    silent = asked(ChatRequest("m", [], reasoning=Reasoning("low", shown=False)))
    written = write_reply(reply, silent)
    assert (written.body["content"], set(written.dropped)) == (
        [{"type": "thinking", "thinking": "", "signature": carried(GEMINI)}],
        set(),
    )


COUNT = ANTHROPIC_COUNT.count
SCHEMA: Json = {"type": "object", "properties": {}}


def test_a_count_is_asked_of_what_the_model_would_read() -> None:
    assert COUNT is not None
    request = ChatRequest(
        "claude-opus-4-8",
        [Message("user", [Text("Hi"), Media("audio")])],
        system=[Text("be brief")],
        tools=[Tool("f", None, SCHEMA)],
        sampling=Sampling(max_tokens=5, temperature=1, seed=3),
        reasoning=Reasoning("low"),
        user="u",
        verbosity="low",
    )
    assert COUNT.write_request(request) == Written(
        {
            "model": "claude-opus-4-8",
            "system": "be brief",
            "messages": [{"role": "user", "content": "Hi"}],
            "tools": [{"name": "f", "input_schema": SCHEMA}],
            "thinking": {"type": "adaptive"},
            "output_config": {"effort": "low"},
        },
        frozenset({"audio"}),
    )
    plain = ChatRequest("claude-haiku-4-5", [])
    assert COUNT.write_request(plain) == Written({"model": "claude-haiku-4-5", "messages": []})


def test_a_count_is_read_and_written() -> None:
    assert COUNT is not None
    assert COUNT.read_request({"messages": []}) == ChatRequest("", [])
    assert COUNT.read_reply({"input_tokens": 588}) == 588
    assert COUNT.write_reply(588) == {"input_tokens": 588}
    with pytest.raises(UpstreamBroke, match="Overloaded"):
        COUNT.read_reply({"error": OVERLOADED})


def test_a_count_is_no_chat() -> None:
    ANTHROPIC_COUNT.check({"messages": []})
    assert ANTHROPIC_COUNT.chat is None
    assert ANTHROPIC_MESSAGES.count is None
