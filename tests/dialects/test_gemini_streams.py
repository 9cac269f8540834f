"""Streams of generateContent replies, both ways."""

import pytest

from gateway.chat.blocks import Citation, Foreign, Media, Seal, Text, Thinking, ToolUse
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
    TextDelta,
    ThinkingDelta,
    TokenLogprob,
    ToolUseStarted,
    WholeBlock,
)
from gateway.chat.seals import carried
from gateway.errors import UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json, dumps
from tests.dialects.gemini import CHAT, IDENTITY, REPLY, SEAL, asked, chunk, read, sse, write

MINE, THEIRS = Seal("gemini", SEAL), Seal("anthropic", "sig")
STARTED = Started("r1", "gemini-3-pro", 1_700_000_000)
COUNTS: Json = {"promptTokenCount": 9, "candidatesTokenCount": 3}


def partial(path: str, **value: object) -> Json:
    return {"functionCall": {"partialArgs": [{"jsonPath": path, **value}], "willContinue": True}}


CHAT_STREAM = sse(
    chunk({"text": "I ", "thought": True}),
    chunk({"text": "think", "thought": True}, usageMetadata={**COUNTS, "thoughtsTokenCount": 2}),
    chunk({"text": "He"}),
    chunk({"text": "llo"}, usageMetadata={"candidatesTokenCount": 2, "promptTokenCount": None}),
    chunk({"text": "", "thoughtSignature": SEAL}),
    chunk({"text": ""}, finish="STOP", usageMetadata={"candidatesTokenCount": 4}),
)
CHAT_EVENTS: list[ReplyEvent] = [
    STARTED,
    ThinkingDelta(0, "I "),
    ThinkingDelta(0, "think"),
    BlockEnded(0),
    TextDelta(1, "He"),
    TextDelta(1, "llo"),
    SealDelta(1, MINE),
    BlockEnded(1),
    Stopped("end"),
    Ended(Usage(9, 6, reasoning_tokens=2)),
]

