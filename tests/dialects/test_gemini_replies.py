"""generateContent replies, whole, both ways."""

from base64 import b64decode

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
from gateway.chat.reply import (
    ChatReply,
    Choice,
    StopReason,
    TokenLogprob,
)
from gateway.chat.seals import carried
from gateway.errors import UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json, dumps
from tests.dialects.gemini import CHAT, IDENTITY, REPLY, SEAL, asked, chunk, sse
from tests.dialects.gemini import read as stream_of

MINE, THEIRS = Seal("gemini", SEAL), Seal("anthropic", "sig")


def read(body: Json) -> ChatReply:
    return CHAT.read_reply(body, IDENTITY)


def choice(*parts: Json, finish: str = "STOP", **more: object) -> Choice:
    body = chunk(*parts, finish=finish)
    body["candidates"][0] |= more
    (only,) = read(body).choices
    return only


def write(*choices: Choice, **more: object) -> tuple[Json, set[str]]:
    reply = ChatReply("i", "m", 1, list(choices), **more)  # type: ignore[arg-type]
    told = CHAT.write_reply(reply, asked())
    return told.body, set(told.dropped)


def candidate(*blocks: Block, stop: StopReason = "end") -> tuple[Json, set[str]]:
    body, dropped = write(Choice(list(blocks), stop))
    return body["candidates"][0], dropped


def test_a_reply_is_read_whole() -> None:
    it = TokenLogprob("It", -0.5)
    x = Citation("https://x.example", "X", None, 6, 12)  # told in bytes: à has two
    assert read(REPLY) == ChatReply(
        "r1",
        "gemini-3-pro",
        1787150295,
        [
            Choice(
                [
                    Thinking("hm"),
                    Text(
                        "It is a càt.",
                        citations=[x, Citation("https://y.example")],
                        seal=MINE,
                    ),
                    Media("image", "image/png", base64="AAAA"),
                    ToolUse("call_gw1_0_3", "look", '{"at":"it"}'),
                    Foreign("gemini", {"executableCode": {"language": "PYTHON", "code": "1"}}),
                ],
                "tool_use",
                logprobs=[TokenLogprob("It", -0.5, None, (it, TokenLogprob("A", 0)))],
            )
        ],
        Usage(8, 8, 4, reasoning_tokens=3),
        "default",
    )


def test_what_is_read_is_written_so_that_it_reads_alike() -> None:
    once = read(REPLY)
    again = read({**CHAT.write_reply(once, asked()).body, "createTime": REPLY["createTime"]})
    assert again == once


def test_a_reply_without_a_name_or_a_date_gets_ours() -> None:
    assert read({"candidates": [{"content": {}, "finishReason": "STOP"}]}) == ChatReply(
        "gw1", "", 1_700_000_000, [Choice([], "end")]
    )


def test_identical_calls_have_different_ids_and_given_ones_are_kept() -> None:
    call: Json = {"functionCall": {"name": "f", "args": {}}}
    named: Json = {"functionCall": {"id": "x", "name": "f"}}
    assert choice(call, call, named) == Choice(
        [
            ToolUse("call_gw1_0_0", "f", "{}"),
            ToolUse("call_gw1_0_1", "f", "{}"),
            ToolUse("x", "f", "{}"),
        ],
        "tool_use",
    )


def test_choices_come_in_their_order() -> None:
    body = {
        "candidates": [
            {**chunk({"text": "b"}, finish="MAX_TOKENS", index=1)["candidates"][0]},
            {**chunk({"text": "a"}, finish="STOP", index=0)["candidates"][0]},
        ]
    }
    assert read(body).choices == [Choice([Text("a")], "end"), Choice([Text("b")], "length")]


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("STOP", "end"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "refusal"),
        ("RECITATION", "refusal"),
        ("LANGUAGE", "refusal"),
        ("BLOCKLIST", "refusal"),
        ("PROHIBITED_CONTENT", "refusal"),
        ("SPII", "refusal"),
        ("IMAGE_SAFETY", "refusal"),
        ("CONTINUATION", "pause"),
        ("OTHER", "end"),
        ("A_WORD_OF_TOMORROW", "end"),
    ],
)
def test_reasons_to_end(finish: str, reason: StopReason) -> None:
    told = choice({"text": "a"}, finish=finish)
    assert told.stop_reason == reason
    known = finish not in ("OTHER", "A_WORD_OF_TOMORROW")
    assert told.content[1:] == ([] if known else [beside("finishReason", finish)])


