"""How much to think, as each model takes it."""

import pytest

from gateway.chat.request import ChatRequest, Reasoning, Sampling
from gateway.dialects.anthropic_messages import write_request
from gateway.dialects.anthropic_messages.models import model_of
from gateway.dialects.forms import Written
from gateway.wire.json import Json

FIRST = "claude-3-5-haiku-latest"  # does not think
BUDGET = "claude-haiku-4-5-20251001"  # by a budget alone
LEVELS = "claude-opus-4-5"  # a budget, and three levels of effort
EITHER = "claude-sonnet-4-6"
ADAPTIVE = "claude-opus-4-8"
UNASKED = "claude-sonnet-5"
ALWAYS = "claude-opus-5-5"
BETWEEN = "claude-sonnet-5-5"
IMITATOR = "kimi-k3"


def enabled(budget: int, **more: str) -> Json:
    return {"type": "enabled", "budget_tokens": budget, **more}


AS_IT_LIKES: Json = {"type": "adaptive"}
OFF: Json = {"type": "disabled"}


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("us.anthropic.claude-opus-4-6-v1:0", "anthropic.claude-sonnet-4-6"),
        ("anthropic/claude-opus-4.6", "claude-opus-4-6"),
        ("claude-opus-4-7@20260416", "claude-opus-4-7"),
        ("claude-opus-4-5@20251101", LEVELS),
        ("claude-opus-4@20250514", "claude-opus-4-0"),
        ("anthropic.claude-sonnet-4-20250514-v1:0", "claude-opus-4-0"),
        ("claude-3-7-sonnet-20250219", "claude-opus-4-0"),
        ("us.anthropic.claude-opus-4-1-20250805-v1:0", BUDGET),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", BUDGET),
        ("anthropic.claude-v2:1", "claude-2.1"),
        ("claude-fable-5-2", "claude-fable-5"),
        ("anthropic.claude-mythos-5-1", ALWAYS),
        ("claude-haiku-5-5", "claude-opus-5"),
        ("claude-opus-7", "claude-opus-5"),
        ("Claude-Sonnet-4-5", BUDGET),
        ("glm-5.2", IMITATOR),
    ],
)
def test_a_model_is_known_by_its_name_whoever_serves_it(name: str, like: str) -> None:
    assert model_of(name) == model_of(like)


@pytest.mark.parametrize(
    ("model", "asked", "thinking", "effort", "dropped"),
    [
        # An effort, as it is where the model has levels, else as the nearest.
        (ADAPTIVE, Reasoning("xhigh"), AS_IT_LIKES, "xhigh", set()),
        (ADAPTIVE, Reasoning("minimal"), AS_IT_LIKES, "low", {"reasoning.effort"}),
        (EITHER, Reasoning("max"), AS_IT_LIKES, "max", set()),
        (EITHER, Reasoning("xhigh"), AS_IT_LIKES, "high", {"reasoning.effort"}),
        (LEVELS, Reasoning("high"), enabled(16384), "high", set()),
        (LEVELS, Reasoning("max"), enabled(23552), "high", {"reasoning.effort"}),
        (BUDGET, Reasoning("minimal"), enabled(1024), None, {"reasoning.effort"}),
        (BUDGET, Reasoning("medium"), enabled(8192), None, {"reasoning.effort"}),
        (IMITATOR, Reasoning("low"), enabled(2048), None, {"reasoning.effort"}),
        (FIRST, Reasoning("low"), None, None, {"reasoning.effort"}),
        # A budget, as it is where the model takes one, else as an effort.
        (BUDGET, Reasoning(budget=5000), enabled(5000), None, set()),
        (EITHER, Reasoning(budget=1024), enabled(1024), None, set()),
        # "budget_tokens: Input should be greater than or equal to 1024": Gemini's begin at 128.
        (EITHER, Reasoning(budget=500), enabled(1024), None, {"reasoning.budget"}),
        (BUDGET, Reasoning(budget=1023), enabled(1024), None, {"reasoning.budget"}),
        (LEVELS, Reasoning("low", 1), enabled(1024), "low", {"reasoning.budget"}),
        (EITHER, Reasoning("low", 5000), enabled(5000), "low", set()),
        (ADAPTIVE, Reasoning(budget=2048), AS_IT_LIKES, "low", {"reasoning.budget"}),
        (ADAPTIVE, Reasoning(budget=5000), AS_IT_LIKES, "medium", {"reasoning.budget"}),
        (ADAPTIVE, Reasoning(budget=24000), AS_IT_LIKES, "high", {"reasoning.budget"}),
        (ADAPTIVE, Reasoning(budget=60000), AS_IT_LIKES, "xhigh", {"reasoning.budget"}),
        (
            "claude-mythos-preview",
            Reasoning(budget=60000),
            AS_IT_LIKES,
            "high",
            {"reasoning.budget"},
        ),
        (ADAPTIVE, Reasoning("max", 5000), AS_IT_LIKES, "max", {"reasoning.budget"}),
        (FIRST, Reasoning(budget=5000, shown=True), None, None, {"reasoning.budget", "reasoning.shown"}),
        # Whatever the model likes.
        (ADAPTIVE, Reasoning(budget=-1), AS_IT_LIKES, None, set()),
        (BUDGET, Reasoning(budget=-1), enabled(8192), None, {"reasoning.budget"}),
        # None at all.
        (ADAPTIVE, Reasoning("none"), None, None, set()),
        (BUDGET, Reasoning(budget=0), None, None, set()),
        (FIRST, Reasoning("none"), None, None, set()),
        (UNASKED, Reasoning("none"), OFF, None, set()),
        (IMITATOR, Reasoning("none"), OFF, None, set()),
        (BETWEEN, Reasoning(budget=0), {"type": "between_tools"}, None, set()),
        (ALWAYS, Reasoning("none"), None, "low", {"reasoning.effort"}),
        (ALWAYS, Reasoning(budget=0), None, "low", {"reasoning.budget"}),
        # Whether it is shown.
        (UNASKED, Reasoning("low", shown=False), {**AS_IT_LIKES, "display": "omitted"}, "low", set()),
        (ADAPTIVE, Reasoning(shown=True), {**AS_IT_LIKES, "display": "summarized"}, None, set()),
        (ADAPTIVE, Reasoning(shown=False), None, None, set()),
        (UNASKED, Reasoning(shown=False), {**AS_IT_LIKES, "display": "omitted"}, None, set()),
        (BUDGET, Reasoning(budget=2000, shown=True), enabled(2000, display="summarized"), None, set()),
        (BUDGET, Reasoning(shown=True), None, None, {"reasoning.shown"}),
        (BUDGET, Reasoning(shown=False), None, None, set()),
        (
            ADAPTIVE,
            Reasoning("low", summary="auto"),
            {**AS_IT_LIKES, "display": "summarized"},
            "low",
            set(),
        ),
        (
            ADAPTIVE,
            Reasoning("low", summary="detailed"),
            {**AS_IT_LIKES, "display": "summarized"},
            "low",
            {"reasoning.summary"},
        ),
    ],
)  # fmt: skip
def test_each_model_is_asked_as_it_takes_it(
    model: str, asked: Reasoning, thinking: Json | None, effort: str | None, dropped: set[str]
) -> None:
    written = write_request(ChatRequest(model, [], reasoning=asked))
    told = written.body.get("output_config", {}).get("effort")
    assert (written.body.get("thinking"), told, set(written.dropped)) == (
        thinking,
        effort,
        dropped,
    )


