"""What MLflow's gateway does wrong on its unified API beyond its recorded cases, done right."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.dialects.messages import MESSAGE, REPLY, START, TEXT, TOLD, delta, event, opened
from tests.live import Act, LiveGateway, Reply, ScriptedProvider, answer, sse
from tests.live import event as unnamed
from tests.parity.meaning import END, gathered, holds, parsed
from tests.parity.wire import Told, post

HI = [{"role": "user", "content": "Hi"}]
CLAUDE, GEMINI = "any-anthropic_messages", "any-gemini"
GENERATED = {"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]}
REPLIES: Mapping[str, Reply] = {CLAUDE: answer(REPLY), GEMINI: answer(GENERATED)}
REASONS = ("stop", "length", "tool_calls", "content_filter")
RICH = {
    "type": "object",
    "properties": {"when": {"$ref": "#/$defs/when"}, "what": {"anyOf": [{"type": "null"}]}},
    "$defs": {"when": {"type": "string", "format": "date", "default": "2026-11-22"}},
}


def asked(body: dict[str, Any], endpoint: str, gateway: LiveGateway) -> Told:
    content = {"messages": HI, **body}
    return post(gateway.url, f"/gateway/{endpoint}/mlflow/invocations", _json(content))


def _json(body: Any) -> bytes:
    return json.dumps(body).encode()


def function(**more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "now", **more}}


def called(*ids: str) -> list[Any]:
    return [
        {"id": one, "type": "function", "function": {"name": "now", "arguments": "{}"}}
        for one in ids
    ]


PARALLEL = [
    *HI,
    {"role": "assistant", "content": "Let me see.", "tool_calls": called("t1", "t2")},
    {"role": "tool", "tool_call_id": "t1", "content": "noon"},
    {"role": "tool", "tool_call_id": "t2", "content": "one"},
]

# (what was wrong, whose endpoint, what is asked, what the provider must be asked among other things)
ASKED: Mapping[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "the temperature was halved": (CLAUDE, {"temperature": 0.8}, {"temperature": 0.8}),
    "text beside calls was lost, and parallel results were told in turns of their own": (
        CLAUDE,
        {"messages": PARALLEL},
        {
            "messages": [
                {"role": "user"},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "text", "text": "Let me see."},
                        {"type": "tool_use", "id": "t1", "name": "now", "input": {}},
                        {"type": "tool_use", "id": "t2", "name": "now", "input": {}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "t1", "content": "noon"},
                        {"type": "tool_result", "tool_use_id": "t2", "content": "one"},
                    ],
                },
            ]
        },
    ),
    "a tool without a description was a 500": (
        CLAUDE,
        {"tools": [function()]},
        {"tools": [{"name": "now", "input_schema": {"type": "object"}}]},
    ),
    "most of a tool's schema was stripped": (
        CLAUDE,
        {"tools": [function(parameters=RICH)]},
        {"tools": [{"name": "now", "input_schema": RICH}]},
    ),
    "parallel calls were only forbidden beside a choice of tools": (
        CLAUDE,
        {"tools": [function()], "parallel_tool_calls": False},
        {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
    ),
    "marks of what to cache were stripped": (
        CLAUDE,
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}
                    ],
                }
            ]
        },
        {
            "messages": [
                {"content": [{"text": "Hi", "cache_control": {"type": "ephemeral"}}]},
            ]
        },
    ),
    "a seed was lost": (GEMINI, {"seed": 7}, {"generationConfig": {"seed": 7}}),
    "an effort was lost": (
        GEMINI,
        {"reasoning_effort": "low"},
        {"generationConfig": {"thinkingConfig": {}}},
    ),
    "a tool of Gemini's without a description was a 500": (
        GEMINI,
        {"tools": [function()]},
        {"tools": [{"functionDeclarations": [{"name": "now"}]}]},
    ),
    "most of a tool's schema was stripped for Gemini": (
        GEMINI,
        {"tools": [function(parameters=RICH)]},
        {"tools": [{"functionDeclarations": [{"parametersJsonSchema": RICH}]}]},
    ),
}


@pytest.mark.parametrize("flaw", ASKED)
def test_the_provider_is_told_what_was_asked(
    flaw: str, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    endpoint, body, sent = ASKED[flaw]
    provider.will(REPLIES[endpoint])
    assert asked(body, endpoint, gateway).status == 200
    (received,) = provider.requests
    assert holds(received.json, sent), received.json


def test_parameters_that_anthropic_refuses_are_not_sent_but_reported(
    gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    provider.will(answer(REPLY))
    foreign = {"seed": 7, "logprobs": True, "presence_penalty": 0.5, "frequency_penalty": 0.5}
    ours = asked(foreign, CLAUDE, gateway)
    assert ours.headers["x-gateway-dropped"].split(", ") == sorted(foreign)
    assert provider.requests[0].json.keys() == {"model", "max_tokens", "messages"}


def test_a_block_that_nobody_knows_is_no_500(
    gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    searched = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    said = [searched, {"type": "text", "text": "Hi"}]
    provider.will(answer({**MESSAGE, "content": said, "stop_reason": "end_turn"}))
    ours = asked({}, CLAUDE, gateway)
    assert (ours.status, ours.json["choices"][0]["message"]["content"]) == (200, "Hi")


def test_a_call_of_geminis_without_arguments_is_one_without_arguments(
    gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    parts = [{"functionCall": {"name": "now"}}]
    provider.will(answer({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}))
    (choice,) = asked({}, GEMINI, gateway).json["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert call["function"] == {"name": "now", "arguments": "{}"}


def test_a_call_of_geminis_that_came_to_nothing_is_no_answer(
    gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    spoilt = {"content": {"parts": []}, "finishReason": "MALFORMED_FUNCTION_CALL"}
    provider.will(answer({"candidates": [spoilt]}))
    ours = asked({}, GEMINI, gateway)
    assert (ours.status, ours.json["error"]["type"]) == (502, "upstream_error")


@pytest.mark.parametrize("reason", ["LANGUAGE", "OTHER", "NEW_ONE"])
def test_a_reason_of_geminis_is_said_in_openais_words(
    reason: str, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    provider.will(answer({"candidates": [{"content": {"parts": []}, "finishReason": reason}]}))
    (choice,) = asked({}, GEMINI, gateway).json["choices"]
    assert choice["finish_reason"] in REASONS


def test_a_stream_begins_with_the_role_and_keeps_thoughts_out_of_the_answer(
    gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    thought = opened("thinking", thinking="", signature="") + delta("thinking_delta", thinking="hm")
    stop = event("content_block_stop", index=0)
    text = opened("text", 1, text="") + delta("text_delta", 1, text="Hi")
    rest = event("content_block_stop", index=1) + TOLD + event("message_stop")
    provider.will(sse(START + thought + stop + text + rest))
    chunks = parsed(asked({"stream": True}, CLAUDE, gateway).events)
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    (choice,) = gathered(chunks)["choices"]
    assert (choice["content"], chunks[-1]) == ("Hi", END)


CUT: Mapping[str, tuple[bytes, ...]] = {
    CLAUDE: (START + TEXT, delta("text_delta", text="Hi")),
    GEMINI: (unnamed({"candidates": [{"content": {"parts": [{"text": "Hi"}]}}]}),),
}


@pytest.mark.parametrize("endpoint", CUT)
@pytest.mark.parametrize("end", [Act.HANG_UP, Act.RESET, None])
def test_a_stream_that_is_cut_is_not_passed_off_as_whole(
    end: Act | None, endpoint: str, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    provider.will(sse(*CUT[endpoint], *((end,) if end else ())))
    *words, last = parsed(asked({"stream": True}, endpoint, gateway).events)
    assert gathered(words)["choices"][0]["content"] == "Hi"
    assert last["error"]["type"] == "upstream_error"


def test_geminis_own_stream_falls_back(gateway: LiveGateway, provider: ScriptedProvider) -> None:
    busy = {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}
    provider.will(answer(busy, 503), sse(unnamed(GENERATED)))
    path = "/gateway/gemini/v1beta/models/two-geminis:streamGenerateContent?alt=sse"
    ours = post(gateway.url, path, _json({"contents": [{"parts": [{"text": "Hi"}]}]}))
    assert (ours.status, parsed(ours.events)) == (200, [GENERATED])
    assert len(provider.requests) == 2
