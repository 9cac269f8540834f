"""What OpenAI's Chat API would refuse of what others say, and is written so that it need not."""

from base64 import b64encode
from typing import Any

import pytest

from gateway.chat.blocks import Block, Media, Refusal, Text, ToolResult, ToolUse
from gateway.chat.request import (
    ChatRequest,
    Message,
    Reasoning,
    ResponseFormat,
    Sampling,
)
from gateway.dialects.openai_chat import CHAT_FORM
from gateway.wire.json import Json

URL: Json = {"type": "image_url", "image_url": {"url": "https://x/a.png"}}
IMAGE = Media("image", url="https://x/a.png")
HI = Message("user", [Text("hi")])


def written(
    *messages: Message, system: str = "", model: str = "m", **more: Any
) -> tuple[Json, set[str]]:
    asked = ChatRequest(model, list(messages or [HI]), [Text(system)] if system else [], **more)
    told = CHAT_FORM.write_request(asked)
    return told.body, set(told.dropped)


def messages(*given: Message, **more: Any) -> tuple[list[Json], set[str]]:
    body, dropped = written(*given, **more)
    told: list[Json] = body["messages"]
    return told, dropped


def called(*ids: str) -> Message:
    return Message("assistant", [ToolUse(one, "f", "{}") for one in ids])


def calls(*ids: str) -> Json:
    function = {"name": "f", "arguments": "{}"}
    told = [{"id": one, "type": "function", "function": function} for one in ids]
    return {"role": "assistant", "content": None, "tool_calls": told}


def answer(id: str, *content: Block) -> ToolResult:
    return ToolResult(id, content)


def answered(id: str, content: str) -> Json:
    return {"role": "tool", "tool_call_id": id, "content": content}


def test_the_system_shows_nothing_a_user_does() -> None:
    shown = Message("system", [Text("the screen now:"), IMAGE, Refusal("no")])
    assert messages(HI, shown) == (
        [
            {"role": "user", "content": "hi"},
            {"role": "system", "content": "the screen now:"},
            {"role": "user", "content": [URL, {"type": "refusal", "refusal": "no"}]},
        ],
        {"system.position"},
    )
    assert messages(HI, Message("system", [IMAGE])) == (
        [{"role": "user", "content": "hi"}, {"role": "user", "content": [URL]}],
        {"system.position"},
    )


def test_the_answers_of_tools_follow_their_calls_before_a_user_speaks() -> None:
    told, dropped = messages(
        HI,
        called("1", "2"),
        Message("user", [answer("1", IMAGE)]),
        Message("user", [answer("2", Text("ok"))]),
    )
    assert told == [
        {"role": "user", "content": "hi"},
        calls("1", "2"),
        answered("1", ""),
        answered("2", "ok"),
        {"role": "user", "content": [URL]},
    ]
    assert dropped == {"tool_result.image"}


def test_the_system_speaks_behind_the_answers_of_tools() -> None:
    told, dropped = messages(
        HI,
        called("1"),
        Message("system", [Text("be brief")]),
        Message("user", [answer("1", Text("ok")), Text("so?")]),
        Message("assistant", [Text("a")]),
    )
    assert told == [
        {"role": "user", "content": "hi"},
        calls("1"),
        answered("1", "ok"),
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "so?"},
        {"role": "assistant", "content": "a"},
    ]
    assert dropped == {"system.position"}


def test_an_answer_to_no_call_stays_where_it_is() -> None:
    told, dropped = messages(
        HI, Message("system", [Text("s")]), Message("user", [answer("9", Text("x"))]), called("1")
    )
    assert [message["role"] for message in told] == ["user", "system", "tool", "assistant"]
    assert dropped == set()


JSON = {"role": "system", "content": "Answer with exactly one JSON object."}


@pytest.mark.parametrize(
    ("given", "system", "told"),
    [
        ([HI], "", [JSON, {"role": "user", "content": "hi"}]),
        (
            [HI],
            "s",
            [
                {"role": "system", "content": "s\n\nAnswer with exactly one JSON object."},
                {"role": "user", "content": "hi"},
            ],
        ),
        (
            [HI],
            "As Json",
            [{"role": "system", "content": "As Json"}, {"role": "user", "content": "hi"}],
        ),
        (
            [Message("user", [IMAGE, Text("JSON!")])],
            "",
            [{"role": "user", "content": [URL, {"type": "text", "text": "JSON!"}]}],
        ),
    ],
)
def test_whoever_asks_for_any_object_speaks_of_json(
    given: list[Message], system: str, told: list[Json]
) -> None:
    body, dropped = written(*given, system=system, response_format=ResponseFormat())
    assert (body["messages"], body["response_format"]) == (told, {"type": "json_object"})
    assert dropped == set()


