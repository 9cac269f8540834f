"""What goes wrong after the first byte: callers see the end, and AWS is told in trailers."""

import pytest
from starlette.types import Receive, Scope, Send

from examples.local_lambda.posted import Terms
from examples.local_lambda.runtime_api import RuntimeApi as Aws
from handler.lambda_runtime.api import RuntimeApi
from tests.fakes import run
from tests.lambda_runtime.looping import FAILED, answered, asked, say, start
from tests.lambda_runtime.wire import Wire, invocation

CANARY = "sk-canary"


def test_what_breaks_after_the_first_byte_is_told() -> None:
    """In words of ours: the exception's own may quote anything."""

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await start(send)
        await say(send, b"so far")
        raise ValueError(CANARY)

    posted = run(answered("GET", app))
    assert (posted.how, posted.status, posted.body) == ("failed", 200, b"so far")
    assert posted.error_type == "Runtime.StreamError"
    told = {"errorMessage": FAILED, "errorType": "Runtime.StreamError", "stackTrace": []}
    assert posted.error == told


def test_what_breaks_between_the_status_and_the_first_byte_is_told_too() -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        await start(send, 201)
        raise ValueError

    posted = run(answered("GET", app))
    assert (posted.how, posted.status, posted.body) == ("failed", 201, b"\n")
    assert posted.error_type == "Runtime.StreamError"


@pytest.mark.parametrize("so_far", [b"", b"so far"])
def test_an_answer_without_an_end_is_told_as_such(so_far: bytes) -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        await start(send)
        await say(send, so_far)

    posted = run(answered("GET", app))
    assert (posted.how, posted.body) == ("failed", so_far or b"\n")
    assert posted.error_type == "Runtime.IncompleteResponse"


def test_trailers_are_these_bytes() -> None:
    async def work() -> None:
        async with Wire([invocation(b"{}")]) as wire:
            api = RuntimeApi(wire.address)
            connection = api.connection()
            post = await api.stream(await api.next(connection))
            connection.close()
            await post.begin(b"{}" + bytes(8), b"so far")
            await post.fail("Runtime.StreamError", "it broke")
            (heard,) = wire.heard
        assert heard.partition(b"\r\n\r\n")[2] == (
            b"A\r\n{}\0\0\0\0\0\0\0\0\r\n"
            b"6\r\nso far\r\n"
            b"0\r\n"
            b"Lambda-Runtime-Function-Error-Type: Runtime.StreamError\r\n"
            b"Lambda-Runtime-Function-Error-Body: eyJlcnJvck1lc3NhZ2UiOiJpdCBicm9rZSIsImVycm9yVHlwZ"
            b"SI6IlJ1bnRpbWUuU3RyZWFtRXJyb3IiLCJzdGFja1RyYWNlIjpbXX0=\r\n"
            b"\r\n"
        )

    run(work())


LONG = {
    "letters": "x" * 100_000,
    "lines": "line\r\n" * 20_000,
    "unicode": "Zoë 🦀\r\n" * 15_000,
    "control": "\x00\x1b" * 50_000,
    "half a character": "\udc80" * 100_000,  # as in the name of a file that is not UTF-8
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
@pytest.mark.parametrize("echo", [True, False])
def test_trailers_stay_below_4_kib_whatever_is_to_be_told(text: str, echo: bool) -> None:
    """With more, Go's server resets the connection and the environment is lost."""

    async def work() -> None:
        async with Aws() as aws:
            api = RuntimeApi(aws.address)
            invoked = await aws.invoke(asked(), terms=Terms(invocation_id=echo))
            connection = api.connection()
            post = await api.stream(await api.next(connection))
            try:
                await post.begin(b'{"statusCode":200}' + bytes(8), b"x")
                await post.fail("Runtime.StreamError", text)
            finally:
                post.abandon()
                connection.close()
            posted = await invoked.finished()
            assert (posted.how, posted.error_type) == ("failed", "Runtime.StreamError")
            assert (aws.faults, aws.stuck) == ([], False)

    run(work())


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_an_error_before_any_answer_is_told_whatever_its_words(text: str) -> None:
    async def work() -> None:
        async with Aws() as aws:
            api = RuntimeApi(aws.address)
            invoked = await aws.invoke(asked())
            connection = api.connection()
            try:
                await api.failed(await api.next(connection), ValueError(text))
            finally:
                connection.close()
            posted = await invoked.finished()
            assert (posted.how, posted.error_type) == ("failed", "Runtime.HandlerError")
            assert posted.error["errorType"] == "ValueError"
            assert (aws.faults, len(posted.error["errorMessage"])) == ([], 256)

    run(work())


def test_what_an_app_said_before_it_broke_comes_whole() -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        await start(send)
        await say(send, b"x" * 1_000_000)
        await say(send, b"y" * 1_000_000)
        raise ValueError

    posted = run(answered("GET", app))
    assert posted.body == b"x" * 1_000_000 + b"y" * 1_000_000
    assert posted.how == "failed"