def beside(name: str, value: object) -> Foreign:
    """What is said beside the content: whoever writes it reports it by this name."""
    return Foreign("gemini_aside", {name: value})


THOUGHT: Json = {"text": "Need weather", "thought": True}
SPOILT = [
    "MALFORMED_FUNCTION_CALL",
    "MALFORMED_RESPONSE",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "MISSING_THOUGHT_SIGNATURE",
]


@pytest.mark.parametrize("finish", SPOILT)
@pytest.mark.parametrize(
    "said", [[], [THOUGHT], [{"text": "I will check."}], [{"functionCall": {"name": "f"}}]]
)
def test_an_answer_whose_call_is_lost_is_none_whatever_was_said(
    said: list[Json], finish: str
) -> None:
    with pytest.raises(UpstreamBroke, match=f"spoilt: {finish}: Malformed: f") as spoilt:
        choice(*said, finish=finish, finishMessage="Malformed: f(")
    assert spoilt.value.falls_back
    reader = CHAT.reader(IDENTITY)
    for part in said:
        reader.feed(dumps(chunk(part)))
    reader.feed(dumps(chunk(finish=finish)))
    with pytest.raises(UpstreamBroke, match=f"spoilt: {finish}$"):
        reader.finish()
    assert not reader.ended


@pytest.mark.parametrize("finish", ["NO_IMAGE", "IMAGE_OTHER"])
@pytest.mark.parametrize("said", [[], [THOUGHT], [{"text": "", "thoughtSignature": SEAL}]])
def test_thoughts_and_seals_alone_are_no_answer(said: list[Json], finish: str) -> None:
    with pytest.raises(UpstreamBroke, match=f"no answer: {finish}"):
        choice(*said, finish=finish)
    with pytest.raises(UpstreamBroke, match=f"no answer: {finish}"):
        stream_of(sse(*(chunk(part) for part in said), chunk(finish=finish)))


QUIET: Json = {"category": "HARM_CATEGORY_HARASSMENT", "probability": "NEGLIGIBLE"}
LOUD: Json = {"category": "HARM_CATEGORY_HARASSMENT", "probability": "MEDIUM"}
PAGE: Json = {"urlMetadata": [{"retrievedUrl": "https://x.example"}]}


@pytest.mark.parametrize(
    ("beside_it", "names"),
    [
        ({}, []),
        ({"safetyRatings": [QUIET], "tokenCount": 3, "avgLogprobs": -1.0}, []),
        ({"safetyRatings": [QUIET, LOUD]}, ["safetyRatings"]),
        ({"safetyRatings": [{**QUIET, "blocked": True}]}, ["safetyRatings"]),
        ({"safetyRatings": [{"probability": {}}, 3]}, []),
        ({"safetyRatings": 3, "groundingMetadata": 3, "citationMetadata": {"citations": 3}}, []),
        ({"urlContextMetadata": {}, "groundingMetadata": {"webSearchQueries": []}}, []),
        ({"urlContextMetadata": PAGE}, ["urlContextMetadata"]),
        (
            {"groundingMetadata": {"searchEntryPoint": {"renderedContent": "<div>"}}},
            ["groundingMetadata.searchEntryPoint"],
        ),
        (
            {"groundingMetadata": {"webSearchQueries": ["q"], "retrievalMetadata": {"x": 1}}},
            ["groundingMetadata.webSearchQueries"],
        ),
        (
            {"groundingMetadata": {"groundingChunks": [{"maps": {"placeId": "p"}}, {"odd": 3}]}},
            ["citations"],
        ),
        (
            {"citationMetadata": {"citationSources": [{"uri": "u", "license": "mit"}]}},
            ["citationMetadata.license"],
        ),
        ({"finishMessage": "Model generated function call(s)."}, []),
        ({"finishReason": "SAFETY", "finishMessage": "filtered"}, ["finishMessage"]),
        ({"finishReason": "CONTINUATION", "finishMessage": "so far"}, ["finishMessage"]),
        ({"finishReason": "OTHER", "finishMessage": "odd"}, ["finishReason", "finishMessage"]),
        ({"a_field_of_tomorrow": 1}, ["a_field_of_tomorrow"]),
        (
            {"content": {"parts": [{"text": "a", "partMetadata": {"b": 1}}]}},
            ["candidates[].content.parts[].partMetadata"],
        ),
        (
            {"content": {"parts": [{"text": "a"}, {"functionResponse": {"name": "f"}}]}},
            ["functionResponse"],
        ),
    ],
)
def test_what_nobody_else_can_be_told_is_reported(beside_it: Json, names: list[str]) -> None:
    told = choice({"text": "a"}, **{"finish": "STOP", **beside_it})
    kinds = [block.kind for block in told.content if isinstance(block, Foreign)]
    assert kinds == names
    body, dropped = write(told)
    assert dropped == set(names)
    assert [part["text"] for part in body["candidates"][0]["content"]["parts"]] == ["a"]
    reader = CHAT.reader(IDENTITY)
    last = chunk({"text": "a"}, finish="STOP")
    last["candidates"][0] |= beside_it
    reader.feed(dumps(last))
    reader.finish()
    assert reader.dropped == set(names)


