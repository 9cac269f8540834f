"""What an event says, and what an app is asked."""

import json
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from examples.local_lambda.posted import Posted
from tests.fakes import run
from tests.lambda_runtime.looping import BUFFERED, STREAMING, asked, looping, saying

DOORS = ("function_url", "rest_api", "http_api_v1", "http_api_v2", "alb", "alb_multi")


async def tells(scope: Scope, receive: Receive, send: Send) -> None:
    """What it was asked."""
    request = Request(scope, receive)
    told = {
        "method": request.method,
        "path": scope["path"],
        "raw_path": scope["raw_path"] and scope["raw_path"].decode(),
        "query": sorted(request.query_params.multi_items()),
        "headers": request.headers.items(),
        "body": (await request.body()).decode("latin-1"),
        "client": scope["client"][0],
        "state": scope["state"],
        "scheme": scope["scheme"],
    }
    await JSONResponse(told)(scope, receive, send)


async def _posted(event: Any, mode: Any, state: Any = None) -> Posted:
    async with looping(tells, environment=mode, state=state) as aws:
        posted = await (await aws.invoke(event)).finished()
        await aws.idle()
        again = await (await aws.invoke(asked())).finished()
        assert again.status == 200
        return posted


def told(event: Any, *, mode: Any = STREAMING, state: Any = None) -> Any:
    posted = run(_posted(event, mode, state))
    assert (posted.how, posted.status) == ("whole", 200)
    return posted.json


DEEP = b"[" * 10_000 + b"]" * 10_000
NOT_HTTP = {
    "nothing": b"",
    "no JSON": b"{",
    "not UTF-8": b'{"a":"\xff"}',
    "half a character": b'{"a":"\\ud800"}',
    "not a number": b"NaN",
    "null": b"null",
    "a list": b"[]",
    "a string": b'"Hello"',
    "a number": b"17",
    "true": b"true",
    "an object": b"{}",
    "deep": DEEP,
    "deep in an object": b'{"a":' + DEEP + b"}",
    "a schedule": b'{"source":"aws.events","detail":{}}',
    "a queue": b'{"Records":[{"messageId":"1","body":"{}"}]}',
    "no records": b'{"Records":[]}',
    "a record of a number": b'{"Records":[1]}',
    "records that are a number": b'{"Records":1}',
    "an edge": b'{"Records":[{"cf":{}}]}',
    "an edge without a header's values": (
        b'{"Records":[{"cf":{"request":{"headers":{"host":[]},"clientIp":"1","method":"GET",'
        b'"uri":"/","querystring":""}}}]}'
    ),
    "a context that is null": b'{"version":"2.0","requestContext":null}',
    "a context that is a list": b'{"version":"2.0","requestContext":[]}',
    "a context that is a string": b'{"resource":"/","requestContext":"elb"}',
    "a context that says nothing": b'{"version":"2.0","requestContext":{}}',
    "a load balancer that says nothing": b'{"requestContext":{"elb":{}}}',
    "another version": b'{"version":"3.0","requestContext":{"http":{}}}',
}


@pytest.mark.parametrize("event", NOT_HTTP.values(), ids=NOT_HTTP)
@pytest.mark.parametrize("mode", [STREAMING, BUFFERED], ids=["streaming", "buffered"])
def test_what_is_no_http_is_told_so_and_the_loop_goes_on(event: bytes, mode: Any) -> None:
    posted = run(_posted(event, mode))
    assert (posted.mode, posted.how, posted.status) == ("buffered", "whole", 400)
    assert posted.json["error"]["code"] == "not_http"


def without(event: Any, *names: str) -> Any:
    return {name: value for name, value in event.items() if name not in names}


URL = asked()
HALF = {
    "no http": URL | {"requestContext": without(URL["requestContext"], "http")},
    "a REST API that says nothing": {"resource": "/", "httpMethod": "GET", "requestContext": {}},
    "no headers": URL | {"headers": None},
    "a header that is null": URL | {"headers": {"a": None}},
    "a header that is a list": URL | {"headers": {"a": ["b"]}},
    "cookies that are numbers": URL | {"cookies": [1]},
    "a path that is null": URL
    | {"requestContext": URL["requestContext"] | {"http": {"path": 5, "method": "GET"}}},
    "a host with two colons": URL | {"headers": {"host": "a:b:c"}},
    "a port that is none": URL | {"headers": {"x-forwarded-port": "https"}},
}


