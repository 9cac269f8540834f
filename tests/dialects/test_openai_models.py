"""What OpenAI's own models refuse is left out of what is written for them, and reported."""

from typing import Any, get_args

import pytest

from gateway.chat.blocks import Seal, Text, Thinking
from gateway.chat.request import (
    ChatRequest,
    Effort,
    Message,
    Reasoning,
    ResponseFormat,
    Sampling,
    Tool,
)
from gateway.dialects.forms import ChatForm, Written
from gateway.dialects.openai_chat import CHAT_FORM, MISTRAL_FORM
from gateway.dialects.openai_models import DEFAULTS, MODELS, model_of, reasons
from gateway.dialects.openai_responses import RESPONSES_FORM
from gateway.dialects.openai_responses.request import write_counted
from gateway.wire.json import Json

# As gemini-cli and the like always say them, with all else that there is.
EVERYTHING: Json = {
    "temperature": 0,
    "top_p": 0.95,
    "presence_penalty": 0.5,
    "frequency_penalty": 0.5,
    "logprobs": True,
    "top_logprobs": 2,
    "logit_bias": {"7": 1},
    "stop": ["END"],
}
# The same as they stand in Responses, which has no others.
IN_RESPONSES: Json = {
    "temperature": 0,
    "top_p": 0.95,
    "top_logprobs": 2,
    "include": ["message.output_text.logprobs"],
}
UNSAID = {"presence_penalty", "frequency_penalty", "logit_bias", "stop"}
SAMPLED = {"temperature", "top_p", "logprobs", "top_logprobs"}
NOTHING_SAID: Json = {
    "temperature": 1,
    "top_p": 1.0,
    "presence_penalty": 0,
    "frequency_penalty": 0.0,
    "logprobs": False,
    "top_logprobs": 0,
    "logit_bias": {},
    "stop": [],
}
USER: Json = {"role": "user", "content": "hi"}
TOLD_USER: list[Json] = [
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
]
TOOL = Tool("f", None, {"type": "object", "properties": {}})
TOLD_TOOL: Json = {
    "type": "function",
    "function": {"name": "f", "parameters": {"type": "object", "properties": {}}},
}


def asked(model: str, said: Json | None = None, **more: Any) -> ChatRequest:
    return ChatRequest(
        model, [Message("user", [Text("hi")])], sampling=Sampling(**(said or {})), **more
    )


def chat(model: str, said: Json | None = None, **more: Any) -> tuple[Json, set[str]]:
    """What is said beside the model and the messages, and what is not."""
    return without(CHAT_FORM.write_request(asked(model, said, **more)), "messages", [USER])


def responses(model: str, said: Json | None = None, **more: Any) -> tuple[Json, set[str]]:
    body, dropped = without(
        RESPONSES_FORM.write_request(asked(model, said, **more)), "input", TOLD_USER
    )
    assert body.pop("store") is False
    return body, dropped


def without(written: Written, member: str, said: Any) -> tuple[Json, set[str]]:
    body = dict(written.body)
    assert body.pop(member) == said
    del body["model"]
    return body, set(written.dropped)


def kept(said: Json, *refused: str) -> Json:
    return {name: value for name, value in said.items() if name not in refused}


@pytest.mark.parametrize(
    "model",
    [
        "o3",
        "o3-2025-04-16",
        "o3-pro",
        "o4-mini",
        "ft:o4-mini-2025-04-16:me::id",
        "codex-mini-latest",
        "o1-mini",
        "o1-preview-2024-09-12",
        "gpt-5",
        "gpt-5-2025-08-07",
        "gpt-5-mini",
        "openai/gpt-5-nano",
        "openrouter/openai/gpt-5-mini:online",
        "databricks-gpt-5-mini",
        "gpt-5-pro",
        "gpt-5-codex",
        "gpt-5.1-codex-max",
        "gpt-5.2-pro",
        "gpt-5.2-chat-latest",
        "gpt-5.3-codex",
        "gpt-5.5",
        "GPT-5.6",
        "openai/gpt-5-6-terra",
        "global.openai.gpt-5.6-sol",
        "gpt-6-astra",
        "gpt-6-luna",
        "gpt-6.1-sol",
        "gpt-5-search-api",
    ],
)
def test_a_model_that_reasons_is_told_nothing_of_sampling(model: str) -> None:
    assert chat(model, EVERYTHING) == ({}, set(EVERYTHING))
    assert responses(model, EVERYTHING) == ({}, set(EVERYTHING))
    assert chat(model, NOTHING_SAID) == ({}, set())
    assert responses(model, NOTHING_SAID) == ({}, set())


