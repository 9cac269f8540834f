"""How an answer is drawn, as far as each model takes it."""

from typing import Any

import pytest

from gateway.chat.blocks import Text
from gateway.chat.request import ChatRequest, Message, Reasoning, Sampling, Tool, ToolChoice
from gateway.dialects.anthropic_messages import write_request
from gateway.dialects.anthropic_messages.count import write_count
from gateway.dialects.forms import Written
from gateway.wire.json import Json

FIRST = "claude-3-5-haiku-latest"  # does not think, and takes everything
BOTH = "claude-3-7-sonnet-latest"  # takes everything while it does not think
ONE = "claude-sonnet-4-5"  # temperature or top_p
EITHER = "claude-opus-4-6"  # as well, and thinks by a budget or adaptively
NONE = "claude-opus-4-7"  # nothing at all
ALWAYS = "claude-fable-5"
IMITATOR = "kimi-k3"

ALL: Json = {"temperature": 0, "top_p": 0.95, "top_k": 64}  # what gemini-cli always says
USUAL: Json = {"temperature": 1, "top_p": 1}
BUDGET = Reasoning(budget=2000)
ASKED = [Message("user", [Text("Hi")])]
SAID: Json = {"messages": [{"role": "user", "content": "Hi"}]}


def whole(model: str, told: Json, thinking: Json | None = None, room: int = 0) -> Json:
    told = told if thinking is None else {**told, "thinking": thinking}
    return {"model": model, "max_tokens": 8192 + room, **SAID, **told}


def written(model: str, sampling: Json, asked: Reasoning | None = None, **more: Any) -> Written:
    request = ChatRequest(model, ASKED, sampling=Sampling(**sampling), reasoning=asked, **more)
    return write_request(request)


@pytest.mark.parametrize(
    ("model", "sampling", "told", "dropped"),
    [
        *[(model, ALL, ALL, set()) for model in (FIRST, "claude-2.1", BOTH, IMITATOR)],
        *[(model, ALL, ALL, set()) for model in ("claude-opus-4-0", "claude-sonnet-4@20250514")],
        # Of temperature and top_p one: the temperature, unless it says nothing.
        (ONE, ALL, {"temperature": 0, "top_k": 64}, {"top_p"}),
        (ONE, {"temperature": 1, "top_p": 0.5}, {"top_p": 0.5}, set()),
        (ONE, {"temperature": 0.5, "top_p": 1}, {"temperature": 0.5}, set()),
        (ONE, USUAL, {"top_p": 1}, set()),
        (ONE, {"temperature": 0}, {"temperature": 0}, set()),
        (ONE, {"top_p": 0.1, "top_k": 3}, {"top_p": 0.1, "top_k": 3}, set()),
        # Out of everyone's range: the API says so.
        (ONE, {"temperature": 1.5}, {"temperature": 1.5}, set()),
        *[
            (model, ALL, {"temperature": 0, "top_k": 64}, {"top_p"})
            for model in (
                "claude-opus-4-1-20250805",
                "claude-opus-4-5",
                EITHER,
                "claude-sonnet-4-6",
                "claude-haiku-4-5",
                "us.anthropic.claude-opus-4-1-20250805-v1:0",
                "claude-sonnet-4-5@20250929",
                "anthropic/claude-opus-4.6",
            )
        ],
        # Nothing, so what says nothing is not missed.
        (NONE, {"temperature": 0.5, "top_p": 1}, {}, {"temperature"}),
        (NONE, {"temperature": 1.0, "top_p": 0.99}, {}, {"top_p"}),
        (NONE, {"temperature": 1.5, "top_k": 1}, {}, {"temperature", "top_k"}),
        (NONE, USUAL, {}, set()),
        *[
            (model, ALL, {}, {"temperature", "top_p", "top_k"})
            for model in (NONE, "claude-opus-4-8", "global.anthropic.claude-opus-4-7-v1:0")
        ],
    ],
)
def test_each_model_is_told_what_it_takes(
    model: str, sampling: Json, told: Json, dropped: set[str]
) -> None:
    limit = {"max_tokens": 4096 if model == "claude-2.1" else 8192}
    assert written(model, sampling) == Written({**whole(model, told), **limit}, frozenset(dropped))