def test_what_is_said_beside_the_answers_is_reported() -> None:
    ratings = {"promptFeedback": {"blockReason": "SAFETY", "safetyRatings": [LOUD]}}
    names = {"promptFeedback.safetyRatings", "tomorrow"}
    (only,) = read({**ratings, "tomorrow": 1, "modelStatus": {"modelStage": "STABLE"}}).choices
    assert {block.kind for block in only.content if isinstance(block, Foreign)} == names
    reader = CHAT.reader(IDENTITY)
    reader.feed(dumps({**ratings, "tomorrow": 1}))
    assert reader.dropped == names
    reader = CHAT.reader(IDENTITY)
    reader.feed(dumps(chunk({"text": "a"})))
    reader.feed(dumps(chunk({"text": "b"}, tomorrow=1)))
    assert reader.dropped == {"tomorrow"}


def test_a_call_that_was_cut_is_no_reason_to_call() -> None:
    call: Json = {"functionCall": {"name": "f"}}
    assert choice(call, finish="MAX_TOKENS").stop_reason == "length"


def test_a_refused_prompt_is_a_refusal() -> None:
    assert read({"promptFeedback": {"blockReason": "SAFETY"}}).choices == [Choice([], "refusal")]
    words = {"blockReason": "OTHER", "blockReasonMessage": "not that"}
    assert read({"candidates": [], "promptFeedback": words}).choices == [
        Choice([Refusal("not that")], "refusal")
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"candidates": [], "promptFeedback": {}},
        {"usageMetadata": {"promptTokenCount": 3}},
        {"candidates": [{"content": 3}]},
        {"candidates": [{"content": {}}], "createTime": "yesterday"},
        {"candidates": 3, "promptFeedback": {"blockReason": 3}},
    ],
)
def test_what_is_no_answer_is_broken(body: Json) -> None:
    with pytest.raises(UpstreamBroke):
        read(body)


def test_a_seal_on_a_part_of_its_own_belongs_to_what_came_before() -> None:
    sealed = {"text": "", "thoughtSignature": SEAL}
    assert choice({"text": "a"}, {"text": "b"}, sealed).content == [Text("a"), Text("b", seal=MINE)]
    assert choice(sealed).content == [Text("", seal=MINE)]


def test_sources_that_support_nothing_in_particular_are_of_the_last_text() -> None:
    grounding = {
        "groundingChunks": [
            {"web": {"uri": "https://x.example"}},
            {"retrievedContext": {"uri": "gs://b/a", "title": "A", "text": "so it is"}},
            {"odd": 1},
            3,
        ]
    }
    (text,) = choice({"text": "a"}, groundingMetadata=grounding).content
    assert text == Text(
        "a",
        citations=[
            Citation("https://x.example"),
            Citation("gs://b/a", "A", "so it is"),
            Citation(),
        ],
    )


