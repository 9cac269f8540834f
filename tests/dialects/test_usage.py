"""Token counts, read into the one way of counting whoever told them."""

from typing import Any

import pytest
from hypothesis import given

from gateway.dialects import OPENAI_CHAT, OPENAI_EMBEDDINGS, OPENAI_RESPONSES, Dialect
from gateway.dialects.openai_chat.usage import write_usage
from gateway.usage import Usage
from gateway.wire.json import Json
from tests.dialects.hostile import ODD, anything, crashes, quickly, wounded


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}, Usage(7, 2)),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 6,
                "total_tokens": 16,
                "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 5},
            },
            Usage(input_tokens=6, output_tokens=6, cache_read_tokens=4, reasoning_tokens=5),
        ),
        (  # OpenRouter: what was written to the cache, and the price
            {
                "prompt_tokens": 10,
                "completion_tokens": 1,
                "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 3},
                "cost": 0.00125,
            },
            Usage(5, 1, cache_read_tokens=2, cache_write_tokens=3, cost=0.00125),
        ),
        ({"prompt_tokens": 1, "cost": 0}, Usage(1, cost=0.0)),
        (  # xAI: the total holds the reasoning, completion_tokens do not
            {
                "prompt_tokens": 10,
                "completion_tokens": 3,
                "total_tokens": 113,
                "completion_tokens_details": {"reasoning_tokens": 100},
            },
            Usage(input_tokens=10, output_tokens=103, reasoning_tokens=100),
        ),
        (
            {"prompt_tokens": 7, "prompt_tokens_details": None, "completion_tokens_details": None},
            Usage(7),
        ),
        ({"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 9}}, Usage(0, 0, 3)),
        ({"prompt_tokens": None, "completion_tokens": "2", "cost": "free"}, Usage()),
        ({"prompt_tokens": True, "cost": True}, Usage()),
        ({}, Usage()),
    ],
)
def test_a_chats_usage_is_read_into_disjoint_classes(counts: Json, usage: Usage) -> None:
    assert OPENAI_CHAT.read_usage({"usage": counts}) == usage


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        (
            {
                "input_tokens": 9,
                "input_tokens_details": {"cached_tokens": 4},
                "output_tokens": 2,
                "output_tokens_details": {"reasoning_tokens": 1},
                "total_tokens": 11,
            },
            Usage(input_tokens=5, output_tokens=2, cache_read_tokens=4, reasoning_tokens=1),
        ),
        ({"input_tokens": 9, "input_tokens_details": None, "output_tokens": None}, Usage(9)),
        ({}, Usage()),
    ],
)
def test_a_responses_usage_is_read_into_disjoint_classes(counts: Json, usage: Usage) -> None:
    assert OPENAI_RESPONSES.read_usage({"usage": counts}) == usage


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({"prompt_tokens": 4, "total_tokens": 4}, Usage(4)),
        ({"prompt_tokens": None}, None),
        ({"prompt_tokens": True}, None),
        ({"prompt_tokens": "4"}, None),
    ],
)
def test_an_embeddings_usage_is_its_input(counts: Json, usage: Usage | None) -> None:
    assert OPENAI_EMBEDDINGS.read_usage({"usage": counts}) == usage


DIALECTS = pytest.mark.parametrize(
    "dialect", [OPENAI_CHAT, OPENAI_RESPONSES, OPENAI_EMBEDDINGS], ids=lambda dialect: dialect.name
)


@DIALECTS
@pytest.mark.parametrize("usage", [odd for odd in ODD if not isinstance(odd, dict)])
def test_what_is_no_usage_says_nothing(dialect: Dialect, usage: Any) -> None:
    assert dialect.read_usage({"usage": usage}) is None
    assert dialect.read_usage({}) is None


COUNTS: Json = {
    "usage": {
        "prompt_tokens": 9,
        "input_tokens": 9,
        "completion_tokens": 9,
        "output_tokens": 9,
        "total_tokens": 27,
        "prompt_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 1},
        "input_tokens_details": {"cached_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 9},
        "output_tokens_details": {"reasoning_tokens": 9},
        "cost": 0.5,
    }
}


class NothingMayBeRaised(Exception):
    """No exception is allowed."""


@DIALECTS
def test_nonsense_in_a_usage_never_raises(dialect: Dialect) -> None:
    assert crashes(dialect.read_usage, COUNTS, NothingMayBeRaised) == []


@DIALECTS
def test_no_count_is_ever_negative_or_no_number(dialect: Dialect) -> None:
    wrong = [
        (path, odd, usage)
        for path, odd, body in wounded(COUNTS)
        if (usage := dialect.read_usage(body)) and not _sane(usage)
    ]
    assert wrong == []


def _sane(usage: Usage) -> bool:
    counts = (
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
    )
    priced = usage.cost is None or (type(usage.cost) is float and usage.cost >= 0)
    return priced and all(type(count) is int and count >= 0 for count in counts)


@DIALECTS
@given(anything)
@quickly
def test_anything_at_all_in_a_usage_never_raises(dialect: Dialect, usage: Any) -> None:
    dialect.read_usage({"usage": usage})


def test_prompt_tokens_are_written_with_what_the_cache_held() -> None:
    usage = Usage(5, 4, cache_read_tokens=2, cache_write_tokens=1, reasoning_tokens=3)
    written = write_usage(usage)
    assert (written["prompt_tokens"], written["total_tokens"]) == (8, 12)
