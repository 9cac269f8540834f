"""A call that crosses from one dialect to another: what goes out, what comes back, what is told."""

import asyncio
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from gateway.chat.blocks import Seal
from gateway.chat.seals import carried
from gateway.dialects import (
    ANTHROPIC_COUNT,
    ANTHROPIC_MESSAGES,
    GEMINI,
    GEMINI_COUNT,
    GEMINI_EMBED,
    OPENAI_CHAT,
    OPENAI_EMBEDDINGS,
    OPENAI_RESPONSES,
    Dialect,
)
from gateway.errors import BadRequest, Unsupported, UpstreamBroke, UpstreamRejected
from gateway.exchange.answer import Answer
from gateway.exchange.exchange import Call
from gateway.routing.endpoint import Target, Timeouts
from gateway.usage import Usage
from gateway.wire.json import Json, dumps, loads
from gateway.wire.sse import SseReader
from handler.errors import answer_for
from tests.dialects.messages import (
    BUSY,
    END,
    HELLO,
    OVERLOADED,
    REPLY,
    START,
    STOP,
    TEXT,
    TOLD,
    WHOLE,
    WORLD,
    delta,
    faults,
    opened,
)
from tests.exchange.chunks import ASK, chunk
from tests.fakes import CALLER, GPT, HI, FakeUpstream, Silence, World, endpoint, run
from tests.sdk.providers import ANSWERS

CLAUDE = Target("anthropic", "claude-real", "key")
NATIVE = Target("gemini", "gemini-real", "key")
GOOGLE = "https://generativelanguage.googleapis.com/v1beta/models"
CONTENT: Json = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
MESSAGE: Json = {**HI, "max_tokens": 9}
GEMINIS = {
    "candidates": [
        {"content": {"role": "model", "parts": [{"text": "Hello"}]}, "finishReason": "STOP"}
    ],
    "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 2, "totalTokenCount": 9},
}


async def answered(
    world: World, body: Json, dialect: Dialect, *, streamed: bool | None = None
) -> Answer:
    text = json.dumps(body, separators=(",", ":")).encode()  # which nests as deep as it may
    call = Call("req1", CALLER, dialect, "e", text, body, arrived=1_700_000_000, streamed=streamed)
    return await world.gateway.answer(call)


async def whole(answer: Answer) -> bytes:
    if isinstance(answer.body, bytes):
        return answer.body
    told = b""
    while part := await answer.body.next():
        told += part
    await answer.body.close()
    return told


def asked(world: World, body: Json, dialect: Dialect, *, streamed: bool | None = None) -> bytes:
    async def go() -> bytes:
        return await whole(await answered(world, body, dialect, streamed=streamed))

    return run(go())


def sse(*parts: Any) -> FakeUpstream:
    return FakeUpstream(*parts, headers={"content-type": "text/event-stream"})


@pytest.mark.parametrize(
    ("target", "stream", "url"),
    [
        (CLAUDE, False, "https://api.anthropic.com/v1/messages"),
        (
            NATIVE,
            False,
            f"{GOOGLE}/gemini-real:generateContent",
        ),
        (
            NATIVE,
            True,
            f"{GOOGLE}/gemini-real:streamGenerateContent?alt=sse",
        ),
        (
            replace(NATIVE, model="publishers/x/models/g 1"),
            False,
            f"{GOOGLE}/publishers/x/models/g%201:generateContent",
        ),
        (replace(GPT, dialect="openai_responses"), False, "https://api.openai.com/v1/responses"),
        (GPT, False, "https://api.openai.com/v1/chat/completions"),
    ],
)
def test_where_it_goes(target: Target, stream: bool, url: str) -> None:
    world = World(endpoint(target), FakeUpstream(b"{}", status=500))
    with pytest.raises(UpstreamRejected):
        asked(world, HI | {"stream": stream}, OPENAI_CHAT)
    assert world.transport.sent[0].url == url


def test_the_providers_headers_go_with_its_dialect() -> None:
    world = World(endpoint(NATIVE), FakeUpstream(dumps(GEMINIS)))
    asked(world, MESSAGE, ANTHROPIC_MESSAGES)
    sent = world.transport.sent[0]
    assert sent.headers["x-goog-api-key"] == "sk-secret"
    assert "anthropic-version" not in sent.headers
    assert "model" not in loads(sent.body)


