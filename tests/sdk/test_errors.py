"""What goes wrong before the first word: the SDK raises as if it had called the provider itself."""

import json
from typing import Any

import openai
import pytest

from tests.live import KEY, Act, LiveGateway, Reply, ScriptedProvider, Step, answer, head, sse
from tests.sdk.clients import Ask, Sdk
from tests.sdk.said import BEGIN, HI, USAGE

pytestmark = pytest.mark.sdk

BEGINNING = head(200, {"content-type": "application/json", "content-length": "100"})
SILENT: Reply = (Act.SILENCE,)


@pytest.fixture(params=[False, True], ids=["whole", "stream"])
def streamed(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def chat(*, model: str = "model", stream: bool, **more: Any) -> Ask:
    asked = {"model": model, "messages": HI, "stream": stream, **more}
    return lambda client: client.chat.completions.create(**asked)


def raised_by(sdk: Sdk, ask: Ask) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        sdk.call(ask)
    return caught.value


STATUSES: dict[int, type[openai.APIStatusError]] = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    408: openai.APIStatusError,
    409: openai.ConflictError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    503: openai.InternalServerError,
}


@pytest.mark.parametrize("status", STATUSES)
def test_the_providers_own_error_is_raised(
    sdk: Sdk, provider: ScriptedProvider, status: int, streamed: bool
) -> None:
    said = {"message": "as told", "type": "a_type", "param": "a.field", "code": "a_code"}
    provider.will(answer({"error": said}, status))
    error = raised_by(sdk, chat(stream=streamed))
    assert type(error) is STATUSES[status]
    assert (error.status_code, error.body) == (status, said)
    assert (error.type, error.param, error.code) == ("a_type", "a.field", "a_code")
    assert len(provider.requests) == 1


def test_a_rate_limit_says_when_to_come_back(
    sdk: Sdk, provider: ScriptedProvider, streamed: bool
) -> None:
    told = {
        "retry-after": "7",
        "retry-after-ms": "7000",
        "x-ratelimit-remaining-tokens": "0",
        "x-request-id": "req_1",
    }
    provider.will(answer({"error": {"message": "slow down"}}, 429, told))
    error = raised_by(sdk, chat(stream=streamed))
    assert told.items() <= dict(error.response.headers).items()
    assert error.request_id == "req_1"


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("application/json", b'{"error": "as told"}', "as told"),
        ("application/json", b'{"detail": "as told"}', "as told"),
        ("application/json", b'{"object": "error", "message": "as told"}', "as told"),
        ("text/html", b"<html>", "provider 'openai' answered 502 with a body of type 'text/html'"),
        ("text/plain", b" no luck\n", "provider 'openai' answered 502: no luck"),
    ],
)
def test_another_shape_of_error_is_put_in_openais(
    sdk: Sdk, provider: ScriptedProvider, kind: str, body: bytes, said: str
) -> None:
    provider.will(answer(body, 502, {"content-type": kind}))
    error = raised_by(sdk, chat(stream=False))
    assert error.status_code == 502
    assert error.body == {"message": said, "type": "upstream_error", "param": None, "code": None}


def test_an_error_that_quotes_the_key_does_not_show_it(
    sdk: Sdk, provider: ScriptedProvider
) -> None:
    quoted = f"Incorrect API key provided: {KEY}. You sent sk-te******7890."
    provider.will(answer({"error": {"message": quoted}}, 401))
    error = raised_by(sdk, chat(stream=False))
    assert error.body == {"message": "Incorrect API key provided: ***. You sent ***."}


@pytest.mark.parametrize("how", [Act.HANG_UP, Act.RESET])
def test_a_dropped_connection_is_a_bad_gateway(
    sdk: Sdk, provider: ScriptedProvider, how: Act, streamed: bool
) -> None:
    provider.will((how,))
    error = raised_by(sdk, chat(stream=streamed))
    assert (error.status_code, error.type) == (502, "upstream_error")


@pytest.mark.parametrize("how", [Act.HANG_UP, Act.RESET])
def test_half_an_answer_is_a_bad_gateway(sdk: Sdk, provider: ScriptedProvider, how: Act) -> None:
    provider.will((BEGINNING, b'{"id":', how))
    assert raised_by(sdk, chat(stream=False)).status_code == 502


@pytest.mark.parametrize("how", [Act.HANG_UP, Act.RESET])
def test_a_stream_cut_before_its_first_word_is_a_bad_gateway(
    sdk: Sdk, provider: ScriptedProvider, how: Act
) -> None:
    provider.will(sse(BEGIN, how))
    assert raised_by(sdk, chat(stream=True)).status_code == 502


