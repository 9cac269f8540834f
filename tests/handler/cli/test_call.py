"""``sluicegate call``."""

import re

import pytest

from gateway.usage import Usage
from gateway.wire.json import dumps, loads
from handler.cli.asking import Served
from handler.cli.call import Told, dollars, duration, summary
from handler.cli.screen import visible
from tests.handler.cli.stand_in import DONE, HELLO, STOP, USAGE, StandIn, chunk
from tests.handler.cli.terminal import run

SSE = "text/event-stream"
CUT_SHORT = (
    "error: the answer broke off: the provider failed while it answered: "
    "the provider's stream ended without its last event\n"
)


def create(provider: StandIn, *more: str) -> None:
    target = ["--provider", "openai_compatible", "--model", "m", "--base-url", provider.url]
    more = ("--allow-private", *more)
    assert run("endpoints", "create", "mine", *target, *more).exit_code == 0


def test_the_demo_answers_on_a_fresh_machine() -> None:
    result = run("call", "demo", "Hello")
    assert (result.exit_code, result.stdout) == (
        0,
        "This is an echo, not a model. You said: Hello\n",
    )
    times = r"total \d+ ms"
    assert re.fullmatch(rf"echo/echo, tokens 1 in, 13 out, {times}, cost \$0\n", result.stderr)


def test_streams_when_asked_to() -> None:
    result = run("call", "demo", "Hello", "--stream")
    assert result.stdout == "This is an echo, not a model. You said: Hello\n"
    assert "first token" in result.stderr


def test_the_prompt_may_come_from_standard_input() -> None:
    assert run("call", "demo", "-", typed="piped").stdout.endswith("You said: piped\n")


def test_an_empty_prompt_is_refused() -> None:
    result = run("call", "demo", "-", typed="\n")
    assert (result.exit_code, "the prompt is empty" in result.stderr) == (1, True)


def test_prints_the_whole_reply_and_nothing_else_as_json() -> None:
    result = run("call", "demo", "Hello", "--json")
    assert loads(result.stdout)["choices"][0]["message"]["content"].endswith("Hello")
    assert result.stderr == ""


def test_a_whole_reply_is_not_streamed() -> None:
    assert run("call", "demo", "Hello", "--json", "--stream").exit_code == 2


def test_a_running_gateway_takes_no_file_of_ours() -> None:
    assert run("call", "demo", "Hi", "--url", "127.0.0.1:9", "--config", "f.yaml").exit_code == 2


def test_sends_what_was_asked(provider: StandIn) -> None:
    create(provider)
    provider.answer = (200, SSE, HELLO + STOP + DONE)
    run("call", "mine", "Hi", "--stream", "--system", "Be brief.", "--max-tokens", "9")
    assert provider.asked == [
        {
            "model": "m",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Hi"},
            ],
            "max_tokens": 9,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]


def test_what_is_unknown_is_called_so(provider: StandIn) -> None:
    create(provider)
    result = run("call", "mine", "Hi", "--stream")
    assert "openai_compatible/m, tokens unknown" in result.stderr
    assert result.stderr.endswith("cost unknown\n")


def test_thinking_counts_as_the_first_token_and_is_not_the_answer(provider: StandIn) -> None:
    create(provider)
    thought = chunk({"reasoning_content": "hm"})
    provider.answer = (200, SSE, thought + HELLO + STOP + USAGE + DONE)
    result = run("call", "mine", "Hi", "--stream")
    assert result.stdout == "Hello\n"
    assert "tokens 12 in, 34 out (5 reasoning), first token" in result.stderr


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            (401, "application/json", dumps({"error": {"message": "Incorrect API key"}})),
            "error: provider 'openai_compatible' answered 401: Incorrect API key\n",
        ),
        (
            (503, "text/html", b"<html>"),
            "error: provider 'openai_compatible' answered 503 with a body of type 'text/html'\n",
        ),
        (
            (200, SSE, HELLO),
            CUT_SHORT,
        ),
        ((200, SSE, b""), "error: the provider's stream ended before it began\n"),
    ],
)
def test_a_failure_is_told_and_the_exit_is_1(
    provider: StandIn, answer: tuple[int, str, bytes], said: str
) -> None:
    create(provider)
    provider.answer = answer
    result = run("call", "mine", "Hi", "--stream")
    assert (result.exit_code, result.stderr) == (1, said)


def test_shows_a_whole_reply_that_is_not_only_text(provider: StandIn) -> None:
    create(provider)
    message = {"role": "assistant", "reasoning": "hm", "content": "Yes\n", "refusal": "No"}
    provider.answer = (200, "application/json", dumps(reply(message)))
    result = run("call", "mine", "Hi")
    assert (result.exit_code, result.stdout) == (0, "Yes\nNo\n")
    assert result.stderr.endswith("stopped at the token limit\n")


def test_says_that_a_tool_call_cannot_be_shown(provider: StandIn) -> None:
    create(provider)
    tool = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    provider.answer = (200, "application/json", dumps(reply({"tool_calls": [tool]})))
    assert "see it with --json" in run("call", "mine", "Hi").stderr


def reply(message: object) -> object:
    choice = {"index": 0, "message": message, "finish_reason": "length"}
    return {"id": "r1", "model": "m", "created": 1, "choices": [choice]}


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("dmo", "did you mean 'demo'?"),
        ("nothing-alike", "`sluicegate endpoints list` shows them all"),
        ("openai/gpt-4.1-mini", "set OPENAI_API_KEY to call that provider"),
        ("claude-haiku-4-5", "set ANTHROPIC_API_KEY to call that provider"),
    ],
)
def test_an_unknown_endpoint_is_answered_with_a_hint(name: str, hint: str) -> None:
    result = run("call", name, "Hi")
    expected = f"error: there is no endpoint {name!r}; {hint}\n"
    assert (result.exit_code, result.stderr) == (1, expected)