CALLS_STREAM = sse(
    chunk({"text": "So"}),
    chunk(
        {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": SEAL},
        {"functionCall": {"id": "x", "name": "f", "args": {"a": 1}}},
    ),
    chunk({"functionCall": {"name": "g", "willContinue": True}, "thoughtSignature": SEAL}),
    chunk(partial("$.l[0].s", stringValue="on", willContinue=True)),
    chunk(partial("$.l[0].s", stringValue="e")),
    chunk(partial("$.l[1]", numberValue=2)),
    chunk(partial("$['a b']", boolValue=False)),
    chunk(partial("$.n", nullValue="NULL_VALUE")),
    chunk({"functionCall": {}}),
    chunk({"functionCall": {}}),
    chunk({"text": ""}, finish="STOP"),
)
CALLS_EVENTS: list[ReplyEvent] = [
    STARTED,
    TextDelta(0, "So"),
    BlockEnded(0),
    ToolUseStarted(1, "call_gw1_1", "f", seal=MINE),
    ArgumentsDelta(1, '{"a":1}'),
    BlockEnded(1),
    ToolUseStarted(2, "x", "f"),
    ArgumentsDelta(2, '{"a":1}'),
    BlockEnded(2),
    ToolUseStarted(3, "call_gw1_3", "g", seal=MINE),
    ArgumentsDelta(3, '{"l":[{"s":"one"},2],"a b":false,"n":null}'),
    BlockEnded(3),
    Stopped("tool_use"),
    Ended(Usage()),
]

TWO_STREAM = sse(
    chunk({"text": "a"}, index=0),
    chunk({"text": "b"}, index=1),
    chunk({"text": "c"}, index=0),
    {
        "candidates": [
            {**chunk({"text": "d"}, finish="MAX_TOKENS", index=1)["candidates"][0]},
            {"finishReason": "STOP", "index": 0},
        ]
    },
)
TWO_EVENTS: list[ReplyEvent] = [
    STARTED,
    TextDelta(0, "a"),
    TextDelta(1, "b", 1),
    TextDelta(0, "c"),
    TextDelta(1, "d", 1),
    BlockEnded(0),
    BlockEnded(1, 1),
    Stopped("end"),
    Stopped("length", choice=1),
    Ended(Usage()),
]


@pytest.mark.parametrize(
    ("stream", "events"),
    [(CHAT_STREAM, CHAT_EVENTS), (CALLS_STREAM, CALLS_EVENTS), (TWO_STREAM, TWO_EVENTS)],
)
def test_a_stream_says_the_same_wherever_it_is_cut(stream: bytes, events: list[ReplyEvent]) -> None:
    assert read(stream) == events
    for cut in range(len(stream)):
        assert read(stream, cut) == events


def test_a_stream_says_what_the_whole_reply_says() -> None:
    assert read(sse(REPLY)) == [
        Started("r1", "gemini-3-pro", 1787150295, Usage(8, 8, 4, reasoning_tokens=3)),
        ThinkingDelta(0, "hm"),
        BlockEnded(0),
        TextDelta(
            1,
            "It is a càt.",
            logprobs=(
                TokenLogprob("It", -0.5, None, (TokenLogprob("It", -0.5), TokenLogprob("A", 0))),
            ),
        ),
        SealDelta(1, MINE),
        BlockEnded(1),
        WholeBlock(2, Media("image", "image/png", base64="AAAA")),
        BlockEnded(2),
        ToolUseStarted(3, "call_gw1_3", "look"),
        ArgumentsDelta(3, '{"at":"it"}'),
        BlockEnded(3),
        WholeBlock(4, Foreign("gemini", {"executableCode": {"language": "PYTHON", "code": "1"}})),
        BlockEnded(4),
        TextDelta(5, ""),
        CitationDelta(5, Citation("https://x.example", "X")),
        CitationDelta(5, Citation("https://y.example")),
        BlockEnded(5),
        Stopped("tool_use"),
        Ended(Usage(8, 8, 4, reasoning_tokens=3), "default"),
    ]


def test_what_has_told_no_reason_to_end_has_not_ended() -> None:
    reader = CHAT.reader(IDENTITY)
    assert reader.finish() == []
    reader.feed(dumps(chunk({"text": "hi"}, finish="FINISH_REASON_UNSPECIFIED")))
    assert reader.finish() == []
    assert not reader.ended
    reader.feed(dumps(chunk(finish="STOP")))
    assert not reader.ended
    assert reader.finish() == [BlockEnded(0), Stopped("end"), Ended(Usage())]
    assert reader.ended


def test_one_answer_of_two_that_goes_on_holds_the_end() -> None:
    one, two = chunk({"text": "a"}, index=0, finish="STOP"), chunk({"text": "b"}, index=1)
    assert not any(isinstance(event, Ended) for event in read(sse(one, two)))


def test_usage_is_told_as_soon_as_it_is_known() -> None:
    reader = CHAT.reader(IDENTITY)
    assert [reader.usage] == [None]
    reader.feed(dumps(chunk({"text": "a"}, usageMetadata=COUNTS)))
    reader.feed(dumps(chunk({"text": "b"}, usageMetadata={"candidatesTokenCount": 5})))
    assert reader.usage == Usage(9, 5)
    with pytest.raises(AttributeError):
        reader.usage = None


def test_a_refused_prompt_is_a_refusal() -> None:
    feedback = {"blockReason": "SAFETY", "blockReasonMessage": "not that"}
    assert read(sse({"promptFeedback": feedback, "responseId": "r1"})) == [
        Started("r1", "", 1_700_000_000),
        RefusalDelta(0, "not that"),
        BlockEnded(0),
        Stopped("refusal"),
        Ended(Usage()),
    ]


def test_a_prompt_that_was_only_rated_is_not_refused() -> None:
    feedback: Json = {"safetyRatings": []}
    last = chunk({"text": "hi"}, finish="STOP", promptFeedback=feedback)
    assert Stopped("end") in read(sse(last))


def test_what_is_sealed_is_closed_and_a_seal_alone_opens_a_block() -> None:
    assert read(
        sse(
            chunk({"text": "a", "thought": True, "thoughtSignature": SEAL}),
            chunk({"text": "b", "thought": True}),
            chunk({"text": "", "thought": True, "thoughtSignature": SEAL}),
            chunk({"text": "", "thoughtSignature": SEAL}),
            chunk({"text": "c", "thoughtSignature": SEAL}),
            chunk({"text": "d"}, finish="STOP"),
        )
    )[1:-2] == [
        ThinkingDelta(0, "a"),
        SealDelta(0, MINE),
        BlockEnded(0),
        ThinkingDelta(1, "b"),
        SealDelta(1, MINE),
        BlockEnded(1),
        TextDelta(2, ""),
        SealDelta(2, MINE),
        BlockEnded(2),
        TextDelta(3, "c"),
        SealDelta(3, MINE),
        BlockEnded(3),
        TextDelta(4, "d"),
        BlockEnded(4),
    ]


def test_citations_are_of_the_text_that_is_open_and_told_once() -> None:
    support = {"segment": {"endIndex": 2}, "groundingChunkIndices": [0]}
    grounding = {
        "groundingChunks": [{"web": {"uri": "https://x.example"}}],
        "groundingSupports": [support],
    }
    cited = chunk({"text": "hi"})
    cited["candidates"][0]["groundingMetadata"] = grounding
    last = chunk({"text": ""}, finish="STOP")
    last["candidates"][0]["groundingMetadata"] = grounding
    assert read(sse(cited, last))[1:3] == [
        TextDelta(0, "hi"),
        CitationDelta(0, Citation("https://x.example", start=0, end=2)),
    ]
    assert CitationDelta(0, Citation("https://x.example", start=0, end=1)) in read(
        sse(chunk({"text": "é"}), chunk({"text": "h"}), last)
    )


def grounded(*urls: str, finish: str | None = None) -> Json:
    last = chunk({"text": ""}, finish=finish)
    last["candidates"][0]["groundingMetadata"] = {
        "groundingChunks": [{"web": {"uri": url}} for url in urls],
        "groundingSupports": [{"segment": {"endIndex": 2}, "groundingChunkIndices": [0]}],
    }
    return last


def test_citations_that_come_after_their_text_are_of_an_empty_one() -> None:
    code: Json = {"executableCode": {"language": "PYTHON", "code": "1"}}
    piece = partial("$.b", numberValue=2)
    late = [grounded("a", "b"), grounded("a", "b", finish="STOP")]
    assert read(sse(chunk({"text": "hi"}), chunk(code), *late))[1:-2] == [
        TextDelta(0, "hi"),
        BlockEnded(0),
        WholeBlock(1, Foreign("gemini", code)),
        BlockEnded(1),
        TextDelta(2, ""),
        CitationDelta(2, Citation("a")),
        CitationDelta(2, Citation("b")),
        BlockEnded(2),
    ]
    # What was told of the text while it was open is not told again.
    told = read(sse(chunk({"text": "hi"}), grounded("a"), chunk(code), *late))
    assert [event for event in told if isinstance(event, CitationDelta)] == [
        CitationDelta(0, Citation("a", start=0, end=2)),
        CitationDelta(2, Citation("b")),
    ]
    # A call that is still being told goes on.
    begun = {"functionCall": {"name": "g", "args": {"a": 1}, "willContinue": True}}
    called = read(sse(chunk({"text": "hi"}), chunk(begun), grounded("a"), chunk(piece), *late))
    assert ArgumentsDelta(1, '{"a":1,"b":2}') in called
    assert called[-4:-2] == [CitationDelta(2, Citation("b")), BlockEnded(2)]
    quoting = grounded("a", finish="STOP")
    chunks = quoting["candidates"][0]["groundingMetadata"]["groundingChunks"]
    chunks.append({"retrievedContext": {"uri": "a", "text": "so"}})
    assert read(sse(chunk({"text": "hi"}), quoting))[2:4] == [
        CitationDelta(0, Citation("a", start=0, end=2)),
        CitationDelta(0, Citation("a", None, "so")),
    ]
    assert read(sse(chunk(code), grounded("a", finish="STOP")))[-3:-1] == [
        BlockEnded(0),
        Stopped("end"),
    ]


def test_a_call_that_is_not_told_to_end_ends_with_what_comes_next() -> None:
    begun = chunk({"functionCall": {"name": "g", "args": {"a": 1}, "willContinue": True}})
    ending = [
        ToolUseStarted(0, "call_gw1_0", "g"),
        ArgumentsDelta(0, '{"a":1}'),
        BlockEnded(0),
    ]
    assert read(sse(begun, chunk({"text": "x"}, finish="STOP")))[1:4] == ending
    assert read(sse(begun, chunk(finish="STOP")))[1:4] == ending


def test_pieces_of_arguments_stand_where_their_paths_lead() -> None:
    begun = {"functionCall": {"name": "g", "args": {"l": [0], "a": 1}, "willContinue": True}}
    whole = read(
        sse(
            chunk(begun, partial("$.l[0]", numberValue=1), partial("$.l[1][0]", boolValue=True)),
            chunk(partial("$.a", stringValue="x"), partial("$.o.p", stringValue="y")),
            chunk(partial("$.o.q", numberValue=0.5), finish="STOP"),
        )
    )
    assert whole[2] == ArgumentsDelta(0, '{"l":[1,[true]],"a":"x","o":{"p":"y","q":0.5}}')


@pytest.mark.parametrize(
    "path", ["", "a", "$", "$[0]", "$.a[", "$.a[1]", "$.b.c", "$.l.x", "$..a", "$.a[9999999999]"]
)
def test_pieces_of_arguments_that_do_not_fit_are_broken(path: str) -> None:
    begun = {"functionCall": {"name": "g", "args": {"b": 1, "l": []}, "willContinue": True}}
    with pytest.raises(UpstreamBroke, match="malformed"):
        read(sse(chunk(begun), chunk(partial(path, numberValue=1)), chunk(finish="STOP")))


def test_an_error_in_the_stream_is_raised_with_its_status() -> None:
    reader = CHAT.reader(IDENTITY)
    reader.feed(dumps(chunk({"text": "a"})))
    with pytest.raises(UpstreamBroke, match="overloaded") as failed:
        reader.feed(b'{"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}')
    assert (failed.value.status, failed.value.falls_back) == (503, True)


@pytest.mark.parametrize("event", [b"{", b"[]", b"3", b'{"candidates": 3}', b'{"candidates": [3]}'])
def test_what_is_no_chunk_is_broken(event: bytes) -> None:
    with pytest.raises(UpstreamBroke):
        CHAT.reader(IDENTITY).feed(event)


def told(part: Json, choice: int = 0) -> Json:
    content = {"parts": [part], "role": "model"}
    return {
        "candidates": [{"content": content, "index": choice}],
        "modelVersion": "gemini-3-pro",
        "responseId": "r1",
    }


def ending(*reasons: str, usage: Json | None = None, **more: object) -> Json:
    none = {"promptTokenCount": 0, "candidatesTokenCount": 0, "totalTokenCount": 0}
    return {
        "candidates": [
            {
                "content": {"parts": [{"text": ""}], "role": "model"},
                "finishReason": reason,
                "index": index,
                **more,
            }
            for index, reason in enumerate(reasons)
        ],
        "usageMetadata": usage or none,
        "modelVersion": "gemini-3-pro",
        "responseId": "r1",
    }


def test_texts_go_out_as_they_come_and_calls_when_they_are_whole() -> None:
    assert write(
        STARTED,
        ThinkingDelta(0, "I "),
        ThinkingDelta(0, 'th"ink'),
        SealDelta(0, THEIRS),
        BlockEnded(0),
        TextDelta(1, "Hé"),
        TextDelta(1, ""),
        TextDelta(1, "llo"),
        SealDelta(1, MINE),
        BlockEnded(1),
        ToolUseStarted(2, "a", "f"),
        ToolUseStarted(3, "b", "g", seal=MINE),
        ArgumentsDelta(3, '{"x":'),
        ArgumentsDelta(2, '{"y": [1,\n2]}'),
        SealDelta(2, THEIRS),
        ArgumentsDelta(3, "1}"),
        BlockEnded(3),
        BlockEnded(2),
        Stopped("tool_use"),
        Ended(Usage(5, 3, 1, reasoning_tokens=2), "default"),
    ) == [
        told({"thought": True, "text": "I "}),
        told({"thought": True, "text": 'th"ink'}),
        told({"text": "", "thought": True, "thoughtSignature": carried(THEIRS)}),
        told({"text": "Hé"}),
        told({"text": "llo"}),
        told({"text": "", "thoughtSignature": SEAL}),
        told(
            {
                "functionCall": {"id": "a", "name": "f", "args": {"y": [1, 2]}},
                "thoughtSignature": carried(THEIRS),
            }
        ),
        told(
            {"functionCall": {"id": "b", "name": "g", "args": {"x": 1}}, "thoughtSignature": SEAL}
        ),
        ending(
            "STOP",
            usage={
                "promptTokenCount": 6,
                "candidatesTokenCount": 1,
                "totalTokenCount": 9,
                "cachedContentTokenCount": 1,
                "thoughtsTokenCount": 2,
                "serviceTier": "standard",
            },
        ),
    ]


def test_a_seal_goes_out_behind_what_it_is_on_whenever_it_came() -> None:
    assert write(
        STARTED,
        ThinkingDelta(0, ""),
        SealDelta(0, MINE),
        ThinkingDelta(0, "hm"),
        BlockEnded(0),
        TextDelta(1, "a"),
        SealDelta(1, MINE),
        TextDelta(1, "b"),
        BlockEnded(1),
    ) == [
        told({"thought": True, "text": "hm"}),
        told({"text": "", "thought": True, "thoughtSignature": SEAL}),
        told({"text": "a"}),
        told({"text": "b"}),
        told({"text": "", "thoughtSignature": SEAL}),
    ]


def test_what_nobody_sealed_is_marked_where_gemini_seals() -> None:
    nobodys = carried(None)
    out = write(
        STARTED,
        ThinkingDelta(0, "hm"),
        BlockEnded(0),
        ThinkingDelta(1, ""),
        BlockEnded(1),
        TextDelta(2, "a"),
        BlockEnded(2),
        ToolUseStarted(3, "c", "f"),
        BlockEnded(3),
    )
    assert out == [
        told({"thought": True, "text": "hm"}),
        told({"text": "", "thought": True, "thoughtSignature": nobodys}),
        told({"text": "a"}),
        told({"functionCall": {"id": "c", "name": "f", "args": {}}, "thoughtSignature": nobodys}),
    ]
    contents = [one["candidates"][0]["content"] for one in out]
    (message,) = CHAT.read_request({"contents": contents}).messages
    assert message.content == [Thinking("hm"), Text("a"), ToolUse("c", "f", "{}")]


def test_a_call_waits_for_those_of_its_answer_that_began_before_it() -> None:
    writer = CHAT.writer(asked())
    for begun in (
        ToolUseStarted(0, "a", "f"),
        ToolUseStarted(1, "b", "f"),
        ToolUseStarted(2, "c", "f", 1),
    ):
        assert writer.feed(begun) == b""
    assert writer.feed(BlockEnded(1)) == b""
    assert writer.feed(BlockEnded(2, 1)).count(b'"id":"c"') == 1
    both = writer.feed(BlockEnded(0))
    assert 0 < both.find(b'"id":"a"') < both.find(b'"id":"b"')


def test_events_are_framed_as_google_frames_them() -> None:
    writer = CHAT.writer(asked())
    assert writer.feed(STARTED) == b""
    for event in (TextDelta(0, "a"), RefusalDelta(0, "b"), ThinkingDelta(1, "c")):
        out = writer.feed(event)
        assert out.startswith(b'data: {"candidates":[{')
        assert out.endswith(b'"responseId":"r1"}\r\n\r\n')
        assert out.count(b"\n") == 2
    assert writer.dropped == {"refusal"}


def test_several_answers_end_in_one_chunk() -> None:
    assert write(
        STARTED,
        TextDelta(0, "a"),
        TextDelta(1, "b", 1),
        BlockEnded(0),
        BlockEnded(1, 1),
        Stopped("end"),
        Stopped("length", choice=1),
        Ended(Usage()),
    ) == [told({"text": "a"}), told({"text": "b"}, 1), ending("STOP", "MAX_TOKENS")]


def test_whole_blocks_and_probabilities_of_tokens() -> None:
    writer = CHAT.writer(asked())
    writer.feed(STARTED)
    assert writer.feed(WholeBlock(0, Foreign("other", {"type": "odd"}))) == b""
    assert writer.dropped == {"odd"}
    token = TokenLogprob("a", -1.0)
    logprobs = {"chosenCandidates": [{"token": "a", "logProbability": -1.0}]}
    picture, text, _ = write(
        STARTED,
        WholeBlock(0, Media("image", "image/png", base64="AA==")),
        BlockEnded(0),
        TextDelta(1, "a", logprobs=(token,)),
        BlockEnded(1),
        Stopped("stop_sequence", "END"),
        Ended(Usage()),
    )
    assert picture == told({"inlineData": {"mimeType": "image/png", "data": "AA=="}})
    assert text["candidates"][0]["logprobsResult"] == logprobs


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("hi", 2),
        ("hé", 3),
    ],
)
def test_citations_are_told_at_the_end(text: str, end: int) -> None:
    support = {"segment": {"startIndex": 0, "endIndex": end}, "groundingChunkIndices": [0]}
    grounding = {
        "groundingChunks": [{"web": {"uri": "https://x.example"}}],
        "groundingSupports": [support],
    }
    cited = CitationDelta(0, Citation("https://x.example", start=0, end=2))
    out = write(STARTED, TextDelta(0, text), cited, BlockEnded(0), Stopped("end"), Ended(Usage()))
    assert out == [told({"text": text}), ending("STOP", groundingMetadata=grounding)]