def test_the_system_that_speaks_in_parts_speaks_of_json_in_one_more() -> None:
    two = [Text("a"), Text("b")]
    told = CHAT_FORM.write_request(ChatRequest("m", [HI], two, response_format=ResponseFormat()))
    assert told.body["messages"][0]["content"] == [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b"},
        {"type": "text", "text": "Answer with exactly one JSON object."},
    ]


def document(mime_type: str, data: bytes, name: str | None = None) -> Media:
    return Media("document", mime_type, base64=b64encode(data).decode(), name=name)


WAV: Json = {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}
PNG: Json = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}


@pytest.mark.parametrize(
    ("media", "content", "dropped"),
    [
        (document("text/csv", b"a,b"), "a,b", {"document"}),
        (document("application/json", b"{}", "a"), "{}", {"document", "document.name"}),
        (document("text/plain", b"\xff\xfe"), None, {"document"}),
        (Media("document", "text/plain", base64="no base64 !"), None, {"document"}),
        (document("application/zip", b"PK"), None, {"document"}),
        (document("audio/wav", b"\0", "a.wav"), [WAV], {"document.name"}),
        (document("image/png", b"\0"), [PNG], set()),
        (Media("document", file_id="file_011C"), None, {"document"}),
        (Media("document", file_id="https://x/v1beta/files/a"), None, {"document"}),
        (
            Media("document", file_id="assistant-1"),
            [{"type": "file", "file": {"file_id": "assistant-1"}}],
            set(),
        ),
    ],
)
def test_a_file_is_told_in_the_way_that_is_taken(
    media: Media, content: Any, dropped: set[str]
) -> None:
    told = [] if content is None else [{"role": "user", "content": content}]
    assert messages(Message("user", [media])) == (told, dropped)


def test_four_texts_at_most_stop_an_answer() -> None:
    body, dropped = written(sampling=Sampling(stop=["a", "b", "c", "d", "e"]))
    assert (body["stop"], dropped) == (["a", "b", "c", "d"], {"stop"})
    body, dropped = written(sampling=Sampling(stop=["a", "b", "c", "d"]))
    assert (body["stop"], dropped) == (["a", "b", "c", "d"], set())


CLOSED: Json = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
OPEN: Json = {"type": "object", "properties": {"a": {"type": "string"}}}


@pytest.mark.parametrize(
    ("strict", "schema", "said", "dropped"),
    [
        (True, CLOSED, {"strict": True}, set()),
        (True, OPEN, {}, {"response_format.strict"}),
        (False, OPEN, {"strict": False}, set()),
        (None, CLOSED, {}, set()),
    ],
)
def test_a_schema_is_strict_where_it_can_be(
    strict: bool | None, schema: Json, said: Json, dropped: set[str]
) -> None:
    asked = ResponseFormat(schema, "r", strict=strict)
    body, lost = written(response_format=asked)
    described = {"name": "r", "schema": schema, **said}
    assert body["response_format"] == {"type": "json_schema", "json_schema": described}
    assert lost == dropped


@pytest.mark.parametrize(
    ("model", "asked", "said", "dropped"),
    [
        ("qwen/qwen3-32b", Reasoning("none"), {"reasoning_effort": "none"}, set()),
        ("gemini-2.5-flash", Reasoning(budget=0), {"reasoning_effort": "none"}, set()),
        ("llama-3.3-70b", Reasoning("none"), {}, set()),
        ("deepseek-chat", Reasoning("none"), {}, {"reasoning.effort"}),
        ("deepseek-chat", Reasoning(budget=0), {}, {"reasoning.budget"}),
        ("deepseek-chat", Reasoning("low"), {"reasoning_effort": "low"}, set()),
    ],
)
def test_not_to_think_is_said_to_who_takes_it(
    model: str, asked: Reasoning, said: Json, dropped: set[str]
) -> None:
    body, lost = written(model=model, reasoning=asked)
    del body["model"], body["messages"]
    assert (body, lost) == (said, dropped)
