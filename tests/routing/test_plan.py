"""The order of attempts, over many seeds."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.routing.endpoint import Endpoint, Retries, Target
from gateway.routing.plan import Attempt, attempts, pauses

A, B, C, D = (Target("openai", name) for name in "abcd")


def order(endpoint: Endpoint, seed: int = 1) -> list[Target]:
    return [attempt.target for attempt in attempts(endpoint, Random(seed))]


def test_one_target_is_tried_once() -> None:
    assert list(attempts(Endpoint("e", (A,)), Random(1))) == [Attempt(A, 0)]


def test_fallbacks_follow_in_their_order() -> None:
    endpoint = Endpoint("e", (A,), (B, C, D))
    assert all(order(endpoint, seed) == [A, B, C, D] for seed in range(50))


def test_each_target_has_its_own_retries_with_pauses_between() -> None:
    endpoint = Endpoint("e", (A,), (B,), Retries(times=2))
    plan = list(attempts(endpoint, Random(1)))
    assert [attempt.target for attempt in plan] == [A, A, A, B, B, B]
    assert [attempt.pause > 0 for attempt in plan] == [False, True, True, False, True, True]


def test_weights_say_how_often_a_target_comes_first() -> None:
    light, heavy = Target("openai", "light", weight=1), Target("openai", "heavy", weight=3)
    endpoint, random = Endpoint("e", (light, heavy), (C,)), Random(7)
    first = Counter(next(attempts(endpoint, random)).target.model for _ in range(20_000))
    assert first["light"] / 20_000 == pytest.approx(0.25, abs=0.01)
    assert first["light"] + first["heavy"] == 20_000


def test_a_primary_that_was_not_chosen_is_not_tried() -> None:
    endpoint = Endpoint("e", (A, B), (C,))
    assert {tuple(order(endpoint, seed)) for seed in range(50)} == {(A, C), (B, C)}


def test_the_same_seed_is_the_same_plan() -> None:
    endpoint = Endpoint("e", (A, B), (C,), Retries(times=3))
    plans = [list(attempts(endpoint, Random(3))) for _ in range(2)]
    assert plans[0] == plans[1]


def test_weights_of_any_size_that_a_spec_takes_can_be_drawn() -> None:
    """Two finite weights may have a sum that is not."""
    endpoint = Endpoint("e", tuple(Target("openai", name, weight=1_000_000) for name in "ab"))
    assert len(order(endpoint)) == 1


@given(st.integers(0, 10), st.floats(0, 60), st.floats(0, 60), st.integers(0, 2**32))
def test_pauses_double_with_jitter_and_never_grow_beyond_the_longest(
    times: int, first: float, longest: float, seed: int
) -> None:
    drawn = list(pauses(Retries(times, first, longest), Random(seed)))
    ceilings = [min(first * 2**nth, longest) for nth in range(times)]
    assert len(drawn) == times
    assert all(0 <= pause <= ceiling for pause, ceiling in zip(drawn, ceilings, strict=True))


def test_pauses_are_spread_over_the_whole_of_their_room() -> None:
    random = Random(5)
    drawn = [next(pauses(Retries(1, 2, 4), random)) for _ in range(2000)]
    assert min(drawn) < 0.05
    assert max(drawn) > 1.95
    assert sum(drawn) / 2000 == pytest.approx(1, abs=0.05)
