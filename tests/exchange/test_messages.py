"""Calls in Anthropic's dialect, relayed: what goes out, what comes back, who is tried next."""

import asyncio

import pytest

from gateway.dialects import ANTHROPIC_COUNT, ANTHROPIC_MESSAGES, OPENAI_CHAT, Dialect
from gateway.errors import Unsupported, UpstreamBroke, UpstreamRejected, UpstreamUnreachable
from gateway.routing.endpoint import Price, Retries, Target
from gateway.usage import Usage
from gateway.wire.json import Json, dumps
from tests.dialects.messages import (
    BUSY,
    END,
    HELLO,
    OVERLOADED,
    PING,
    REPLY,
    START,
    STOP,
    TEXT,
    TOLD,
    WHOLE,
    WORLD,
    delta,
    event,
    faults,
)
from tests.fakes import FakeUpstream, Silence, Timeouts, World, endpoint, run

CLAUDE = Target("anthropic", "claude-real", "key", price=Price(3, 15, 0.3, 3.75))
OTHER = Target("anthropic_compatible", "other", "key", base_url="https://other.example/anthropic")
HI: Json = {"model": "e", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
ASK = HI | {"stream": True}
PASSED = {"request-id": "req_1", "anthropic-ratelimit-tokens-remaining": "7"}


def ask(world: World, body: Json = ASK, dialect: Dialect = ANTHROPIC_MESSAGES) -> bytes:
    return run(world.ask(body, dialect))


def error_event(message: str, kind: str = "api_error") -> bytes:
    return event("error", error={"type": kind, "message": message})


def test_the_providers_bytes_reach_the_caller_untouched() -> None:
    world = World(endpoint(CLAUDE), FakeUpstream(REPLY[:20], REPLY[20:]))
    assert ask(world, HI) == REPLY
    (sent,) = world.transport.sent
    assert sent.url == "https://api.anthropic.com/v1/messages"
    assert sent.body == dumps(HI | {"model": "claude-real"})


def test_the_model_alone_is_changed_in_a_stream_too() -> None:
    world = World(endpoint(CLAUDE), FakeUpstream(WHOLE))
    odd = ASK | {"stream_options": {"x": 1.0}}
    assert ask(world, odd) == WHOLE
    assert world.transport.sent[0].body == dumps(odd | {"model": "claude-real"})


def test_the_key_goes_where_anthropic_looks_for_it() -> None:
    world = World(endpoint(CLAUDE), FakeUpstream(REPLY))
    headers = {"x-api-key": "mine", "cookie": "a=b", "openai-beta": "x"}
    run(world.ask(HI, ANTHROPIC_MESSAGES, headers))
    assert world.transport.sent[0].headers == {
        "content-type": "application/json",
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": "sluicegate",
        "anthropic-version": "2023-06-01",
        "x-api-key": "sk-secret",
    }


def test_the_same_provider_takes_it_elsewhere_in_another_dialect() -> None:
    messages = Target("openrouter", "claude", "key")
    world = World(endpoint(messages), FakeUpstream(b'{"choices": []}'))
    run(world.ask(HI, OPENAI_CHAT, {"anthropic-beta": "b"}))
    sent = world.transport.sent[0]
    assert sent.url == "https://openrouter.ai/api/v1/chat/completions"
    assert sent.headers["authorization"] == "Bearer sk-secret"
    assert sent.headers.keys().isdisjoint({"x-api-key", "anthropic-version", "anthropic-beta"})
    world = World(endpoint(messages), FakeUpstream(REPLY))
    assert ask(world, HI) == REPLY
    assert world.transport.sent[0].url == "https://openrouter.ai/api/v1/messages"


def test_the_callers_version_and_betas_are_the_providers_to_read() -> None:
    world = World(endpoint(OTHER), FakeUpstream(REPLY))
    told = {"anthropic-version": "2026-10-21", "anthropic-beta": "a-1,b-2"}
    run(world.ask(HI, ANTHROPIC_MESSAGES, told))
    sent = world.transport.sent[0]
    assert sent.url == "https://other.example/anthropic/v1/messages"
    assert told.items() <= sent.headers.items()


def test_tokens_are_counted_where_they_would_be_used_and_cost_nothing() -> None:
    world = World(endpoint(CLAUDE), FakeUpstream(b'{"input_tokens":588}'))
    assert ask(world, HI, ANTHROPIC_COUNT) == b'{"input_tokens":588}'
    assert world.transport.sent[0].url == "https://api.anthropic.com/v1/messages/count_tokens"
    record = world.record
    assert (record.dialect, record.usage, record.cost) == ("anthropic_count_tokens", None, None)


def test_what_was_used_is_written_down_with_its_cost() -> None:
    world = World(endpoint(CLAUDE), FakeUpstream(WHOLE))
    ask(world)
    record = world.record
    assert (record.outcome, record.dialect) == ("answered", "anthropic_messages")
    assert record.usage == Usage(input_tokens=7, output_tokens=2, cache_read_tokens=4)
    assert record.cost == pytest.approx((7 * 3 + 4 * 0.3 + 2 * 15) / 1e6)


def test_headers_that_a_caller_can_use_come_back() -> None:
    upstream = FakeUpstream(REPLY, headers={**PASSED, "set-cookie": "a", "server": "cloudflare"})
    answer = run(World(endpoint(CLAUDE), upstream).answer(HI, ANTHROPIC_MESSAGES))
    assert answer.headers == {
        "content-type": "application/json",
        "x-gateway-request-id": "req1",
        "x-gateway-endpoint": "e",
        "x-gateway-target": "anthropic/claude-real",
        **PASSED,
    }


@pytest.mark.parametrize("body", [HI, ASK])
@pytest.mark.parametrize(
    "failing",
    [
        FakeUpstream(b"{}", status=529),
        FakeUpstream(b"{}", status=401),
        FakeUpstream(b"<html>"),
        FakeUpstream(dumps({"type": "error", "error": OVERLOADED})),
        FakeUpstream(START, BUSY),
        FakeUpstream(START, TEXT, PING, BUSY),
        FakeUpstream(START, TEXT),
        FakeUpstream(START, TEXT, HELLO[:-1]),
        FakeUpstream(b'data: {"type": "message_start"}\n\n'),
        FakeUpstream(b"event: message_start\ndata: {not json}\n\n"),
        UpstreamUnreachable("no"),
    ],
)
def test_another_provider_answers_where_one_fails_before_its_content(
    failing: FakeUpstream | Exception, body: Json
) -> None:
    if isinstance(failing, FakeUpstream):
        failing = FakeUpstream(*failing.parts, status=failing.status)
    good = WHOLE if body is ASK else REPLY
    world = World(endpoint(CLAUDE, OTHER), failing, FakeUpstream(good))
    assert ask(world, body) == good
    record = world.record
    assert (record.outcome, record.provider, record.attempts) == (
        "answered",
        "anthropic_compatible",
        len(world.transport.sent),
    )


def test_the_same_provider_is_tried_again_first() -> None:
    busy = [FakeUpstream(START, BUSY) for _ in range(2)]
    world = World(endpoint(CLAUDE, OTHER, retries=Retries(times=2)), *busy, FakeUpstream(WHOLE))
    assert ask(world) == WHOLE
    assert [sent.url for sent in world.transport.sent] == [
        "https://api.anthropic.com/v1/messages"
    ] * 3


def test_a_mistake_of_the_callers_is_nobody_elses_to_try() -> None:
    mistake = dumps({"type": "error", "error": {"type": "invalid_request_error", "message": "m"}})
    world = World(endpoint(CLAUDE, OTHER), FakeUpstream(mistake, status=400))
    with pytest.raises(UpstreamRejected) as refused:
        ask(world)
    assert (refused.value.message, len(world.transport.sent)) == ("m", 1)


def test_an_error_event_after_content_is_the_last_word_and_the_providers_own() -> None:
    world = World(endpoint(CLAUDE, OTHER), FakeUpstream(START, TEXT, HELLO, BUSY, END))
    told = ask(world)
    assert told == START + TEXT + HELLO + BUSY
    assert faults(told) == []
    record = world.record
    assert (record.outcome, record.status) == ("failed", 529)
    assert record.usage == Usage(input_tokens=7, output_tokens=1, cache_read_tokens=4)


@pytest.mark.parametrize(
    "rest",
    [
        (),
        (WORLD[:-1],),
        (STOP, TOLD),
        (STOP, TOLD, END[:-20]),
        (UpstreamBroke("the provider's stream ended without its last event"),),
    ],
)
def test_a_stream_that_is_cut_ends_in_an_error(rest: tuple[bytes | Exception, ...]) -> None:
    world = World(endpoint(CLAUDE, OTHER), FakeUpstream(START, TEXT, HELLO, *rest))
    told = ask(world)
    assert told.endswith(error_event("the provider's stream ended without its last event"))
    assert b"message_stop" not in told
    assert faults(told) == []
    assert (world.record.outcome, world.record.error) == ("failed", "UpstreamBroke")


def test_a_last_event_without_its_blank_line_is_still_the_last() -> None:
    world = World(endpoint(CLAUDE), FakeUpstream(WHOLE[:-1]))
    assert ask(world) == WHOLE + b"\n"
    assert world.record.outcome == "answered"


def test_an_event_of_five_megabytes_is_handed_on_whole() -> None:
    large = delta("input_json_delta", partial_json="x" * 5_000_000)
    stream = START + TEXT + large + STOP + TOLD + END
    parts = [stream[at : at + 65_536] for at in range(0, len(stream), 65_536)]
    world = World(endpoint(CLAUDE), FakeUpstream(*parts))
    assert ask(world) == stream


def test_a_silent_line_is_kept_open_by_the_apis_own_ping() -> None:
    times = Timeouts(heartbeat=5)
    upstream = FakeUpstream(START, TEXT, HELLO, Silence(12), STOP, TOLD, END)
    told = ask(World(endpoint(CLAUDE, timeouts=times), upstream))
    ping = ANTHROPIC_MESSAGES.heartbeat
    assert told == START + TEXT + HELLO + ping + ping + STOP + TOLD + END
    assert faults(told) == []


def test_a_provider_that_falls_silent_is_given_up_in_anthropics_words() -> None:
    times = Timeouts(heartbeat=60, idle=30)
    upstream = FakeUpstream(START, TEXT, HELLO, Silence(31))
    told = ask(World(endpoint(CLAUDE, timeouts=times), upstream))
    silent = error_event("the provider fell silent for 30 seconds", "timeout_error")
    assert told == START + TEXT + HELLO + silent


def test_an_endpoint_that_speaks_no_anthropic_says_so() -> None:
    with pytest.raises(Unsupported) as refused:
        ask(World(endpoint(Target("groq", "llama", "key"))), HI, ANTHROPIC_COUNT)
    assert refused.value.message == (
        "endpoint 'e' is served by 'groq', which does not offer anthropic_count_tokens (it offers "
        "openai_chat, openai_responses)"
    )


def test_a_provider_that_speaks_no_anthropic_is_passed_over() -> None:
    counted = FakeUpstream(b'{"input_tokens":5}')
    world = World(endpoint(Target("groq", "llama", "key"), CLAUDE), counted)
    assert ask(world, HI, ANTHROPIC_COUNT) == b'{"input_tokens":5}'


def test_a_key_is_hidden_in_the_providers_own_last_word() -> None:
    quoted = event("error", error={"type": "api_error", "message": "bad key sk-secret"})
    told = ask(World(endpoint(CLAUDE), FakeUpstream(START, TEXT, HELLO, quoted)))
    assert b"sk-secret" not in told
    assert told.endswith(quoted.replace(b"sk-secret", b"***"))


def test_who_hangs_up_is_settled_with_what_was_used() -> None:
    world = World(endpoint(CLAUDE), FakeUpstream(START, TEXT, HELLO, WORLD))

    async def go() -> None:
        answer = await world.answer(ASK, ANTHROPIC_MESSAGES)
        assert not isinstance(answer.body, bytes)
        assert await answer.body.next() == START + TEXT + HELLO
        await answer.body.close()
        await asyncio.sleep(0)

    run(go())
    assert (world.record.outcome, world.record.status) == ("hung_up", 499)
    assert world.record.usage == Usage(input_tokens=7, output_tokens=1, cache_read_tokens=4)