def test_passages_taken_from_elsewhere_are_citations() -> None:
    taken = {"citations": [{"startIndex": 1, "endIndex": 3, "uri": "https://x.example"}, {}]}
    (text,) = choice({"text": "éa"}, citationMetadata=taken).content
    assert text == Text("éa", citations=[Citation("https://x.example", start=0, end=2), Citation()])


def test_grounding_of_what_is_not_there_is_passed_over() -> None:
    support = {"segment": {"partIndex": 7, "endIndex": 3}, "groundingChunkIndices": [0, 5, "x"]}
    grounding = {"groundingChunks": [{"web": {}}], "groundingSupports": [support]}
    assert choice({"text": "a"}, groundingMetadata=grounding).content == [
        Text("a", citations=[Citation()]),
        beside("citations", 7),
    ]
    assert choice(groundingMetadata=grounding).content == [beside("citations", 7)]


@pytest.mark.parametrize(
    ("stop", "finish"),
    [
        ("end", "STOP"),
        ("length", "MAX_TOKENS"),
        ("tool_use", "STOP"),
        ("stop_sequence", "STOP"),
        ("refusal", "SAFETY"),
        ("pause", "OTHER"),
    ],
)
def test_reasons_to_end_are_written(stop: StopReason, finish: str) -> None:
    assert candidate(Text("a"), stop=stop)[0]["finishReason"] == finish


def test_a_reply_is_written() -> None:
    body, dropped = write(
        Choice([Text("a")], "end"),
        Choice([], "stop_sequence", "END"),
        usage=Usage(5, 7, 2, 1, 3),
        service_tier="default",
    )
    assert body == {
        "candidates": [
            {
                "content": {"parts": [{"text": "a"}], "role": "model"},
                "index": 0,
                "finishReason": "STOP",
            },
            {"content": {"role": "model"}, "index": 1, "finishReason": "STOP"},
        ],
        "usageMetadata": {
            "promptTokenCount": 8,
            "candidatesTokenCount": 4,
            "totalTokenCount": 15,
            "cachedContentTokenCount": 2,
            "thoughtsTokenCount": 3,
            "serviceTier": "standard",
        },
        "modelVersion": "m",
        "responseId": "i",
    }
    assert dropped == {"stop_sequence"}


def test_foreign_seals_are_carried_to_the_caller_and_native_ones_stand_as_they_are() -> None:
    told, dropped = candidate(
        Thinking("a", THEIRS),
        Thinking("", THEIRS, redacted=True),
        Thinking("b", Seal("openai", "x"), id="rs_1"),
        Thinking("c"),
        Thinking(""),
        Text("d", seal=MINE),
        ToolUse("1", "f", "", THEIRS),
    )
    parts = told["content"]["parts"]
    assert parts[0] == {"text": "a", "thought": True, "thoughtSignature": carried(THEIRS)}
    assert parts[3:] == [
        {"text": "c", "thought": True, "thoughtSignature": carried(None)},
        {"text": "d", "thoughtSignature": SEAL},
        {
            "functionCall": {"id": "1", "name": "f", "args": {}},
            "thoughtSignature": carried(THEIRS),
        },
    ]
    assert dropped == set()
    back = CHAT.read_request({"contents": [told["content"]]})
    assert back.messages[0].content == [
        Thinking("a", THEIRS),
        Thinking("", THEIRS, redacted=True),
        Thinking("b", Seal("openai", "x"), id="rs_1"),
        Thinking("c"),
        Text("d", seal=MINE),
        ToolUse("1", "f", "{}", THEIRS),
    ]


def test_what_nobody_sealed_is_marked_and_read_as_unsealed() -> None:
    unsealed: list[Block] = [Thinking("a"), ToolUse("1", "f", "{}")]
    told, dropped = candidate(Text("b"), *unsealed, stop="tool_use")
    marks = [part.get("thoughtSignature") for part in told["content"]["parts"]]
    assert marks == [None, carried(None), carried(None)]
    assert dropped == set()
    (message,) = CHAT.read_request({"contents": [told["content"]]}).messages
    assert message.content == [Text("b"), *unsealed]
    assert choice(*told["content"]["parts"]).content == [Text("b"), *unsealed]


