"""Streams of OpenAI's Responses."""

from gateway.dialects import OPENAI_RESPONSES
from gateway.usage import Usage
from gateway.wire.json import Json, dumps, loads
from gateway.wire.sse import data_of, events, write_event
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
    error, failed = (loads(data_of(one)) for one in events(out.removeprefix(CREATED + DELTA)))
    cut = "the provider's stream ended without its last event"
    assert (error["type"], error["message"], error["sequence_number"]) == ("error", cut, 0)
    assert failed == {
        "type": "response.failed",
        "sequence_number": 1,
        "response": {
            "id": "r",
            "status": "failed",
            "error": {"code": "server_error", "message": cut},
        },
    }


def numbered(kind: str, number: int, **more: Json) -> bytes:
    return write_event(dumps({"type": kind, "sequence_number": number, **more}), kind)


ERROR: Json = {"type": "tokens", "code": "rate_limit_exceeded", "message": "bad key sk-secret"}


def test_an_error_of_the_providers_is_told_as_it_tells_it_and_quotes_no_key() -> None:
    begun = numbered("response.created", 0, response={"id": "r", "model": "m"})
    said = numbered("response.output_text.delta", 4, delta={})
    error = numbered("error", 5, error=ERROR)
    failed = numbered("response.failed", 6, response={"id": "r", "error": ERROR})
    whole = begun + said + error + failed
    told = {"code": ERROR["code"], "message": "the provider failed while it answered: bad key ***"}
    for parts in ((begun, said, error, failed), (begun, said + error + failed), (whole,)):
        out = run(World(endpoint(), FakeUpstream(*parts)).ask(RESPOND, OPENAI_RESPONSES))
        assert out.startswith(begun + said)
        first, last = (loads(data_of(one)) for one in events(out.removeprefix(begun + said)))
        assert (first["type"], first["sequence_number"]) == ("error", 5)
        assert {name: first["error"][name] for name in told} == told
        assert last == {
            "type": "response.failed",
            "sequence_number": 6,
            "response": {"id": "r", "model": "m", "status": "failed", "error": told},
        }


def test_an_error_without_a_type_falls_back_and_later_quotes_no_key() -> None:
    bare = b'data: {"error": {"message": "bad key sk-secret", "code": 503}}\n\n'
    answers = FakeUpstream(CREATED, bare), FakeUpstream(CREATED, DELTA, COMPLETED)
    world = World(endpoint(GPT, GROQ), *answers)
    assert run(world.ask(RESPOND, OPENAI_RESPONSES)) == CREATED + DELTA + COMPLETED
    for parts in ((CREATED, DELTA, bare), (CREATED + DELTA + bare,)):
        out = run(World(endpoint(), FakeUpstream(*parts)).ask(RESPOND, OPENAI_RESPONSES))
        assert b"sk-secret" not in out
        assert b"bad key ***" in out


def test_a_failure_that_the_caller_reads_itself_quotes_no_key() -> None:
    failed = FAILED.replace(b'"message":"no"', b'"message":"bad key sk-secret"')
    for upstream in (FakeUpstream(CREATED, DELTA, failed), FakeUpstream(CREATED + DELTA + failed)):
        out = run(World(endpoint(), upstream).ask(RESPOND, OPENAI_RESPONSES))
        assert out == CREATED + DELTA + failed.replace(b"sk-secret", b"***")
