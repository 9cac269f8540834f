"""Endpoints as stores keep them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.routing.endpoint import Endpoint, Price, Retries, Target, Timeouts
from gateway.routing.items import read_endpoint, write_endpoint
from gateway.wire.json import Json, dumps, loads

words = st.text(max_size=6)
numbers = st.integers(0, 9) | st.floats(0, 9)
prices = st.builds(Price, numbers, numbers, st.none() | numbers, st.none() | numbers)
targets = st.builds(
    Target, words, words, st.none() | words, numbers, st.none() | words, st.none() | prices
)
some_targets = st.lists(targets, max_size=3).map(tuple)
endpoints = st.builds(
    Endpoint,
    words,
    some_targets,
    some_targets,
    st.builds(Retries, st.integers(0, 9), numbers, numbers),
    st.builds(Timeouts, numbers, numbers, numbers, numbers),
    st.integers(0, 2**40),
)


@given(endpoints)
@settings(deadline=None)
def test_an_endpoint_is_read_as_it_was_written(endpoint: Endpoint) -> None:
    assert read_endpoint(loads(dumps(write_endpoint(endpoint)))) == endpoint


def test_what_holds_its_default_is_left_out() -> None:
    assert write_endpoint(Endpoint("e", (Target("openai", "gpt"),))) == {
        "name": "e",
        "targets": [{"provider": "openai", "model": "gpt"}],
    }


def test_what_does_not_is_written() -> None:
    priced = Target("openai", "gpt", "env:K", 2, "http://h", Price(0, 0, cache_read=0.5))
    endpoint = Endpoint("e", (priced,), (priced,), Retries(times=1), Timeouts(idle=9), created=5)
    target = {
        "provider": "openai",
        "model": "gpt",
        "secret": "env:K",
        "weight": 2,
        "base_url": "http://h",
        "price": {"input": 0, "output": 0, "cache_read": 0.5},
    }
    assert write_endpoint(endpoint) == {
        "name": "e",
        "targets": [target],
        "fallbacks": [target],
        "retries": {"times": 1},
        "timeouts": {"idle": 9},
        "created": 5,
    }


def test_fields_of_another_version_are_passed_over() -> None:
    item: Json = {
        "name": "e",
        "region": "eu",
        "targets": [
            {
                "provider": "openai",
                "model": "gpt",
                "tags": ["a"],
                "price": {"input": 1, "output": 2, "per_image": 3},
            }
        ],
        "retries": {"times": 1, "on": [429]},
        "timeouts": {"idle": 9, "total": 99},
        "limits": {},
    }
    assert read_endpoint(item) == Endpoint(
        "e",
        (Target("openai", "gpt", price=Price(1, 2)),),
        retries=Retries(1),
        timeouts=Timeouts(idle=9),
    )
