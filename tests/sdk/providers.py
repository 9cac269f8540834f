"""One and the same answer, as the provider of each dialect says it: whole, and as a stream."""

from collections.abc import Mapping
from typing import Any

from tests.dialects.messages import MESSAGE, delta, opened
from tests.dialects.messages import event as anthropics
from tests.live import DONE, Step, event
from tests.sdk.said import Numbered, completion, part, response, says, tool_call

TEXT = "Oslo is wet, Zoë."
CALLS = (("weather", {"city": "Oslo"}), ("weather", {"city": "Rome", "days": [1, 2]}))
ARGUMENTS = ('{"city": "Oslo"}', '{"city": "Rome", "days": [1, 2]}')
THOUGHT = "It rains there."

# What was used: 10 tokens read anew and 20 from the cache, 6 said, of which 2 thought.
CHATS: dict[str, Any] = {
    "prompt_tokens": 30,
    "completion_tokens": 6,
    "total_tokens": 36,
    "prompt_tokens_details": {"cached_tokens": 20},
    "completion_tokens_details": {"reasoning_tokens": 2},
}
RESPONSES: dict[str, Any] = {
    "input_tokens": 30,
    "input_tokens_details": {"cached_tokens": 20},
    "output_tokens": 6,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 36,
}
MESSAGES: dict[str, Any] = {
    "input_tokens": 10,
    "cache_read_input_tokens": 20,
    "cache_creation_input_tokens": 0,
    "output_tokens": 6,
}
GEMINIS: dict[str, Any] = {
    "promptTokenCount": 30,
    "cachedContentTokenCount": 20,
    "candidatesTokenCount": 4,
    "thoughtsTokenCount": 2,
    "totalTokenCount": 36,
}