def test_signatures_are_of_the_common_base64() -> None:
    told, _ = candidate(
        *(Thinking("", Seal(f"{'x' * n}?>", "~~~???"), redacted=True) for n in range(6)),
        *(ToolUse(str(n), "f", "", Seal("x", "~?" * n)) for n in range(6)),
        ToolUse("n", "f", ""),
    )
    words = [part["thoughtSignature"] for part in told["content"]["parts"]]
    assert len(words) == 13
    assert any("+" in word or "/" in word for word in words)
    for word in words:
        b64decode(word, validate=True)
    back = CHAT.read_request({"contents": [told["content"]]}).messages[0].content
    assert back[0] == Thinking("", Seal("?>", "~~~???"), redacted=True)
    assert back[11] == ToolUse("5", "f", "{}", Seal("x", "~?" * 5))


def test_arguments_that_a_model_was_told_as_no_object_are_read_as_they_were() -> None:
    call: Json = {"functionCall": {"id": "1", "name": "f", "args": {"INVALID_JSON": '{"a'}}}
    assert choice(call).content == [ToolUse("1", "f", '{"a')]


def test_a_thought_s_name_that_cannot_be_carried_is_left_out() -> None:
    told, _ = candidate(Thinking("a", Seal("openai", "x"), id="rs:1"))
    (block,) = CHAT.read_request({"contents": [told["content"]]}).messages[0].content
    assert block == Thinking("a", Seal("openai", "x"))


def test_what_a_caller_cannot_be_told_is_reported() -> None:
    told, dropped = candidate(
        Refusal("no"),
        Refusal(""),
        Text(""),
        Media("image", file_id="file-1"),
        Media("image", "image/png", url="https://x.example/a.png"),
        Foreign("other", {"type": "odd"}),
        Foreign("gemini", {"executableCode": {}}),
        ToolResult("1", ()),
    )
    assert told["content"]["parts"] == [
        {"text": "no"},
        {"fileData": {"fileUri": "https://x.example/a.png", "mimeType": "image/png"}},
        {"executableCode": {}},
    ]
    assert dropped == {"refusal", "image", "odd", "tool_result"}


def test_a_call_whose_arguments_are_no_json_is_a_malformed_one() -> None:
    told, dropped = candidate(Text("a"), ToolUse("1", "f", '{"a'), stop="tool_use")
    assert told["finishReason"] == "MALFORMED_FUNCTION_CALL"
    assert told["content"]["parts"] == [{"text": "a"}]
    assert dropped == {"tool_calls"}
    cut, _ = candidate(ToolUse("1", "f", '{"a'), stop="length")
    assert cut["finishReason"] == "MAX_TOKENS"


def test_citations_are_told_as_grounding_in_bytes() -> None:
    text = Text(
        "éa",
        citations=[
            Citation("https://x.example", "X", None, 0, 2),
            Citation(None, "doc", "so it is"),
        ],
    )
    told, _ = candidate(Thinking("t"), text)
    assert told["groundingMetadata"] == {
        "groundingChunks": [
            {"web": {"uri": "https://x.example", "title": "X"}},
            {"retrievedContext": {"title": "doc", "text": "so it is"}},
        ],
        "groundingSupports": [
            {
                "segment": {"startIndex": 0, "endIndex": 3, "partIndex": 1},
                "groundingChunkIndices": [0],
            }
        ],
    }


def test_probabilities_of_tokens_are_told() -> None:
    tokens = [TokenLogprob("a", -1.0), TokenLogprob("b", -2.0)]
    body, _ = write(Choice([Text("ab")], "end", logprobs=tokens))
    told = body["candidates"][0]
    assert told["avgLogprobs"] == -1.5
    assert told["logprobsResult"] == {
        "chosenCandidates": [
            {"token": "a", "logProbability": -1.0},
            {"token": "b", "logProbability": -2.0},
        ]
    }
