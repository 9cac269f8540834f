"""A stream of messages, written; and what Anthropic's SDK makes of it."""

import re

import anthropic
import httpx2
from anthropic.types import Message as Accumulated
from hypothesis import given
from hypothesis import strategies as st

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
from gateway.chat.request import ChatRequest, Message, Reasoning, Tool
from gateway.chat.seals import carried, with_seal
from gateway.dialects.anthropic_messages import MessagesWriter, write_reply
from gateway.dialects.anthropic_messages.estimate import tokens_in
from gateway.usage import Usage
from gateway.wire.json import Json, loads
from gateway.wire.sse import data_of, events
from tests.dialects.hostile import quickly
from tests.dialects.messages import IDENTITY, asked, blocks_of, faults, read_stream

STARTED = Started("i", "m", 0, Usage(7, 1, 4))
USED = Usage(9, 5, 4, 3, 2)
GEMINI = Seal("gemini", "G=")
LOGPROBS = (TokenLogprob("a", -1.0),)


def written(*said: ReplyEvent, request: ChatRequest | None = None) -> tuple[bytes, set[str]]:
    writer = MessagesWriter(asked(request))
    whole = b"".join(writer.feed(event) for event in (STARTED, *said, Stopped("end"), Ended(USED)))
    assert faults(whole) == []
    return whole, writer.dropped


def told(*said: ReplyEvent, request: ChatRequest | None = None) -> tuple[list[Json], set[str]]:
    """The events between the start and the end, without the numbers of blocks."""
    whole, dropped = written(*said, request=request)
    bodies = [loads(data_of(one)) for one in events(whole)]
    assert [bodies[0]["type"], *[one["type"] for one in bodies[-2:]]] == [
        "message_start",
        "message_delta",
        "message_stop",
    ]
    return [
        one.get("content_block") or one.get("delta") or {"type": "stop"} for one in bodies[1:-2]
    ], dropped


STOP: Json = {"type": "stop"}
TEXT: Json = {"type": "text", "text": ""}
THINKING: Json = {"type": "thinking", "thinking": "", "signature": ""}


def text(words: str) -> Json:
    return {"type": "text_delta", "text": words}


def piece(json: str) -> Json:
    return {"type": "input_json_delta", "partial_json": json}


def call(name: str) -> Json:
    return {"type": "tool_use", "id": name, "name": "f", "input": {}}


