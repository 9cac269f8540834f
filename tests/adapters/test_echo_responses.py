"""The echo in the Responses dialect, and as a model of embeddings."""

import math
from itertools import pairwise
from typing import Any

import pytest

from gateway.adapters.echo.embeddings import embed
from gateway.dialects.openai_embeddings import unpack
from gateway.wire.json import Json
from tests.adapters.echo_world import ask, refusal, stream

RESPONSES, EMBEDDINGS = "/responses", "/embeddings"
HELLO = "This is an echo, not a model. You said: hello"
WEATHER: Json = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


def asked(given: Any = "hello", **more: Any) -> Json:
    return {"model": "echo", "input": given, **more}


def output(body: Json) -> list[Json]:
    return list(ask(RESPONSES, body)["output"])


def said(body: Json) -> str:
    (message,) = output(body)
    return str(message["content"][0]["text"])


def test_a_response_is_whole() -> None:
    answer = ask(RESPONSES, asked(instructions="be brief", metadata={"a": "b"}, temperature=1))
    (message,) = answer["output"]
    assert answer.pop("created_at") > 1_700_000_000
    assert (answer.pop("id")[:5], message.pop("id")[:4]) == ("resp_", "msg_")
    content = [{"type": "output_text", "text": HELLO, "annotations": [], "logprobs": []}]
    assert answer == {
        "object": "response",
        "status": "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": "be brief",
        "max_output_tokens": None,
        "max_tool_calls": None,
        "metadata": {"a": "b"},
        "model": "echo",
        "output": [
            {"type": "message", "role": "assistant", "status": "completed", "content": content}
        ],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": False,
        "temperature": 1,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "usage": {
            "input_tokens": 3,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 13,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 16,
        },
    }


PART = {"type": "input_text", "text": "hello"}
CALL = {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "c1", "output": "sunny"}
ANSWERED = "This is an echo, not a model. The tools answered: sunny"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([{"role": "user", "content": "hello"}], HELLO),
        ([{"role": "user", "content": [PART]}], HELLO),
        ([{"type": "message", "role": "user", "content": [PART]}], HELLO),
        (
            [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "a"}],
            HELLO,
        ),
        ([{"role": "user", "content": "hello"}, {"type": "reasoning", "summary": []}], HELLO),
        ([{"role": "user", "content": "weather"}, CALL, RESULT], ANSWERED),
        ([CALL, RESULT | {"output": [{"type": "input_text", "text": "sunny"}]}], ANSWERED),
        ([], HELLO.removesuffix("hello")),
    ],
)
def test_every_kind_of_item_is_read(given: Any, text: str) -> None:
    assert said(asked(given, tools=[WEATHER])) == text


def test_a_limit_leaves_it_incomplete() -> None:
    answer = ask(RESPONSES, asked(max_output_tokens=3))
    assert answer["status"] == "incomplete"
    assert answer["incomplete_details"] == {"reason": "max_output_tokens"}
    assert answer["output"][0]["content"][0]["text"] == "This is an"


@pytest.mark.parametrize(
    ("more", "called"),
    [
        ({}, False),
        ({"tool_choice": "required"}, True),
        ({"tool_choice": {"type": "function", "name": "weather"}}, True),
        ({"tool_choice": "none", "input": "weather"}, False),
        ({"input": "weather"}, True),
        ({"input": "web", "tools": [{"type": "web_search"}]}, False),
    ],
)
def test_it_calls_functions(more: Json, *, called: bool) -> None:
    (item,) = output(asked(tools=[WEATHER]) | more)
    assert (item["type"] == "function_call") is called
    if called:
        given = more.get("input", "hello")
        assert (item["name"], item["arguments"]) == ("weather", f'{{"city":"{given}"}}')
        assert item["call_id"].startswith("call_")


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({"type": "json_object"}, f'{{"echo":"{HELLO}"}}'),
        ({"type": "json_schema", "name": "s", "schema": {"type": "boolean"}}, "true"),
        ({"type": "text"}, HELLO),
    ],
)
def test_it_honours_the_format_of_the_text(form: Json, text: str) -> None:
    assert said(asked(text={"format": form})) == text


