"""Requests for the imitators of OpenAI that want some of it otherwise."""

import re
from typing import Any

import pytest

from gateway.chat.blocks import Block, Media, Text, ToolResult, ToolUse
from gateway.chat.request import ChatRequest, Message, Sampling
from gateway.dialects.openai_chat import COMPATIBLE_FORM, MISTRAL_FORM
from gateway.wire.json import Json

HI = Message("user", [Text("hi")])
TOLD_HI: Json = {"role": "user", "content": "hi"}
IMAGE = Media("image", url="https://x/a.png")


@pytest.mark.parametrize(
    ("model", "limit"),
    [
        ("llama3.2", {"max_tokens": 5}),
        ("deepseek/deepseek-chat", {"max_tokens": 5}),
        ("gpt-oss-120b", {"max_tokens": 5}),
        ("gpt-4.1", {"max_completion_tokens": 5}),
        ("openai/gpt-5-mini", {"max_completion_tokens": 5}),
        ("o3", {"max_completion_tokens": 5}),
    ],
)
def test_an_unknown_server_is_told_the_limit_by_the_name_that_all_know(
    model: str, limit: Json
) -> None:
    told = COMPATIBLE_FORM.write_request(ChatRequest(model, [HI], sampling=Sampling(5)))
    assert told.body == {"model": model, "messages": [TOLD_HI], **limit}
    assert told.dropped == frozenset()


def test_an_unknown_server_is_told_of_no_limit_where_there_is_none() -> None:
    told = COMPATIBLE_FORM.write_request(ChatRequest("llama3.2", [HI]))
    assert told.body == {"model": "llama3.2", "messages": [TOLD_HI]}


def mistral(*messages: Message, system: list[Text] | None = None) -> tuple[list[Json], set[str]]:
    request = ChatRequest("mistral-large-latest", list(messages), system or [])
    told = MISTRAL_FORM.write_request(request)
    said: list[Json] = told.body["messages"]
    return said, set(told.dropped)


def calls(*ids: str) -> Json:
    function = {"name": "f", "arguments": "{}"}
    told = [{"id": one, "type": "function", "function": function} for one in ids]
    return {"role": "assistant", "content": None, "tool_calls": told}


def turn(id: str, *content: Block, said: tuple[Block, ...] = (Text("ok"),)) -> list[Message]:
    """A call, and what the user says with its answer."""
    return [
        Message("assistant", [ToolUse(id, "f", "{}")]),
        Message("user", [ToolResult(id, said), *content]),
    ]


OWN = "Ab3dEf9h1"


def answered(id: str, content: Any) -> Json:
    return {"role": "tool", "tool_call_id": id, "content": content}


def test_mistral_gets_its_own_ids_again_and_others_fitted() -> None:
    told, dropped = mistral(HI, *turn(OWN), *turn("toolu_01A"))
    fitted = told[3]["tool_calls"][0]["id"]
    assert re.fullmatch("[A-Za-z0-9]{9}", fitted)
    assert told == [TOLD_HI, calls(OWN), answered(OWN, "ok"), calls(fitted), answered(fitted, "ok")]
    assert dropped == set()


def test_mistrals_fitted_ids_differ_where_the_others_did() -> None:
    told, _ = mistral(HI, *turn("call_1_0"), *turn("call_1_1"))
    assert told[1]["tool_calls"][0]["id"] != told[3]["tool_calls"][0]["id"]


def test_mistral_is_told_in_a_tools_answer_what_the_user_says_behind_it() -> None:
    told, dropped = mistral(HI, *turn(OWN, Text("<reminder>"), Text("go on")))
    assert told == [TOLD_HI, calls(OWN), answered(OWN, "ok\n\n<reminder>\n\ngo on")]
    assert dropped == {"user.position"}


def test_mistral_is_told_it_in_the_last_of_several_answers_also_an_empty_one() -> None:
    use = Message("assistant", [ToolUse(OWN, "f", "{}"), ToolUse("Zb3dEf9h1", "f", "{}")])
    results = Message("user", [ToolResult(OWN, (Text("a"),)), ToolResult("Zb3dEf9h1", ())])
    told, dropped = mistral(HI, use, results, Message("user", [Text("so?")], "ann"))
    assert told == [
        TOLD_HI,
        calls(OWN, "Zb3dEf9h1"),
        answered(OWN, "a"),
        answered("Zb3dEf9h1", "so?"),
    ]
    assert dropped == {"user.position", "name"}


def test_what_a_user_shows_behind_a_tool_is_left_to_mistral() -> None:
    told, dropped = mistral(HI, *turn(OWN, IMAGE, Text("this")))
    image = {"type": "image_url", "image_url": {"url": "https://x/a.png"}}
    assert told[3] == {"role": "user", "content": [image, {"type": "text", "text": "this"}]}
    assert dropped == set()


def test_mistrals_system_speaks_first_in_the_order_of_its_words() -> None:
    told, dropped = mistral(
        HI,
        Message("assistant", [Text("a")]),
        Message("system", [Text("two")]),
        Message("user", [Text("b")]),
        Message("system", [Text("three")]),
        system=[Text("one")],
    )
    assert told == [
        {"role": "system", "content": "one"},
        {"role": "system", "content": "two"},
        {"role": "system", "content": "three"},
        TOLD_HI,
        {"role": "assistant", "content": "a"},
        {"role": "user", "content": "b"},
    ]
    assert dropped == {"system.position"}


def test_mistrals_system_may_be_alone() -> None:
    assert mistral(system=[Text("s")]) == ([{"role": "system", "content": "s"}], set())


def test_how_mistrals_answer_begins_is_said_to_be_that() -> None:
    told, dropped = mistral(HI, Message("assistant", [Text("Sure:")]))
    assert told == [TOLD_HI, {"role": "assistant", "content": "Sure:", "prefix": True}]
    assert dropped == set()