def test_what_is_lost_is_told_in_a_header_and_written_down() -> None:
    world = World(endpoint(CLAUDE), FakeUpstream(REPLY))
    body = HI | {"seed": 1, "logit_bias": {"5": 1}, "prediction": {"type": "content"}}
    answer = run(answered(world, body, OPENAI_CHAT))
    assert answer.headers["x-gateway-dropped"] == "logit_bias, prediction, seed"
    assert world.record.dropped == ("logit_bias", "prediction", "seed")


def test_where_nothing_is_lost_there_is_no_such_header() -> None:
    world = World(endpoint(CLAUDE), FakeUpstream(REPLY))
    answer = run(answered(world, HI, OPENAI_CHAT))
    assert "x-gateway-dropped" not in answer.headers
    assert world.record.dropped == ()


def test_a_callers_own_words_cannot_break_the_header() -> None:
    world = World(endpoint(CLAUDE), FakeUpstream(REPLY))
    odd: Json = {"a\r\nset-cookie: b": 1, "é,": 1, "x" * 500: 1, **{f"f{n}": 1 for n in range(50)}}
    told = run(answered(world, HI | odd, OPENAI_CHAT)).headers["x-gateway-dropped"]
    assert told.isascii()
    assert told.isprintable()
    assert len(told) < 8000
    assert told.endswith("and 13 more")
    assert ", ".join(world.record.dropped) == told


@pytest.mark.parametrize("stream", [False, True])
def test_a_strict_endpoint_refuses_what_would_be_lost(stream: bool) -> None:
    world = World(endpoint(CLAUDE, strict=True))
    with pytest.raises(Unsupported) as refused:
        asked(world, HI | {"seed": 1, "top_k": 2, "n": 2, "stream": stream}, OPENAI_CHAT)
    assert (refused.value.status, refused.value.code) == (400, "cannot_be_said")
    assert "cannot be told: n, seed" in refused.value.message
    assert world.transport.sent == []


def test_a_strict_endpoint_goes_on_to_who_can_say_it() -> None:
    world = World(
        endpoint(CLAUDE, GPT, strict=True), FakeUpstream(b'{"id":"c","choices":[],"usage":null}')
    )
    asked(world, HI | {"seed": 1}, OPENAI_CHAT)
    assert [sent.url for sent in world.transport.sent] == [
        "https://api.openai.com/v1/chat/completions"
    ]