def test_a_whole_stream_is_written_byte_for_byte() -> None:
    whole, dropped = written(TextDelta(0, "Zoë\n"), TextDelta(0, "!"), BlockEnded(0))
    assert dropped == set()
    assert whole.decode() == (
        'event: message_start\ndata: {"type":"message_start","message":{"id":"i","type":"message",'
        '"role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,'
        '"usage":{"input_tokens":7,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,'
        '"output_tokens":1}}}\n\n'
        'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
        '"content_block":{"type":"text","text":""}}\n\n'
        'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
        '"delta":{"type":"text_delta","text":"Zoë\\n"}}\n\n'
        'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
        '"delta":{"type":"text_delta","text":"!"}}\n\n'
        'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
        'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn",'
        '"stop_sequence":null},"usage":{"input_tokens":9,"cache_creation_input_tokens":3,'
        '"cache_read_input_tokens":4,"output_tokens":5,"output_tokens_details":'
        '{"thinking_tokens":2}}}\n\n'
        'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    )


def test_each_event_is_told_as_it_comes() -> None:
    writer = MessagesWriter(asked())
    lengths = [
        len(list(events(writer.feed(event))))
        for event in (
            STARTED,
            TextDelta(0, ""),
            TextDelta(0, "a"),
            TextDelta(0, "b"),
            ToolUseStarted(1, "t", "f"),
            ArgumentsDelta(1, "{}"),
            BlockEnded(0),
            BlockEnded(1),
            Stopped("tool_use"),
            Ended(USED),
            TextDelta(2, "late"),
        )
    ]
    assert lengths == [1, 0, 2, 1, 2, 1, 0, 1, 0, 2, 0]


def test_a_text_or_a_thought_ends_where_another_begins_and_goes_on_later() -> None:
    assert told(
        ThinkingDelta(0, "Hm"),
        TextDelta(1, "a"),
        ThinkingDelta(0, "m"),
        ThinkingDelta(0, "!"),
        ThinkingDelta(0, ""),
        TextDelta(1, "b"),
        BlockEnded(0),
        BlockEnded(1),
    ) == (
        [
            THINKING,
            {"type": "thinking_delta", "thinking": "Hm"},
            {"type": "signature_delta", "signature": carried(None)},
            STOP,
            TEXT,
            text("a"),
            STOP,
            THINKING,
            {"type": "thinking_delta", "thinking": "m"},
            {"type": "thinking_delta", "thinking": "!"},
            {"type": "signature_delta", "signature": carried(None)},
            STOP,
            TEXT,
            text("b"),
            STOP,
        ],
        set(),
    )


def test_what_comes_amid_a_call_waits_for_its_end_in_the_order_in_which_it_began() -> None:
    assert told(
        ToolUseStarted(0, "t1", "f"),
        ArgumentsDelta(0, "{"),
        ToolUseStarted(1, "t2", "f"),
        TextDelta(2, "a"),
        ArgumentsDelta(1, "["),
        ToolUseStarted(3, "t3", "f"),
        ArgumentsDelta(0, "}"),
        ArgumentsDelta(3, "{}"),
        TextDelta(2, "b"),
        BlockEnded(2),
        BlockEnded(0),
        ArgumentsDelta(1, "]"),
        BlockEnded(1),
        BlockEnded(3),
    ) == (
        [
            call("t1"),
            piece("{"),
            piece("}"),
            STOP,
            call("t2"),
            piece("["),
            piece("]"),
            STOP,
            TEXT,
            text("a"),
            text("b"),
            STOP,
            call("t3"),
            piece("{}"),
            STOP,
        ],
        set(),
    )


def test_calls_that_all_end_at_the_end_are_told_one_after_the_other() -> None:
    assert told(
        ToolUseStarted(0, "t1", "f"), ToolUseStarted(1, "t2", "f"), ArgumentsDelta(1, "{}")
    ) == ([call("t1"), STOP, call("t2"), piece("{}"), STOP], set())


def test_a_thoughts_seal_stands_at_its_end() -> None:
    own = Seal("anthropic", "S==")
    assert told(
        SealDelta(0, GEMINI),
        ThinkingDelta(0, "Hm"),
        BlockEnded(0),
        ThinkingDelta(1, ""),
        SealDelta(1, own),
        BlockEnded(1),
    ) == (
        [
            THINKING,
            {"type": "thinking_delta", "thinking": "Hm"},
            {"type": "signature_delta", "signature": carried(GEMINI)},
            STOP,
            THINKING,
            {"type": "signature_delta", "signature": "S=="},
            STOP,
        ],
        set(),
    )


def test_a_redacted_thought_is_its_seal() -> None:
    assert told(
        TextDelta(0, "a"),
        ThinkingDelta(1, "", redacted=True),
        SealDelta(1, GEMINI),
        BlockEnded(1),
        ThinkingDelta(2, "", redacted=True),
        BlockEnded(2),
    ) == (
        [
            TEXT,
            text("a"),
            STOP,
            {"type": "redacted_thinking", "data": carried(GEMINI)},
            STOP,
        ],
        {"thinking"},
    )


def test_a_calls_seal_travels_in_its_id_if_it_comes_in_time() -> None:
    sealed = with_seal("t", GEMINI)
    assert told(ToolUseStarted(0, "t", "f", seal=GEMINI), BlockEnded(0)) == (
        [call(sealed), STOP],
        set(),
    )
    early = (SealDelta(0, GEMINI), ToolUseStarted(0, "t", "f"), BlockEnded(0))
    assert told(*early) == ([call(sealed), STOP], set())
    late = (ToolUseStarted(0, "t", "f"), SealDelta(0, GEMINI), BlockEnded(0))
    assert told(*late) == ([call("t"), STOP], {"signature"})


def test_a_seal_without_a_place_is_reported() -> None:
    for said in (
        (SealDelta(0, GEMINI), TextDelta(0, "a")),
        (TextDelta(0, "a"), SealDelta(0, GEMINI)),
        (TextDelta(0, "a"), BlockEnded(0), SealDelta(0, GEMINI)),
        (TextDelta(0, "a"), BlockEnded(0), TextDelta(1, ""), SealDelta(1, GEMINI), BlockEnded(1)),
    ):
        assert told(*said) == ([TEXT, text("a"), STOP], {"signature"})


def test_who_asked_for_signatures_alone_gets_no_thoughts() -> None:
    request = ChatRequest("m", [], reasoning=Reasoning("low", shown=False))
    assert told(
        ThinkingDelta(0, "Hm"),
        SealDelta(0, GEMINI),
        BlockEnded(0),
        ThinkingDelta(1, "Hm"),
        BlockEnded(1),
        request=request,
    ) == (
        [THINKING, {"type": "signature_delta", "signature": carried(GEMINI)}, STOP],
        set(),
    )


def test_citations_are_told_within_their_text() -> None:
    place = {"type": "web_search_result_location", "title": None, "encrypted_index": ""}
    assert told(
        CitationDelta(0, Citation("u", quote="q")),
        TextDelta(0, "a"),
        CitationDelta(0, Citation("v", start=1)),
        CitationDelta(0, Citation(title="t")),
        BlockEnded(0),
        CitationDelta(0, Citation("w")),
    ) == (
        [
            TEXT,
            {"type": "citations_delta", "citation": {**place, "url": "u", "cited_text": "q"}},
            text("a"),
            {"type": "citations_delta", "citation": {**place, "url": "v", "cited_text": ""}},
            STOP,
        ],
        {"citations"},
    )


def test_what_comes_in_one_piece_is_told_in_one() -> None:
    own = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    assert told(
        WholeBlock(0, Foreign("anthropic_messages", own)),
        WholeBlock(1, Foreign("gemini", {"executableCode": {}})),
        WholeBlock(2, Media("image", base64="AA")),
        WholeBlock(3, Media("audio", transcript="hello")),
        BlockEnded(3),
    ) == ([own, STOP, TEXT, text("hello"), STOP], {"executableCode", "image", "audio"})


def test_of_several_choices_the_first_is_told() -> None:
    assert told(
        TextDelta(0, "a", logprobs=LOGPROBS),
        TextDelta(1, "x", choice=1),
        TextDelta(0, "b", logprobs=LOGPROBS),
        BlockEnded(1, choice=1),
        Stopped("length", choice=1),
        ArgumentsDelta(7, "{}"),
    ) == ([TEXT, text("a"), text("b"), STOP], {"n", "logprobs"})


def test_another_choice_that_says_nothing_is_one_all_the_same() -> None:
    assert written(Stopped("end", choice=1))[1] == {"n"}


def ending(*said: ReplyEvent) -> tuple[Json, set[str]]:
    writer = MessagesWriter(asked())
    whole = b"".join(writer.feed(event) for event in (STARTED, *said))
    return loads(data_of(list(events(whole))[-2])), writer.dropped


def test_why_it_stopped_is_told_at_the_end() -> None:
    for said, reason in (
        ((), "end_turn"),
        ((Stopped("length"),), "max_tokens"),
        ((ToolUseStarted(0, "t", "f"), Stopped("end")), "tool_use"),
        ((RefusalDelta(0, "no"), Stopped("end")), "refusal"),
    ):
        assert ending(*said, Ended(USED))[0]["delta"]["stop_reason"] == reason
    assert ending(Stopped("stop_sequence", "E"), Ended(USED))[0]["delta"] == {
        "stop_reason": "stop_sequence",
        "stop_sequence": "E",
    }
    assert ending(RefusalDelta(0, "no"), Ended(USED, "flex"))[1] == {"refusal", "service_tier"}


def test_where_the_provider_never_told_the_input_the_end_says_what_the_whole_says() -> None:
    usage = Usage(output_tokens=5)
    whole = write_reply(ChatReply("i", "m", 0, [Choice([], "end")], usage), asked()).body["usage"]
    assert ending(Ended(usage))[0]["usage"] == whole
    assert (whole["input_tokens"], whole["output_tokens"]) == (0, 5)


def test_the_input_is_estimated_where_the_provider_has_not_told_it_yet() -> None:
    request = ChatRequest("m", [Message("user", [Text("x" * 400)])])
    for usage in (None, Usage()):
        start = MessagesWriter(asked(request)).feed(Started("i", "m", 0, usage))
        assert loads(data_of(start))["message"]["usage"] == {
            "input_tokens": 100,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 1,
        }


def test_an_estimate_counts_what_is_read_and_no_bytes_of_media() -> None:
    content: list[Block] = [
        Text("x" * 40),
        Refusal("x" * 40),
        Thinking("x" * 40),
        ToolUse("t", "f" * 20, "{" + " " * 18 + "}"),
        ToolResult("t", (Text("x" * 40), Media("image", base64="A" * 999))),
        Media("document", text="x" * 40),
        Foreign("x", {}),
    ]
    request = ChatRequest(
        "m",
        [Message("user", content)],
        system=[Text("x" * 40)],
        tools=[
            Tool("f" * 20, "d" * 8, {"type": "any"}),  # 14 characters as JSON
            Foreign("x", {"a": "b" * 30}),  # 38
            Tool("", None, None),
        ],
    )
    assert tokens_in(request) == (7 * 40 + 20 + 8 + 14 + 38) // 4
    assert tokens_in(ChatRequest("m", [])) == 1


class Provided(httpx2.BaseTransport):
    """Answers with what was written, in this process."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        del request
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, content=self._body)


def accumulated(body: bytes) -> Accumulated:
    """What Anthropic's SDK makes of a stream."""
    client = anthropic.Anthropic(
        api_key="none", http_client=httpx2.Client(transport=Provided(body)), max_retries=0
    )
    with client.messages.stream(model="m", max_tokens=9, messages=[]) as stream:
        return stream.get_final_message()


def test_the_sdk_makes_the_same_message_of_a_stream_as_of_the_whole() -> None:
    content: list[Block] = [
        Thinking("Hm", Seal("anthropic", "S")),
        Thinking("", GEMINI, redacted=True),
        Text("I look", citations=[Citation("https://e.x", "t", "q")]),
        ToolUse("t1", "f", '{"a":[1,2]}'),
        ToolUse("t2", "f", "", GEMINI),
    ]
    said: list[ReplyEvent] = [
        ThinkingDelta(0, "H"),
        ThinkingDelta(0, "m"),
        SealDelta(0, Seal("anthropic", "S")),
        BlockEnded(0),
        ThinkingDelta(1, "", redacted=True),
        SealDelta(1, GEMINI),
        BlockEnded(1),
        TextDelta(2, "I "),
        TextDelta(2, "look"),
        CitationDelta(2, Citation("https://e.x", "t", "q")),
        BlockEnded(2),
        ToolUseStarted(3, "t1", "f"),
        ToolUseStarted(4, "t2", "f", seal=GEMINI),
        ArgumentsDelta(3, '{"a":'),
        ArgumentsDelta(3, "[1,2]}"),
        BlockEnded(3),
        BlockEnded(4),
    ]
    reply = ChatReply("i", "m", 0, [Choice(content, "tool_use")], USED)
    whole = Accumulated.model_validate(write_reply(reply, asked()).body)
    message = accumulated(written(*said)[0])
    assert message.to_dict(exclude_none=True) == whole.to_dict(exclude_none=True)


words = st.text(min_size=1, max_size=6)
reasons: st.SearchStrategy[StopReason] = st.sampled_from(["end", "length", "pause"])


@st.composite
def streams(draw: st.DrawFn) -> list[ReplyEvent]:
    """Blocks of every kind whose pieces come in any turn, ended early or at the very end. Each
    piece of a text or a thought says which it is: its block's number, and its own."""
    said: list[ReplyEvent] = [STARTED]
    kinds = draw(st.lists(st.sampled_from(["text", "thinking", "tool"]), max_size=5))
    unbegun = list(enumerate(kinds))
    going: list[tuple[int, str]] = []
    pieces = [0] * len(kinds)
    while unbegun or going:
        if unbegun and (not going or draw(st.booleans())):
            number, kind = unbegun.pop(0)
            if kind == "tool":
                said.append(ToolUseStarted(number, f"t{number}", "f"))
            going.append((number, kind))
        number, kind = draw(st.sampled_from(going))
        for _ in range(draw(st.integers(1, 2))):
            marked = f"{number}:{pieces[number]};"
            pieces[number] += 1
            if kind == "tool":
                said.append(ArgumentsDelta(number, draw(words)))
            else:
                said.append((TextDelta if kind == "text" else ThinkingDelta)(number, marked))
        if draw(st.booleans()):
            going.remove((number, kind))
            if kind == "thinking" and draw(st.booleans()):
                said.append(SealDelta(number, GEMINI))
            said.append(BlockEnded(number))
    return [*said, Stopped(draw(reasons)), Ended(USED)]


def of_kind(heard: list[ReplyEvent], kind: type[Text | Thinking]) -> list[list[str]]:
    """The pieces of the texts or thoughts that were heard, by the block that they began in."""
    said = "".join(block.text for block in blocks_of(heard) if isinstance(block, kind))
    return [re.findall(rf"{number}:(\d+);", said) for number in range(5)]


@given(streams())
@quickly
def test_however_blocks_interleave_the_stream_is_valid_and_says_the_same(
    said: list[ReplyEvent],
) -> None:
    writer = MessagesWriter(asked())
    whole = b"".join(writer.feed(event) for event in said)
    assert faults(whole) == []
    heard = read_stream(whole)
    calls = [block for block in blocks_of(said) if isinstance(block, ToolUse)]
    assert [block for block in blocks_of(heard) if isinstance(block, ToolUse)] == calls
    assert of_kind(heard, Text) == of_kind(said, Text)
    assert of_kind(heard, Thinking) == of_kind(said, Thinking)
    assert heard[-1] == Ended(USED)
    assert heard[0] == Started("i", "m", IDENTITY.created, STARTED.usage)
