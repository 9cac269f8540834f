"""Answers that come in one piece."""

import pytest

from gateway.dialects import OPENAI_COMPACTION, OPENAI_EMBEDDINGS
from gateway.errors import (
    EndpointNotFound,
    Unavailable,
    Unsupported,
    UpstreamBroke,
    UpstreamRejected,
    UpstreamUnreachable,
)
from gateway.metering.records import Record
from gateway.routing.endpoint import Endpoint, Price, Retries, Target
from gateway.usage import Usage
from gateway.wire.json import dumps
from tests.fakes import CALLER, GPT, GROQ, HI, FakeUpstream, World, endpoint, run

REPLY = (
    b'{"id":"c1","object":"chat.completion","created":1,"model":"gpt-real","choices":[],'
    b' "usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}'
)


def failing(status: int, body: bytes = b"{}", **headers: str) -> FakeUpstream:
    return FakeUpstream(body, status=status, headers=headers)


def test_the_providers_bytes_reach_the_caller_untouched() -> None:
    world = World(endpoint(), FakeUpstream(REPLY[:20], REPLY[20:]))
    assert run(world.ask(HI)) == REPLY


def test_only_the_model_changes_in_what_is_sent() -> None:
    world = World(endpoint(), FakeUpstream(REPLY))
    run(world.ask(HI | {"seed": 1.0, "model": "e"}))
    (sent,) = world.transport.sent
    assert sent.url == "https://api.openai.com/v1/chat/completions"
    assert sent.body == dumps(HI | {"seed": 1.0, "model": "gpt"})


def test_the_provider_gets_its_key_and_nothing_of_the_callers_but_what_is_allowed() -> None:
    world = World(endpoint(), FakeUpstream(REPLY))
    headers = {"openai-beta": "x=1", "cookie": "a=b", "authorization": "Bearer mine"}
    run(world.ask(HI, headers=headers))
    assert world.transport.sent[0].headers == {
        "content-type": "application/json",
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": "sluicegate",
        "openai-beta": "x=1",
        "authorization": "Bearer sk-secret",
    }


def test_the_answer_says_who_served_it() -> None:
    upstream = FakeUpstream(REPLY, headers={"x-request-id": "r9", "set-cookie": "a", "server": "x"})
    answer = run(World(endpoint(), upstream).answer(HI))
    assert (answer.status, answer.headers) == (
        200,
        {
            "content-type": "application/json",
            "x-gateway-request-id": "req1",
            "x-gateway-endpoint": "e",
            "x-gateway-target": "openai/gpt",
            "x-request-id": "r9",
        },
    )


def test_it_is_settled_once_with_what_it_used_and_cost() -> None:
    priced = Target("openai", "gpt", "key", price=Price(input=2, output=10))
    upstream = FakeUpstream(REPLY)
    world = World(endpoint(priced), upstream)
    run(world.ask(HI))
    record = world.record
    assert record.usage == Usage(input_tokens=7, output_tokens=3)
    assert record.cost == pytest.approx((7 * 2 + 3 * 10) / 1e6)
    assert (record.outcome, record.status, record.attempts) == ("answered", 200, 1)
    assert upstream.closed == 1


def test_it_is_written_down_when_it_was_over_and_who_called() -> None:
    world = World(endpoint(), FakeUpstream(REPLY))
    run(world.ask(HI))
    assert (world.record.at, world.record.caller) == (1_700_000_000, CALLER.name)


def test_a_cost_that_nobody_knows_is_not_zero() -> None:
    world = World(endpoint(), FakeUpstream(REPLY))
    run(world.ask(HI))
    assert world.record.cost is None


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529, 401, 403, 402])
def test_falls_back_when_a_provider_fails(status: int) -> None:
    world = World(endpoint(GPT, GROQ), failing(status), FakeUpstream(REPLY))
    answer = run(world.answer(HI))
    assert answer.headers["x-gateway-target"] == "groq/llama"
    assert answer.headers["x-gateway-attempts"] == "2"
    assert world.record.attempts == 2


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_a_callers_mistake_is_nobody_elses_to_try(status: int) -> None:
    world = World(endpoint(GPT, GROQ), failing(status), FakeUpstream(REPLY))
    with pytest.raises(UpstreamRejected) as raised:
        run(world.ask(HI))
    assert raised.value.status == status
    assert len(world.transport.sent) == 1
    assert (world.record.outcome, world.record.status) == ("failed", status)


@pytest.mark.parametrize(
    "broken",
    [
        UpstreamUnreachable("no"),
        UpstreamBroke("cut"),
        FakeUpstream(b"<html>"),
        FakeUpstream(b"[]"),
        FakeUpstream(b"{}"),
        FakeUpstream(b'{"error":{"message":"busy"}}'),
        FakeUpstream(b"{", UpstreamBroke("cut")),
        FakeUpstream(b"moved", status=307),
    ],
)
def test_falls_back_when_the_answer_is_none(broken: FakeUpstream | Exception) -> None:
    world = World(endpoint(GPT, GROQ), broken, FakeUpstream(REPLY))
    assert run(world.ask(HI)) == REPLY
    assert len(world.ledger.records) == 1


def test_when_all_fail_the_last_error_is_the_answer() -> None:
    slow = failing(429, b'{"error":{"message":"slow"}}', **{"retry-after": "7"})
    world = World(endpoint(GPT, GROQ), failing(500), slow)
    with pytest.raises(UpstreamRejected) as raised:
        run(world.ask(HI))
    assert (raised.value.status, raised.value.upstream_headers["retry-after"]) == (429, "7")