def test_a_strict_endpoint_bears_that_a_schema_has_a_name() -> None:
    schema: Json = {"type": "object", "properties": {}, "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    world = World(endpoint(CLAUDE, strict=True), FakeUpstream(REPLY))
    asked(world, HI | {"response_format": form}, OPENAI_CHAT)
    assert world.record.outcome == "answered"


def test_a_fallback_may_speak_another_dialect() -> None:
    world = World(endpoint(CLAUDE, GPT, NATIVE), *[FakeUpstream(b"{}", status=500)] * 2, sse())
    world.transport.answers[-1] = FakeUpstream(dumps(GEMINIS))
    told = loads(asked(world, MESSAGE, ANTHROPIC_MESSAGES))
    assert told["content"] == [{"type": "text", "text": "Hello"}]
    assert world.record.provider == "gemini"


FAILING = (
    FakeUpstream(dumps({"type": "error", "error": OVERLOADED}), status=529),
    sse(START, BUSY),
    sse(START, TEXT, BUSY),
    sse(START, TEXT),
    sse(START, b"event: x\ndata: {not json}\n\n"),
    FakeUpstream(b"<html>", headers={"content-type": "text/html"}),
)


@pytest.mark.parametrize("failing", FAILING)
def test_a_stream_that_fails_before_its_first_content_falls_back(failing: FakeUpstream) -> None:
    failing = FakeUpstream(*failing.parts, status=failing.status, headers=failing.headers)
    good = (chunk({"role": "assistant"}), chunk({"content": "hi"}), chunk({}, "stop"))
    world = World(endpoint(CLAUDE, GPT), failing, sse(*good, b"data: [DONE]\n\n"))
    told = asked(world, ASK, OPENAI_CHAT)
    assert told == b"".join(good) + b"data: [DONE]\n\n"


@pytest.mark.parametrize("cut", range(1, 5))
def test_a_stream_that_is_cut_ends_in_an_error_of_the_callers(cut: int) -> None:
    parts = [START, TEXT, HELLO, WORLD][:cut]
    world = World(endpoint(CLAUDE), sse(*parts))
    if cut < 3:
        with pytest.raises(UpstreamBroke):
            asked(world, CONTENT, GEMINI, streamed=True)
        return
    told = [loads(data) for data in SseReader().feed(asked(world, CONTENT, GEMINI, streamed=True))]
    assert told[-1]["error"]["status"] == "UNAVAILABLE"
    assert not any("finishReason" in one for event in told for one in event.get("candidates", ()))
    assert world.record.outcome == "failed"


def test_an_error_within_the_stream_is_told_as_the_caller_reads_it() -> None:
    world = World(endpoint(CLAUDE), sse(START, TEXT, HELLO, BUSY))
    told = [loads(data) for data in SseReader().feed(asked(world, ASK, OPENAI_CHAT))]
    assert told[-1]["error"]["message"] == "the provider failed while it answered: Overloaded"
    assert world.record.status == 529


def test_a_providers_refusal_is_told_in_the_callers_shape_with_its_words() -> None:
    refusal = {"error": {"code": 400, "message": "no such tool", "status": "INVALID_ARGUMENT"}}
    world = World(endpoint(NATIVE), FakeUpstream(dumps(refusal), status=400))
    with pytest.raises(UpstreamRejected) as refused:
        asked(world, HI, OPENAI_CHAT)
    assert (refused.value.message, refused.value.foreign) == ("no such tool", True)


def test_what_was_used_is_known_when_the_caller_hangs_up() -> None:
    world = World(endpoint(CLAUDE), sse(START, TEXT, HELLO, WORLD))

    async def go() -> None:
        answer = await answered(world, ASK, OPENAI_CHAT)
        assert not isinstance(answer.body, bytes)
        await answer.body.next()
        await answer.body.close()

    run(go())
    assert world.record.outcome == "hung_up"
    assert world.record.usage == Usage(7, 1, 4)


CALL = opened("tool_use", 0, id="t1", name="f", input={})
PIECE = delta("input_json_delta", 0, partial_json='{"a"')


def test_a_call_that_is_told_in_one_piece_is_no_silence() -> None:
    """Gemini's callers get a call of a tool whole: while it is being said, the line is kept open."""
    timeouts = Timeouts(idle=50, heartbeat=15)
    parts = [
        piece
        for _ in range(9)
        for piece in (Silence(20), delta("input_json_delta", 0, partial_json=" "))
    ]
    rest = [
        delta("input_json_delta", 0, partial_json=": 1}"),
        WHOLE[WHOLE.index(b"event: content_block_stop") :],
    ]
    world = World(endpoint(CLAUDE, timeouts=timeouts), sse(START, CALL, PIECE, *parts, *rest))

    async def go() -> list[bytes]:
        answer = await answered(world, CONTENT, GEMINI, streamed=True)
        assert not isinstance(answer.body, bytes)
        told = []
        while part := await answer.body.next():
            told.append(part)
        await answer.body.close()
        return told

    told = run(go())
    assert told.count(GEMINI.heartbeat) == 12  # in 180 seconds
    said = [loads(data) for data in SseReader().feed(b"".join(told))]
    (call,) = [
        part["functionCall"]
        for one in said
        for part in one["candidates"][0].get("content", {}).get("parts", ())
        if "functionCall" in part
    ]
    assert (call["name"], call["args"]) == ("f", {"a": 1})


def test_a_stream_for_anthropics_callers_keeps_its_order() -> None:
    call = {"index": 0, "id": "c1", "function": {"name": "f", "arguments": ""}}
    parts = (
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "hm"}),
        chunk({"tool_calls": [call]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}),
        chunk({}, "tool_calls"),
        b"data: [DONE]\n\n",
    )
    told = asked(World(endpoint(), sse(*parts)), MESSAGE | {"stream": True}, ANTHROPIC_MESSAGES)
    assert faults(told) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("previous_response_id", "resp_1"),
        ("conversation", "conv_1"),
        ("background", True),
        ("prompt", {"id": "p"}),
    ],
)
def test_what_only_a_provider_that_remembers_can_answer_is_refused(field: str, value: Any) -> None:
    world = World(endpoint(CLAUDE))
    with pytest.raises(BadRequest) as refused:
        asked(world, {"model": "e", "input": "x", field: value}, OPENAI_RESPONSES)
    assert refused.value.field == field
    relayed = World(endpoint(), FakeUpstream(b'{"id":"r1"}'))
    asked(relayed, {"model": "e", "input": "x", field: value}, OPENAI_RESPONSES)
    assert loads(relayed.transport.sent[0].body)[field] == value


