"""Web pages stay out of a gateway that is open on loopback."""

import pytest
from starlette.types import Message

from handler.local_guard import is_loopback
from tests.fakes import run
from tests.handler.driver import Caller, World, get, post, scope

GUARDED = World(local_only=True)
ONLY_LOCAL = "this gateway is open to its own machine only"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:8000",
        "localhost",
        "localhost:80",
        "LOCALHOST:8000",
        "LocalHost",
        "[::1]",
        "[::1]:8000",
    ],
)
def test_its_own_machine_may_call(host: str) -> None:
    assert get("/health", GUARDED, host=host).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "127.0.0.1.nip.io",
        "localhost.evil.example",
        "evil.example/127.0.0.1",
        "evil.example#127.0.0.1",
        "evil.example?127.0.0.1",
        "127.0.0.1@evil.example",
        "localhost:8000@evil.example",
        "evil.example\\@127.0.0.1.evil.example",
        "[::ffff:7f00:1].evil.example",
        "[::1",
        "::1]",
        "192.168.1.5",
        "0.0.0.0",
        "169.254.169.254",
        "xn--localhost-1x3b",
        "loc\u00e0lhost",
        "127.0.0.1\u00a0evil.example",
    ],
)
def test_another_name_for_it_is_refused(host: str) -> None:
    """A page may point a name of its own at 127.0.0.1."""
    told = get("/health", GUARDED, host=host)
    assert told.status == 403
    assert told.error["message"] == f"{ONLY_LOCAL}: call it as 127.0.0.1 or localhost"
    assert told.json["detail"] == told.error["message"]
    assert told.error["type"] == "permission_error"


@pytest.mark.parametrize(
    "origin",
    ["http://localhost", "http://localhost:3000", "http://127.0.0.1:8000", "https://[::1]:8443"],
)
def test_a_page_of_its_own_machine_may_call(origin: str) -> None:
    assert get("/health", GUARDED, origin=origin).status == 200


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "https://evil.example",
        "http://localhost.evil.example",
        "http://localhost@evil.example",
        "http://127.0.0.1.evil.example:8000",
        "http://evil.example#localhost",
        "http://evil.example/?http://localhost",
        "localhost",
        "//evil.example",
        "http://[::1",
        "file://",
        "data:text/html,localhost",
        "http://evil.example http://localhost",
    ],
)
def test_a_page_of_another_site_may_not(origin: str) -> None:
    body = {"model": "e", "messages": [{"role": "user", "content": "hi"}]}
    told = post("/gateway/openai/v1/chat/completions", body, GUARDED, origin=origin)
    assert told.status == 403
    assert told.error["message"] == f"{ONLY_LOCAL}: pages of other sites may not call it"


def test_every_of_several_such_headers_is_looked_at() -> None:
    async def status(*headers: tuple[bytes, bytes]) -> int:
        caller = Caller()
        asked = scope("GET", "/health") | {"headers": list(headers)}
        await GUARDED.app()(asked, caller.receive, caller.send)
        return caller.told.status

    mine, theirs = (b"host", b"localhost"), (b"host", b"evil.example")
    assert run(status(mine)) == 200
    assert run(status(mine, theirs)) == 403
    assert run(status(theirs, mine)) == 403
    page = (b"origin", b"https://evil.example")
    assert run(status(mine, (b"origin", b"http://localhost"), page)) == 403


def test_a_gateway_with_keys_may_be_called_from_anywhere() -> None:
    assert get("/health", World(), host="gateway.example", origin="https://a.example").status == 200


def test_what_is_no_request_passes() -> None:
    """The server's own start and stop."""

    async def work() -> list[str]:
        messages: list[Message] = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
        sent: list[str] = []

        async def receive() -> Message:
            return messages.pop(0)

        async def send(message: Message) -> None:
            sent.append(message["type"])

        await GUARDED.app()({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)
        return sent

    assert run(work()) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize("url", ["http://127.0.0.2", "http://[::ffff:127.0.0.1]", "http://", ""])
def test_only_the_plain_spellings_are_loopback(url: str) -> None:
    assert is_loopback(url) is False
