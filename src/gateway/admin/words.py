"""What pydantic finds wrong, as fields and problems that a person can act on."""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from gateway.errors import Invalid

# Where pydantic's own words do not say what to do.
WORDS = {
    "missing": "is required",
    "extra_forbidden": "is no field here; endpoints.example.yaml shows those there are",
    "string_pattern_mismatch": "holds characters that it may not; endpoints.example.yaml has one",
}


def refusal(error: ValidationError, place: str = "") -> Invalid:
    """``place``: where in the whole the checked part stands."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return Invalid([(_field(one["loc"], place) or None, _problem(one)) for one in found])


def _field(steps: Iterable[Any], place: str) -> str:
    return place + "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}"
        for step in steps
        if step != "[key]"  # pydantic's word for: the name itself
    ).removeprefix("" if place else ".")


def _problem(fault: Any) -> str:
    word: str = fault["msg"].removeprefix("Value error, ")
    return WORDS.get(fault["type"]) or word