ANSWERS: dict[str, Any] = {
    "openai_chat": completion(
        says(
            TEXT,
            "tool_calls",
            tool_calls=[
                tool_call(f"call_{n}", name, text)
                for n, ((name, _), text) in enumerate(zip(CALLS, ARGUMENTS, strict=True))
            ],
        ),
        usage=CHATS,
    ),
    "openai_responses": response(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": TEXT, "annotations": [], "logprobs": []}],
        },
        *(
            {
                "id": f"fc_{n}",
                "type": "function_call",
                "status": "completed",
                "call_id": f"call_{n}",
                "name": name,
                "arguments": text,
            }
            for n, ((name, _), text) in enumerate(zip(CALLS, ARGUMENTS, strict=True))
        ),
        usage=RESPONSES,
    ),
    "anthropic_messages": {
        **MESSAGE,
        "content": [
            {"type": "text", "text": TEXT},
            *(
                {"type": "tool_use", "id": f"toolu_{n}", "name": name, "input": given}
                for n, (name, given) in enumerate(CALLS)
            ),
        ],
        "stop_reason": "tool_use",
        "usage": MESSAGES,
    },
    "gemini": {
        "candidates": [
            {
                "content": {
                    "role": "model",
                    "parts": [
                        {"text": TEXT},
                        *({"functionCall": {"name": name, "args": given}} for name, given in CALLS),
                    ],
                },
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": GEMINIS,
        "modelVersion": "gemini-test",
        "responseId": "r1",
    },
}


def _chat_stream() -> list[Step]:
    def call(index: int, **more: Any) -> bytes:
        return part(tool_calls=[{"index": index, **more}])

    told: list[Step] = [part(role="assistant", content=""), part(content=TEXT[:7])]
    told.append(part(content=TEXT[7:]))
    for n, (name, _) in enumerate(CALLS):
        told.append(
            call(n, id=f"call_{n}", type="function", function={"name": name, "arguments": ""})
        )
    for at in range(0, max(map(len, ARGUMENTS)), 5):  # the pieces of both calls in turn
        told += [
            call(n, function={"arguments": text[at : at + 5]})
            for n, text in enumerate(ARGUMENTS)
            if text[at : at + 5]
        ]
    counted = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return [*told, part("tool_calls"), event({**counted, "choices": [], "usage": CHATS}), DONE]


def _response_stream() -> list[Step]:
    say, whole = Numbered(), ANSWERS["openai_responses"]
    message, *calls = whole["output"]
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    (said,) = message["content"]
    told: list[Step] = [
        say("response.created", response=begun),
        say("response.in_progress", response=begun),
        say("response.output_item.added", output_index=0, item={**message, "content": []}),
        say("response.content_part.added", **place, part={**said, "text": ""}),
        say("response.output_text.delta", **place, delta=TEXT[:7], logprobs=[]),
        say("response.output_text.delta", **place, delta=TEXT[7:], logprobs=[]),
        say("response.output_text.done", **place, text=TEXT, logprobs=[]),
        say("response.content_part.done", **place, part=said),
        say("response.output_item.done", output_index=0, item=message),
    ]
    for n, call in enumerate(calls, 1):
        at = {"item_id": call["id"], "output_index": n}
        told += [
            say("response.output_item.added", output_index=n, item={**call, "arguments": ""}),
            say("response.function_call_arguments.delta", **at, delta=call["arguments"][:4]),
            say("response.function_call_arguments.delta", **at, delta=call["arguments"][4:]),
            say("response.function_call_arguments.done", **at, arguments=call["arguments"]),
            say("response.output_item.done", output_index=n, item=call),
        ]
    return [*told, say("response.completed", response=whole)]


def _message_stream() -> list[Step]:
    start = {**MESSAGE, "usage": {**MESSAGES, "output_tokens": 1}}
    told: list[Step] = [
        anthropics("message_start", message=start),
        opened("text", text=""),
        anthropics("ping"),
        delta("text_delta", text=TEXT[:7]),
        delta("text_delta", text=TEXT[7:]),
        anthropics("content_block_stop", index=0),
    ]
    for n, ((name, _), text) in enumerate(zip(CALLS, ARGUMENTS, strict=True), 1):
        told += [
            opened("tool_use", n, id=f"toolu_{n}", name=name, input={}),
            delta("input_json_delta", n, partial_json=""),
            delta("input_json_delta", n, partial_json=text[:9]),
            delta("input_json_delta", n, partial_json=text[9:]),
            anthropics("content_block_stop", index=n),
        ]
    ending = {"stop_reason": "tool_use", "stop_sequence": None}
    return [
        *told,
        anthropics("message_delta", delta=ending, usage={"output_tokens": 6}),
        anthropics("message_stop"),
    ]


def _gemini_stream() -> list[Step]:
    def chunk(*parts: dict[str, Any], **more: Any) -> bytes:
        candidate = {"content": {"parts": list(parts), "role": "model"}, "index": 0, **more}
        return event(
            {"candidates": [candidate], "usageMetadata": GEMINIS, "responseId": "r1"}
        ).replace(b"\n\n", b"\r\n\r\n")

    calls = [{"functionCall": {"name": name, "args": given}} for name, given in CALLS]
    return [
        chunk({"text": TEXT[:7]}),
        chunk({"text": TEXT[7:]}),
        chunk(*calls),
        chunk({"text": ""}, finishReason="STOP"),
    ]


STREAMS: Mapping[str, list[Step]] = {
    "openai_chat": _chat_stream(),
    "openai_responses": _response_stream(),
    "anthropic_messages": _message_stream(),
    "gemini": _gemini_stream(),
}
FAILURE = "you ask too much of me"
ERRORS: Mapping[str, Any] = {
    "openai_chat": {"error": {"message": FAILURE, "type": "rate_limit_error", "code": None}},
    "openai_responses": {"error": {"message": FAILURE, "type": "rate_limit_error", "code": None}},
    "anthropic_messages": {
        "type": "error",
        "error": {"type": "rate_limit_error", "message": FAILURE},
    },
    "gemini": {"error": {"code": 429, "message": FAILURE, "status": "RESOURCE_EXHAUSTED"}},
}