def test_a_call_whose_arguments_are_no_json_is_a_malformed_one() -> None:
    writer = CHAT.writer(asked())
    writer.feed(STARTED)
    writer.feed(ToolUseStarted(0, "a", "f"))
    writer.feed(ArgumentsDelta(0, '{"x'))
    assert writer.feed(BlockEnded(0)) == b""
    writer.feed(Stopped("tool_use"))
    assert b'"MALFORMED_FUNCTION_CALL"' in writer.feed(Ended(Usage()))
    assert writer.dropped == {"tool_calls"}


def test_whole_numbers_of_any_length_stand_as_they_are_in_one_event() -> None:
    writer = CHAT.writer(asked())
    writer.feed(STARTED)
    writer.feed(ToolUseStarted(0, "a", "f"))
    writer.feed(ArgumentsDelta(0, '{"n":\r\n12345678901234567890123}'))
    event = writer.feed(BlockEnded(0))
    assert b'"args":{"n":  12345678901234567890123}' in event
    assert (event.count(b"\r"), event.count(b"\n")) == (2, 2)


def test_a_redacted_thought_comes_home_as_one() -> None:
    out = write(
        STARTED,
        ThinkingDelta(0, "", redacted=True),
        SealDelta(0, THEIRS),
        BlockEnded(0),
        TextDelta(1, "a"),
        BlockEnded(1),
        Stopped("end"),
        Ended(Usage()),
    )
    contents = [one["candidates"][0]["content"] for one in out]
    (message,) = CHAT.read_request({"contents": contents}).messages
    thought, text = message.content
    assert getattr(thought, "redacted", False)
    assert getattr(thought, "seal", None) == THEIRS
    assert text == Text("a")
