"""Answers that come as they are produced."""

import asyncio

import pytest

from gateway.dialects import OPENAI_CHAT
from gateway.errors import UpstreamBroke, UpstreamRejected, UpstreamTimedOut
from gateway.exchange import attempt
from gateway.exchange.bridge import Relay
from gateway.exchange.exchange import Call
from gateway.routing.endpoint import Target
from gateway.usage import Usage
from gateway.wire.json import dumps, loads
from gateway.wire.sse import SseSplitter
from tests.exchange.chunks import (
    ASK,
    BUSY,
    DONE,
    HELLO,
    PING,
    ROLE,
    STOP,
    USAGE,
    WORLD,
    error_event,
    stream_of,
)
from tests.fakes import (
    CALLER,
    GPT,
    GROQ,
    FakeUpstream,
    Hang,
    Silence,
    Timeouts,
    World,
    endpoint,
    run,
)


def test_a_stream_is_relayed_as_it_came_but_for_the_usage_nobody_asked_to_see() -> None:
    world = World(endpoint(), FakeUpstream(ROLE, HELLO, WORLD, STOP, USAGE, DONE))
    assert run(world.ask(ASK)) == ROLE + HELLO + WORLD + STOP + DONE
    assert world.record.usage == Usage(input_tokens=7, output_tokens=2)
    assert world.record.outcome == "answered"


def test_who_asked_for_the_usage_gets_it() -> None:
    world = World(endpoint(), FakeUpstream(ROLE, HELLO, STOP, USAGE, DONE))
    asked = ASK | {"stream_options": {"include_usage": True}}
    assert run(world.ask(asked)) == ROLE + HELLO + STOP + USAGE + DONE


def test_usage_is_asked_of_the_provider_in_any_case() -> None:
    world = World(endpoint(), FakeUpstream(HELLO, STOP, DONE))
    run(world.ask(ASK | {"stream_options": {"include_obfuscation": False}}))
    assert loads(world.transport.sent[0].body)["stream_options"] == {
        "include_obfuscation": False,
        "include_usage": True,
    }


def test_a_provider_that_refuses_stream_options_is_not_sent_them() -> None:
    world = World(endpoint(Target("mistral", "m", "key")), FakeUpstream(HELLO, STOP, DONE))
    run(world.ask(ASK | {"stream_options": {"include_usage": True}}))
    assert loads(world.transport.sent[0].body) == ASK | {"model": "m"}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_however_the_bytes_are_cut_the_caller_gets_the_same(size: int) -> None:
    whole = ROLE + HELLO + WORLD + STOP + USAGE + DONE
    parts = [whole[at : at + size] for at in range(0, len(whole), size)]
    world = World(endpoint(), FakeUpstream(*parts))
    assert run(world.ask(ASK)) == ROLE + HELLO + WORLD + STOP + DONE
    assert world.record.usage == Usage(input_tokens=7, output_tokens=2)


def test_each_event_leaves_as_soon_as_it_is_whole() -> None:
    async def parts() -> list[bytes]:
        world = World(endpoint(), FakeUpstream(ROLE, HELLO, WORLD[:9], WORLD[9:], STOP, DONE))
        body = stream_of(await world.answer(ASK))
        seen = []
        while part := await body.next():
            seen.append(part)
        await body.close()
        return seen

    assert run(parts()) == [ROLE + HELLO, WORLD, STOP, DONE]


def test_no_status_goes_out_before_content() -> None:
    """An error after the role alone is still a true status, and falls back."""
    world = World(endpoint(GPT, GROQ), FakeUpstream(ROLE, BUSY), FakeUpstream(HELLO, STOP, DONE))
    assert run(world.ask(ASK)) == HELLO + STOP + DONE
    assert world.record.attempts == 2


@pytest.mark.parametrize(
    "first",
    [
        FakeUpstream(),
        FakeUpstream(ROLE),
        FakeUpstream(DONE[:-4]),
        FakeUpstream(b"data: {not json}\n\n"),
        FakeUpstream(b"data: [1]\n\n"),
        FakeUpstream(ROLE, UpstreamBroke("cut")),
        FakeUpstream(b"{}", headers={"content-type": "application/json"}),
        FakeUpstream(b"{}", status=503),
        FakeUpstream(ROLE, Silence(1000)),
    ],
)
def test_falls_back_when_a_stream_fails_before_its_content(first: FakeUpstream) -> None:
    world = World(endpoint(GPT, GROQ), first, FakeUpstream(HELLO, STOP, DONE))
    assert run(world.ask(ASK)) == HELLO + STOP + DONE
    assert first.closed == 1


