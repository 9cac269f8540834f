"""Whether a model of Anthropic's may think on in a turn that is not over."""

from typing import Any

import pytest

from gateway.chat.blocks import Block, Seal, Text, Thinking, ToolResult, ToolUse
from gateway.chat.request import ChatRequest, Message, Reasoning, Tool, ToolChoice
from gateway.dialects.anthropic_messages import ANTHROPIC_COUNT, write_request
from gateway.dialects.anthropic_messages.count import write_count
from gateway.dialects.forms import Written
from gateway.wire.json import Json

BUDGET, EITHER, ADAPTIVE = "claude-haiku-4-5", "claude-sonnet-4-6", "claude-opus-4-8"
UNASKED, IMITATOR = "claude-sonnet-5", "kimi-k3"
SEALED = Thinking("Hm", Seal("anthropic", "S"))
HIDDEN = Thinking("", Seal("anthropic", "R"), redacted=True)
FOREIGN = Thinking("Hm", Seal("gemini", "E"))
ASKED = Message("user", [Text("weather?")])
HEARD = Message("user", [ToolResult("t", (Text("sunny"),))])
NUDGED = Message("user", [ToolResult("t", (Text("sunny"),)), Text("go on")])
ENABLED: Json = {"type": "enabled", "budget_tokens": 8192}


def called(*before: Block) -> Message:
    return Message("assistant", [*before, ToolUse("t", "f", "{}")])


def thinking(model: str, *messages: Message, **more: Any) -> tuple[Json | None, set[str]]:
    """How it is asked to think, and what was lost; the effort of its own is none for a budget."""
    asked = more.pop("reasoning", Reasoning("medium"))
    request = ChatRequest(model, [ASKED, *messages], reasoning=asked, **more)
    written = write_request(request)
    return written.body.get("thinking"), set(written.dropped)


@pytest.mark.parametrize(
    "turn",
    [
        (called(SEALED), HEARD),
        (called(HIDDEN), HEARD),
        (called(SEALED), NUDGED),
        # Claude itself has no thought later in a turn, unless thinking is interleaved.
        (called(SEALED), HEARD, called(), HEARD),
        (called(SEALED), HEARD, called(Text("I look again")), HEARD),
        # What is over does not matter.
        (called(), HEARD, Message("assistant", [Text("sunny")]), ASKED),
        (Message("assistant", [Text("hello")]), ASKED),
        (),
    ],
)
def test_a_turn_that_began_with_a_thought_is_thought_on(turn: tuple[Message, ...]) -> None:
    assert thinking(BUDGET, *turn) == (ENABLED, {"reasoning.effort"})


@pytest.mark.parametrize(
    ("turn", "lost"),
    [
        ((called(), HEARD), set()),
        ((called(Text("I look")), HEARD), set()),
        ((called(), NUDGED), set()),
        ((called(FOREIGN), HEARD), {"thinking"}),
        ((called(Thinking("Hm")), HEARD), {"thinking"}),
        ((called(), HEARD, called(SEALED), HEARD), {"thinking"}),
        ((called(SEALED), HEARD, Message("assistant", [Text("a")]), ASKED, called(), HEARD), set()),
    ],
)
def test_one_that_did_not_is_not(turn: tuple[Message, ...], lost: set[str]) -> None:
    assert thinking(BUDGET, *turn) == (None, {"reasoning.effort"} | lost)
    asked = Reasoning(budget=2000)
    assert thinking(BUDGET, *turn, reasoning=asked) == (None, {"reasoning.budget"} | lost)


def test_of_a_host_whose_model_we_do_not_know_the_same_is_true() -> None:
    assert thinking(IMITATOR, called(SEALED), HEARD) == (ENABLED, {"reasoning.effort"})
    assert thinking(IMITATOR, called(), HEARD) == (None, {"reasoning.effort"})


@pytest.mark.parametrize("model", [EITHER, ADAPTIVE, UNASKED])
def test_thinking_adaptively_minds_no_beginning(model: str) -> None:
    assert thinking(model, called(), HEARD) == ({"type": "adaptive"}, set())


