"""The events in `events/`, how they are made, and the command that invokes the function with one."""

import base64
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from examples.local_lambda.doors import DOORS, LARGEST_EVENT
from examples.local_lambda.events import CALLER, Request, Stamp
from examples.local_lambda.write_events import EVENTS, LARGE, large, written

STAMP = Stamp("5f0f3c1e-8a4b-4d57-9c8f-0d2b6f1c7a10", 1_764_000_000_000)


def event(door: str, target: str = "/", body: bytes = b"", **headers: str) -> Any:
    fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return DOORS[door].event(Request("GET", target, fields, body), STAMP)


def test_what_is_kept_is_what_is_written() -> None:
    kept = {
        str(path.relative_to(EVENTS)): path.read_text(encoding="utf-8")
        for path in EVENTS.glob("*/*.json")
        if path.name != "large.json"
    }
    assert kept == dict(written())


def test_the_large_ones_just_fit() -> None:
    for path, text in large():
        told = json.loads(text)
        assert len(told["body"]) == LARGE, path
        assert LARGE < len(json.dumps(told)) < LARGEST_EVENT, path


def test_cookies_are_told_as_each_door_tells_them() -> None:
    cookie = "a=1; b=2"
    url, api = (event(door, Cookie=cookie) for door in ("function_url", "http_api_v2"))
    rest = event("rest_api", Cookie=cookie)
    assert (url["cookies"], url["headers"]["cookie"]) == (["a=1", "b=2"], cookie)
    assert (api["cookies"], "cookie" in api["headers"]) == (["a=1", "b=2"], False)
    assert (rest["headers"]["Cookie"], "cookies" in rest) == (cookie, False)


def test_a_path_is_decoded_by_http_apis_of_version_2_alone() -> None:
    target = "/a%2Fb%3Ac"
    url, api = (event(door, target) for door in ("function_url", "http_api_v2"))
    assert (url["rawPath"], url["requestContext"]["http"]["path"]) == (target, "/a/b:c")
    assert (api["rawPath"], api["requestContext"]["http"]["path"]) == ("/a/b:c", "/a/b:c")
    assert {event(door, target)["path"] for door in ("rest_api", "http_api_v1", "alb")} == {target}


def test_a_query_is_told_as_each_door_tells_it() -> None:
    target = "/?q=a%20b&q=c&r="
    url, rest = event("function_url", target), event("rest_api", target)
    assert url["rawQueryString"] == "q=a%20b&q=c&r="
    assert url["queryStringParameters"] == {"q": "a b,c", "r": ""}
    assert rest["queryStringParameters"] == {"q": "c", "r": ""}
    assert rest["multiValueQueryStringParameters"] == {"q": ["a b", "c"], "r": [""]}
    assert event("alb", target)["queryStringParameters"] == {"q": "c", "r": ""}
    assert event("alb_multi", target)["multiValueQueryStringParameters"] == {
        "q": ["a%20b", "c"],
        "r": [""],
    }


@pytest.mark.parametrize(
    ("body", "headers", "encoded"),
    [
        (b'{"a": 1}', {"Content_Type": "application/json; charset=utf-8"}, False),
        (b"\xff", {"Content_Type": "application/json"}, True),
        (b"a=1", {"Content_Type": "application/x-www-form-urlencoded"}, True),
        (
            gzip.compress(b"{}", mtime=0),
            {"Content_Type": "text/plain", "Content_Encoding": "gzip"},
            True,
        ),
        (b"", {}, False),
        (b"x", {}, True),
    ],
    ids=["JSON", "not UTF-8", "a form", "packed", "nothing", "of no type"],
)
@pytest.mark.parametrize("door", DOORS)
def test_what_is_no_text_is_told_in_base64(
    door: str, body: bytes, headers: Mapping[str, str], *, encoded: bool
) -> None:
    told = event(door, "/", body, **headers)
    text = told.get("body") or ""
    assert told["isBase64Encoded"] is encoded
    assert (base64.b64decode(text) if encoded else text.encode()) == body


def test_repeated_headers_are_joined_listed_or_lost() -> None:
    fields = [("X-A", "1"), ("x-a", "2")]
    told = {door: DOORS[door].event(Request("GET", "/", fields), STAMP) for door in DOORS}
    assert told["function_url"]["headers"]["x-a"] == "1,2"
    assert told["alb"]["headers"]["x-a"] == "2"
    assert told["alb_multi"]["multiValueHeaders"]["x-a"] == ["1", "2"]
    assert "headers" not in told["alb_multi"]
    assert "multiValueHeaders" not in told["alb"]


def test_who_calls_is_told_where_iam_asks() -> None:
    assert "authorizer" not in event("function_url")["requestContext"]
    assert event("function_url_iam")["requestContext"]["authorizer"] == {"iam": CALLER}


def invoke(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "examples.local_lambda.invoke", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=EVENTS.parent,
        env={"PATH": os.environ["PATH"]},
    )


def test_invoking_shows_the_answer_and_how_long_it_took() -> None:
    done = invoke("events/function_url/stream.json", "--times", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n200\ncontent-type: text/event-stream") == 2
    assert done.stdout.count("data: [DONE]") == 2
    assert done.stdout.count(" ms, streaming, ") == 2


def test_invoking_with_an_event_that_is_not_there_says_which_are() -> None:
    done = invoke("events/nothing.json")
    assert done.returncode == 1
    assert "there is no event events/nothing.json" in done.stderr
    assert "events/rest_api/  bad_base64 bad_json" in done.stderr


def test_invoking_what_does_not_start_shows_why() -> None:
    done = invoke("events/alb/chat.json", "--handler", "nowhere.handler")
    assert done.returncode == 1
    assert "the function did not start" in done.stderr
    assert "No module named 'nowhere'" in done.stderr


def test_a_failed_invocation_fails_the_command() -> None:
    done = invoke("events/function_url/stream.json", "--seconds", "0.001")
    assert done.returncode == 1
    assert "the invocation ended: timed out" in done.stderr
