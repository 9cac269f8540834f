"""Odd JSON, put in the place of every value of a good body: what a hostile tester sends."""

import copy
import os
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from gateway.wire.json import Json

Path = tuple[str | int, ...]

ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    2**63,
    "",
    "x",
    [],
    [None],
    [1],
    ["x"],
    [[]],
    [{}],
    {},
    {"type": 1},
    {"type": "text"},
    {"x": None},
)

# Enough to find what a reader forgot, few enough for the whole suite to take seconds.
# `make check` looks at fewer than `make test` does.
quickly = settings(max_examples=int(os.environ.get("EXAMPLES", "60")), deadline=None)

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(-1e9, 1e9)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "content", "role", "name", "id", "index", "error"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def paths(value: Any, at: Path = ()) -> Iterator[Path]:
    """Where every value within a JSON value stands, the whole first."""
    yield at
    steps: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(value, dict):
        steps = iter(value.items())
    elif isinstance(value, list):
        steps = iter(enumerate(value))
    for step, inner in steps:
        yield from paths(inner, (*at, step))


def wounded(body: Json) -> Iterator[tuple[Path, Any, Json]]:
    """The body with one value replaced by an odd one, or with one member gone: every such body."""
    for path in paths(body):
        if not path:
            continue
        for odd in ODD:
            changed = copy.deepcopy(body)
            holder(changed, path)[path[-1]] = copy.deepcopy(odd)
            yield path, odd, changed
        if isinstance(path[-1], str):
            changed = copy.deepcopy(body)
            del holder(changed, path)[path[-1]]
            yield path, "(gone)", changed


def holder(body: Any, path: Path) -> Any:
    for step in path[:-1]:
        body = body[step]
    return body


def crashes(
    work: Callable[[Json], object], body: Json, allowed: type[Exception]
) -> list[tuple[str, Any, str]]:
    """Which wounds make ``work`` raise anything but what it may: where, what, the exception."""
    found = []
    for path, odd, changed in wounded(body):
        try:
            work(changed)
        except allowed:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
            found.append((".".join(map(str, path)), odd, repr(error)))
    return found
