"""What usage costs."""

import pytest

from gateway.metering.prices import cost
from gateway.routing.endpoint import Price
from gateway.usage import Usage

USAGE = Usage(
    input_tokens=1_000_000,
    output_tokens=2_000_000,
    cache_read_tokens=3_000_000,
    cache_write_tokens=4_000_000,
    reasoning_tokens=1_500_000,
)


@pytest.mark.parametrize(
    ("price", "dollars"),
    [
        (Price(1, 0, 0, 0), 1),
        (Price(0, 1, 0, 0), 2),  # reasoning is a part of output, and not charged again
        (Price(0, 0, 1, 0), 3),
        (Price(0, 0, 0, 1), 4),
        (Price(1, 10, 0.1, 1.25), 1 + 20 + 0.3 + 5),
        (Price(1, 10), 1 + 20 + 3 + 4),  # the cache costs what input costs
        (Price(0, 0), 0),
    ],
)
def test_each_class_of_tokens_has_its_price(price: Price, dollars: float) -> None:
    assert cost(USAGE, price) == pytest.approx(dollars)


def test_what_the_provider_says_goes_first() -> None:
    assert cost(Usage(5, 5, cost=0.125), Price(1, 1)) == 0.125
    assert cost(Usage(5, 5, cost=0.0), Price(1, 1)) == 0
    assert cost(Usage(5, 5, cost=0.125), None) == 0.125


def test_a_cost_that_nobody_knows_is_none_and_not_zero() -> None:
    assert cost(USAGE, None) is None


def test_nothing_used_costs_nothing() -> None:
    assert cost(Usage(), Price(1, 1)) == 0
