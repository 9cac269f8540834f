"""Seals that travel in the hands of callers come home byte for byte."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.chat.blocks import Seal
from gateway.chat.seals import carried, uncarried, with_seal, without_seal

values = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)
seals = st.builds(Seal, st.sampled_from(["anthropic", "gemini", "openai"]), values)


@given(seals)
def test_a_foreign_seal_comes_back_as_it_was(seal: Seal) -> None:
    assert uncarried(carried(seal), "another") == seal


@given(seals)
def test_who_takes_it_for_base64_does_no_harm(seal: Seal) -> None:
    """google-genai keeps a signature as bytes, and writes it anew in either alphabet."""
    raw = base64.urlsafe_b64decode(carried(seal))
    for written in (base64.b64encode(raw), base64.urlsafe_b64encode(raw)):
        assert uncarried(written.decode(), "gemini") == seal


@given(st.text(max_size=60).filter(lambda word: not word.startswith("sealedby")))
def test_an_own_seal_is_left_as_it_is(word: str) -> None:
    assert uncarried(word, "anthropic") == Seal("anthropic", word)


@given(st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True), st.none() | seals)
def test_a_tool_call_takes_its_seal_along(id: str, seal: Seal | None) -> None:
    travelling = with_seal(id, seal)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", travelling)
    assert without_seal(travelling) == (id, seal)


@pytest.mark.parametrize(
    "id",
    [
        "",
        "call_1",
        "call_sealed_",
        "call_sealed_x",
        "call_sealed_====",
        "a_sealed_ZZZZ",
        "é_sealed_é",
    ],
)
def test_an_id_of_anybodys_is_left_as_it_is(id: str) -> None:
    assert without_seal(id) == (id, None)


@pytest.mark.parametrize("word", ["sealedby", "sealedbyé", "sealedby!!!!", "sealedbyAAAA"])
def test_what_only_looks_wrapped_is_nobodys_but_the_issuers(word: str) -> None:
    assert uncarried(word, "gemini") == Seal("gemini", word)