@pytest.mark.parametrize("event", HALF.values(), ids=HALF)
def test_half_a_request_at_a_streaming_url_is_told_so_in_a_stream(event: Any) -> None:
    """There, a whole answer's JSON would be shown to the caller as it is."""
    posted = run(_posted(event, STREAMING))
    assert (posted.mode, posted.how, posted.status) == ("streaming", "whole", 400)
    assert posted.json["error"]["code"] == "not_http"


@pytest.mark.parametrize("door", DOORS)
def test_each_door_asks_the_same(door: str) -> None:
    headers = [("Accept", "a/b"), ("Content-Type", "application/json"), ("X-One", "Zo\xeb")]
    body = '{"text":"Zoë"}'.encode()
    event = asked("POST", "/a%20b/c?x=1&y=%C3%A9&z=", headers, body, door=door)
    heard = told(event)
    asked_for = {name: value for name, value in heard["headers"] if name[0] in "acx"}
    assert asked_for.pop("x-one").encode("latin-1") in ("Zo\xeb".encode(), b"Zo\xeb")
    assert (asked_for["accept"], asked_for["content-type"]) == ("a/b", "application/json")
    assert (heard["method"], heard["path"]) == ("POST", "/a b/c")
    assert heard["query"] == [["x", "1"], ["y", "é"], ["z", ""]]
    assert heard["body"].encode("latin-1") == body
    assert heard["scheme"] == "https"


@pytest.mark.parametrize("door", DOORS)
def test_bytes_that_are_no_text_arrive_as_they_were(door: str) -> None:
    body = bytes(range(256))
    assert told(asked("POST", "/", body=body, door=door))["body"].encode("latin-1") == body


@pytest.mark.parametrize("door", DOORS)
def test_cookies_arrive_as_one_header(door: str) -> None:
    heard = told(asked("GET", "/", [("Cookie", "a=1; b=2")], door=door))
    assert [value for name, value in heard["headers"] if name == "cookie"] == ["a=1; b=2"]


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/v1/models/a%2Fb", "/v1/models/a/b"),
        ("/v1beta/models/gemini%3Astream", "/v1beta/models/gemini:stream"),
        ("/a%252Fb", "/a%2Fb"),
        ("/caf%C3%A9", "/café"),
        ("/100%25", "/100%"),
    ],
)
def test_a_path_is_decoded_once_and_kept_as_it_came(target: str, path: str) -> None:
    heard = told(asked("GET", target))
    assert (heard["path"], heard["raw_path"]) == (path, target)


@pytest.mark.parametrize("door", ["rest_api", "http_api_v1", "alb"])
def test_elsewhere_a_path_is_decoded_once_too(door: str) -> None:
    assert told(asked("GET", "/a%252Fb", door=door))["path"] == "/a%2Fb"


@pytest.mark.parametrize("door", DOORS)
def test_five_thousand_headers_are_no_reason_to_end(door: str) -> None:
    headers = [(f"X-Bomb-{nth}", "x" * 10) for nth in range(5_000)]
    heard = told(asked("GET", "/", headers, door=door))
    assert sum(name.startswith("x-bomb") for name, _ in heard["headers"]) == 5_000


def test_what_the_apps_start_left_reaches_each_request_as_a_copy_of_its_own() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["seen"] = [*scope["state"].get("seen", ()), 1]
        body = json.dumps(scope["state"]).encode()
        await saying(body)(scope, receive, send)

    async def work() -> list[Any]:
        async with looping(app, state={"pool": 1}) as aws:
            return [(await (await aws.invoke(asked())).finished()).json for _ in range(2)]

    assert run(work()) == [{"pool": 1, "seen": [1]}] * 2


BROKEN = ["!", "A", "AAAAA", "=AAA", "é", 5, ["AAAA"], {"a": 1}]


@pytest.mark.parametrize("body", BROKEN)
@pytest.mark.parametrize("door", DOORS)
def test_a_body_that_cannot_be_read_is_the_callers_fault(body: Any, door: str) -> None:
    event = asked("POST", "/", body=b"\xff", door=door) | {"body": body, "isBase64Encoded": True}
    posted = run(_posted(event, STREAMING))
    assert (posted.how, posted.status) == ("whole", 400)
    assert "base64" in posted.json["error"]["message"]