def test_tokens_are_counted_by_who_counts_otherwise() -> None:
    world = World(endpoint(NATIVE), FakeUpstream(b'{"totalTokens":31}'))
    assert loads(asked(world, HI, ANTHROPIC_COUNT)) == {"input_tokens": 31}
    assert world.transport.sent[0].url.endswith("/models/gemini-real:countTokens")
    world = World(endpoint(CLAUDE), FakeUpstream(b'{"input_tokens":31}'))
    assert loads(asked(world, CONTENT, GEMINI_COUNT))["totalTokens"] == 31
    assert world.record.usage is None


def test_who_counts_takes_the_names_of_the_tools_too() -> None:
    world = World(endpoint(NATIVE), FakeUpstream(b'{"totalTokens":31}'))
    tool = {"name": "7zip", "input_schema": {"type": "object"}}
    asked(world, {**HI, "tools": [tool]}, ANTHROPIC_COUNT)
    sent = loads(world.transport.sent[0].body)["generateContentRequest"]
    (declared,) = sent["tools"][0]["functionDeclarations"]
    assert re.fullmatch("tool_7zip_[0-9a-f]{8}", declared["name"])


def test_embeddings_cross_both_ways() -> None:
    batch = {"embeddings": [{"values": [1.0, 0.5]}, {"values": [0.25]}]}
    world = World(endpoint(NATIVE), FakeUpstream(dumps(batch)))
    told = loads(asked(world, {"model": "e", "input": ["a", "b"]}, OPENAI_EMBEDDINGS))
    assert [one["embedding"] for one in told["data"]] == [[1.0, 0.5], [0.25]]
    rows = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}
    usage = {"model": "m", "usage": {"prompt_tokens": 3, "total_tokens": 3}}
    world = World(endpoint(), FakeUpstream(dumps({**rows, **usage})))
    single = {"content": {"parts": [{"text": "a"}]}}
    told = loads(asked(world, single, GEMINI_EMBED))
    assert told["embedding"] == {"values": [0.5]}
    assert world.record.usage == Usage(3)


def test_token_numbers_are_nothing_that_gemini_could_embed() -> None:
    with pytest.raises(Unsupported):
        asked(World(endpoint(NATIVE)), {"model": "e", "input": [[1, 2]]}, OPENAI_EMBEDDINGS)


def test_an_answer_that_is_cancelled_leaves_nothing_open() -> None:
    upstream = sse(START, TEXT, HELLO, Silence(5))
    world = World(endpoint(CLAUDE), upstream)

    async def go() -> None:
        answer = await answered(world, ASK, OPENAI_CHAT)
        assert not isinstance(answer.body, bytes)
        await answer.body.next()
        closing = asyncio.ensure_future(answer.body.close())
        await asyncio.sleep(0)
        closing.cancel()
        await world.gateway.close()

    run(go())
    assert upstream.closed >= 1
    assert world.record.outcome == "hung_up"