def test_who_can_think_adaptively_too_does_so_in_place_of_a_budget() -> None:
    asked = Reasoning(budget=2000, shown=True)
    assert thinking(EITHER, called(), HEARD, reasoning=asked) == (
        {"type": "adaptive", "display": "summarized"},
        {"reasoning.budget"},
    )


@pytest.mark.parametrize("choice", [ToolChoice("required"), ToolChoice("named", "f")])
def test_a_budget_does_not_go_with_a_tool_that_must_be_called(choice: ToolChoice) -> None:
    tools: Any = [Tool("f", None, None)]
    assert thinking(BUDGET, tools=tools, tool_choice=choice) == (None, {"reasoning.effort"})
    assert thinking(BUDGET, tools=tools, tool_choice=ToolChoice("auto")) == (
        ENABLED,
        {"reasoning.effort"},
    )
    assert thinking(EITHER, tools=tools, tool_choice=choice) == ({"type": "adaptive"}, set())


@pytest.mark.parametrize("choice", [ToolChoice("required"), ToolChoice("named", "f")])
@pytest.mark.parametrize(
    "model", ["claude-opus-4-6", "claude-sonnet-4-6", "claude-opus-4-7", ADAPTIVE, UNASKED]
)
def test_thinking_adaptively_does_go_with_one(model: str, choice: ToolChoice) -> None:
    """At Anthropic's own servers, seen for each of them."""
    tools: Any = [Tool("f", None, None)]
    assert thinking(model, tools=tools, tool_choice=choice) == ({"type": "adaptive"}, set())


@pytest.mark.parametrize("choice", [ToolChoice("required"), ToolChoice("named", "f")])
@pytest.mark.parametrize(
    "model",
    [
        "us.anthropic.claude-opus-4-6-v1:0",
        "anthropic.claude-sonnet-4-6",
        "global.anthropic.claude-opus-4-7",
    ],
)
def test_at_bedrock_it_does_not_before_opus_4_8(model: str, choice: ToolChoice) -> None:
    tools: Any = [Tool("f", None, None)]
    asked = {"tools": tools, "tool_choice": choice}
    request = ChatRequest(model, [ASKED], reasoning=Reasoning("high"), **asked)
    told = {"type": "any"} if choice.mode == "required" else {"type": "tool", "name": "f"}
    assert write_request(request) == Written(
        {
            "model": model,
            "max_tokens": 8192,
            "messages": [{"role": "user", "content": "weather?"}],
            "tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}}],
            "tool_choice": told,
            "output_config": {"effort": "high"},
        },
        frozenset({"reasoning.effort"}),
    )
    budget = Reasoning(budget=2000, shown=True)
    lost = {"reasoning.budget", "reasoning.shown"}
    assert thinking(model, reasoning=budget, **asked) == (None, lost)
    free = thinking(model, tools=tools, tool_choice=ToolChoice("auto"))
    assert free == ({"type": "adaptive"}, set())
    later = thinking("us.anthropic.claude-opus-4-8", **asked)
    assert later == ({"type": "adaptive"}, set())


def test_nor_with_an_answer_that_the_caller_begins() -> None:
    begun = Message("assistant", [Text("It is")])
    assert thinking(BUDGET, begun) == (None, {"reasoning.effort"})
    assert thinking(BUDGET, begun, reasoning=Reasoning(budget=2000)) == (None, {"reasoning.budget"})
    assert thinking(BUDGET, begun, reasoning=None) == (None, set())