def test_a_stream_that_goes_on_without_content_has_no_longer_than_one_that_is_silent() -> None:
    waited = Timeouts(first_content=5, commit_after=60)
    upstream = FakeUpstream(Silence(5), *[ROLE] * 9, HELLO, STOP, DONE)
    world = World(endpoint(timeouts=waited), upstream)
    with pytest.raises(UpstreamTimedOut, match="began no answer in time"):
        run(world.ask(ASK))


def test_a_stream_refused_at_once_is_a_true_status() -> None:
    world = World(endpoint(), FakeUpstream(b'{"error":{"message":"no"}}', status=400))
    with pytest.raises(UpstreamRejected):
        run(world.ask(ASK))
    assert (world.record.status, len(world.ledger.records)) == (400, 1)


def test_a_stream_that_is_cut_ends_with_an_error_and_without_done() -> None:
    world = World(endpoint(), FakeUpstream(ROLE, HELLO, UpstreamBroke("the line was cut")))
    assert run(world.ask(ASK)) == ROLE + HELLO + error_event("the line was cut")
    assert (world.record.outcome, world.record.error) == ("failed", "UpstreamBroke")


def test_a_stream_without_its_terminal_event_is_not_passed_off_as_complete() -> None:
    world = World(endpoint(), FakeUpstream(ROLE, HELLO, STOP))
    assert run(world.ask(ASK)) == ROLE + HELLO + STOP + error_event(
        "the provider's stream ended without its last event"
    )


def test_half_an_event_at_the_end_is_not_handed_on() -> None:
    world = World(endpoint(), FakeUpstream(HELLO, WORLD[:12]))
    assert b"world" not in run(world.ask(ASK))


def test_an_error_in_the_stream_ends_it_in_the_callers_dialect() -> None:
    world = World(endpoint(), FakeUpstream(HELLO, WORLD + BUSY + STOP + DONE))
    assert run(world.ask(ASK)) == HELLO + WORLD + error_event(
        "the provider failed while it answered: overloaded", "service_unavailable_error"
    )
    assert world.record.status == 503


def test_what_comes_after_the_end_is_not_handed_on() -> None:
    world = World(endpoint(), FakeUpstream(HELLO, STOP + DONE + HELLO, HELLO))
    assert run(world.ask(ASK)) == HELLO + STOP + DONE


def test_a_silent_line_is_kept_open_and_then_given_up() -> None:
    served = endpoint(timeouts=Timeouts(idle=40, heartbeat=15))
    world = World(served, FakeUpstream(HELLO, Silence(35), WORLD, Silence(100)))
    assert run(world.ask(ASK)) == (
        HELLO
        + PING * 2
        + WORLD
        + PING * 2
        + error_event("the provider fell silent for 40 seconds", "timeout_error")
    )
    assert world.record.status == 504


def test_heartbeats_never_split_an_event() -> None:
    served = endpoint(timeouts=Timeouts(heartbeat=15))
    world = World(served, FakeUpstream(HELLO, WORLD[:9], Silence(20), WORLD[9:], DONE))
    assert run(world.ask(ASK)) == HELLO + PING + WORLD + DONE


def test_a_long_thought_is_committed_and_kept_open() -> None:
    async def parts() -> list[bytes]:
        thinking = Hang()
        served = endpoint(GPT, GROQ, timeouts=Timeouts(commit_after=0.01, heartbeat=0.01))
        world = World(served, thinking)
        answer = await world.answer(ASK)
        assert answer.status == 200
        body = stream_of(answer)
        seen = [await body.next(), await body.next()]
        await body.close()
        assert world.record.outcome == "hung_up"
        return seen

    assert run(parts()) == [PING, PING]