def test_what_another_provider_sealed_does_not_reach_one_that_relays() -> None:
    """The conversation began with Gemini's model, and goes on with Claude."""
    seal = carried(Seal("gemini", "c2VhbA=="))
    thought = {"type": "thinking", "thinking": "hm", "signature": seal}
    turns = [
        HI["messages"][0],
        {"role": "assistant", "content": [thought, {"type": "text", "text": "a"}]},
    ]
    world = World(endpoint(CLAUDE), FakeUpstream(REPLY))
    answer = run(answered(world, MESSAGE | {"messages": turns}, ANTHROPIC_MESSAGES))
    sent = loads(world.transport.sent[0].body)
    assert sent["messages"][1]["content"] == [{"type": "text", "text": "a"}]
    assert answer.headers["x-gateway-dropped"] == "thinking"


def test_a_provider_that_wants_the_thoughts_of_a_tool_turn_gets_them() -> None:
    use = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
    thought = {"type": "thinking", "thinking": "hm", "signature": ""}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "ok"}
    turns = [
        HI["messages"][0],
        {"role": "assistant", "content": [thought, use]},
        {"role": "user", "content": [result]},
    ]
    chat = replace(Target("deepseek", "deepseek-chat", "key"), dialect="openai_chat")
    world = World(endpoint(chat), FakeUpstream(b"{}", status=500))
    with pytest.raises(UpstreamRejected):
        asked(world, MESSAGE | {"messages": turns}, ANTHROPIC_MESSAGES)
    (said,) = [m for m in loads(world.transport.sent[0].body)["messages"] if m.get("tool_calls")]
    assert said["reasoning_content"] == "hm"


def nested(depth: int) -> Json:
    value: Any = "x"
    for _ in range(depth):
        value = {"properties": {"a": value}}
    return {"type": "object", **value}


@pytest.mark.parametrize("depth", [130, 450])
@pytest.mark.parametrize("target", [CLAUDE, NATIVE, GPT, replace(GPT, dialect="openai_responses")])
def test_a_body_that_nests_too_deep_is_the_callers_mistake(depth: int, target: Target) -> None:
    tool = {"name": "f", "input_schema": nested(depth)}
    world = World(endpoint(target), FakeUpstream(b"{}", status=500))
    with pytest.raises((BadRequest, UpstreamRejected)) as refused:
        asked(world, MESSAGE | {"tools": [tool]}, ANTHROPIC_MESSAGES)
    if isinstance(refused.value, BadRequest):
        assert (refused.value.status, refused.value.code) == (400, "nested_too_deep")
    else:  # it is relayed: who is asked may say so
        assert target is CLAUDE


def test_so_is_one_that_must_be_cleaned_of_seals() -> None:
    tool = {"name": "f", "input_schema": nested(450), "description": carried(None)}
    with pytest.raises(BadRequest) as refused:
        asked(World(endpoint(CLAUDE)), MESSAGE | {"tools": [tool]}, ANTHROPIC_MESSAGES)
    assert refused.value.code == "nested_too_deep"


def test_an_answer_that_nests_too_deep_is_the_providers_fault() -> None:
    use = {"type": "tool_use", "id": "t", "name": "f", "input": nested(400)}
    reply = {**loads(REPLY), "content": [use], "stop_reason": "tool_use"}
    world = World(endpoint(CLAUDE), FakeUpstream(json.dumps(reply).encode()))
    with pytest.raises(UpstreamBroke):
        asked(world, CONTENT, GEMINI)


@pytest.mark.parametrize("dialect", [OPENAI_CHAT, ANTHROPIC_MESSAGES])
def test_a_key_that_is_spelled_with_escapes_is_hidden_too(dialect: Dialect) -> None:
    spelled = "".join(f"\\u{ord(c):04x}" for c in "sk-secret")
    said = (
        b'{"type":"error","error":{"type":"api_error","message":"bad key %s"}}' % spelled.encode()
    )
    world = World(endpoint(CLAUDE), FakeUpstream(said, status=401))
    with pytest.raises(UpstreamRejected) as refused:
        asked(world, MESSAGE, dialect)
    assert refused.value.message == "bad key ***"
    assert b"sk-secret" not in refused.value.body
    assert spelled.encode() not in refused.value.body