def test_a_passing_fault_is_tried_again_at_the_same_target_after_a_pause() -> None:
    world = World(
        endpoint(retries=Retries(times=2)), failing(503), failing(503), FakeUpstream(REPLY)
    )
    assert run(world.ask(HI)) == REPLY
    assert len(world.pauses) == 2
    assert all(0 <= pause <= 0.5 for pause in world.pauses)


def test_a_refused_key_is_not_tried_again_at_the_same_target() -> None:
    served = endpoint(GPT, GROQ, retries=Retries(times=3))
    world = World(served, failing(401), FakeUpstream(REPLY))
    assert run(world.ask(HI)) == REPLY
    assert world.pauses == []


def test_a_missing_secret_falls_back_too() -> None:
    world = World(endpoint(Target("openai", "gpt", "gone"), GROQ), FakeUpstream(REPLY))
    assert run(world.ask(HI)) == REPLY


def test_a_missing_secret_alone_is_the_gateways_own_503() -> None:
    world = World(endpoint(Target("openai", "gpt", "gone")))
    with pytest.raises(Unavailable, match="gone"):
        run(world.ask(HI))
    assert world.record.status == 503


def test_an_api_that_the_provider_lacks_is_refused_by_name() -> None:
    world = World(endpoint(Target("deepseek", "m", "key")))
    with pytest.raises(Unsupported, match=r"'deepseek', which does not offer openai_compaction"):
        run(world.ask({"model": "e", "input": "x"}, OPENAI_COMPACTION))


def test_an_api_that_the_first_target_lacks_may_be_anothers() -> None:
    world = World(endpoint(Target("deepseek", "m", "key"), GPT), FakeUpstream(b'{"id":"r1"}'))
    body = {"model": "e", "input": "x"}
    assert run(world.ask(body, OPENAI_COMPACTION)) == b'{"id":"r1"}'
    assert world.transport.sent[0].url == "https://api.openai.com/v1/responses/compact"


def test_compaction_has_its_own_path() -> None:
    world = World(endpoint(), FakeUpstream(b'{"id":"r1"}'))
    run(world.ask({"model": "e", "input": "x"}, OPENAI_COMPACTION))
    assert world.transport.sent[0].url == "https://api.openai.com/v1/responses/compact"


def test_embeddings_are_metered() -> None:
    reply = b'{"object":"list","data":[],"usage":{"prompt_tokens":4,"total_tokens":4}}'
    world = World(endpoint(), FakeUpstream(reply))
    assert run(world.ask({"model": "e", "input": "x"}, OPENAI_EMBEDDINGS)) == reply
    assert world.record.usage == Usage(input_tokens=4)


def test_a_targets_own_base_url_goes_before_the_providers() -> None:
    moved = Target("openai_compatible", "m", base_url="http://127.0.0.1:11434/v1/")
    world = World(endpoint(moved), FakeUpstream(REPLY))
    run(world.ask(HI))
    assert world.transport.sent[0].url == "http://127.0.0.1:11434/v1/chat/completions"
    assert "authorization" not in world.transport.sent[0].headers


@pytest.mark.parametrize("target", [Target("nobody", "m"), Target("openai_compatible", "m")])
def test_a_target_that_cannot_be_called_is_the_gateways_fault(target: Target) -> None:
    with pytest.raises(Unavailable):
        run(World(endpoint(target)).ask(HI))


def test_keys_are_taken_out_of_error_bodies() -> None:
    said = b'{"error":{"message":"bad key sk-secret; Incorrect API key: sk-pr****abcd."}}'
    world = World(endpoint(), failing(401, said))
    with pytest.raises(UpstreamRejected) as raised:
        run(world.ask(HI))
    assert raised.value.body == b'{"error":{"message":"bad key ***; Incorrect API key: ***."}}'


def test_an_unknown_endpoint_costs_nothing_and_is_named() -> None:
    world = World(Endpoint("other", (GPT,)))
    with pytest.raises(EndpointNotFound, match="'e' not found"):
        run(world.ask(HI))
    assert world.ledger.records == []


def test_keys_are_hidden_in_errors_dressed_as_answers_and_in_headers() -> None:
    said = FakeUpstream(b'{"error":{"message":"bad key sk-secret"}}')
    with pytest.raises(UpstreamBroke) as raised:
        run(World(endpoint(), said).ask(HI))
    assert str(raised.value) == "the provider failed while it answered: bad key ***"
    told = FakeUpstream(REPLY, headers={"x-request-id": "for sk-secret"})
    assert run(World(endpoint(), told).answer(HI)).headers["x-request-id"] == "for ***"


def test_a_redirect_is_not_followed_and_its_body_not_told() -> None:
    world = World(endpoint(), FakeUpstream(b"<html>moved</html>", status=302))
    with pytest.raises(UpstreamBroke, match="answered 302, a redirect"):
        run(world.ask(HI))


@pytest.mark.parametrize("status", [600, 999])
def test_a_status_that_there_is_not_is_a_bad_gateway(status: int) -> None:
    with pytest.raises(UpstreamRejected) as raised:
        run(World(endpoint(), failing(status)).ask(HI))
    assert raised.value.status == 502


def test_the_failures_before_the_last_are_told_too() -> None:
    world = World(endpoint(GPT, GROQ), failing(503), UpstreamUnreachable("no line"))
    with pytest.raises(UpstreamUnreachable) as raised:
        run(world.ask(HI))
    assert raised.value.message == (
        "no line (before that, openai/gpt: provider 'openai' answered 503)"
    )
    assert raised.value.headers["x-gateway-attempts"] == "2"


def test_a_ledger_that_fails_takes_nobodys_answer_away() -> None:
    async def full(record: Record) -> None:
        raise OSError(f"no room for {record}")

    world = World(endpoint(), FakeUpstream(REPLY))
    world.ledger.write = full  # type: ignore[method-assign]
    assert run(world.ask(HI)) == REPLY