@pytest.mark.parametrize(
    "body",
    [b"{not json", b"[]", b'"text"', b'{"hello": "world"}', b'{"object": "list", "data": []}', b""],
)
def test_a_success_that_is_no_answer_is_a_bad_gateway(
    sdk: Sdk, provider: ScriptedProvider, body: bytes
) -> None:
    provider.will(answer(body))
    assert raised_by(sdk, chat(stream=False)).status_code == 502


def test_an_error_dressed_as_success_is_raised(sdk: Sdk, provider: ScriptedProvider) -> None:
    """As OpenRouter answers when the provider behind it fails."""
    provider.will(answer({"error": {"code": 429, "message": "upstream is busy"}}))
    error = raised_by(sdk, chat(stream=False))
    assert type(error) is openai.RateLimitError
    assert "upstream is busy" in error.message


def test_an_error_before_the_first_word_of_a_stream_is_a_status(
    sdk: Sdk, provider: ScriptedProvider
) -> None:
    failed = json.dumps({"error": {"code": 503, "message": "no room"}}).encode()
    provider.will(sse(BEGIN, b"data: " + failed + b"\n\n"))
    error = raised_by(sdk, chat(stream=True))
    assert (error.status_code, "no room" in error.message) == (503, True)


@pytest.mark.parametrize("said", [(), (BEGINNING,), (BEGINNING, b'{"id": ')])
def test_a_provider_that_never_answers_times_out(
    plain_sdk: Sdk, provider: ScriptedProvider, said: tuple[Step, ...]
) -> None:
    provider.will((*said, Act.SILENCE))
    error = raised_by(plain_sdk, chat(model="impatient", stream=False))
    assert (error.status_code, error.type) == (504, "timeout_error")
    assert provider.hung_up.wait(5)


@pytest.mark.parametrize("reply", [SILENT, sse(Act.SILENCE), sse(BEGIN, Act.SILENCE)])
def test_a_stream_that_never_begins_times_out(
    openai_sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway, reply: Reply
) -> None:
    provider.will(reply)
    error = raised_by(openai_sdk, chat(model="impatient", stream=True))
    assert (error.status_code, error.type) == (504, "timeout_error")
    assert provider.hung_up.wait(5)
    record = gateway.ledger.of(error.response)
    assert (record.outcome, record.status, record.error) == ("failed", 504, "UpstreamTimedOut")


def test_an_answer_that_drips_is_not_waited_for_beyond_its_time(
    plain_sdk: Sdk, provider: ScriptedProvider
) -> None:
    """0.15 seconds are given for the whole of an unstreamed answer; this one takes a second."""
    body = json.dumps({"id": "x", "choices": [], "usage": USAGE}).encode().ljust(100)
    drops: list[Step] = []
    for at in range(0, 100, 10):
        drops += [0.1, body[at : at + 10]]
    provider.will((BEGINNING, *drops))
    assert raised_by(plain_sdk, chat(model="impatient", stream=False)).status_code == 504


def test_an_error_body_that_never_ends_is_not_waited_for(
    plain_sdk: Sdk, provider: ScriptedProvider
) -> None:
    headers = {"content-type": "application/json", "content-length": "100"}
    provider.will((head(500, headers), b'{"error": ', Act.SILENCE))
    error = raised_by(plain_sdk, chat(model="impatient", stream=False, timeout=2))
    assert error.status_code == 500


def test_a_provider_that_is_not_there_is_a_bad_gateway(sdk: Sdk, streamed: bool) -> None:
    error = raised_by(sdk, chat(model="gone", stream=streamed))
    assert (error.status_code, error.type) == (502, "upstream_error")
    assert "cannot connect to 127.0.0.1" in error.message


def test_a_redirect_is_not_followed(sdk: Sdk, provider: ScriptedProvider) -> None:
    provider.will(answer({}, 307, {"location": f"{provider.url}/elsewhere"}))
    assert raised_by(sdk, chat(stream=False)).status_code == 502
    assert len(provider.requests) == 1


def test_a_key_that_is_not_set_is_named(sdk: Sdk, streamed: bool) -> None:
    error = raised_by(sdk, chat(model="keyless", stream=streamed))
    assert (error.status_code, error.code) == (503, "secret_missing")
    assert "env:NO_SUCH_KEY" in error.message


def test_an_unknown_endpoint_is_not_found(sdk: Sdk, streamed: bool) -> None:
    error = raised_by(sdk, chat(model="nope", stream=streamed))
    assert type(error) is openai.NotFoundError
    assert (error.param, error.code) == ("model", "endpoint_not_found")
    assert "'nope'" in error.message


def test_a_mistake_is_named_and_costs_nothing(sdk: Sdk, provider: ScriptedProvider) -> None:
    error = raised_by(
        sdk, lambda client: client.chat.completions.create(model="model", messages=[])
    )
    assert type(error) is openai.BadRequestError
    assert (error.param, error.type) == ("messages", "invalid_request_error")
    assert provider.requests == []
