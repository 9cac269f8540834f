"""OpenAI's SDK at a function URL: what it is told arrives as if no Lambda were in between."""

import gzip
import json
import threading
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.lambda_runtime.deployed import LARGEST_BODY, PROVIDERS_KEY, Deployed, deployed
from tests.live import (
    DONE,
    Act,
    ScriptedProvider,
    Step,
    answer,
    event,
    sse,
)
from tests.sdk.clients import Ask, AsyncSdk, Sdk, SyncSdk
from tests.sdk.said import (
    BEGIN,
    COUNTED,
    END,
    HELLO,
    HI,
    completion,
    part,
    says,
    streamed_response,
)

pytestmark = pytest.mark.sdk

MODEL = "openai/gpt-test"
KINDS: dict[str, type[SyncSdk | AsyncSdk]] = {"sync": SyncSdk, "async": AsyncSdk}


@pytest.fixture(scope="module")
def function(
    provider_of_all: ScriptedProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    environment = {
        "OPENAI_API_KEY": PROVIDERS_KEY,
        "OPENAI_BASE_URL": provider_of_all.url,
        "SLUICEGATE_MAX_BODY_BYTES": str(LARGEST_BODY),
    }
    with deployed(tmp_path_factory.mktemp("function"), environment) as function:
        yield function


def sdk_at(url: str, manner: str = "sync") -> Sdk:
    return KINDS[manner](f"{url}/gateway/openai/v1")


@pytest.fixture(params=KINDS)
def sdk(function: Deployed, request: pytest.FixtureRequest) -> Iterator[Sdk]:
    sdk = KINDS[request.param](f"{function.url}/gateway/openai/v1")
    yield sdk
    sdk.close()


@pytest.fixture
def whole_sdk(function: Deployed) -> Iterator[Sdk]:
    """Where nothing streams."""
    sdk = SyncSdk(f"{function.whole}/gateway/openai/v1")
    yield sdk
    sdk.close()


def chat(model: str = MODEL, **more: Any) -> Ask:
    asked: dict[str, Any] = {"model": model, "messages": HI, **more}
    return lambda client: client.chat.completions.create(**asked)


def test_a_chat(sdk: Sdk, provider: ScriptedProvider) -> None:
    told = completion(says("Hello, Zoë 👋"))
    provider.will(answer(told))
    assert sdk.call(chat()).to_dict() == told


def test_each_word_arrives_before_the_provider_has_the_next(
    sdk: Sdk, provider: ScriptedProvider
) -> None:
    """The provider says no word until the caller has the one before."""
    first, *words = "Once", " upon", " a", " time", " 👋"
    steps: list[Step] = [BEGIN, part(content=first)]
    cues = [threading.Event() for _ in range(len(words) + 1)]
    for cue, word in zip(cues[1:], words, strict=True):
        steps += [cue, part(content=word)]
    provider.will(sse(*steps, END, COUNTED, DONE))
    told = sdk.stream(chat(stream=True), cues)
    assert (told.text, told.error) == ("".join([first, *words]), None)
    said = [chunk.choices[0].delta.content for chunk in told.chunks if chunk.choices]
    assert said == ["", first, *words, None]


def test_a_response_is_streamed_event_by_event(sdk: Sdk, provider: ScriptedProvider) -> None:
    events = streamed_response("Hel", "lo")
    provider.will(sse(*events))
    told = sdk.stream(lambda client: client.responses.create(model=MODEL, input="Hi", stream=True))
    assert told.error is None
    assert [chunk.type for chunk in told.chunks] == [
        one.partition(b"\n")[0].removeprefix(b"event: ").decode() for one in events
    ]
    assert told.chunks[-1].response.output_text == "Hello"


def test_embeddings(sdk: Sdk, provider: ScriptedProvider) -> None:
    vector = {"object": "embedding", "index": 0, "embedding": [0.25, -1.0]}
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    provider.will(answer({"object": "list", "data": [vector], "model": "m", "usage": usage}))
    told = sdk.call(
        lambda client: client.embeddings.create(model=MODEL, input="Hi", encoding_format="float")
    )
    assert told.data[0].embedding == [0.25, -1.0]


def test_the_demo_streams(sdk: Sdk) -> None:
    told = sdk.stream(chat("demo", stream=True))
    assert told.error is None
    assert len(told.chunks) > 3
    assert sdk.call(chat("demo")).choices[0].message.content


def test_models_are_listed(sdk: Sdk) -> None:
    assert "demo" in [model.id for model in sdk.call(lambda client: client.models.list()).data]


def test_a_response_where_nothing_streams_is_the_same_in_one_piece(
    whole_sdk: Sdk, provider: ScriptedProvider
) -> None:
    provider.will(sse(*HELLO))
    told = whole_sdk.stream(chat(stream=True))
    assert (told.text, told.error) == ("Hello", None)
    assert told.response.headers["content-type"] == "text/event-stream; charset=utf-8"


@pytest.mark.parametrize("how", [Act.HANG_UP, Act.RESET])
def test_a_provider_that_breaks_off_is_told_as_an_error(
    sdk: Sdk, provider: ScriptedProvider, how: Act
) -> None:
    cue = threading.Event()
    provider.will(sse(BEGIN, part(content="Hel"), cue, how))
    told = sdk.stream(chat(stream=True), [threading.Event(), cue])
    assert told.text == "Hel"
    assert type(told.error) is openai.APIError
    assert told.error.type == "upstream_error"


def test_an_error_of_the_provider_in_the_stream_is_raised(
    sdk: Sdk, provider: ScriptedProvider
) -> None:
    failed = {"error": {"message": "out of memory", "type": "server_error", "code": "oom"}}
    provider.will(sse(BEGIN, part(content="Hel"), event(failed)))
    told = sdk.stream(chat(stream=True))
    assert told.text == "Hel"
    assert type(told.error) is openai.APIError
    assert told.error.code == "oom"


@pytest.mark.parametrize("stream", [True, False])
def test_a_provider_that_hangs_is_cut_before_lambda_ends_the_process(
    function: Deployed, provider: ScriptedProvider, stream: bool
) -> None:
    provider.will((Act.SILENCE,))
    sdk = sdk_at(function.hurried)
    with pytest.raises(openai.APIStatusError) as raised:
        sdk.call(chat(stream=stream))
    assert (raised.value.status_code, raised.value.type) == (504, "timeout_error")
    assert provider.hung_up.wait(5)
    function.idle()
    assert function.records()[-1]["outcome"] == "failed"


def test_a_provider_that_hangs_after_a_word_is_cut_with_an_error_event(
    function: Deployed, provider: ScriptedProvider
) -> None:
    provider.will(sse(BEGIN, part(content="Hel"), Act.SILENCE))
    told = sdk_at(function.hurried).stream(chat(stream=True))
    assert told.text == "Hel"
    assert type(told.error) is openai.APIError
    assert (told.error.type, told.error.code) == ("timeout_error", "out_of_time")
    assert provider.hung_up.wait(5)
    function.idle()
    assert function.records()[-1]["error"] == "OutOfTime"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_an_error_keeps_its_status_and_its_words(
    sdk: Sdk, provider: ScriptedProvider, status: int, kind: type[Exception], stream: bool
) -> None:
    told = {"error": {"message": "no", "type": "odd", "param": "p", "code": "c"}}
    headers = {"retry-after": "7", "x-request-id": "req_1"}
    provider.will(*[answer(told, status, headers)] * 3)
    with pytest.raises(openai.APIStatusError) as raised:
        sdk.call(chat(stream=stream))
    assert (raised.value.status_code, type(raised.value)) == (status, kind)
    assert (raised.value.type, raised.value.param, raised.value.code) == ("odd", "p", "c")
    assert raised.value.response.headers["retry-after"] == "7"
    assert raised.value.request_id == "req_1"


def post(content: bytes, **headers: str) -> Ask:
    """Past the SDK's own care for what it sends."""
    path = "chat/completions"
    return lambda client: client.post(
        path, content=content, options={"headers": headers}, cast_to=object
    )


MISTAKES: dict[str, tuple[Ask, int, str | None]] = {
    "no such endpoint": (chat("nobody"), 404, "endpoint_not_found"),
    "no such path": (lambda client: client.get("nowhere", cast_to=object), 404, "unknown_path"),
    "another method": (lambda client: client.delete("embeddings", cast_to=object), 405, None),
    "no JSON": (post(b"{"), 400, "invalid_json"),
    "no object": (post(b"[]"), 400, None),
    "nothing": (post(b""), 400, None),
    "too large": (chat(user="x" * LARGEST_BODY), 413, "body_too_large"),
    "an encoding of nobody": (post(b"x", **{"content-encoding": "br"}), 415, None),
}


@pytest.mark.parametrize(("ask", "status", "code"), MISTAKES.values(), ids=MISTAKES)
@pytest.mark.parametrize("door", ["streaming", "whole"])
def test_a_callers_mistake_is_told_in_its_own_dialect(
    function: Deployed, door: str, ask: Ask, status: int, code: str | None
) -> None:
    sdk = sdk_at(function.url if door == "streaming" else function.whole)
    with pytest.raises(openai.APIStatusError) as raised:
        sdk.call(ask)
    assert (raised.value.status_code, raised.value.code) == (status, code)
    assert raised.value.type == ("not_found_error" if status == 404 else "invalid_request_error")
    assert json.loads(raised.value.response.content)["error"]["message"]


def test_a_body_of_gzip_and_a_cookie_change_nothing(
    function: Deployed, provider: ScriptedProvider
) -> None:
    told = completion(says("Hello"))
    provider.will(answer(told))
    asked = gzip.compress(json.dumps({"model": MODEL, "messages": HI}).encode())
    headers = {"content-encoding": "gzip", "cookie": "a=1; b=2"}
    assert sdk_at(function.url).call(post(asked, **headers)) == told
    assert provider.requests[0].json["messages"] == HI


@pytest.mark.parametrize("stream", [True, False])
def test_a_call_is_written_down_before_the_function_asks_for_another(
    function: Deployed, provider: ScriptedProvider, stream: bool
) -> None:
    """From then on the process may be frozen."""
    provider.will(sse(*HELLO) if stream else answer(completion(says("Hello"))))
    sdk = sdk_at(function.url)
    raw = sdk.call(
        lambda client: client.chat.completions.with_raw_response.create(
            model=MODEL, messages=HI, stream=stream
        )
    )
    raw.http_response.read()
    function.idle()
    (record,) = [
        one
        for one in function.records()
        if one["request_id"] == raw.headers["x-gateway-request-id"]
    ]
    assert (record["outcome"], record["status"]) == ("answered", 200)
