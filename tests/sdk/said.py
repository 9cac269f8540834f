"""What a provider says, in the shapes of OpenAI's API."""

from typing import Any

from tests.live import DONE, Step, event

HI = [{"role": "user", "content": "Hi, Zoë 👋"}]
USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
CHAT = {"id": "chatcmpl-1", "created": 1700000000, "model": "gpt-test-2026"}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}


def completion(*choices: dict[str, Any], **more: Any) -> dict[str, Any]:
    numbered = [{"index": nth, **choice} for nth, choice in enumerate(choices)]
    return {**CHAT, "object": "chat.completion", "choices": numbered, "usage": USAGE, **more}


def says(content: str | None, reason: str = "stop", **more: Any) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": content, **more}, "finish_reason": reason}


def tool_call(id: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def part(reason: str | None = None, *, index: int = 0, **delta: Any) -> bytes:
    """One chunk of a streamed chat."""
    choice = {"index": index, "delta": delta, "finish_reason": reason}
    return event({**CHAT, "object": "chat.completion.chunk", "choices": [choice]})


BEGIN = part(role="assistant", content="")
END = part("stop")
COUNTED = event({**CHAT, "object": "chat.completion.chunk", "choices": [], "usage": USAGE})
HELLO: tuple[Step, ...] = (BEGIN, part(content="Hel"), part(content="lo"), END, COUNTED, DONE)


def message_item(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": content,
    }


def response(*output: dict[str, Any], status: str = "completed", **more: Any) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1700000000,
        "status": status,
        "model": "gpt-test-2026",
        "output": list(output),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 9,
            "input_tokens_details": {"cached_tokens": 4},
            "output_tokens": 3,
            "output_tokens_details": {"reasoning_tokens": 1},
            "total_tokens": 12,
        },
        **more,
    }


class Numbered:
    """Events of a streamed response, each with the number that follows."""

    def __init__(self) -> None:
        self._next = 0

    def __call__(self, kind: str, **fields: Any) -> bytes:
        number, self._next = self._next, self._next + 1
        return event({"type": kind, **fields, "sequence_number": number}, kind)


def streamed_response(*deltas: str) -> list[bytes]:
    """The events of a response that says these words."""
    say, item = Numbered(), message_item("".join(deltas))
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    empty = {"type": "output_text", "text": "", "annotations": []}
    return [
        say("response.created", response=response(status="in_progress", usage=None)),
        say("response.in_progress", response=response(status="in_progress", usage=None)),
        say("response.output_item.added", output_index=0, item={**item, "content": []}),
        say("response.content_part.added", **place, part=empty),
        *(say("response.output_text.delta", **place, delta=d, logprobs=[]) for d in deltas),
        say("response.output_text.done", **place, text="".join(deltas), logprobs=[]),
        say("response.content_part.done", **place, part=item["content"][0]),
        say("response.output_item.done", output_index=0, item=item),
        say("response.completed", response=response(item)),
    ]
