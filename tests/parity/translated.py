"""Where our translation shall differ from MLflow's: all that its cases of Claude and Gemini on the
unified API say about the provider's request and the caller's answer."""

from collections.abc import Mapping
from typing import Any

from gateway.chat.blocks import Seal
from gateway.chat.seals import carried
from tests.parity.meaning import NOW, TEXT
from tests.parity.right import HI, Right, error

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "c"}},
    "required": ["city"],
}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
HELLO = {"content": "Hello!"}
CALLS = "tool_calls"


def claude(**body: Any) -> tuple[Any, ...]:
    """What Claude is asked."""
    return ({"model": "claude-sonnet-4-5", "max_tokens": 8192, "messages": HI, **body},)


def gemini(**body: Any) -> tuple[Any, ...]:
    return ({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], **body},)


def says(*messages: Mapping[str, Any], end: str = "stop", **more: Any) -> dict[str, Any]:
    """A chat completion with these choices."""
    choices = [
        {"index": nth, "message": {"role": "assistant", **message}, "finish_reason": end}
        for nth, message in enumerate(messages)
    ]
    return {"object": "chat.completion", "created": NOW, "choices": choices, **more}


def from_claude(message: Mapping[str, Any]) -> dict[str, Any]:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return says(message, id="msg_1", model="claude-sonnet-4-5-20250929", usage=usage)


def from_gemini(*messages: Mapping[str, Any], end: str = "stop") -> dict[str, Any]:
    usage = {
        "prompt_tokens": 8,
        "completion_tokens": 7,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 4},
    }
    return says(*messages, end=end, id="rid", model="gemini-2.5-flash-001", usage=usage)


def weather(arguments: Any) -> dict[str, Any]:
    function = {"name": "get_weather", "arguments": arguments}
    return {"id": TEXT, "type": "function", "function": function}


OVERLOADED = "service_unavailable_error"

TRANSLATED: Mapping[str, Right] = {
    "anth.chat.developer": Right(
        "what the developer says was lost", sent=claude(system="d"), body=from_claude(HELLO)
    ),
    "anth.chat.image_url": Right(
        "an image's URL was made a text that says it is unsupported",
        sent=claude(
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "t"},
                        {"type": "image", "source": {"type": "url", "url": "https://e.x/a.png"}},
                    ],
                }
            ]
        ),
        body=from_claude(HELLO),
    ),
    "anth.chat.system_parts": Right(
        "a system message in parts was a 500", 200, from_claude(HELLO), sent=claude(system="s1")
    ),
    "anth.chat.tool_empty_args": Right(
        "a call without arguments was a 500",
        200,
        from_claude(HELLO),
        sent=claude(
            messages=[
                {"role": "user", "content": "w?"},
                {
                    "role": "assistant",
                    "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {}}],
                },
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "x"}],
                },
            ],
            tools=[{"name": "get_weather", "description": "w", "input_schema": CITY}],
        ),
    ),
    "anth.emb": Right(
        "a 501 has SDKs try again what cannot succeed",
        400,
        error("invalid_request_error", code="unsupported_api"),
        tries=0,
    ),
    "anth.resp.redacted": Right(
        "a redacted thought was a 500",
        200,
        from_claude(
            {
                "content": "ans",
                "thinking_blocks": [
                    {"type": "redacted_thinking", "data": carried(Seal("anthropic", "x"))}
                ],
            }
        ),
    ),
    "anth.resp.thinking": Right(
        "a thought was told as a part of the answer",
        body=from_claude(
            {
                "content": "ans",
                "reasoning_content": "secret",
                "thinking_blocks": [
                    {
                        "type": "thinking",
                        "thinking": "secret",
                        "signature": carried(Seal("anthropic", "s")),
                    }
                ],
            }
        ),
    ),
    "anth.stream.error_event": Right(
        "its error event was not OpenAI's",
        body={
            "id": "msg_1",
            "choices": [{"index": 0, "content": "A"}],
            "error": {
                "type": OVERLOADED,
                "message": "the provider failed while it answered: Overloaded",
            },
        },
        broken=3,
    ),
    "anth.stream.tool_noargs": Right(
        "a tool without arguments was called with no JSON at all",
        body={
            "id": "msg_1",
            "created": NOW,
            "choices": [
                {
                    "content": "",
                    CALLS: [
                        {
                            "index": 0,
                            "id": "t1",
                            "type": "function",
                            "function": {"name": "now", "arguments": {}},
                        }
                    ],
                    "finish_reason": CALLS,
                }
            ],
            "ended": True,
        },
    ),
    "gem.chat.developer": Right(
        "what the developer says was lost",
        sent=gemini(systemInstruction={"parts": [{"text": "d"}]}),
        body=from_gemini(HELLO),
    ),
    "gem.chat.tool_roundtrip_parallel": Right(
        "the text beside calls of tools was lost",
        sent=gemini(
            contents=[
                {"role": "user", "parts": [{"text": "w?"}]},
                {
                    "role": "model",
                    "parts": [
                        {"text": "checking"},
                        *(
                            {"functionCall": {"id": call, "name": "get_weather", "args": args}}
                            for call, args in (("t1", {"city": "A"}), ("t2", {"city": "B"}))
                        ),
                    ],
                },
                {
                    "role": "user",
                    "parts": [
                        {
                            "functionResponse": {
                                "id": call,
                                "name": "get_weather",
                                "response": answer,
                            }
                        }
                        for call, answer in (("t1", {"result": "sunny"}), ("t2", {"r": 1}))
                    ],
                },
            ],
            tools=[
                {
                    "functionDeclarations": [
                        {"name": "get_weather", "description": "w", "parametersJsonSchema": CITY}
                    ]
                }
            ],
        ),
        body=from_gemini(HELLO),
    ),
    "gem.chat.tools_two_same": Right(
        "two calls had one id",
        body=from_gemini(
            {"content": None, CALLS: [weather({"city": "P"}), weather({"city": "P"})]}, end=CALLS
        ),
    ),
    "gem.resp.finish.OTHER": Right(
        "the reason of the end was not one of OpenAI's", body=from_gemini(HELLO)
    ),
    "gem.resp.image_out": Right(
        "an answer that is an image was no answer at all",
        body=from_gemini(
            {
                "content": None,
                "images": [
                    {
                        "type": "image_url",
                        "image_url": {"url": f"data:image/png;base64,{PIXEL}"},
                    }
                ],
            }
        ),
    ),
    "gem.resp.max_tokens_no_parts": Right(
        "an answer cut before its first word was no answer at all",
        body=from_gemini({"content": None}, end="length"),
    ),
    "gem.resp.thought": Right(
        "a thought was told as a part of the answer",
        body=from_gemini({"content": "ans", "reasoning_content": "thinking"}),
    ),
    "gem.resp.two_candidates": Right(
        "the candidates' own numbers were ignored",
        body=from_gemini({"content": "b"}, {"content": "a"}),
        sent=gemini(generationConfig={"candidateCount": 2}),
    ),
    "gem.stream.error": Right(
        "its error event was not OpenAI's",
        body={
            "id": "rid",
            "choices": [{"index": 0, "content": "a"}],
            "error": {
                "type": OVERLOADED,
                "message": "the provider failed while it answered: overloaded",
            },
        },
        broken=1,
    ),
}
