"""Answers in one piece, in the shape that each front door wants."""

import base64
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from examples.local_lambda.posted import Posted
from gateway.wire.json import loads
from tests.fakes import run
from tests.lambda_runtime.looping import BUFFERED, answered, asked, looping, say, saying, start

MIB = 1024 * 1024
DOORS = ("function_url", "rest_api", "http_api_v1", "http_api_v2", "alb", "alb_multi")
HEADERS = [
    (b"content-type", b"text/plain"),
    (b"Set-Cookie", b"a=1; Path=/"),
    (b"set-cookie", b"b=2"),
    (b"x-m", b"1"),
    (b"X-M", b"2"),
    (b"x-latin", b"caf\xe9"),
]
V1 = {
    "statusCode": 201,
    "headers": {"content-type": "text/plain", "x-latin": "café"},
    "multiValueHeaders": {"set-cookie": ["a=1; Path=/", "b=2"], "x-m": ["1", "2"]},
    "body": "Zoë",
    "isBase64Encoded": False,
}
V2 = {
    "statusCode": 201,
    "headers": {"content-type": "text/plain", "x-latin": "café", "x-m": "1,2"},
    "cookies": ["a=1; Path=/", "b=2"],
    "body": "Zoë",
    "isBase64Encoded": False,
}
ALB = {
    "statusCode": 201,
    "headers": {
        "content-type": "text/plain",
        "x-latin": "café",
        "set-cookie": "a=1; Path=/",
        "Set-cookie": "b=2",
        "x-m": "1",
        "X-m": "2",
    },
    "body": "Zoë",
    "isBase64Encoded": False,
}
ALB_MULTI = {
    "statusCode": 201,
    "multiValueHeaders": {
        "content-type": ["text/plain"],
        "x-latin": ["café"],
        "set-cookie": ["a=1; Path=/", "b=2"],
        "x-m": ["1", "2"],
    },
    "body": "Zoë",
    "isBase64Encoded": False,
}
SHAPES = {
    "function_url": V2,
    "http_api_v2": V2,
    "http_api_v1": V1,
    "rest_api": V1,
    "alb": ALB,
    "alb_multi": ALB_MULTI,
}


def whole(app: ASGIApp, door: str) -> Posted:
    posted = run(answered("GET", app, door, BUFFERED))
    assert (posted.mode, posted.how) == ("buffered", "whole")
    return posted


@pytest.mark.parametrize("door", SHAPES)
def test_an_answer_has_the_shape_that_its_door_wants(door: str) -> None:
    """Header values are Latin-1, as on the wire."""
    app = saying("Zoë".encode()[:3], "Zoë".encode()[3:], status=201, headers=HEADERS)
    assert loads(whole(app, door).raw) == SHAPES[door]


@pytest.mark.parametrize("door", DOORS)
def test_bytes_that_are_no_text_go_as_base64(door: str) -> None:
    body = bytes(range(256))
    told = loads(whole(saying(body, headers=[(b"content-type", b"audio/mpeg")]), door).raw)
    assert (told["body"], told["isBase64Encoded"]) == (base64.b64encode(body).decode(), True)


@pytest.mark.parametrize("door", DOORS)
def test_text_that_is_none_after_all_goes_as_base64_too(door: str) -> None:
    posted = whole(saying(b"\xff\xfe", headers=[(b"content-type", b"text/plain")]), door)
    assert posted.body == b"\xff\xfe"


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "kind", [b"application/json", b"text/event-stream; charset=utf-8", b"application/xml"]
)
def test_text_goes_as_it_is(door: str, kind: bytes) -> None:
    told = loads(whole(saying(b'{"a":1}', headers=[(b"content-type", kind)]), door).raw)
    assert (told["body"], told["isBase64Encoded"]) == ('{"a":1}', False)


@pytest.mark.parametrize("door", DOORS)
def test_an_answer_without_a_body_is_one(door: str) -> None:
    posted = whole(saying(status=204, headers=[]), door)
    assert (posted.status, posted.body) == (204, b"")


@pytest.mark.parametrize("door", DOORS)
def test_an_answer_that_is_too_large_is_told_as_a_502(door: str) -> None:
    """AWS would refuse it, and the caller would learn nothing."""

    async def work() -> None:
        app = saying(*[b"x" * 65_536] * 97)  # 6 MiB and one piece
        async with looping(app, environment=BUFFERED) as aws:
            for _ in range(2):
                posted = await (await aws.invoke(asked(door=door))).finished()
                assert (posted.mode, posted.how, posted.status) == ("buffered", "whole", 502)
                assert posted.json["error"]["code"] == "answer_too_large"
                assert "function URL" in posted.json["error"]["message"]

    run(work())


GROWS = {
    "as base64": (b"\xff" * (5 * MIB), b"audio/mpeg"),
    "in quotes": (b'"' * (4 * MIB), b"text/plain"),
    "control characters": (b"\0" * (2 * MIB), b"text/plain"),
}


@pytest.mark.parametrize(("body", "kind"), GROWS.values(), ids=GROWS)
def test_what_counts_is_how_large_it_is_as_json(body: bytes, kind: bytes) -> None:
    posted = whole(saying(body, headers=[(b"content-type", kind)]), "http_api_v2")
    assert posted.status == 502
    assert posted.json["error"]["code"] == "answer_too_large"


def test_the_largest_answer_that_fits_is_taken() -> None:
    frame = len(whole(saying(b"x"), "http_api_v2").raw) - 1
    body = b"x" * (6 * MIB - frame)
    assert whole(saying(body), "http_api_v2").body == body
    assert whole(saying(body + b"x"), "http_api_v2").status == 502


def test_who_says_more_than_fits_is_told_before_it_says_it_all() -> None:
    """It need not be kept in memory, nor waited for."""
    said = 0

    async def app(_: Scope, __: Receive, send: Send) -> None:
        nonlocal said
        await start(send)
        while said < 1024 * MIB:
            await say(send, b"x" * MIB)
            said += MIB

    assert whole(app, "http_api_v2").status == 502
    assert said <= 7 * MIB


NOT_UTF_8: Any = [(b"x-\xff", b"1")]


@pytest.mark.parametrize("door", DOORS)
def test_a_header_that_cannot_be_told_is_our_fault_and_the_loop_goes_on(door: str) -> None:
    posted = whole(saying(b"x", headers=NOT_UTF_8), door)
    assert posted.status == 500
