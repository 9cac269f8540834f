"""What is asked and what is answered: the same bytes for every subject of the benchmark."""

import base64
import functools
import struct
from typing import Any

import orjson

Json = dict[str, Any]

MODEL = "bench-model"
PACE_MS = 5
# The name a client asks for, and the model at the provider that stands behind it.
MODELS = {"bench": MODEL, "bench-paced": f"paced-{PACE_MS}"}

_WORDS = "The sluice gate holds the river back and lets through just what the mill can use. "
_CREATED = 1_760_000_000
_USAGE: Json = {
    "prompt_tokens": 230,
    "completion_tokens": 170,
    "total_tokens": 400,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 0,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}


def chat_request(model: str, *, events: int = 0) -> bytes:
    """A chat of about 1 kB; with `events`, one that asks for a stream of so many."""
    question = (_WORDS * 10)[:780]
    body: Json = {
        "model": model,
        "messages": [
            {"role": "system", "content": "Answer in one short paragraph and name your source."},
            {"role": "user", "content": question},
        ],
        "temperature": 0.2,
    }
    if events:
        body |= {"max_tokens": events, "stream": True, "stream_options": {"include_usage": True}}
    return orjson.dumps(body)


def chat_answer() -> bytes:
    """A whole answer of about 1.4 kB."""
    message = {"role": "assistant", "content": (_WORDS * 10)[:780]}
    return orjson.dumps(
        {
            "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
            "object": "chat.completion",
            "created": _CREATED,
            "model": MODEL,
            "choices": [
                {
                    "index": 0,
                    "message": message | {"refusal": None, "annotations": []},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": _USAGE,
            "service_tier": "default",
            "system_fingerprint": "fp_44709d6fcb",
        }
    )


@functools.lru_cache(maxsize=64)
def stream_events(events: int, *, with_usage: bool) -> tuple[bytes, ...]:
    """The SSE events of a streamed answer: `events` of about 250 bytes, usage if asked, the end."""
    texts = [f"{_WORDS[:10]}{number:>6} " for number in range(events)]
    choices: list[Json] = [_choice({"content": text}, None) for text in texts]
    choices[0]["delta"]["role"] = "assistant"
    choices[-1]["finish_reason"] = "stop"
    told: list[Json] = [{"choices": [choice]} for choice in choices]
    if with_usage:
        told = [chunk | {"usage": None} for chunk in told] + [{"choices": [], "usage": _USAGE}]
    return (*(_event(orjson.dumps(_CHUNK | chunk)) for chunk in told), _event(b"[DONE]"))


@functools.lru_cache(maxsize=64)
def embeddings_answer(inputs: int, *, in_base64: bool) -> bytes:
    """One vector of 256 numbers for each input."""
    vector = [(number - 128) / 1024 for number in range(256)]
    packed = base64.b64encode(struct.pack("<256f", *vector)).decode()
    shown = packed if in_base64 else vector
    return orjson.dumps(
        {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": shown}
                for index in range(inputs)
            ],
            "model": MODEL,
            "usage": {"prompt_tokens": 8 * inputs, "total_tokens": 8 * inputs},
        }
    )


def error_answer(message: str) -> bytes:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return orjson.dumps({"error": error})


def text_of(answer: bytes) -> str:
    """The words in an answer, whole or streamed; a stream without its end has none."""
    if not answer.startswith(b"data:"):
        return str(orjson.loads(answer)["choices"][0]["message"]["content"])
    events = [event.removeprefix(b"data: ") for event in answer.split(b"\n\n") if event]
    if events[-1] != b"[DONE]":
        raise ValueError("the stream has no end")
    chunks = [orjson.loads(event) for event in events[:-1]]
    return "".join(
        choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"]
    )


_CHUNK: Json = {
    "id": "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG",
    "object": "chat.completion.chunk",
    "created": _CREATED,
    "model": MODEL,
}


def _choice(delta: Json, finish_reason: str | None) -> Json:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _event(payload: bytes) -> bytes:
    return b"data: " + payload + b"\n\n"