def test_a_long_word_in_an_error_takes_no_long_time() -> None:
    world = World(endpoint(CLAUDE), FakeUpstream(b"a-" * 100_000, status=400))
    with pytest.raises(UpstreamRejected):
        asked(world, MESSAGE, ANTHROPIC_MESSAGES)


OVERLONG = {
    CLAUDE: {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "prompt is too long: 9 > 8"},
    },
    NATIVE: {
        "error": {
            "code": 400,
            "message": "The input token count (9) exceeds the maximum number of tokens allowed (8).",
            "status": "INVALID_ARGUMENT",
        }
    },
    GPT: {"error": {"message": "This model's maximum context length is 8 tokens.", "code": None}},
}


@pytest.mark.parametrize("target", OVERLONG, ids=lambda target: target.provider)
def test_a_conversation_that_is_too_long_is_told_as_each_caller_looks_for_it(
    target: Target,
) -> None:
    def refusal(body: Json, dialect: Dialect) -> Json:
        world = World(endpoint(target), FakeUpstream(dumps(OVERLONG[target]), status=400))
        with pytest.raises(UpstreamRejected) as refused:
            asked(world, body, dialect)
        answer = answer_for(refused.value, detail=False, dialect=dialect)
        assert isinstance(answer.body, bytes)
        told: Json = loads(answer.body)["error"]
        return told

    if target is not GPT:  # that one is relayed, in its own words
        assert refusal(HI, OPENAI_CHAT)["code"] == "context_length_exceeded"
    assert "prompt is too long" in refusal(MESSAGE, ANTHROPIC_MESSAGES)["message"]


def test_how_long_to_wait_is_told_in_the_header_that_clients_read() -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "36.2s"}
    refusal = {"error": {"code": 429, "message": "m", "status": "X", "details": [{}, info]}}
    world = World(endpoint(NATIVE), FakeUpstream(dumps(refusal), status=429))
    with pytest.raises(UpstreamRejected) as refused:
        asked(world, HI, OPENAI_CHAT)
    answer = answer_for(refused.value, detail=False, dialect=OPENAI_CHAT)
    assert answer.headers["retry-after"] == "37"


ODD = "files.read:" + "x" * 70


@pytest.mark.parametrize("stream", [False, True])
def test_a_tools_name_that_the_provider_would_refuse_is_fitted_and_given_back(stream: bool) -> None:
    """What goes out is known only once it is out: the answer calls the tool by that name."""
    tool = {"type": "function", "function": {"name": ODD, "parameters": {"type": "object"}}}
    plain = {"type": "function", "function": {"name": "plain", "parameters": {"type": "object"}}}
    call = {"id": "c0", "type": "function", "function": {"name": ODD, "arguments": "{}"}}
    turns = [
        HI["messages"][0],
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c0", "content": "ok"},
    ]
    chosen = {"type": "function", "function": {"name": ODD}}
    body = {"model": "e", "messages": turns, "tools": [tool, plain], "tool_choice": chosen}
    world = World(endpoint(CLAUDE), FakeUpstream(b"{}", status=500))
    with pytest.raises(UpstreamRejected):
        asked(world, body, OPENAI_CHAT)
    sent = loads(world.transport.sent[0].body)
    name = sent["tools"][0]["name"]
    assert re.fullmatch(r"files_read_x+_[0-9a-f]{8}", name)
    assert len(name) == 64
    assert sent["tools"][1]["name"] == "plain"
    assert sent["tool_choice"]["name"] == sent["messages"][1]["content"][0]["name"] == name
    assert world.record.dropped == ()
    if stream:
        told = asked(
            World(
                endpoint(CLAUDE),
                sse(START, opened("tool_use", 0, id="t", name=name, input={}), STOP, TOLD, END),
            ),
            body | {"stream": True},
            OPENAI_CHAT,
        )
        assert [
            c["choices"][0]["delta"]["tool_calls"][0]["function"]["name"]
            for data in SseReader().feed(told)
            if b'"name"' in data
            for c in [loads(data)]
        ] == [ODD]
    else:
        use = {"type": "tool_use", "id": "t", "name": name, "input": {}}
        reply = {**loads(REPLY), "content": [use], "stop_reason": "tool_use"}
        told = asked(World(endpoint(CLAUDE), FakeUpstream(dumps(reply))), body, OPENAI_CHAT)
        message = loads(told)["choices"][0]["message"]
        assert message["tool_calls"][0]["function"]["name"] == ODD