@pytest.mark.parametrize("model", ["o1", "o1-2024-12-17", "o3-mini", "openai/o3-mini-2025-01-31"])
def test_the_first_of_them_take_a_stop(model: str) -> None:
    assert chat(model, EVERYTHING) == ({"stop": ["END"]}, set(EVERYTHING) - {"stop"})


@pytest.mark.parametrize(
    "model", ["gpt-5.1", "gpt-5.2-2025-12-11", "gpt-5.4-mini", "azure/gpt-5-2"]
)
def test_a_model_that_reasons_only_where_it_is_asked_to_is_sampled_until_then(model: str) -> None:
    sampled = kept(EVERYTHING, *UNSAID)
    assert chat(model, EVERYTHING) == (sampled, UNSAID)
    assert responses(model, EVERYTHING) == (IN_RESPONSES, UNSAID)
    none, low = Reasoning("none"), Reasoning("low")
    assert chat(model, EVERYTHING, reasoning=none) == (
        {"reasoning_effort": "none", **sampled},
        UNSAID,
    )
    assert chat(model, EVERYTHING, reasoning=low) == ({"reasoning_effort": "low"}, set(EVERYTHING))


@pytest.mark.parametrize("model", ["gpt-5.5", "gpt-5.6-terra", "gpt-6-sol", "gpt-6.1-terra"])
def test_a_model_that_reasons_unasked_is_sampled_where_it_is_told_not_to(model: str) -> None:
    off = {"reasoning": {"effort": "none"}, **IN_RESPONSES}
    off["include"] = ["reasoning.encrypted_content", *off["include"]]
    assert responses(model, EVERYTHING, reasoning=Reasoning("none")) == (off, UNSAID)
    assert responses(model, EVERYTHING, reasoning=Reasoning(budget=0)) == (
        off | {"include": IN_RESPONSES["include"]},
        UNSAID,
    )


@pytest.mark.parametrize(
    "model",
    [
        "gpt-4o",
        "gpt-4.1-mini-2025-04-14",
        "ft:gpt-4.1-mini-2025-04-14:me::id",
        "gpt-4-1106-preview",
        "gpt-3.5-turbo",
        "chatgpt-4o-latest",
        "meta-llama/llama-4",
        "deepseek-reasoner",
        "grok-4",
        "openai/gpt-oss-120b",
        "gpt-j-6b",
        "AIDC-AI/Marco-o1",
        "o1js",
        "o5",
        "my-deployment",
        "",
    ],
)
def test_all_others_are_told_what_there_is(model: str) -> None:
    assert chat(model, EVERYTHING) == (EVERYTHING, set())
    assert chat(model, NOTHING_SAID) == (NOTHING_SAID, set())
    assert responses(model, EVERYTHING) == (IN_RESPONSES, UNSAID)


def test_chatgpts_first_is_sampled_but_tells_no_probabilities() -> None:
    said = kept(EVERYTHING, "logprobs", "top_logprobs")
    assert chat("gpt-5-chat-latest", EVERYTHING) == (said, {"logprobs", "top_logprobs"})


def test_a_search_takes_no_sampling() -> None:
    assert chat("gpt-4o-mini-search-preview-2025-03-11", EVERYTHING) == ({}, set(EVERYTHING))


ORDER: tuple[Effort, ...] = get_args(Effort)


@pytest.mark.parametrize(
    ("model", "levels"),
    [  # for none, minimal, low, medium, high, xhigh, max
        ("o3", "low low low medium high high high"),
        ("gpt-5-mini", "minimal minimal low medium high high high"),
        ("gpt-5-pro", "high high high high high high high"),
        ("gpt-5-codex", "low low low medium high high high"),
        ("gpt-5.1", "none none low medium high high high"),
        ("gpt-5.1-codex", "low low low medium high high high"),
        ("gpt-5.1-codex-max", "low low low medium high xhigh xhigh"),
        ("gpt-5.2", "none none low medium high xhigh xhigh"),
        ("gpt-5.2-pro", "medium medium medium medium high xhigh xhigh"),
        ("gpt-5.3-chat-latest", "medium medium medium medium medium medium medium"),
        ("gpt-5.5", "none none low medium high xhigh xhigh"),
        ("gpt-5.6", "none none low medium high xhigh max"),
        ("gpt-6-astra", "low low low medium high xhigh max"),
        ("gpt-6-sol", "none none low medium high xhigh max"),
        ("gpt-6.1-sol", "low low low medium high xhigh max"),
        ("qwen3", "none minimal low medium high xhigh max"),
    ],
)
def test_a_level_that_a_model_has_not_is_the_nearest_that_it_has(model: str, levels: str) -> None:
    for wanted, told in zip(ORDER, levels.split(), strict=True):
        lost = set() if wanted == told else {"reasoning.effort"}
        body, dropped = responses(model, reasoning=Reasoning(wanted))
        assert (body["reasoning"], dropped) == ({"effort": told}, lost)