@pytest.mark.parametrize("choice", [ToolChoice("required"), ToolChoice("named", "f")])
@pytest.mark.parametrize(
    "model", ["claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5-1", "claude-mythos-5-1"]
)
def test_who_cannot_be_made_to_call_a_tool_is_left_to_choose(
    model: str, choice: ToolChoice
) -> None:
    request = ChatRequest(
        model, [ASKED], tools=[Tool("f", None, None)], tool_choice=choice, parallel_tools=False
    )
    told: Json = {
        "model": model,
        "messages": [{"role": "user", "content": "weather?"}],
        "tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    }
    assert write_count(request) == Written(told, frozenset({"tool_choice"}))
    request.parallel_tools = None
    del told["tool_choice"]
    assert write_request(request) == Written(
        {**told, "max_tokens": 8192 + 24576}, frozenset({"tool_choice"})
    )


@pytest.mark.parametrize(
    "model", ["claude-opus-5", "claude-haiku-5-5", "claude-fable-5", "claude-opus-4-8", IMITATOR]
)
def test_who_can_be_is(model: str) -> None:
    request = ChatRequest(
        model, [ASKED], tools=[Tool("f", None, None)], tool_choice=ToolChoice("named", "f")
    )
    written = write_request(request)
    assert (written.body["tool_choice"], written.dropped) == (
        {"type": "tool", "name": "f"},
        frozenset(),
    )


@pytest.mark.parametrize(
    ("model", "asked", "kept"),
    [
        (BUDGET, None, False),
        (EITHER, Reasoning("none"), False),
        (UNASKED, Reasoning("none"), False),
        (BUDGET, Reasoning("low"), True),
        (UNASKED, None, True),
        (IMITATOR, None, True),
    ],
)
def test_who_does_not_think_is_told_no_thought_of_the_present_turn(
    model: str, asked: Reasoning | None, *, kept: bool
) -> None:
    before = [ASKED, called(SEALED), HEARD, Message("assistant", [SEALED, Text("sunny")])]
    request = ChatRequest(model, [*before, ASKED, called(SEALED), HEARD], reasoning=asked)
    written = write_request(request)
    kinds = [
        [block["type"] for block in message["content"]]
        for message in written.body["messages"]
        if message["role"] == "assistant"
    ]
    called_then = ["thinking", "tool_use"]
    assert kinds == [called_then, ["thinking", "text"], called_then if kept else ["tool_use"]]
    assert ("thinking" in written.dropped) is not kept


def test_a_count_is_of_what_would_be_sent() -> None:
    assert ANTHROPIC_COUNT.count is not None
    request = ChatRequest(BUDGET, [ASKED, called(), HEARD], reasoning=Reasoning("medium"))
    counted = ANTHROPIC_COUNT.count.write_request(request)
    sent = write_request(request)
    assert counted.body == {"model": BUDGET, "messages": sent.body["messages"]}


LATER = Thinking("So", Seal("anthropic", "S2"))
CALL = ToolUse("t", "f", "{}")
LOOK = Text("I look")


def turn_of(model: str, *content: Block) -> tuple[list[str], Json | None, set[str]]:
    """The kinds of the blocks in the middle of the loop, how it is asked to think, what was lost."""
    messages = [ASKED, Message("assistant", [*content]), HEARD]
    written = write_request(ChatRequest(model, messages, reasoning=Reasoning("high")))
    kinds = [block["type"] for block in written.body["messages"][1]["content"]]
    return kinds, written.body.get("thinking"), set(written.dropped)


@pytest.mark.parametrize(
    "content",
    [
        (SEALED, LOOK, LATER, CALL),
        (LOOK, SEALED, CALL),
        (SEALED, CALL),
        (SEALED, HIDDEN, LOOK, CALL),
        (HIDDEN, HIDDEN, LOOK, CALL),
        (SEALED, LATER, CALL),  # nothing could have stood between
    ],
)
def test_thoughts_in_their_places_are_told(content: tuple[Block, ...]) -> None:
    kinds, thinking, lost = turn_of(ADAPTIVE, *content)
    assert len(kinds) == len(content)
    assert (thinking, lost) == ({"type": "adaptive"}, set())


@pytest.mark.parametrize(
    "content",
    [(SEALED, LATER, LOOK, CALL), (LOOK, SEALED, LATER, CALL), (SEALED, LATER, HIDDEN, LOOK, CALL)],
)
def test_thoughts_that_are_no_longer_in_their_places_are_left_out_all(
    content: tuple[Block, ...],
) -> None:
    told = ["text", "tool_use"]
    assert turn_of(ADAPTIVE, *content) == (told, {"type": "adaptive"}, {"thinking"})
    # By a budget it must think from the beginning of a turn or not at all.
    assert turn_of(BUDGET, *content) == (told, None, {"thinking", "reasoning.effort"})


def test_others_thoughts_do_not_count_for_their_order() -> None:
    assert turn_of(ADAPTIVE, SEALED, FOREIGN, LOOK, CALL) == (
        ["thinking", "text", "tool_use"],
        {"type": "adaptive"},
        {"thinking"},
    )
