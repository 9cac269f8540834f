"""Streams of OpenAI's Responses."""

from gateway.dialects import OPENAI_RESPONSES
from gateway.usage import Usage
from gateway.wire.json import Json, loads
from tests.fakes import GPT, GROQ, FakeUpstream, World, endpoint, run

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


def test_a_failure_that_the_caller_reads_itself_quotes_no_key() -> None:
    failed = FAILED.replace(b'"message":"no"', b'"message":"bad key sk-secret"')
    for upstream in (FakeUpstream(CREATED, DELTA, failed), FakeUpstream(CREATED + DELTA + failed)):
        out = run(World(endpoint(), upstream).ask(RESPOND, OPENAI_RESPONSES))
        assert out == CREATED + DELTA + failed.replace(b"sk-secret", b"***")