def test_what_it_would_have_to_remember_is_refused() -> None:
    assert refusal(RESPONSES, asked(previous_response_id="r"))["param"] == "previous_response_id"


def test_a_text_is_streamed_in_the_apis_own_order() -> None:
    events = stream(RESPONSES, asked())
    kinds = [event["type"].removeprefix("response.") for event in events]
    assert [kind for kind, before in zip(kinds, ["", *kinds], strict=False) if kind != before] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    deltas = [e["delta"] for e in events if e["type"] == "response.output_text.delta"]
    assert "".join(deltas) == HELLO
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == HELLO
    assert events[0]["response"]["output"] == []


@pytest.mark.parametrize("more", [{}, {"tools": [WEATHER], "tool_choice": "required"}])
def test_events_are_numbered_without_a_gap_and_name_one_item(more: Json) -> None:
    events = stream(RESPONSES, asked(**more))
    numbers = [event["sequence_number"] for event in events]
    assert all(after == before + 1 for before, after in pairwise(numbers))
    assert numbers[0] == 0
    ids = {event["item_id"] for event in events if "item_id" in event}
    ids |= {event["item"]["id"] for event in events if "item" in event}
    assert ids == {item["id"] for item in events[-1]["response"]["output"]}


def test_a_call_is_streamed_with_its_arguments() -> None:
    events = stream(RESPONSES, asked(tools=[WEATHER], tool_choice="required"))
    kind = "response.function_call_arguments"
    deltas = [event["delta"] for event in events if event["type"] == f"{kind}.delta"]
    (done,) = [event for event in events if event["type"] == f"{kind}.done"]
    assert "".join(deltas) == done["arguments"] == '{"city":"hello"}'


def vectors(given: Any, **more: Any) -> list[Any]:
    answer = ask(EMBEDDINGS, {"model": "echo", "input": given, **more})
    assert [row["index"] for row in answer["data"]] == list(range(len(answer["data"])))
    return [row["embedding"] for row in answer["data"]]


def closeness(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("given", ["hello there", "", "!?", ["a b", "a -b"], [1, 2], [[1], [2, 3]]])
def test_every_vector_has_the_length_of_one(given: Any) -> None:
    for vector in vectors(given):
        assert len(vector) == 256
        assert math.hypot(*vector) == pytest.approx(1)


def test_like_texts_lie_closer() -> None:
    cat, kitten, tax = vectors(["a cat on the mat", "the cat on a rug", "income tax law"])
    assert closeness(cat, kitten) > closeness(cat, tax) + 0.3
    assert vectors("a cat on the mat") == [cat]


def test_words_that_cancel_out_still_have_a_direction() -> None:
    words = [f"w{nth}" for nth in range(50)]
    for word in words:
        assert math.hypot(*embed(f"{words[0]} {word}", 1)) == pytest.approx(1)


@pytest.mark.parametrize("dimensions", [1, 8, 4096])
def test_as_many_dimensions_as_asked(dimensions: int) -> None:
    assert [len(vector) for vector in vectors("a", dimensions=dimensions)] == [dimensions]


@pytest.mark.parametrize("dimensions", [0, -1, 4097, 2**62])
def test_no_other_number_of_dimensions(dimensions: int) -> None:
    body = {"model": "echo", "input": "a", "dimensions": dimensions}
    assert refusal(EMBEDDINGS, body)["param"] == "dimensions"


def test_base64_holds_the_same_numbers() -> None:
    (plain,) = vectors("hello there")
    (packed,) = vectors("hello there", encoding_format="base64")
    assert unpack(packed) == pytest.approx(plain, abs=1e-7)


def test_embeddings_are_counted() -> None:
    answer = ask(EMBEDDINGS, {"model": "echo", "input": ["one two", "three"]})
    assert answer["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