def test_a_strict_endpoint_bears_what_another_model_sealed_before() -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": carried(Seal("anthropic", "S"))}
    turns = [
        HI["messages"][0],
        {"role": "assistant", "content": [thought, {"type": "text", "text": "a"}]},
        HI["messages"][0],
    ]
    world = World(endpoint(NATIVE, strict=True), FakeUpstream(dumps(GEMINIS)))
    asked(world, MESSAGE | {"messages": turns}, ANTHROPIC_MESSAGES)
    assert world.record.dropped == ("thinking",)


RESPONSES = replace(GPT, dialect="openai_responses")


ANSWERED = {GPT: "openai_chat", RESPONSES: "openai_responses", NATIVE: "gemini"}


def sent_and_lost(target: Target, body: Json, dialect: Dialect) -> tuple[Json, tuple[str, ...]]:
    world = World(endpoint(target), FakeUpstream(dumps(ANSWERS[ANSWERED[target]])))
    asked(world, body, dialect)
    return loads(world.transport.sent[0].body), world.record.dropped


@pytest.mark.parametrize("target", [GPT, RESPONSES], ids=["chat", "responses"])
def test_a_user_that_openai_would_refuse_is_left_out_and_told(target: Target) -> None:
    """Claude Code's is 150 characters long."""
    for length, lost in ((64, ()), (65, ("user",))):
        body = MESSAGE | {"max_tokens": 99, "metadata": {"user_id": "u" * length}}
        sent, dropped = sent_and_lost(target, body, ANTHROPIC_MESSAGES)
        assert ("user" in sent) == (not lost)
        assert dropped == lost


def test_responses_say_at_least_sixteen_tokens() -> None:
    sent, dropped = sent_and_lost(RESPONSES, MESSAGE | {"max_tokens": 1}, ANTHROPIC_MESSAGES)
    assert (sent["max_output_tokens"], dropped) == (16, ("max_tokens",))


@pytest.mark.parametrize("target", [GPT, RESPONSES, NATIVE])
def test_who_has_nothing_but_a_system_to_say_says_it(target: Target) -> None:
    body = {"model": "e", "max_tokens": 99, "system": "Say hi.", "messages": []}
    sent, dropped = sent_and_lost(target, body, ANTHROPIC_MESSAGES)
    assert dropped == ("system.position",)
    (said,) = sent.get("messages") or sent.get("input") or sent["contents"]
    assert said["role"] == "user"


@pytest.mark.parametrize("target", [GPT, RESPONSES, NATIVE])
def test_where_no_tool_is_left_none_is_chosen(target: Target) -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    choice = {"type": "tool", "name": "web_search"}
    body = MESSAGE | {"max_tokens": 99, "tools": [search], "tool_choice": choice}
    sent, dropped = sent_and_lost(target, body, ANTHROPIC_MESSAGES)
    assert not {"tools", "tool_choice", "toolConfig"} & sent.keys()
    assert dropped == ("tool_choice", "tools.web_search_20250305")


@pytest.mark.parametrize("target", [GPT, RESPONSES, NATIVE])
def test_what_claude_code_tells_anthropic_is_told_to_nobody_else(target: Target) -> None:
    """It differs in every call, so whatever stood behind it would never be found in a cache."""
    billing = {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1; cch=a1b2c;"}
    system = [billing, {"type": "text", "text": "Be brief."}]
    body = MESSAGE | {"max_tokens": 99, "system": system}
    sent, dropped = sent_and_lost(target, body, ANTHROPIC_MESSAGES)
    assert dropped == ("system[].x-anthropic-billing-header",)
    assert b"cch=" not in dumps(sent)
    strict = World(endpoint(target, strict=True), FakeUpstream(dumps(ANSWERS[ANSWERED[target]])))
    asked(strict, body, ANTHROPIC_MESSAGES)
    assert strict.record.outcome == "answered"
