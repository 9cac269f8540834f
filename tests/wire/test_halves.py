"""JSON whose strings hold halves of characters."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.halves import Halves


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (rb'"\\ud83d \ud83dx \ude00 \ud83d\ude00"', "\\ud83d \ufffdx \ufffd \U0001f600"),
        (rb'["\"\ude00\\", "\\\ude00"]', ['"\ufffd\\', "\\\ufffd"]),
        (rb'{"\ud83d\ud83d\ude00": "\uDE00"}', {"\ufffd\U0001f600": "\ufffd"}),
        (rb'["a\ud83d", "\ude00"]', ["a", "\U0001f600"]),
        (rb'["a\ud83d", "b", "\uDE00", "\ude00"]', ["a", "b", "\U0001f600", "\ufffd"]),
    ],
)
def test_a_half_is_joined_to_the_next_or_is_no_character(text: bytes, read: object) -> None:
    assert Halves().loads(text) == read


def test_what_is_no_json_otherwise_is_nothing() -> None:
    assert Halves().loads(rb'"\ud83d') is None
    assert Halves().loads(b"[DONE]") is None


CHARACTERS = st.characters(codec="utf-8") | st.sampled_from('a"\\\n\U0001f600')


@given(st.text(CHARACTERS, max_size=12), st.integers(0, 24))
def test_a_text_that_is_cut_anywhere_is_whole_again(text: str, at: int) -> None:
    halves, units = Halves(), text.encode("utf-16-le")
    cut = (units[: 2 * at], units[2 * at :])
    parts = [json.dumps(part.decode("utf-16-le", "surrogatepass")) for part in cut]
    assert "".join(halves.loads(part.encode()) for part in parts) == text
