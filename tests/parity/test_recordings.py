"""Recorded traffic of real providers, replayed as the upstream of a relay."""

import json
import re
from typing import Any

import pytest

from gateway.dialects import ANTHROPIC_MESSAGES, OPENAI_CHAT, OPENAI_RESPONSES
from gateway.exchange.bridge import Relay
from gateway.exchange.exchange import Call
from gateway.usage import Usage
from tests.fakes import CALLER
from tests.live import LiveGateway, Reply, ScriptedProvider, answer, sse
from tests.parity.wire import SHARED, data_of, post

FOLDER = SHARED / "recordings"
if not FOLDER.is_dir():
    pytest.skip(f"the recordings are not here: {FOLDER}", allow_module_level=True)

PATHS = {
    "chat": "/gateway/openai/v1/chat/completions",
    "responses": "/gateway/openai/v1/responses",
    "embeddings": "/gateway/openai/v1/embeddings",
    "messages": "/gateway/anthropic/v1/messages",
    "count_tokens": "/gateway/anthropic/v1/messages/count_tokens",
}
PROVIDERS = ("openai", "azure", "groq", "deepseek", "mistral", "openrouter", "anthropic")
# Recordings that the caller does not get as they are, each with the reason.
FAILS_BEFORE_ITS_FIRST_WORD = "openai-responses-stream__openai-error-1-chunks"
QUOTES_A_KEY = "openai-chat__openai-gpt-4o-completions"
COUNTS_TOKENS = (
    "anthropic-count_tokens__"
    "chat-count-tokens-with-anthropic-claude-haiku-4-5-counts-the-next-requ__1"
)
# The callers did not ask for the usage, as we would have.
UNCOUNTED = {
    "openai-chat-stream__chat-streaming",
    "openai-chat-stream__test-open-ai-function-calls-tools-streaming-parallel-with-events-with-__1",
}
# Where a usage may stand: Groq's is told unasked under a name of its own.
HOLDERS = (None, "response", "x_groq")

LONG = 20_000  # bytes that are not fed one by one, to save time
Recording = dict[str, Any]


def recordings() -> dict[str, Recording]:
    found = {}
    for name in PROVIDERS:
        for file in sorted((FOLDER / name).glob("*.json")):
            one = json.loads(file.read_text())
            if one["api"].split(".")[1] in PATHS:
                found[file.stem] = one
    return found


ALL = recordings()
WHOLE = [name for name, one in ALL.items() if "body_text" in one["response"]]
STREAMS = [
    name
    for name, one in ALL.items()
    if "sse_text" in one["response"] and name != FAILS_BEFORE_ITS_FIRST_WORD
]


def asked(recording: Recording) -> dict[str, Any]:
    """The recorded request, or where none was kept a plain one, for our endpoint."""
    provider, kind = recording["api"].split(".")
    body = (recording["request"] or {}).get("body")
    if body is None:
        chats = kind in ("chat", "messages")
        body = {"messages": [{"role": "user", "content": "Hi"}]} if chats else {}
        body = {"input": "Hi"} if kind == "responses" else body
        body["stream"] = "sse_text" in recording["response"]
    return {**body, "model": f"at-{provider}"}


def call(recording: Recording, gateway: LiveGateway) -> Any:
    path = PATHS[recording["api"].split(".")[1]]
    return post(gateway.url, path, json.dumps(asked(recording)).encode())


FRAMING = ("content-length", "transfer-encoding", "content-encoding", "connection")


def headers(recording: Recording) -> dict[str, str]:
    told = recording["response"]["headers"].items()
    return {name: value for name, value in told if name not in FRAMING}


def streamed(recording: Recording, size: int) -> Reply:
    """The recorded stream, cut into pieces wherever they happen to end."""
    said = recording["response"]["sse_text"].encode()
    pieces = [said[at : at + size] for at in range(0, len(said), size)]
    return sse(*pieces, headers=headers(recording))


def for_the_caller(recording: Recording) -> bytes:
    """What was recorded, without the chunk that holds only the usage if nobody asked for it."""
    text: str = recording["response"]["sse_text"]
    options = asked(recording).get("stream_options") or {}
    if options.get("include_usage") or not recording["api"].endswith(".chat"):
        return text.encode()
    events = re.findall(r".*?\n\n", text, re.DOTALL)
    return "".join(event for event in events if not only_usage(event)).encode()


def only_usage(event: str) -> bool:
    (data,) = data_of(event)
    chunk = {} if data == "[DONE]" else json.loads(data)
    return bool(chunk.get("usage")) and not chunk.get("choices")


