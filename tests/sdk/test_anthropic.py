"""Anthropic's SDK, served by Anthropic or whoever imitates it, through the gateway."""

from datetime import UTC, datetime
from typing import Any

import anthropic
import pytest

from gateway.usage import Usage
from tests.dialects.messages import (
    BUSY,
    END,
    HELLO,
    MESSAGE,
    PING,
    START,
    STOP,
    TEXT,
    TOLD,
    WORLD,
    delta,
    event,
    opened,
)
from tests.live import KEY, Act, LiveGateway, ScriptedProvider, Step, answer, sse
from tests.sdk.clients import Ask, Sdk, Streamed

pytestmark = pytest.mark.sdk

HI = [{"role": "user", "content": "Hi, Zoë 👋"}]
SAID: tuple[Step, ...] = (START, TEXT, PING, HELLO, WORLD, STOP, TOLD, END)
USED = Usage(input_tokens=7, output_tokens=2, cache_read_tokens=4)


def message(*content: dict[str, Any], **more: Any) -> dict[str, Any]:
    blocks = list(content) or [{"type": "text", "text": "Hello!"}]
    return {**MESSAGE, "content": blocks, "stop_reason": "end_turn", **more}


def create(*, model: str = "claude", **more: Any) -> Ask:
    asked = {"model": model, "max_tokens": 64, "messages": HI, **more}
    return lambda client: client.messages.create(**asked)


def helper(*, model: str = "claude", **more: Any) -> Ask:
    asked = {"model": model, "max_tokens": 64, "messages": HI, **more}
    return lambda client: client.messages.stream(**asked)


def raised_by(sdk: Sdk, ask: Ask) -> anthropic.APIStatusError:
    with pytest.raises(anthropic.APIStatusError) as caught:
        sdk.call(ask)
    return caught.value


def text_of(told: Streamed) -> str:
    return "".join(
        one.delta.text
        for one in told.chunks
        if one.type == "content_block_delta" and one.delta.type == "text_delta"
    )


def test_a_message(anthropic_sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway) -> None:
    provider.will(answer(message(), headers={"request-id": "req_1"}))
    raw = anthropic_sdk.call(
        lambda client: client.messages.with_raw_response.create(
            model="claude", max_tokens=64, messages=HI
        )
    )
    told = anthropic_sdk.call(lambda _: raw.parse())
    assert (told.content[0].text, told.stop_reason) == ("Hello!", "end_turn")
    assert told._request_id == "req_1"
    assert gateway.ledger.of(raw).usage == Usage(7, 1, 4)
    (sent,) = provider.requests
    assert (sent.method, sent.path) == ("POST", "/v1/messages")
    assert sent.json == {"model": "claude-test", "max_tokens": 64, "messages": HI}
    assert sent.body == raw.http_request.content.replace(b'"claude"', b'"claude-test"')


def test_only_what_is_allowed_of_the_callers_headers_goes_on(
    anthropic_sdk: Sdk, provider: ScriptedProvider
) -> None:
    provider.will(answer(message()))
    foreign = {"cookie": "a=b", "x-forwarded-for": "1.2.3.4", "x-custom": "1", "openai-beta": "x"}
    anthropic_sdk.call(create(extra_headers={**foreign, "anthropic-beta": "one-1,two-2"}))
    (sent,) = provider.requests
    ours = {"host", "content-type", "content-length", "accept", "accept-encoding", "user-agent"}
    assert {name: value for name, value in sent.headers.items() if name not in ours} == {
        "x-api-key": KEY,
        "anthropic-version": anthropic._constants.ANTHROPIC_API_VERSION,
        "anthropic-beta": "one-1,two-2",
        "x-gateway-hops": "1",
    }


