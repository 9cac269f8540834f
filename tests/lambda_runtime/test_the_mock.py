"""The emulated Runtime API is strict: whatever a runtime does wrong is noticed, and nothing else.

The runtime here is raw bytes on a socket, so that it can do wrong.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from examples.local_lambda.posted import Posted
from examples.local_lambda.runtime_api import RuntimeApi
from tests.lambda_runtime.raw import (
    END,
    ERROR,
    JSON,
    PREFIX,
    PRELUDE,
    STREAMING,
    TOLD,
    Line,
    chunk,
    given,
    head,
    post,
    prelude,
    run,
    streamed,
    trailers,
)

LONGEST = {"headers": {"a": "b" * (16_384 - 8 - len('{"headers": {"a": ""}}'))}}


@dataclass(frozen=True)
class Breach:
    """What is posted, and what comes of it."""

    faults: list[str]
    body: bytes = field(default_factory=lambda: streamed(b"x"))
    headers: Mapping[str, str] = field(default_factory=lambda: STREAMING)
    what: str = "response"
    status: int = 202
    how: str = "whole"


def bad_prelude(told: Any, fault: str) -> Breach:
    return Breach([f"sends a prelude {fault}"], streamed(b"x", told=told))


def bad_trailers(end: bytes, *faults: str) -> Breach:
    return Breach([*faults], chunk(prelude()) + chunk(b"x") + end, how="failed")


BREACHES = {
    "no agent": Breach(["sends no User-Agent"], headers={**STREAMING, "User-Agent": ""}),
    "content type": Breach(
        [f"streams with the content type 'application/json', not {STREAMING['Content-Type']}"],
        headers={**STREAMING, **JSON},
    ),
    "trailers undeclared": Breach(
        ["streams without declaring in Trailer: lambda-runtime-function-error-body"],
        headers={**STREAMING, "Trailer": "Lambda-Runtime-Function-Error-Type"},
    ),
    "mode": Breach(
        ["asks for the response mode 'Streaming'"],
        headers={**STREAMING, "Lambda-Runtime-Function-Response-Mode": "Streaming"},
        status=400,
        how="failed",
    ),
    "not chunked": Breach(
        ["streams without Transfer-Encoding: chunked"],
        prelude() + b"x",
        {**STREAMING, "Transfer-Encoding": ""},
    ),
    "no echo": Breach(
        ["does not echo lambda-runtime-invocation-id"],
        headers={**STREAMING, "Lambda-Runtime-Invocation-Id": ""},
    ),
    "no JSON": bad_prelude(b"200 OK", "that is no JSON object: b'200 OK'"),
    "a list": bad_prelude([], "that is no JSON object: b'[]'"),
    "unknown key": bad_prelude({**PRELUDE, "body": ""}, "with body"),
    "status": bad_prelude({"statusCode": "200"}, "with the status '200'"),
    "header value": bad_prelude({"headers": {"a": 1}}, "whose headers are not strings by name"),
    "header values": bad_prelude(
        {"multiValueHeaders": {"a": "b"}},
        "whose multiValueHeaders are not lists of strings by name",
    ),
    "cookies": bad_prelude({"cookies": "a=b"}, "whose cookies are not a list of strings"),
    "header name": bad_prelude(
        {"headers": {"a b": "c"}}, "with a header that has no valid name: 'a b'"
    ),
    "line break": bad_prelude({"headers": {"a": "b\r\nc: d"}}, "with a line break or NUL in a"),
    "hop": bad_prelude(
        {"headers": {"Connection": "close"}}, "with connection, which is between two hops only"
    ),
    "twice": bad_prelude({"headers": {"a": "b", "A": "c"}}, "with a twice"),
    "seven NULs": Breach(
        ["ends a stream before its prelude"], chunk(prelude()[:-1]) + chunk(b"x") + END
    ),
    "nine NULs": Breach(["sends more than eight NULs behind the prelude"], streamed(b"\0x")),
    "late NULs": Breach(
        ["sends no eight NULs within the first 16 KB"],
        streamed(b"x", told={"headers": {"a": "b" * 16_384}}),
    ),
    "NULs just too late": Breach(
        ["sends no eight NULs within the first 16 KB"],
        streamed(b"x", told={"headers": {"a": LONGEST["headers"]["a"] + "b"}}),
    ),
    "no body": Breach(["streams a body of no bytes, which may hang on a function URL"], streamed()),
    "error type": bad_trailers(
        trailers("Oops"), "tells an error of the type 'Oops', not Runtime.Name or Function.Name"
    ),
    "error not base64": bad_trailers(
        trailers(told=b"{}"),
        "sends an error body in the trailers that is not base64: Only base64 data is allowed",
    ),
    "error not JSON": bad_trailers(
        trailers(told=base64.b64encode(b"boo")), "tells an error that is no JSON object: b'boo'"
    ),
    "error incomplete": bad_trailers(
        trailers(told={"errorMessage": "", "errorType": ""}),
        "tells an error with errorMessage, errorType, not errorMessage, errorType, stackTrace",
    ),
    "other trailers": bad_trailers(
        b"0\r\nX-Sum: 1\r\n\r\n",
        "sends the trailers x-sum, not just the two of an error",
        "tells an error without lambda-runtime-function-error-type",
        "tells an error that is no JSON object: b''",
    ),
    "buffered type": Breach(
        ["posts JSON with the content type 'text/plain'"], b"{}", {"Content-Type": "text/plain"}
    ),
    "buffered text": Breach(
        ["posts a buffered answer that is not JSON: Expecting value: line 1 column 1 (char 0)"],
        b"<p>",
        JSON,
    ),
    "buffered chunks": Breach(
        ["posts a whole body without Content-Length"],
        chunk(b"{}") + END,
        {**JSON, "Transfer-Encoding": "chunked"},
    ),
    "buffered and large": Breach(
        ["posts a buffered answer of more than 6291556 bytes"],
        b'"' + b"x" * 6_291_555 + b'"',
        JSON,
        status=413,
        how="too large",
    ),
    "error without a type": Breach(
        ["tells an error without lambda-runtime-function-error-type"],
        json.dumps(TOLD).encode(),
        JSON,
        "error",
        how="failed",
    ),
    "error of another shape": Breach(
        ["tells an error whose members have the wrong type"],
        json.dumps(TOLD | {"stackTrace": "main.py"}).encode(),
        ERROR,
        "error",
        how="failed",
    ),
    "X-Ray cause": Breach(
        ["sends an X-Ray cause that is not JSON"],
        json.dumps(TOLD).encode(),
        {**ERROR, "Lambda-Runtime-Function-XRay-Error-Cause": "{"},
        "error",
        how="failed",
    ),
}


@pytest.mark.parametrize("breach", BREACHES.values(), ids=BREACHES)
def test_a_breach_is_noticed_and_nothing_else(breach: Breach) -> None:
    async def test(api: RuntimeApi) -> None:
        invocation, _ = await given(api)
        answer = await post(api, invocation, breach.body, breach.headers, breach.what)
        posted = await invocation.finished()
        assert api.faults == breach.faults
        assert (answer.status, posted.how) == (breach.status, breach.how)

    run(test)


RIGHT = {
    "a stream": (streamed(b"x", b"y"), STREAMING, "response", "whole"),
    "a stream that fails": (
        chunk(prelude()) + chunk(b"x") + trailers(),
        STREAMING,
        "response",
        "failed",
    ),
    "the longest prelude": (
        streamed(b"x", told=LONGEST),
        STREAMING,
        "response",
        "whole",
    ),
    "a buffered answer": (b'{"statusCode": 200}', JSON, "response", "whole"),
    "the largest buffered answer": (
        b'"' + b"x" * 6_291_554 + b'"',
        JSON,
        "response",
        "whole",
    ),
    "an error": (json.dumps(TOLD).encode(), ERROR, "error", "failed"),
}


@pytest.mark.parametrize(("body", "headers", "what", "how"), RIGHT.values(), ids=RIGHT)
def test_what_is_right_is_no_breach(
    body: bytes, headers: Mapping[str, str], what: str, how: str
) -> None:
    async def test(api: RuntimeApi) -> None:
        invocation, _ = await given(api)
        answer = await post(api, invocation, body, headers, what)
        assert (answer.status, answer.json) == (202, {"status": "OK"})
        assert (await invocation.finished()).how == how
        assert api.faults == []

    run(test)


def test_a_stream_is_given_piece_by_piece_and_as_a_whole() -> None:
    async def test(api: RuntimeApi) -> None:
        invocation, _ = await given(api)
        told = PRELUDE | {"cookies": ["a=1"], "multiValueHeaders": {"b": ["2", "3"]}}
        text = chunk(prelude(told)) + chunk(b"x") + chunk(b"y") + trailers()
        await post(api, invocation, text, STREAMING)
        posted = await invocation.finished()
        assert [type(piece).__name__ async for piece in invocation] == [
            *("Began", "Prelude", "Body", "Body", "End")
        ]
        assert [data for _, data in posted.chunks] == [b"x", b"y"]
        assert (posted.mode, posted.status, posted.body) == ("streaming", 200, b"xy")
        assert posted.headers == {"content-type": "text/plain"}
        assert (posted.multi_value_headers, posted.cookies) == ({"b": ["2", "3"]}, ("a=1",))
        assert (posted.error_type, posted.error) == ("Runtime.StreamError", TOLD)

    run(test)


@pytest.mark.parametrize("size", [1, 7, 8, 9])
def test_the_prelude_is_found_wherever_the_chunks_are_cut(size: int) -> None:
    text = prelude() + b"body"

    async def test(api: RuntimeApi) -> None:
        invocation, _ = await given(api)
        pieces = [chunk(text[at : at + size]) for at in range(0, len(text), size)]
        await post(api, invocation, b"".join(pieces) + END, STREAMING)
        posted: Posted = await invocation.finished()
        assert (posted.headers, posted.body) == (PRELUDE["headers"], b"body")
        assert api.faults == []

    run(test)


def test_a_head_is_looked_at_closely() -> None:
    async def test(api: RuntimeApi) -> None:
        async with await Line.to(api.address) as line:
            right = head(api.address, "GET", f"{PREFIX}/nowhere", {"Host": "x"}, b"")
            await line.say(right.replace(b"raw/1\r\n", b"raw/1\n"))
            assert (await line.heard()).status == 404
        assert api.faults == [
            "ends a line of the head with a bare newline",
            f"sends Host 'x' to {api.address}",
            f"asks for GET {PREFIX}/nowhere",
        ]

    run(test)