@pytest.mark.parametrize(
    ("limit", "thinking"),
    [
        (20000, enabled(16384)),
        (16384, enabled(8192)),  # of our own choosing, so it leaves room for an answer
        (1500, enabled(1024)),
        (1024, None),
    ],
)
def test_a_budget_that_we_choose_fits_into_the_callers_limit(
    limit: int, thinking: Json | None
) -> None:
    request = ChatRequest(
        BUDGET, [], reasoning=Reasoning("high"), sampling=Sampling(max_tokens=limit)
    )
    written = write_request(request)
    assert (written.body["max_tokens"], written.body.get("thinking")) == (limit, thinking)
    assert written.dropped == {"reasoning.effort"}


@pytest.mark.parametrize(
    ("budget", "limit", "thinking", "dropped"),
    [
        (4999, 5000, enabled(4999), set()),
        (5000, 5000, enabled(2500), {"reasoning.budget"}),
        (9000, 5000, enabled(2500), {"reasoning.budget"}),
        (8192, 1500, enabled(1024), {"reasoning.budget"}),
        (512, 1025, enabled(1024), {"reasoning.budget"}),
        (512, 1024, None, {"reasoning.budget"}),
        (8192, 1000, None, {"reasoning.budget"}),
    ],
)
@pytest.mark.parametrize("model", [BUDGET, LEVELS, EITHER, IMITATOR])
def test_a_budget_that_the_caller_sets_is_below_its_limit_as_the_api_wants_it(
    model: str, budget: int, limit: int, thinking: Json | None, dropped: set[str]
) -> None:
    """ "`max_tokens` must be greater than `thinking.budget_tokens`": to others, a budget may be as
    large as the limit or larger."""
    request = ChatRequest(
        model, [], reasoning=Reasoning(budget=budget), sampling=Sampling(max_tokens=limit)
    )
    told = {} if thinking is None else {"thinking": thinking}
    assert write_request(request) == Written(
        {"model": model, "max_tokens": limit, "messages": [], **told}, frozenset(dropped)
    )


def test_who_asks_for_a_summary_asks_for_thoughts_to_be_shown() -> None:
    names = {"reasoning.effort", "reasoning.shown"}
    for asked in (Reasoning("low", summary="auto"), Reasoning("low", shown=True, summary="auto")):
        assert write_request(ChatRequest(FIRST, [], reasoning=asked)).dropped == names
    unseen = Reasoning("low", shown=False, summary="auto")
    assert write_request(ChatRequest(FIRST, [], reasoning=unseen)).dropped == {"reasoning.effort"}


def test_where_there_is_no_room_to_think_nothing_of_it_is_shown() -> None:
    asked = Reasoning(budget=8192, shown=True)
    request = ChatRequest(BUDGET, [], reasoning=asked, sampling=Sampling(max_tokens=1000))
    assert write_request(request) == Written(
        {"model": BUDGET, "max_tokens": 1000, "messages": []},
        frozenset({"reasoning.budget", "reasoning.shown"}),
    )


@pytest.mark.parametrize(
    ("model", "asked", "limit"),
    [
        (BUDGET, Reasoning(budget=30000), 30000 + 8192),
        (BUDGET, Reasoning("high"), 16384 + 8192),
        (ADAPTIVE, Reasoning("low"), 24576 + 8192),
        (EITHER, Reasoning("low"), 24576 + 8192),
        (UNASKED, Reasoning("none"), 8192),
        (EITHER, Reasoning("none"), 8192),
        (ALWAYS, Reasoning("none"), 24576 + 8192),
    ],
)
def test_where_the_caller_sets_no_limit_there_is_room_to_think(
    model: str, asked: Reasoning, limit: int
) -> None:
    assert write_request(ChatRequest(model, [], reasoning=asked)).body["max_tokens"] == limit