def test_a_failure_after_an_early_commit_may_still_fall_back() -> None:
    async def seen() -> bytes:
        class Late(FakeUpstream):
            async def next(self, patience: float) -> bytes | None:
                await asyncio.sleep(0.05)
                return await super().next(patience)

        served = endpoint(GPT, GROQ, timeouts=Timeouts(commit_after=0.01, heartbeat=10))
        world = World(served, Late(ROLE, BUSY), FakeUpstream(HELLO, STOP, DONE))
        return await world.ask(ASK)

    assert run(seen()) == PING + HELLO + STOP + DONE


def test_a_failure_of_all_after_an_early_commit_is_an_error_event() -> None:
    async def seen() -> bytes:
        class Late(FakeUpstream):
            async def next(self, patience: float) -> bytes | None:
                await asyncio.sleep(0.05)
                return await super().next(patience)

        served = endpoint(timeouts=Timeouts(commit_after=0.01, heartbeat=10))
        return await World(served, Late(ROLE)).ask(ASK)

    assert run(seen()) == PING + error_event("the provider's stream ended before it began")


def test_a_complete_answer_stays_complete_when_the_line_is_cut_after_it() -> None:
    world = World(endpoint(), FakeUpstream(HELLO, STOP + DONE, UpstreamBroke("cut")))
    assert run(world.ask(ASK)) == HELLO + STOP + DONE
    assert world.record.outcome == "answered"


def test_a_stream_that_never_comes_to_its_content_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attempt, "LARGEST_START", 1000)
    world = World(endpoint(GPT, GROQ), FakeUpstream(*[ROLE] * 50), FakeUpstream(HELLO, STOP, DONE))
    assert run(world.ask(ASK)) == HELLO + STOP + DONE


def test_an_event_beyond_all_bounds_breaks_the_stream() -> None:
    relay = Relay(Call("r", CALLER, OPENAI_CHAT, "e", dumps(ASK), ASK))
    relay._splitter = SseSplitter(limit=100)
    assert relay.feed(HELLO) == HELLO
    assert relay.feed(b"data: " + b"x" * 200) == b""
    assert str(relay.failure) == (
        "the provider's stream is malformed: an event is larger than 100 bytes"
    )
    assert relay.feed(DONE) == b""


def test_the_first_byte_may_never_come() -> None:
    world = World(endpoint(), UpstreamTimedOut("no answer"))
    with pytest.raises(UpstreamTimedOut):
        run(world.ask(ASK))


def test_half_events_are_no_sign_of_life() -> None:
    """A provider may drip bytes of an event for ever: the caller still gets heartbeats, then an end."""
    drip = [piece for byte in WORLD[:20] for piece in (Silence(5), bytes([byte]))]
    served = endpoint(timeouts=Timeouts(idle=40, heartbeat=15))
    world = World(served, FakeUpstream(HELLO, *drip))
    assert run(world.ask(ASK)) == HELLO + PING * 2 + error_event(
        "the provider fell silent for 40 seconds", "timeout_error"
    )


def test_a_provider_that_goes_on_after_the_end_holds_up_no_settlement() -> None:
    class Endless(FakeUpstream):
        async def next(self, patience: float) -> bytes | None:
            if self.parts:
                return await super().next(patience)
            await asyncio.sleep(0.001)
            return b": more\n\n"

    upstream = Endless(HELLO, STOP + DONE)
    world = World(endpoint(), upstream)
    assert run(world.ask(ASK)) == HELLO + STOP + DONE
    assert (world.record.outcome, upstream.closed) == ("answered", 1)


def test_a_whole_answer_in_the_place_of_a_stream_says_what_is_wrong() -> None:
    loading = b'{"error":{"message":"the model is loading","code":503}}'
    upstream = FakeUpstream(loading, headers={"content-type": "application/json"})
    with pytest.raises(UpstreamBroke, match="the model is loading") as raised:
        run(World(endpoint(), upstream).ask(ASK))
    assert raised.value.status == 503


def test_a_key_in_the_middle_of_a_stream_is_hidden() -> None:
    bad = b'data: {"error":{"message":"bad key sk-secret"}}\n\n'
    world = World(endpoint(), FakeUpstream(HELLO, bad))
    assert run(world.ask(ASK)) == HELLO + error_event(
        "the provider failed while it answered: bad key ***"
    )
