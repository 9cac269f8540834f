"""Answers that come as they are produced."""

import asyncio

import pytest

from gateway.dialects import OPENAI_RESPONSES
from gateway.errors import UpstreamBroke, UpstreamRejected, UpstreamTimedOut
from gateway.exchange.answer import Stream
from gateway.exchange.stream import ReplyStream
from gateway.routing.endpoint import Target
from gateway.usage import Usage
from gateway.wire.json import Json, dumps, loads
from tests.fakes import GPT, GROQ, HI, FakeUpstream, Hang, Silence, Timeouts, World, endpoint, run

ASK = HI | {"stream": True}
PING = b": heartbeat\n\n"


def chunk(delta: Json, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + dumps({"id": "c1", "choices": [choice]}) + b"\n\n"


ROLE = chunk({"role": "assistant", "content": ""})
HELLO = chunk({"content": "Hello"})
WORLD = chunk({"content": " world"})
STOP = chunk({}, "stop")
USAGE = b'data: {"id":"c1","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}\n\n'
DONE = b"data: [DONE]\n\n"
BUSY = b'data: {"error":{"message":"overloaded","code":503}}\n\n'


def error_event(message: str, type: str = "upstream_error", code: str | None = None) -> bytes:
    body = {"error": {"message": message, "type": type, "param": None, "code": code}}
    return b"data: " + dumps(body) + b"\n\n"


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


def stream_of(answer: object) -> Stream:
    body = getattr(answer, "body", None)
    assert isinstance(body, ReplyStream)
    return body


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


def test_a_caller_who_hangs_up_closes_the_upstream_and_is_settled() -> None:
    async def hang_up() -> tuple[World, FakeUpstream]:
        upstream = FakeUpstream(ROLE, HELLO, Hang())
        world = World(endpoint(), upstream)
        body = stream_of(await world.answer(ASK))
        await body.next()
        reading = asyncio.ensure_future(body.next())
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait({reading})
        await body.close()
        return world, upstream

    world, upstream = run(hang_up())
    assert upstream.closed == 1
    assert (world.record.outcome, world.record.status) == ("hung_up", 499)


def test_a_caller_who_hangs_up_before_reading_is_settled_too() -> None:
    async def hang_up() -> tuple[World, FakeUpstream]:
        upstream = FakeUpstream(ROLE, HELLO, Hang())
        world = World(endpoint(), upstream)
        await stream_of(await world.answer(ASK)).close()
        return world, upstream

    world, upstream = run(hang_up())
    assert upstream.closed == 1
    assert world.record.outcome == "hung_up"


@pytest.mark.parametrize("ask", [ASK, HI])
def test_a_caller_who_hangs_up_while_the_provider_thinks_is_settled_too(ask: Json) -> None:
    async def hang_up() -> tuple[World, FakeUpstream]:
        thinking = Hang()
        upstream = FakeUpstream(thinking)
        world = World(endpoint(), upstream)
        answering = asyncio.ensure_future(world.answer(ask))
        await thinking.reached.wait()
        answering.cancel()
        await asyncio.wait({answering})
        assert answering.cancelled()
        return world, upstream

    world, upstream = run(hang_up())
    assert upstream.closed == 1
    assert world.record.outcome == "hung_up"


def test_a_stream_is_settled_once_however_often_it_is_closed() -> None:
    async def twice() -> World:
        world = World(endpoint(), FakeUpstream(HELLO, STOP, DONE))
        body = stream_of(await world.answer(ASK))
        await asyncio.gather(body.close(), body.close())
        return world

    assert len(run(twice()).ledger.records) == 1


def test_the_first_byte_may_never_come() -> None:
    world = World(endpoint(), UpstreamTimedOut("no answer"))
    with pytest.raises(UpstreamTimedOut):
        run(world.ask(ASK))


CREATED = b'event: response.created\ndata: {"type":"response.created","response":{"id":"r"}}\n\n'
DELTA = b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta"}\n\n'
COMPLETED = (
    b'event: response.completed\ndata: {"type":"response.completed","response":{"id":"r",'
    b'"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":4},"output_tokens":2}}}\n\n'
)
FAILED = (
    b'data: {"type":"response.failed","response":{"error":{"code":"server_error","message":"no"}}}'
    b"\n\n"
)
RESPOND: Json = {"model": "e", "input": "x", "stream": True}


def test_a_response_stream_is_relayed_and_metered() -> None:
    world = World(endpoint(), FakeUpstream(CREATED, DELTA, COMPLETED))
    assert run(world.ask(RESPOND, OPENAI_RESPONSES)) == CREATED + DELTA + COMPLETED
    assert world.record.usage == Usage(input_tokens=5, output_tokens=2, cache_read_tokens=4)


def test_a_response_that_fails_before_its_content_falls_back() -> None:
    answers = FakeUpstream(CREATED, FAILED), FakeUpstream(CREATED, DELTA, COMPLETED)
    world = World(endpoint(GPT, GROQ), *answers)
    assert run(world.ask(RESPOND, OPENAI_RESPONSES)) == CREATED + DELTA + COMPLETED


def test_a_response_that_fails_later_says_so_itself() -> None:
    world = World(endpoint(), FakeUpstream(CREATED, DELTA, FAILED))
    assert run(world.ask(RESPOND, OPENAI_RESPONSES)) == CREATED + DELTA + FAILED


def test_a_response_stream_that_is_cut_ends_with_its_own_kind_of_error() -> None:
    world = World(endpoint(), FakeUpstream(CREATED, DELTA))
    out = run(world.ask(RESPOND, OPENAI_RESPONSES))
    tail = out.removeprefix(CREATED + DELTA)
    assert tail.startswith(b"event: error\ndata: ")
    assert loads(tail.split(b"data: ")[1])["type"] == "error"
