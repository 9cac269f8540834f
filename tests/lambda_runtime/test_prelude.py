"""Status and headers of a streamed answer."""

from typing import Any

import pytest

from gateway.wire.json import loads
from handler.lambda_runtime.prelude import PreludeTooLarge, prelude


def told(text: bytes) -> Any:
    assert text.endswith(b"\0" * 8)
    assert text.count(b"\0") == 8
    return loads(text[:-8])


def test_a_prelude_is_json_and_eight_nuls() -> None:
    text = prelude(201, [(b"Content-Type", b"text/plain"), (b"x-a", b"1")], several=False)
    assert told(text) == {"statusCode": 201, "headers": {"content-type": "text/plain", "x-a": "1"}}


TWICE = [(b"x-m", b"1"), (b"X-M", b"2"), (b"x-m", b"3"), (b"x-n", b"4")]
COOKIES = [(b"set-cookie", b"a=1; Path=/"), (b"Set-Cookie", b"b=2")]


def test_a_function_url_has_repeated_headers_joined_and_cookies_apart() -> None:
    assert told(prelude(200, TWICE + COOKIES, several=False)) == {
        "statusCode": 200,
        "headers": {"x-m": "1,2,3", "x-n": "4"},
        "cookies": ["a=1; Path=/", "b=2"],
    }


def test_a_rest_api_has_repeated_headers_as_lists() -> None:
    assert told(prelude(200, TWICE + COOKIES, several=True)) == {
        "statusCode": 200,
        "headers": {"x-n": "4"},
        "multiValueHeaders": {"x-m": ["1", "2", "3"], "set-cookie": ["a=1; Path=/", "b=2"]},
    }


@pytest.mark.parametrize(
    "name",
    [
        "connection",
        "Keep-Alive",
        "transfer-encoding",
        "te",
        "trailer",
        "upgrade",
        "proxy-connection",
        "Proxy-Authenticate",
    ],
)
def test_what_is_of_one_connection_stays_there(name: str) -> None:
    assert told(prelude(200, [(name.encode(), b"x")], several=False))["headers"] == {}


def test_a_length_holds_only_where_a_body_follows() -> None:
    length = [(b"content-length", b"0")]
    assert told(prelude(200, length, several=False))["headers"] == {"content-length": "0"}
    assert told(prelude(200, length, several=False, empty=True))["headers"] == {}


def test_bytes_beyond_ascii_are_latin_1_as_on_the_wire() -> None:
    text = prelude(200, [(b"x-a", b"caf\xe9")], several=False)
    assert told(text)["headers"] == {"x-a": "café"}


def test_at_most_16_kib_delimiter_included() -> None:
    frame = len(prelude(200, [(b"x-a", b"")], several=False))
    fits = prelude(200, [(b"x-a", b"x" * (16_384 - frame))], several=False)
    assert len(fits) == 16_384
    with pytest.raises(PreludeTooLarge, match="16385 bytes, and Lambda takes 16384"):
        prelude(200, [(b"x-a", b"x" * (16_384 - frame + 1))], several=False)
