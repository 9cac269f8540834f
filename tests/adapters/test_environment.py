"""Endpoints that nobody has to configure."""

import pytest

from gateway.adapters.environment import DEMO, EnvironmentEndpoints, found_providers
from gateway.errors import EndpointNotFound
from gateway.providers.catalog import PROVIDERS
from gateway.routing.endpoint import Endpoint, Target
from tests.fakes import run

KEYS = {
    "OPENAI_API_KEY": "sk-1",
    "ANTHROPIC_API_KEY": "sk-2",
    "GOOGLE_API_KEY": "sk-3",
    "GROQ_API_KEY": "sk-4",
}


def find(name: str, **environment: str) -> Target:
    found = run(EnvironmentEndpoints(environment).find(name))
    assert found.name == name
    (target,) = found.targets
    assert found == Endpoint(name, (target,))
    return target


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("openai/gpt-4.1", Target("openai", "gpt-4.1", "env:OPENAI_API_KEY")),
        (
            "openai/ft:gpt-4.1:acme::x1",
            Target("openai", "ft:gpt-4.1:acme::x1", "env:OPENAI_API_KEY"),
        ),
        ("gpt-4.1", Target("openai", "gpt-4.1", "env:OPENAI_API_KEY")),
        ("o3", Target("openai", "o3", "env:OPENAI_API_KEY")),
        (
            "text-embedding-3-small",
            Target("openai", "text-embedding-3-small", "env:OPENAI_API_KEY"),
        ),
        ("claude-x", Target("anthropic", "claude-x", "env:ANTHROPIC_API_KEY")),
        ("gemini/gemini-x", Target("gemini", "gemini-x", "env:GOOGLE_API_KEY")),
        ("groq/meta/llama-3", Target("groq", "meta/llama-3", "env:GROQ_API_KEY")),
        ("ollama/llama3.2:1b", Target("ollama", "llama3.2:1b")),
    ],
)
def test_a_model_of_a_provider_whose_key_is_set_is_found(name: str, target: Target) -> None:
    assert find(name, **KEYS) == target


def test_the_demo_is_always_there_and_costs_nothing() -> None:
    assert run(EnvironmentEndpoints({}).find("demo")) == DEMO
    assert DEMO.targets[0].price is not None


@pytest.mark.parametrize(
    "name",
    [
        "mistral/m",  # no key
        "llama3",  # whose?
        "openai/",
        "/gpt-4",
        "openai",
        "echo/echo",
        "openai_compatible/m",
        "anthropic_compatible/m",
        "azure/m",
        "nobody/m",
        "DEMO",
        "OpenAI/gpt-4",
        "",
    ],
)
def test_other_names_are_not(name: str) -> None:
    with pytest.raises(EndpointNotFound):
        find(name, **KEYS)


@pytest.mark.parametrize(
    "model",
    [
        "gpt-4\r\nx-evil: 1",
        "gpt-4\n",
        "gpt-4\r",
        "gpt-4\x00",
        "gpt-4\x7f",
        "gpt 4",
        "gpt-\u00e9",
        "gpt-\u0661",
        "gpt-\U0001f600",
        "gpt-\udcff",
        "gpt-4?a=1",
        "gpt-4#a",
        'gpt-"4"',
        "gpt-" + "4" * 200,
        "gpt-" + "4" * 1_000_000,
    ],
)
@pytest.mark.parametrize("prefix", ["", "openai/"])
def test_what_may_not_stand_in_a_header_is_no_model(prefix: str, model: str) -> None:
    with pytest.raises(EndpointNotFound):
        find(prefix + model, **KEYS)


def test_a_name_of_a_megabyte_is_not_sent_back_whole() -> None:
    with pytest.raises(EndpointNotFound) as missing:
        find("gpt-" + "4" * 1_000_000, **KEYS)
    assert len(missing.value.message) < 1000


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("openai/gpt", "set OPENAI_API_KEY to call openai"),
        ("gpt-4.1", "set OPENAI_API_KEY to call openai"),
        ("claude-x", "set ANTHROPIC_API_KEY to call anthropic"),
        ("gemini", "set GEMINI_API_KEY to call gemini"),
        ("azure/m", "set AZURE_OPENAI_API_KEY to call azure"),
        ("nobody/m", None),
        ("ollama", None),
    ],
)
def test_a_hint_says_which_key_would_do(name: str, hint: str | None) -> None:
    with pytest.raises(EndpointNotFound) as missing:
        find(name)
    assert missing.value.hint == hint


def test_a_hint_does_not_ask_for_a_key_that_is_set() -> None:
    with pytest.raises(EndpointNotFound) as missing:
        find("gpt 4", **KEYS)
    assert "OPENAI_API_KEY" not in missing.value.message


def listed(**environment: str) -> list[str]:
    return [endpoint.name for endpoint in run(EnvironmentEndpoints(environment).list())]


def test_an_example_of_each_provider_at_hand_is_listed() -> None:
    assert listed() == ["demo"]
    assert listed(**KEYS) == [
        "anthropic/claude-haiku-4-5",
        "demo",
        "gemini/gemini-2.5-flash",
        "groq/llama-3.3-70b-versatile",
        "openai/gpt-4.1-mini",
    ]


def test_what_is_listed_is_found() -> None:
    environment = {row.key_variables[0]: "k" for row in PROVIDERS.values() if row.key_variables}
    endpoints = EnvironmentEndpoints(environment)
    found = [run(endpoints.find(endpoint.name)) for endpoint in run(endpoints.list())]
    assert found == list(run(endpoints.list()))
    assert len(found) > 10


@pytest.mark.parametrize("empty", ["OPENAI_API_KEY", "GEMINI_API_KEY", "OPENAI_BASE_URL"])
def test_an_empty_variable_is_none(empty: str) -> None:
    assert listed(**{empty: ""}) == ["demo"]


def test_the_best_of_several_key_variables_goes_first() -> None:
    found = found_providers({"GEMINI_API_KEY": "a", "GOOGLE_API_KEY": "b"})
    assert [one.key_variable for one in found if one.provider.name == "gemini"] == [
        "GEMINI_API_KEY"
    ]


def test_a_provider_that_has_moved_needs_no_key() -> None:
    moved = {"OPENAI_BASE_URL": "http://127.0.0.1:8080/v1"}
    assert find("openai/local", **moved) == Target(
        "openai", "local", base_url="http://127.0.0.1:8080/v1"
    )
    assert listed(**moved) == ["demo", "openai/gpt-4.1-mini"]
    theirs = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:8080"}
    assert find("anthropic/local", **theirs) == Target(
        "anthropic", "local", base_url="http://127.0.0.1:8080"
    )
    assert listed(**theirs) == ["anthropic/claude-haiku-4-5", "demo"]
    assert find("gpt-4", **moved, OPENAI_API_KEY="k").secret == "env:OPENAI_API_KEY"
