"""What another provider sealed does not reach one that would refuse it."""

import pytest

from gateway.chat.blocks import Seal
from gateway.chat.seals import carried, with_seal
from gateway.dialects.unsealing import may_be_sealed, unsealed
from gateway.wire.json import Json, dumps

WRAPPED = carried(Seal("gemini", "c2VhbA=="))
NOBODYS = carried(None)
ID = with_seal("call_1", Seal("gemini", "c2VhbA=="))
TEXT: Json = {"type": "text", "text": "hi"}


@pytest.mark.parametrize(
    ("block", "left", "dropped"),
    [
        ({"type": "thinking", "thinking": "hm", "signature": WRAPPED}, None, {"thinking"}),
        ({"type": "redacted_thinking", "data": WRAPPED}, None, {"thinking"}),
        ({"type": "reasoning", "id": "rs_1", "encrypted_content": WRAPPED}, None, {"thinking"}),
        ({"text": "hm", "thought": True, "thoughtSignature": WRAPPED}, None, {"thinking"}),
        (
            {"functionCall": {"name": "f"}, "thoughtSignature": WRAPPED},
            {"functionCall": {"name": "f"}},
            {"signature"},
        ),
        ({"type": "thinking", "thinking": "hm", "signature": NOBODYS}, None, {"thinking"}),
        (
            {"functionCall": {"name": "f"}, "thoughtSignature": NOBODYS},
            {"functionCall": {"name": "f"}},
            set(),  # there was no seal to lose
        ),
        ({"type": "tool_use", "id": ID}, {"type": "tool_use", "id": "call_1"}, set()),
        ({"role": "tool", "tool_call_id": ID}, {"role": "tool", "tool_call_id": "call_1"}, set()),
        (
            {"type": "thinking", "thinking": "hm", "signature": "EqoB"},
            {"type": "thinking", "thinking": "hm", "signature": "EqoB"},
            set(),
        ),
    ],
)
def test_a_wrapped_seal_is_taken_out(block: Json, left: Json | None, dropped: set[str]) -> None:
    taken, lost = unsealed({"messages": [{"role": "assistant", "content": [TEXT, block]}]})
    kept = [TEXT] if left is None else [TEXT, left]
    assert taken == {"messages": [{"role": "assistant", "content": kept}]}
    assert lost == dropped


@pytest.mark.parametrize(
    "text", ["sealedby", "an unsealedby word", "call_sealed_", "a _sealed_ deal", "x_sealed_QUJD"]
)
def test_words_that_only_look_so_are_left(text: str) -> None:
    body = {"messages": [{"role": "user", "content": text}], "signature": 5, "data": [text]}
    assert may_be_sealed(dumps(body))
    assert unsealed(body) == (body, frozenset())


def test_what_holds_no_mark_is_not_looked_at() -> None:
    assert not may_be_sealed(b'{"messages": []}')