@pytest.mark.parametrize(
    "model",
    [
        ALWAYS,
        "claude-mythos-preview",
        "claude-opus-5",
        "claude-opus-5-5",
        "claude-sonnet-5-5",
        "claude-haiku-5-5",
        "anthropic.claude-sonnet-5",
        "claude-opus-7",
    ],
)
def test_none_that_thinks_unasked_is_told_how_to_draw(model: str) -> None:
    lost = frozenset({"temperature", "top_p", "top_k"})
    assert written(model, ALL) == Written(whole(model, {}, room=24576), lost)
    assert written(model, USUAL) == Written(whole(model, {}, room=24576))


@pytest.mark.parametrize(
    ("model", "sampling", "told", "dropped"),
    [
        (BOTH, ALL, {"top_p": 0.95}, {"temperature", "top_k"}),
        (BOTH, {"temperature": 1, "top_p": 0.95}, {"temperature": 1, "top_p": 0.95}, set()),
        (BOTH, {"temperature": 0.9}, {}, {"temperature"}),
        (BOTH, {"temperature": 1.1}, {}, {"temperature"}),
        (BOTH, {"top_p": 0.94}, {}, {"top_p"}),
        (BOTH, {"top_p": 1.5}, {}, {"top_p"}),
        (BOTH, {"top_k": 1}, {}, {"top_k"}),
        (BOTH, USUAL, USUAL, set()),
        (ONE, ALL, {"top_p": 0.95}, {"temperature", "top_k"}),
        (ONE, {"temperature": 1, "top_p": 0.95}, {"top_p": 0.95}, set()),
        (ONE, {"temperature": 1, "top_p": 0.5}, {"temperature": 1}, {"top_p"}),
        (ONE, {"temperature": 1}, {"temperature": 1}, set()),
        (EITHER, ALL, {"top_p": 0.95}, {"temperature", "top_k"}),
        (IMITATOR, ALL, ALL, set()),
    ],
)
def test_what_does_not_go_with_thinking_is_left_out(
    model: str, sampling: Json, told: Json, dropped: set[str]
) -> None:
    thinking = {"type": "enabled", "budget_tokens": 2000}
    assert written(model, sampling, BUDGET) == Written(
        whole(model, told, thinking, 2000), frozenset(dropped)
    )


def test_thinking_adaptively_is_thinking_too() -> None:
    told = {"top_p": 0.95, "output_config": {"effort": "low"}}
    assert written(EITHER, ALL, Reasoning("low")) == Written(
        whole(EITHER, told, {"type": "adaptive"}, 24576), frozenset({"temperature", "top_k"})
    )
    lost = frozenset({"temperature", "top_p", "top_k"})
    told = {"output_config": {"effort": "low"}}
    for model in (NONE, ALWAYS):
        assert written(model, ALL, Reasoning("low")) == Written(
            whole(model, told, {"type": "adaptive"}, 24576), lost
        )


def test_who_was_asked_to_think_and_may_not_draws_as_the_caller_says() -> None:
    tools: Any = [Tool("f", None, None)]
    sent = written(ONE, ALL, BUDGET, tools=tools, tool_choice=ToolChoice("named", "f"))
    told = {
        "tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}}],
        "tool_choice": {"type": "tool", "name": "f"},
        "temperature": 0,
        "top_k": 64,
    }
    assert sent == Written(whole(ONE, told), frozenset({"reasoning.budget", "top_p"}))
    assert written(ONE, {"temperature": 0}, Reasoning("none")) == Written(
        whole(ONE, {"temperature": 0})
    )


@pytest.mark.parametrize("model", [FIRST, ONE, NONE, ALWAYS, IMITATOR])
def test_a_count_has_nothing_of_it_and_misses_nothing(model: str) -> None:
    request = ChatRequest(model, ASKED, sampling=Sampling(**ALL))
    assert write_count(request) == Written({"model": model, **SAID})