@pytest.mark.parametrize(
    ("model", "told"), [("gpt-5.6", "xhigh"), ("gpt-6-astra", "xhigh"), ("some-model", "max")]
)
def test_chat_completions_has_not_the_highest_level(model: str, told: str) -> None:
    lost = set() if told == "max" else {"reasoning.effort"}
    assert chat(model, reasoning=Reasoning("max")) == ({"reasoning_effort": told}, lost)


def test_a_budget_is_fitted_as_the_level_that_it_is_worth() -> None:
    assert chat("gpt-5", reasoning=Reasoning(budget=0)) == (
        {"reasoning_effort": "minimal"},
        {"reasoning.budget"},
    )
    assert chat("o3", reasoning=Reasoning(budget=900)) == (
        {"reasoning_effort": "low"},
        {"reasoning.budget"},
    )


def test_a_model_that_would_not_think_of_itself_is_asked_to_where_it_is_left_to_it() -> None:
    as_you_like = Reasoning(budget=-1)
    assert chat("gpt-5.2", reasoning=as_you_like) == (
        {"reasoning_effort": "medium"},
        {"reasoning.budget"},
    )
    assert chat("gpt-5.5", reasoning=as_you_like) == ({}, set())
    assert chat("qwen3", reasoning=as_you_like) == ({}, set())


@pytest.mark.parametrize("model", ["gpt-4o", "openai/gpt-4.1", "gpt-5-chat-latest", "o1-mini"])
def test_a_model_without_levels_is_told_of_none(model: str) -> None:
    shown = Reasoning("high", shown=True)
    assert chat(model, reasoning=shown) == ({}, {"reasoning.effort", "reasoning.shown"})
    assert responses(model, reasoning=shown) == ({}, {"reasoning.effort", "reasoning.shown"})
    summed_up = Reasoning(budget=4000, summary="auto")
    assert responses(model, reasoning=summed_up) == ({}, {"reasoning.budget", "reasoning.summary"})
    assert responses(model, reasoning=Reasoning("none")) == ({}, set())
    assert responses(model, reasoning=Reasoning(budget=-1)) == ({}, {"reasoning.budget"})


def test_the_thoughts_of_a_model_that_reasons_are_nothing_to_one_that_does_not() -> None:
    thought = Thinking("hm", Seal("openai", "E"), id="rs_1")
    request = asked("gpt-4o")
    request.messages.append(Message("assistant", [thought, Text("yes")]))
    written = RESPONSES_FORM.write_request(request)
    assert [item["type"] for item in written.body["input"]] == ["message", "message"]
    assert (set(written.dropped), "include" in written.body) == ({"thinking"}, False)
    request.model = "o3"
    written = RESPONSES_FORM.write_request(request)
    assert [item["type"] for item in written.body["input"]] == ["message", "reasoning", "message"]
    assert (set(written.dropped), "include" in written.body) == (set(), True)


@pytest.mark.parametrize(
    ("model", "verbosity", "told"),
    [
        ("gpt-5", "low", True),
        ("gpt-5.6", "high", True),
        ("llama", "low", True),
        ("gpt-4o", "low", False),
        ("o3", "high", False),
        ("gpt-5-codex", "low", False),
        ("gpt-5.2-chat-latest", "low", False),
    ],
)
def test_a_verbosity_is_told_to_those_who_have_one(model: str, verbosity: str, told: bool) -> None:
    lost = set() if told else {"verbosity"}
    body = {"verbosity": verbosity} if told else {}
    assert chat(model, verbosity=verbosity) == (body, lost)
    assert responses(model, verbosity=verbosity) == ({"text": body} if told else {}, lost)


def test_the_usual_verbosity_is_no_loss() -> None:
    assert chat("gpt-4o", verbosity="medium") == ({}, set())
    assert responses("o3", verbosity="medium") == ({}, set())


def test_the_older_ones_take_no_word_on_parallel_calls() -> None:
    body, dropped = chat("o3-mini", tools=[TOOL], parallel_tools=False)
    assert (body, dropped) == ({"tools": [TOLD_TOOL]}, {"parallel_tool_calls"})
    assert chat("o3-mini", tools=[TOOL], parallel_tools=True) == ({"tools": [TOLD_TOOL]}, set())
    assert responses("o4-mini", parallel_tools=False) == ({}, {"parallel_tool_calls"})
    assert responses("gpt-5", parallel_tools=False) == ({"parallel_tool_calls": False}, set())