def test_a_failed_attempt_before_is_counted(provider: StandIn) -> None:
    fallback = "--fallback", "echo/echo"
    create(provider, *fallback)
    provider.answer = (500, "text/html", b"")
    assert "echo/echo, tokens 1 in, 13 out" in (said := run("call", "mine", "Hi").stderr)
    assert said.endswith("cost unknown, 2 attempts\n")


def test_asks_a_running_gateway(provider: StandIn) -> None:
    provider.answer = (200, SSE, HELLO + STOP + USAGE + DONE)
    result = run("call", "mine", "Hi", "--stream", "--url", f"{provider.url}/gateway/openai/v1")
    assert (result.stdout, provider.asked[0]["model"]) == ("Hello\n", "mine")
    assert result.stderr.startswith("target unknown, tokens 12 in")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            (404, "application/json", dumps({"error": {"message": "no such endpoint"}})),
            "error: the gateway answered 404: no such endpoint\n",
        ),
        ((404, "text/html", b"<html>"), "is it a Sluicegate?\n"),
        ((200, SSE, HELLO), "error: the answer was cut off before its end\n"),
        ((200, SSE, b"data: {no\n\n"), "the provider sent a malformed event: "),
        (
            (200, SSE, b'data: {"error": {"message": "overloaded"}}\n\n'),
            "broke off: the provider failed while it answered: overloaded\n",
        ),
    ],
)
def test_a_running_gateways_failure_is_told(
    provider: StandIn, answer: tuple[int, str, bytes], said: str
) -> None:
    provider.answer = answer
    result = run("call", "mine", "Hi", "--stream", "--url", provider.url)
    assert (result.exit_code, said in result.stderr) == (1, True)


def test_an_answer_that_is_cut_on_the_way_is_told(provider: StandIn) -> None:
    provider.answer, provider.missing = (200, SSE, HELLO), 10
    result = run("call", "mine", "Hi", "--stream", "--url", provider.url)
    assert (result.exit_code, result.stdout) == (1, "Hello\n")
    assert result.stderr.startswith(f"error: the answer of {provider.url} broke off: ")


def test_sends_the_gateway_key_to_a_running_gateway_and_shows_it_nowhere(
    provider: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_API_KEY", "sgk_canary\n")
    provider.answer = (401, "application/json", dumps({"error": {"message": "no valid key"}}))
    result = run("call", "mine", "Hi", "--url", provider.url)
    assert provider.headers[0]["authorization"] == "Bearer sgk_canary"
    expected = "error: the gateway answered 401: no valid key; export SLUICEGATE_API_KEY=…\n"
    assert (result.exit_code, result.output) == (1, expected)


@pytest.mark.parametrize("key", ["sgk_canary two", "sgk_canar\N{LATIN SMALL LETTER Y WITH ACUTE}"])
def test_a_key_that_is_none_is_sent_nowhere(
    provider: StandIn, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("SLUICEGATE_API_KEY", key)
    result = run("call", "mine", "Hi", "--url", provider.url)
    assert (result.exit_code, "SLUICEGATE_API_KEY holds characters" in result.stderr) == (1, True)
    assert (provider.asked, "canar" in result.output) == ([], False)


def test_needs_no_gateway_key_within_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICEGATE_REQUIRE_KEYS", "true")
    assert run("call", "demo", "Hi").exit_code == 0


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]"])
def test_what_is_no_gateway_is_called_so(provider: StandIn, body: bytes) -> None:
    provider.answer = (200, "text/html", body)
    result = run("call", "mine", "Hi", "--url", provider.url)
    assert (result.exit_code, "what answered is no gateway" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("127.0.0.1:9", "error: no gateway answers at http://127.0.0.1:9; start one with"),
        ("ftp://127.0.0.1", "error: --url ftp://127.0.0.1: must be"),
        ("http://[", "error: --url http://[: must be an address"),
        ("http://a\x7fb", "error: http://a␡b: Invalid"),
    ],
)
def test_a_gateway_that_is_not_there_is_told(url: str, said: str) -> None:
    result = run("call", "mine", "Hi", "--url", url)
    assert (result.exit_code, result.stderr.startswith(said)) == (1, True)


def test_control_characters_do_not_reach_a_terminal() -> None:
    assert visible("a\x1b[31m\n\tb\x7f\x9b") == "a␛[31m\n\tb␡\ufffd"


@pytest.mark.parametrize(
    ("cost", "shown"),
    [
        (0, "$0"),
        (12.345, "$12.35"),
        (0.5, "$0.50"),
        (0.0123, "$0.012"),
        (0.00000042, "$0.00000042"),
    ],
)
def test_a_cost_is_shown_with_the_digits_that_mean_something(cost: float, shown: str) -> None:
    assert dollars(cost) == shown


def test_a_duration_is_shown_in_its_own_unit() -> None:
    assert [duration(0.0214), duration(12.34)] == ["21 ms", "12.3 s"]


def test_a_price_without_tokens_makes_no_cost() -> None:
    assert "cost unknown" in summary(Told(), Served("openai/m", cost=0))


def test_a_cost_that_the_provider_tells_is_shown() -> None:
    told = Told(Usage(input_tokens=1, cost=0.2))
    assert "cost $0.20" in summary(told, Served("openrouter/m"))
