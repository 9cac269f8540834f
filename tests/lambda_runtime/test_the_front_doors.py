"""The emulated front doors: what reaches the function, and what becomes of its answer."""

import asyncio
import base64
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from examples.local_lambda.doors import DOORS
from examples.local_lambda.front_door import FrontDoor, InvokeMode
from examples.local_lambda.runtime_api import RuntimeApi
from tests.lambda_runtime.raw import (
    END,
    ERROR,
    JSON,
    PREFIX,
    STREAMING,
    TOLD,
    Line,
    chunk,
    prelude,
    run,
    streamed,
    trailers,
)

STREAM_DOORS = [name for name, door in DOORS.items() if door.fields]
WHOLE_DOORS = [name for name, door in DOORS.items() if not door.fields]


class Visit:
    """One request through a door to a runtime of raw bytes."""

    def __init__(self, door: str, mode: InvokeMode = "RESPONSE_STREAM") -> None:
        self._door, self._mode = door, mode
        self.event: Any = None
        self.faults: list[str] = []

    def ask(
        self,
        body: bytes,
        headers: Mapping[str, str] = STREAMING,
        what: str = "response",
        method: str = "GET",
    ) -> httpx.Response:
        """What the caller gets when the runtime posts this."""
        got: list[httpx.Response] = []

        async def test(api: RuntimeApi) -> None:
            async with (
                FrontDoor(api, self._door, mode=self._mode) as door,
                httpx.AsyncClient(base_url=door.url) as client,
            ):
                asked = asyncio.ensure_future(client.request(method, "/"))
                await self._answer(api, body, headers, what)
                try:
                    got.append(await asked)
                finally:
                    self.faults = door.faults

        run(test)
        return got[0]

    async def _answer(
        self, api: RuntimeApi, body: bytes, headers: Mapping[str, str], what: str
    ) -> None:
        async with await Line.to(api.address) as line:
            poll = await line.poll()
        self.event = poll.json
        echo = {"Lambda-Runtime-Invocation-Id": poll.headers["lambda-runtime-invocation-id"]}
        path = f"{PREFIX}/invocation/{poll.headers['lambda-runtime-aws-request-id']}/{what}"
        async with await Line.to(api.address) as line:
            await line.ask("POST", path, {**echo, **headers}, body)


def proxy(**told: Any) -> bytes:
    return json.dumps({"statusCode": 200, "body": "hi", "isBase64Encoded": False} | told).encode()


@pytest.mark.parametrize("door", STREAM_DOORS)
def test_a_stream_is_passed_on(door: str) -> None:
    told = {"statusCode": 201, "headers": {"a": "1"}, "cookies": ["b=2; Path=/", "c=3"]}
    visit = Visit(door)
    answer = visit.ask(streamed(b"x", b"y", told=told))
    assert (answer.status_code, answer.content, answer.headers["a"]) == (201, b"xy", "1")
    assert answer.headers.get_list("set-cookie") == ["b=2; Path=/", "c=3"]
    assert visit.faults == []


# By a FIN, or a RST where the caller has said more than was read.
TORN = (httpx.RemoteProtocolError, httpx.ReadError)


@pytest.mark.parametrize("door", STREAM_DOORS)
def test_a_stream_that_fails_is_torn(door: str) -> None:
    with pytest.raises(TORN):
        Visit(door).ask(chunk(prelude()) + chunk(b"x") + trailers())


def test_only_a_rest_api_knows_multi_value_headers_in_a_stream() -> None:
    told = {"multiValueHeaders": {"a": ["1", "2"]}}
    assert Visit("rest_api").ask(streamed(b"x", told=told)).headers.get_list("a") == ["1", "2"]
    assert "a" not in Visit("function_url").ask(streamed(b"x", told=told)).headers


@pytest.mark.parametrize(
    ("door", "status", "body"),
    [
        ("function_url", 502, "Internal Server Error"),
        ("rest_api", 502, '{"message": "Internal server error"}'),
        ("http_api_v1", 500, '{"message": "Internal Server Error"}'),
        ("http_api_v2", 500, '{"message": "Internal Server Error"}'),
        ("alb", 502, "<h1>502 Bad Gateway</h1>"),
        ("alb_multi", 502, "<h1>502 Bad Gateway</h1>"),
    ],
)
def test_of_an_error_the_caller_learns_nothing(door: str, status: int, body: str) -> None:
    answer = Visit(door).ask(json.dumps(TOLD).encode(), ERROR, "error")
    assert (answer.status_code, answer.text) == (status, body)


@pytest.mark.parametrize(
    ("door", "mode", "status", "body"),
    [
        ("function_url", "RESPONSE_STREAM", 200, proxy(statusCode=404).decode()),
        ("rest_api", "RESPONSE_STREAM", 500, '{"message": "Internal server error"}'),
    ],
)
def test_json_where_a_stream_is_due(door: str, mode: InvokeMode, status: int, body: str) -> None:
    visit = Visit(door, mode)
    answer = visit.ask(proxy(statusCode=404), JSON)
    assert (answer.status_code, answer.text) == (status, body)
    assert visit.faults == ["a whole answer came where a stream was waited for"]