def counted(recording: Recording) -> Usage | None:
    """What the recording itself says of its usage, if it does: the last word on it counts."""
    if recording["api"] == "anthropic.messages":
        return counted_by_anthropic(recording)
    said = recording["response"]
    parts = data_of(said["sse_text"]) if "sse_text" in said else [said["body_text"]]
    chunks = [json.loads(part) for part in parts if part != "[DONE]"]
    found = [
        ((body.get(holder) or {}) if holder else body).get("usage")
        for body in chunks
        for holder in HOLDERS
    ]
    counts = [None, *filter(None, found)][-1]
    if counts is None:
        return None
    detail = counts.get("prompt_tokens_details") or counts.get("input_tokens_details") or {}
    thought = counts.get("completion_tokens_details") or counts.get("output_tokens_details") or {}
    prompt = counts.get("prompt_tokens", counts.get("input_tokens", 0))
    cached = min(detail.get("cached_tokens") or 0, prompt)  # Azure's Grok: 403 of 347
    return Usage(
        input_tokens=prompt - cached,
        output_tokens=counts.get("completion_tokens", counts.get("output_tokens", 0)),
        cache_read_tokens=cached,
        reasoning_tokens=thought.get("reasoning_tokens") or 0,
        cost=counts.get("cost"),
    )


def counted_by_anthropic(recording: Recording) -> Usage | None:
    """Of each count the last that is there; where several turns are told, all of them."""
    said = recording["response"]
    parts = data_of(said["sse_text"]) if "sse_text" in said else [said["body_text"]]
    counts: dict[str, Any] = {}
    for body in map(json.loads, parts):
        told = body.get("usage") or (body.get("message") or {}).get("usage") or {}
        counts.update({name: value for name, value in told.items() if value is not None})
    turns = counts.get("iterations") or [counts]

    def total(name: str) -> int:
        return sum(turn.get(name) or 0 for turn in turns)

    thought = (counts.get("output_tokens_details") or {}).get("thinking_tokens", 0)
    cached = total("cache_read_input_tokens"), total("cache_creation_input_tokens")
    used = Usage(total("input_tokens"), total("output_tokens"), *cached, thought)
    return used if counts else None


DIALECTS = {"chat": OPENAI_CHAT, "responses": OPENAI_RESPONSES, "messages": ANTHROPIC_MESSAGES}


def test_there_are_recordings_of_every_provider() -> None:
    assert {one["api"].split(".")[0] for one in ALL.values()} == set(PROVIDERS)
    assert {FAILS_BEFORE_ITS_FIRST_WORD, QUOTES_A_KEY} <= set(ALL)
    answered = [name for name in ALL if ALL[name]["response"]["status"] == 200]
    assert {name for name in answered if counted(ALL[name]) is None} == {
        FAILS_BEFORE_ITS_FIRST_WORD,
        COUNTS_TOKENS,
        *UNCOUNTED,
    }


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_answer_is_handed_on(
    name: str, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    recording = ALL[name]
    status, said = recording["response"]["status"], recording["response"]["body_text"]
    provider.will(answer(said.encode(), status, headers(recording)))
    told = call(recording, gateway)
    if name == QUOTES_A_KEY:
        said = said.replace("invalid-*****2345", "***")
    assert (told.status, told.body.decode()) == (status, said)
    if status == 200:
        assert gateway.ledger.of(told).usage == counted(recording)


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_handed_on(name: str, gateway: LiveGateway, provider: ScriptedProvider) -> None:
    recording = ALL[name]
    provider.will(streamed(recording, size=997))
    told = call(recording, gateway)
    assert (told.status, told.body) == (200, for_the_caller(recording))
    record = gateway.ledger.of(told)
    assert record.outcome == "answered"
    assert record.usage == counted(recording)


CUTS = [
    (name, size)
    for name in STREAMS
    for size in (1, 7, 61, 4099)
    if size > 1 or len(ALL[name]["response"]["sse_text"]) < LONG
]


@pytest.mark.parametrize(("name", "size"), CUTS)
def test_how_a_stream_is_cut_makes_no_difference(name: str, size: int) -> None:
    """The relay alone, fed byte by byte where a socket would join the pieces again."""
    recording = ALL[name]
    dialect = DIALECTS[recording["api"].split(".")[1]]
    body = asked(recording)
    relay = Relay(Call("id", CALLER, dialect, body["model"], json.dumps(body).encode(), body))
    said = recording["response"]["sse_text"].encode()
    out = b"".join(relay.feed(said[at : at + size]) for at in range(0, len(said), size))
    assert (out, relay.begun, relay.ended, relay.failure) == (
        for_the_caller(recording),
        True,
        True,
        None,
    )
    assert relay.usage == counted(recording)


def test_a_stream_that_fails_before_its_first_word_is_a_status(
    gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    recording = ALL[FAILS_BEFORE_ITS_FIRST_WORD]
    provider.will(streamed(recording, size=61))
    told = call(recording, gateway)
    error = told.json["error"]
    assert (told.status >= 400, error["code"]) == (True, "insufficient_quota")
    assert "You exceeded your current quota" in error["message"]