@pytest.mark.parametrize(
    ("model", "effort", "told", "lost"),
    [
        # No word of it, not even that it should not.
        ("gpt-5.4", None, None, False),
        ("gpt-5.4-mini-2026-03-17", "high", None, True),
        ("gpt-5.4", "none", None, False),
        # It reasons unless it is told not to.
        ("gpt-5.5", "none", "none", False),
        ("gpt-5.6-luna", "high", "none", True),
        ("gpt-6-sol", None, "none", True),
        # There is no way: the API will say so.
        ("gpt-6-astra", "low", "low", False),
        # There is no need.
        ("gpt-5.2", "high", "high", False),
        ("gpt-5", None, None, False),
        ("openai/gpt-5.6", "high", "high", False),
        ("kimi-k2", "high", "high", False),
    ],
)
def test_chat_completions_has_tools_for_some_only_while_they_do_not_reason(
    model: str,
    effort: Effort | None,
    told: str | None,
    lost: bool,
) -> None:
    reasoning = None if effort is None else Reasoning(effort)
    body, dropped = chat(model, tools=[TOOL], reasoning=reasoning)
    level = {} if told is None else {"reasoning_effort": told}
    assert (body, dropped) == (
        {"tools": [TOLD_TOOL], **level},
        {"reasoning.effort"} if lost else set(),
    )


def test_who_may_not_reason_beside_tools_is_sampled() -> None:
    sampling = {"temperature": 0.2}
    body, dropped = chat("gpt-5.6", sampling, tools=[TOOL], reasoning=Reasoning(budget=9000))
    assert body == {"tools": [TOLD_TOOL], "reasoning_effort": "none", **sampling}
    assert dropped == {"reasoning.budget"}


def test_responses_has_tools_at_every_level() -> None:
    body, dropped = responses("gpt-5.6", tools=[TOOL], reasoning=Reasoning("high"))
    assert (body["reasoning"], dropped) == ({"effort": "high"}, set())


def test_a_count_is_of_what_the_model_takes() -> None:
    written = write_counted(asked("o3", reasoning=Reasoning("max"), verbosity="low"))
    body, dropped = without(written, "input", TOLD_USER)
    assert (body, dropped) == (
        {"reasoning": {"effort": "high"}},
        {"reasoning.effort", "verbosity"},
    )


@pytest.mark.parametrize(
    ("model", "so"),
    [
        ("o3", True),
        ("openai/gpt-5-mini", True),
        ("gpt-5.1", True),
        ("gpt-5.2-chat-latest", True),
        ("gpt-6-sol", True),
        ("gpt-5-chat-latest", False),
        ("gpt-5-search-api", False),
        ("o1-mini", False),
        ("gpt-4o", False),
        ("openai/gpt-oss-20b", False),
        ("deepseek-r1", False),
        ("Marco-o1", False),
    ],
)
def test_who_reasons_is_known_by_name(model: str, so: bool) -> None:
    assert reasons(model) is so


def test_every_name_finds_its_own_row() -> None:
    for name, model in MODELS.items():
        assert model_of(name) is model
        assert model_of(f"openai/{name}-2026-01-02") is model


def test_whatever_is_refused_has_a_default_that_says_nothing() -> None:
    assert {name for model in MODELS.values() for name in model.refuses("low")} <= DEFAULTS.keys()


def later(form: ChatForm, word: str) -> Json:
    said = [Message("user", [Text("go")]), Message("assistant", [Text("{}")])]
    request = ChatRequest("gpt-4o", [*said, Message("user", [Text(word)])])
    request.response_format = ResponseFormat()
    return form.write_request(request).body


def test_what_we_add_does_not_depend_on_what_is_said_later() -> None:
    told, again = later(CHAT_FORM, "more"), later(CHAT_FORM, "more JSON")
    assert told["messages"][:-1] == again["messages"][:-1]
    told, again = later(RESPONSES_FORM, "more"), later(RESPONSES_FORM, "more JSON")
    assert told["input"][:-1] == again["input"][:-1]


@pytest.mark.parametrize(
    ("form", "model", "asked", "told", "dropped"),
    [
        (CHAT_FORM, "llama-3.3-70b-versatile", "high", None, {"reasoning.effort"}),
        (CHAT_FORM, "llama-3.3-70b-versatile", "none", None, set()),
        (CHAT_FORM, "deepseek-r1-distill-llama-70b", "high", "high", set()),
        (MISTRAL_FORM, "mistral-large-latest", "high", None, {"reasoning.effort"}),
        (MISTRAL_FORM, "mistral-small-latest", "high", "high", set()),
        (MISTRAL_FORM, "magistral-medium-latest", "low", "high", {"reasoning.effort"}),
    ],
)
def test_who_knows_no_level_is_told_none(
    form: ChatForm, model: str, asked: Effort, told: str | None, dropped: set[str]
) -> None:
    request = ChatRequest(model, [Message("user", [Text("hi")])], reasoning=Reasoning(asked))
    written = form.write_request(request)
    assert (written.body.get("reasoning_effort"), {*written.dropped}) == (told, dropped)
