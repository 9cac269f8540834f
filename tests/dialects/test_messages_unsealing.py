"""A conversation that a translation answered goes on at a model of Anthropic's."""

import pytest

from gateway.chat.blocks import Seal
from gateway.chat.seals import carried
from gateway.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from gateway.wire.json import Json

BUDGET, EITHER = "claude-haiku-4-5", "claude-sonnet-4-6"
ENABLED: Json = {"type": "enabled", "budget_tokens": 2000}
ASKED: Json = {"role": "user", "content": "weather?"}
CALL: Json = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
HEARD: Json = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]}
OURS: Json = {"type": "thinking", "thinking": "hm", "signature": carried(None)}
THEIRS: Json = {"type": "thinking", "thinking": "hm", "signature": "S"}


def called(*before: Json) -> Json:
    return {"role": "assistant", "content": [*before, CALL]}


def body(*turn: Json, thinking: Json | None = ENABLED) -> Json:
    asked = {} if thinking is None else {"thinking": thinking}
    return {"messages": [ASKED, *turn], **asked}


def unsealed(body: Json, model: str = BUDGET) -> tuple[Json, set[str]]:
    left, lost = ANTHROPIC_MESSAGES.unseal(body, model)
    return left, set(lost)


def test_a_turn_that_lost_its_first_thought_is_not_thought_on_by_a_budget() -> None:
    lost = {"thinking", "reasoning.budget"}
    assert unsealed(body(called(OURS), HEARD)) == (body(called(), HEARD, thinking=None), lost)
    again = body(called(OURS), HEARD, called(THEIRS), HEARD)
    left = body(called(), HEARD, called(), HEARD, thinking=None)
    assert unsealed(again) == (left, lost)


def test_who_thinks_adaptively_too_does_so() -> None:
    assert unsealed(body(called(OURS), HEARD), EITHER) == (
        body(called(), HEARD, thinking={"type": "adaptive"}),
        {"thinking", "reasoning.budget"},
    )


@pytest.mark.parametrize("thinking", [ENABLED, {"type": "adaptive"}, None])
def test_what_is_over_does_not_matter(thinking: Json | None) -> None:
    turn = [HEARD, {"role": "assistant", "content": "sunny"}, ASKED]
    told, left = (body(called(*one), *turn, thinking=thinking) for one in ([OURS], []))
    assert unsealed(told) == (left, {"thinking"})


def test_what_the_caller_says_itself_is_the_apis_to_judge() -> None:
    for told in (body(called(), HEARD), body(called(THEIRS), HEARD)):
        assert unsealed(told) == (told, set())


def test_a_foreign_seal_is_lost_with_its_thought() -> None:
    hidden = {"type": "redacted_thinking", "data": carried(Seal("gemini", "E"))}
    assert unsealed(body(called(hidden), HEARD, thinking=None)) == (
        body(called(), HEARD, thinking=None),
        {"thinking"},
    )


@pytest.mark.parametrize(
    "turn",
    [
        [called(OURS), {"role": "user", "content": [1]}],
        [called(OURS), {"role": "user", "content": [{}]}],
        [called(OURS), {"content": "a"}],
        [called(OURS), {"role": "user"}],
        [called(OURS), 1],
    ],
)
def test_a_body_of_another_shape_keeps_all_but_what_was_ours(turn: list[Json]) -> None:
    left, lost = unsealed(body(*turn))
    assert (left, lost) == (body(called(), *turn[1:]), {"thinking"})


def test_a_choice_of_another_shape_is_the_apis_to_refuse() -> None:
    told = body(called(OURS), HEARD) | {"tool_choice": "auto"}
    assert unsealed(told)[0] == body(called(), HEARD) | {"tool_choice": "auto"}
