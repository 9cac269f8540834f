"""What a body is fitted to, and what of it is lost."""

from typing import Any, get_args, get_type_hints

import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsBase

from gateway.dialects import OPENAI_CHAT, OPENAI_EMBEDDINGS
from gateway.providers.catalog import PROVIDERS
from gateway.providers.quirks import NO_QUIRKS, Fitted, Quirks, fit
from gateway.wire.json import Json

QUIRKS = Quirks({"seed": "random_seed"}, frozenset({"stream_options", "logit_bias", "n"}))
HI: Json = {"model": "m", "messages": []}


@pytest.mark.parametrize(
    ("body", "fitted"),
    [
        ({}, Fitted({}, (), frozenset())),
        ({"top_p": 1}, Fitted({}, (), frozenset())),
        ({"seed": 7}, Fitted({"random_seed": 7}, ("seed",), frozenset())),
        ({"seed": 0}, Fitted({"random_seed": 0}, ("seed",), frozenset())),
        ({"seed": None}, Fitted({}, ("seed",), frozenset())),
        ({"seed": 7, "random_seed": 7}, Fitted({}, ("seed",), frozenset())),
        ({"seed": 7, "random_seed": 8}, Fitted({}, ("seed",), frozenset({"seed"}))),
        ({"seed": 7, "random_seed": None}, Fitted({"random_seed": 7}, ("seed",), frozenset())),
        ({"seed": None, "random_seed": 8}, Fitted({}, ("seed",), frozenset())),
        ({"random_seed": 8}, Fitted({}, (), frozenset())),
        ({"logit_bias": {"1": 2}}, Fitted({}, ("logit_bias",), frozenset({"logit_bias"}))),
        ({"logit_bias": None}, Fitted({}, ("logit_bias",), frozenset())),
        ({"n": 2}, Fitted({}, ("n",), frozenset({"n"}))),
        (
            {"stream_options": {"include_usage": True}},
            Fitted({}, ("stream_options",), frozenset()),
        ),
        (
            {"n": 2, "seed": 1, "logit_bias": {"1": 2}},
            Fitted({"random_seed": 1}, ("seed", "n", "logit_bias"), frozenset({"n", "logit_bias"})),
        ),
    ],
)
def test_what_is_refused_goes_and_what_is_renamed_stays(body: Json, fitted: Fitted) -> None:
    given = {**HI, **body}
    kept = dict(given)
    assert fit(given, QUIRKS) == fitted
    assert given == kept


def test_without_quirks_nothing_is_done() -> None:
    assert fit({**HI, "seed": 1, "n": 2}, NO_QUIRKS) == Fitted({}, (), frozenset())


@pytest.mark.parametrize(
    ("name", "default", "another"),
    [
        ("n", 1, 2),
        ("store", False, True),
        ("parallel_tool_calls", True, False),
        ("service_tier", "auto", "flex"),
        ("logprobs", False, True),
        ("top_logprobs", 0, 3),
        ("metadata", {}, {"a": "b"}),
        ("logit_bias", {}, {"1": 1}),
    ],
)
def test_who_asked_for_what_is_done_anyway_loses_nothing(
    name: str, default: Any, another: Any
) -> None:
    quirks = Quirks(refuses=frozenset({name}))
    assert fit({name: default}, quirks) == Fitted({}, (name,), frozenset())
    assert fit({name: another}, quirks) == Fitted({}, (name,), frozenset({name}))


def known(name: str, body: Json) -> Fitted:
    return fit({**HI, **body}, PROVIDERS[name].quirks_in(OPENAI_CHAT))


def test_mistral_has_its_own_names() -> None:
    asked = {"max_completion_tokens": 9, "seed": 1, "stream_options": {"include_usage": True}}
    assert known("mistral", asked) == Fitted(
        {"max_tokens": 9, "random_seed": 1},
        ("max_completion_tokens", "seed", "stream_options"),
        frozenset(),
    )


@pytest.mark.parametrize(
    "name", ["deepseek", "ollama", "nvidia", "together", "deepinfra", "perplexity"]
)
def test_a_limit_is_told_by_the_name_that_they_know(name: str) -> None:
    limited = Fitted({"max_tokens": 9}, ("max_completion_tokens",), frozenset())
    assert known(name, {"max_completion_tokens": 9}) == limited


@pytest.mark.parametrize(
    ("name", "body", "dropped"),
    [
        ("mistral", {"user": "u", "logit_bias": {"1": 1}, "top_p": 1}, {"user", "logit_bias"}),
        ("groq", {"logprobs": True, "top_logprobs": 2, "seed": 1}, {"logprobs", "top_logprobs"}),
        ("cohere", {"n": 1, "parallel_tool_calls": False, "seed": 1}, {"parallel_tool_calls"}),
        ("perplexity", {"stream_options": {"include_usage": True}}, set()),
        ("openai", {"n": 2, "logit_bias": {"1": 1}, "user": "u", "seed": 1}, set()),
        ("openai_compatible", {"n": 2, "user": "u", "store": True}, set()),
    ],
)
def test_what_whoever_asks_them_loses(name: str, body: Json, dropped: set[str]) -> None:
    assert known(name, body).dropped == dropped


def test_mistral_calls_the_length_of_a_vector_otherwise() -> None:
    asked = {"model": "m", "input": "x", "dimensions": 256, "user": "u"}
    quirks = PROVIDERS["mistral"].quirks_in(OPENAI_EMBEDDINGS)
    fitted = Fitted({"output_dimension": 256}, ("dimensions", "user"), frozenset({"user"}))
    assert fit(asked, quirks) == fitted


def test_quirks_are_of_members_that_openai_has() -> None:
    """A misspelt one would never be met."""
    members = get_type_hints(CompletionCreateParamsBase).keys() | {"stream_options"}
    assert get_args(CompletionCreateParamsBase) == ()
    for row in PROVIDERS.values():
        quirks = row.quirks_in(OPENAI_CHAT)
        assert quirks.renames.keys() | quirks.refuses <= members, row.name
        assert not quirks.renames.keys() & quirks.refuses, row.name
        assert not set(quirks.renames.values()) & quirks.refuses, row.name


def test_what_is_needed_for_an_answer_is_refused_by_none() -> None:
    needed = {"model", "messages", "stream", "tools", "tool_choice", "response_format"}
    for row in PROVIDERS.values():
        for quirks in row.quirks_of.values():
            assert not needed & (quirks.refuses | quirks.renames.keys()), row.name