@pytest.mark.parametrize(("door", "status"), [("function_url", 200), ("rest_api", 404)])
def test_a_stream_where_json_is_due(door: str, status: int) -> None:
    visit = Visit(door, "BUFFERED")
    answer = visit.ask(streamed(b"x", told={"statusCode": 404}))
    assert (answer.status_code, answer.text) == (status, "")
    assert visit.faults == ["a stream came where a whole answer was waited for"]


@pytest.mark.parametrize("door", [*WHOLE_DOORS, "function_url", "rest_api"])
def test_a_whole_answer_is_taken_apart(door: str) -> None:
    several = (
        {"multiValueHeaders": {"a": ["1"]}} if door == "alb_multi" else {"headers": {"a": "1"}}
    )
    text = base64.b64encode(b"\xff").decode()
    visit = Visit(door, "BUFFERED")
    answer = visit.ask(proxy(statusCode=201, body=text, isBase64Encoded=True, **several), JSON)
    assert (answer.status_code, answer.content, answer.headers["a"]) == (201, b"\xff", "1")
    assert visit.faults == []


@pytest.mark.parametrize(
    ("door", "told", "fault"),
    [
        ("function_url", {"statusCode": "200"}, "statusCode: '200'"),
        ("http_api_v2", {"cookies": "a=b"}, "cookies: 'a=b'"),
        ("http_api_v1", {"headers": {"a": ["b"]}}, "headers: {'a': ['b']}"),
        ("rest_api", {"body": {"a": 1}}, "body: {'a': 1}"),
        ("rest_api", {"multiValueHeaders": {"a": "b"}}, "multiValueHeaders: {'a': 'b'}"),
        (
            "alb",
            {"multiValueHeaders": {"a": ["b"]}},
            "multiValueHeaders for a target group that has them off",
        ),
        (
            "alb_multi",
            {"headers": {"a": "b"}},
            "no multiValueHeaders for a target group that has them on",
        ),
        (
            "alb",
            {"body": "é", "isBase64Encoded": True},
            "body: string argument should contain only ASCII characters",
        ),
    ],
)
def test_a_malformed_answer_is_none(door: str, told: Mapping[str, Any], fault: str) -> None:
    visit = Visit(door, "BUFFERED")
    assert visit.ask(proxy(**told), JSON).status_code in (500, 502)
    assert visit.faults == [f"an answer that is none: {fault}"]


def test_json_without_a_status_is_the_body_for_payload_2() -> None:
    answer = Visit("http_api_v2").ask(b'{"a": 1}', JSON)
    assert (answer.status_code, answer.json()) == (200, {"a": 1})


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_where_no_body_may_be_none_is_sent(method: str) -> None:
    status = 200 if method == "HEAD" else 204
    answer = Visit("function_url").ask(streamed(b"\n", told={"statusCode": status}), method=method)
    assert (answer.status_code, answer.content) == (status, b"")


def test_a_length_that_is_wrong_is_noticed() -> None:
    visit = Visit("function_url")
    with pytest.raises(TORN):
        visit.ask(streamed(b"123", told={"headers": {"content-length": "2"}}))
    assert visit.faults == [
        "the function's answer is not HTTP: Too much data for declared Content-Length"
    ]


@pytest.mark.parametrize("door", ["function_url", "rest_api", "http_api_v2", "alb"])
def test_a_request_that_is_too_large_reaches_no_function(door: str) -> None:
    async def test(api: RuntimeApi) -> None:
        async with FrontDoor(api, door) as front, httpx.AsyncClient(base_url=front.url) as client:
            size = 1_100_000 if door == "alb" else 6 * 1024 * 1024
            body = json.dumps({"text": "x" * size}).encode()
            answer = await client.post("/", content=body, headers=JSON)
        assert answer.status_code == 413

    run(test)


def test_a_caller_who_hangs_up_disturbs_nobody() -> None:
    async def test(api: RuntimeApi) -> None:
        async with FrontDoor(api) as door:
            async with await Line.to(door.url.removeprefix("http://")) as caller:
                await caller.say(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                async with await Line.to(api.address) as line:
                    poll = await line.poll()
            echo = {"Lambda-Runtime-Invocation-Id": poll.headers["lambda-runtime-invocation-id"]}
            async with await Line.to(api.address) as line:
                path = (
                    f"{PREFIX}/invocation/{poll.headers['lambda-runtime-aws-request-id']}/response"
                )
                body = chunk(prelude()) + chunk(b"x" * 100_000) * 20 + END
                answer = await line.ask("POST", path, {**STREAMING, **echo}, body)
        assert (answer.status, api.faults, door.faults) == (202, [], [])

    run(test)
