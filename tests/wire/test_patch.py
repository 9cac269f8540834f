import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.json import loads
from gateway.wire.patch import members, patch, without

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
keys = st.sampled_from(["model", "stream", 'a"model', "mo\\del", "é", ""]) | st.text(max_size=5)
objects = st.dictionaries(keys, values, max_size=5)


@given(objects, values, st.booleans(), st.sampled_from([None, 1]))
def test_changes_what_it_should_and_nothing_else(
    body: dict[str, Any], value: Any, escaped: bool, indent: int | None
) -> None:
    text = json.dumps(body, ensure_ascii=escaped, indent=indent).encode()
    patched = patch(text, body, {"model": value, "new": 1})
    assert loads(patched) == body | {"model": value, "new": 1}
    assert list(loads(patched)) == list(body | {"model": value, "new": 1})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"model":"e"}', b'{"model":"M"}'),
        (b'{ "seed" : 1.0 , "model" : "e" }', b'{ "seed" : 1.0 , "model" : "M" }'),
        (
            b'{"big":12345678901234567890123,"model":"e"}',
            b'{"big":12345678901234567890123,"model":"M"}',
        ),
        (b'{"x":{"model":"e"}}', b'{"x":{"model":"e"},"model":"M"}'),
        (b'{"x":{"model":"e"},"model":"e"}', b'{"x":{"model":"e"},"model":"M"}'),
        (b'{"x":"\\"model\\":","model":"e"}', b'{"x":"\\"model\\":","model":"M"}'),
        (b'{"a\\"model":"e"}', b'{"a\\"model":"e","model":"M"}'),
        (b'{"mod\\u0065l":"e","x":{"model":"y"}}', b'{"mod\\u0065l":"M","x":{"model":"y"}}'),
        (b'{"model":"a","model":"b"}', b'{"model":"M","model":"M"}'),
        (b'{"model":["]","}",{"x":"{"}],"z":1}', b'{"model":"M","z":1}'),
        (b" \n{}\n", b' \n{"model":"M"}'),
    ],
)
def test_every_other_byte_stays(text: bytes, expected: bytes) -> None:
    assert patch(text, loads(text), {"model": "M"}) == expected


def test_finds_every_member() -> None:
    text = b'{"a":1, "b" : {"c":[2,"]"]},"d":"x,y"}'
    found = {key: text[start:end] for key, (start, end) in members(text)}
    assert found == {"a": b"1", "b": b'{"c":[2,"]"]}', "d": b'"x,y"'}


@given(objects, st.sampled_from([None, 1]))
def test_a_member_goes_and_the_others_stay_as_they_were(
    body: dict[str, Any], indent: int | None
) -> None:
    text = json.dumps(body | {"big": 10**30, "model": "e"}, indent=indent).encode()
    left = without(text, "model")
    assert loads(left) == {name: loads(text)[name] for name in loads(text) if name != "model"}
    assert str(10**30).encode() in left