def test_a_stream_of_events(
    anthropic_sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    provider.will(sse(*SAID, headers={"anthropic-ratelimit-tokens-remaining": "9"}))
    told = anthropic_sdk.stream(create(stream=True))
    assert (text_of(told), told.error) == ("Hello world", None)
    assert [one.type for one in told.chunks] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert told.response.headers["anthropic-ratelimit-tokens-remaining"] == "9"
    assert gateway.ledger.of(told.response).usage == USED


THOUGHT: tuple[Step, ...] = (
    event("message_start", message=MESSAGE),
    opened("thinking", thinking="", signature=""),
    delta("thinking_delta", thinking="Hm, "),
    delta("thinking_delta", thinking="Paris."),
    delta("signature_delta", signature="EqQBCgIYAhIM=="),
    STOP,
    opened("tool_use", 1, id="toolu_1", name="get_weather", input={}),
    delta("input_json_delta", 1, partial_json=""),
    delta("input_json_delta", 1, partial_json='{"city": "Pa'),
    delta("input_json_delta", 1, partial_json='ris 👋"}'),
    event("content_block_stop", index=1),
    event("message_delta", delta={"stop_reason": "tool_use"}, usage={"output_tokens": 9}),
    END,
)
TOOLS = [{"name": "get_weather", "input_schema": {"type": "object", "properties": {}}}]


def test_the_stream_helper_gathers_thoughts_and_tools(
    anthropic_sdk: Sdk, provider: ScriptedProvider
) -> None:
    provider.will(sse(*THOUGHT))
    told, final = anthropic_sdk.gather(
        helper(tools=TOOLS, thinking={"type": "enabled", "budget_tokens": 32}), "get_final_message"
    )
    thinking, tool = final.content
    assert (thinking.thinking, thinking.signature) == ("Hm, Paris.", "EqQBCgIYAhIM==")
    assert (tool.id, tool.name, tool.input) == ("toolu_1", "get_weather", {"city": "Paris 👋"})
    assert (final.stop_reason, final.usage.input_tokens, final.usage.output_tokens) == (
        "tool_use",
        7,
        9,
    )
    assert told[-1].type == "message_stop"


def test_tokens_are_counted(
    anthropic_sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    provider.will(answer({"input_tokens": 588}))
    raw = anthropic_sdk.call(
        lambda client: client.messages.with_raw_response.count_tokens(model="claude", messages=HI)
    )
    assert anthropic_sdk.call(lambda _: raw.parse()).input_tokens == 588
    assert provider.requests[0].path == "/v1/messages/count_tokens"
    assert gateway.ledger.of(raw).usage is None


def test_models_are_listed_page_by_page(anthropic_sdk: Sdk) -> None:
    whole = anthropic_sdk.call(lambda client: client.models.list())
    names = [model.id for model in whole.data]
    assert {"claude", "claudes", "model"} <= set(names)
    assert whole.has_next_page() is False
    page = anthropic_sdk.call(lambda client: client.models.list(limit=2))
    assert ([model.id for model in page.data], page.has_next_page()) == (names[:2], True)
    after = anthropic_sdk.call(lambda client: client.models.list(limit=2, after_id=page.last_id))
    assert [model.id for model in after.data] == names[2:4]


def test_a_model_is_shown(anthropic_sdk: Sdk) -> None:
    shown = anthropic_sdk.call(lambda client: client.models.retrieve("claude"))
    assert (shown.id, shown.type, shown.display_name) == ("claude", "model", "claude")
    assert shown.created_at < datetime.now(UTC)
    with pytest.raises(anthropic.NotFoundError):
        anthropic_sdk.call(lambda client: client.models.retrieve("nobody"))


def test_a_base_url_that_ends_in_v1_works_too(
    gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    provider.will(answer(message()))
    base_url = f"{gateway.url}/gateway/anthropic/v1"
    with anthropic.Anthropic(base_url=base_url, api_key="k", max_retries=0) as client:
        assert client.messages.create(model="claude", max_tokens=5, messages=[]).id == "msg_1"
        assert "claude" in [model.id for model in client.models.list()]


STATUSES: dict[int, tuple[str, type[anthropic.APIStatusError]]] = {
    400: ("invalid_request_error", anthropic.BadRequestError),
    401: ("authentication_error", anthropic.AuthenticationError),
    403: ("permission_error", anthropic.PermissionDeniedError),
    404: ("not_found_error", anthropic.NotFoundError),
    413: ("request_too_large", anthropic.APIStatusError),
    429: ("rate_limit_error", anthropic.RateLimitError),
    500: ("api_error", anthropic.InternalServerError),
    529: ("overloaded_error", anthropic.APIStatusError),
}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("stream", [False, True])
def test_the_providers_own_error_is_raised(
    anthropic_sdk: Sdk, provider: ScriptedProvider, status: int, stream: bool
) -> None:
    kind, error_class = STATUSES[status]
    said = {"type": "error", "error": {"type": kind, "message": "as told", "details": {"x": 1}}}
    headers = {"request-id": "req_1", "retry-after": "7"}
    provider.will(answer(said, status, headers))
    error = raised_by(anthropic_sdk, create(stream=stream))
    assert isinstance(error, error_class)
    assert (error.status_code, error.body, error.type) == (status, said, kind)
    assert (error.request_id, error.response.headers["retry-after"]) == ("req_1", "7")
    assert len(provider.requests) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_what_the_gateway_itself_refuses_is_raised_too(anthropic_sdk: Sdk, stream: bool) -> None:
    unknown = raised_by(anthropic_sdk, create(model="nobody", stream=stream))
    assert isinstance(unknown, anthropic.NotFoundError)
    assert unknown.type == "not_found_error"
    assert unknown.request_id == unknown.response.headers["x-gateway-request-id"]
    keyless = raised_by(anthropic_sdk, create(model="keyless-claude", stream=stream))
    assert (keyless.status_code, keyless.type) == (503, "overloaded_error")
    gone = raised_by(anthropic_sdk, create(model="gone-claude", stream=stream))
    assert (gone.status_code, gone.type) == (502, "api_error")


@pytest.mark.parametrize("stream", [False, True])
def test_a_provider_that_is_silent_is_a_timeout(
    anthropic_sdk: Sdk, provider: ScriptedProvider, stream: bool
) -> None:
    provider.will((Act.SILENCE,))
    error = raised_by(anthropic_sdk, create(model="impatient-claude", stream=stream))
    assert (error.status_code, error.type) == (504, "timeout_error")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "said", [b"<html>no</html>", b"{}", b'{"error": {"message": "in a 200"}}', b"[" * 5000]
)
def test_a_success_that_is_no_answer_is_a_bad_gateway(
    anthropic_sdk: Sdk, provider: ScriptedProvider, said: bytes, stream: bool
) -> None:
    provider.will(answer(said, headers={"content-type": "text/html"}))
    error = raised_by(anthropic_sdk, create(stream=stream))
    assert (error.status_code, error.type) == (502, "api_error")


def test_an_error_before_content_falls_back_to_another_provider(
    anthropic_sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    provider.will(sse(START, BUSY), sse(START, TEXT, BUSY), sse(*SAID))
    told = anthropic_sdk.stream(create(model="claudes", stream=True))
    assert (text_of(told), told.error) == ("Hello world", None)
    assert [(sent.path, sent.json["model"]) for sent in provider.requests] == [
        ("/v1/messages", "claude-test"),
        ("/v1/messages", "claude-test"),
        ("/anthropic/v1/messages", "other-test"),
    ]
    assert told.response.headers["x-gateway-target"] == "anthropic_compatible/other-test"
    record = gateway.ledger.of(told.response)
    assert (record.outcome, record.attempts, record.usage) == ("answered", 3, USED)


def broke_off(told: Streamed) -> anthropic.APIStatusError:
    assert isinstance(told.error, anthropic.APIStatusError)
    assert told.error.status_code == 200  # all that was left was to say it in the stream
    return told.error


def test_an_error_after_content_is_raised_as_the_provider_said_it(
    anthropic_sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    provider.will(sse(START, TEXT, HELLO, BUSY, END))
    told = anthropic_sdk.stream(create(model="claudes", stream=True))
    assert text_of(told) == "Hello"
    assert (broke_off(told).type, broke_off(told).api_message) == ("overloaded_error", "Overloaded")
    assert gateway.ledger.of(told.response).outcome == "failed"


@pytest.mark.parametrize(
    "rest", [(Act.HANG_UP,), (Act.RESET,), (), (WORLD[:-9],), (STOP, TOLD), (STOP, TOLD, END[:9])]
)
def test_a_stream_that_is_cut_is_raised(
    anthropic_sdk: Sdk, provider: ScriptedProvider, rest: tuple[Step, ...]
) -> None:
    pause = 0.05 if rest and isinstance(rest[-1], Act) else 0.0
    provider.will(sse(START, TEXT, HELLO, pause, *rest))
    told = anthropic_sdk.stream(create(stream=True))
    assert text_of(told) == "Hello"
    assert broke_off(told).type == "api_error"
    assert "message_stop" not in [one.type for one in told.chunks]


def test_a_stream_that_falls_silent_is_raised(
    anthropic_sdk: Sdk, provider: ScriptedProvider
) -> None:
    provider.will(sse(START, TEXT, HELLO, Act.SILENCE))
    told = anthropic_sdk.stream(create(model="restless-claude", stream=True))
    assert broke_off(told).type == "timeout_error"


@pytest.mark.parametrize("model", ["steady-claude", "thinker-claude"])
def test_pauses_are_borne_and_pings_are_skipped(
    anthropic_sdk: Sdk, provider: ScriptedProvider, model: str
) -> None:
    """Before the first word, within an event, and between them: no SDK sees a ping."""
    said = (0.12, START, 0.12, TEXT, HELLO[:9], 0.12, HELLO[9:], 0.12, WORLD, STOP, TOLD, END)
    provider.will(sse(*said))
    told, final = anthropic_sdk.gather(helper(model=model), "get_final_message")
    assert final.content[0].text == "Hello world"
    assert "ping" not in [one.type for one in told]


def test_who_hangs_up_ends_the_providers_work(
    anthropic_sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    provider.will(sse(START, TEXT, HELLO, Act.SILENCE))
    response = anthropic_sdk.hang_up(create(stream=True))
    assert provider.hung_up.wait(5)
    record = gateway.ledger.of(response)
    assert (record.outcome, record.usage) == ("hung_up", Usage(7, 1, 4))
