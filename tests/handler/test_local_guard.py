"""Web pages stay out of a gateway that is open on loopback."""

from pathlib import Path

import httpx
import pytest
from starlette.types import Message

from handler.local_guard import is_loopback
from tests.fakes import run
from tests.handler.driver import Caller, Told, World, get, post, scope
from tests.live import live_gateway

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


HERE, THERE = ("127.0.0.1", 50000), ("192.168.1.5", 50000)
FOREIGN = f"{ONLY_LOCAL}: for others, start it with --require-keys"


def from_to(client: tuple[str, int] | None, server: tuple[str, int | None] | None) -> Told:
    """What a caller at one end is told, who came in by the other and says `Host: localhost`."""

    async def work() -> Told:
        caller = Caller()
        asked = scope("GET", "/health", {"host": "localhost"})
        await GUARDED.app()(
            {**asked, "client": client, "server": server}, caller.receive, caller.send
        )
        return caller.told

    return run(work())


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"])
def test_both_ends_of_a_connection_on_loopback_may_be_any_of_its_addresses(address: str) -> None:
    assert from_to((address, 50000), (address, 8000)).status == 200


@pytest.mark.parametrize(
    ("client", "server"),
    [
        (THERE, HERE),
        (HERE, THERE),
        (THERE, THERE),
        (("::ffff:192.168.1.5", 1), HERE),
        (("fe80::1%eth0", 1), HERE),
        (("0.0.0.0", 1), HERE),
        (("::", 1), HERE),
        (("localhost", 1), HERE),
        (("", 1), HERE),
        (HERE, ("/run/gateway.sock", None)),
        (None, HERE),
        (HERE, None),
        (None, None),
    ],
)
def test_a_connection_from_elsewhere_is_refused_whatever_host_it_says(
    client: tuple[str, int] | None, server: tuple[str, int | None] | None
) -> None:
    told = from_to(client, server)
    assert (told.status, told.error["message"]) == (403, FOREIGN)


def test_a_keyless_gateway_answers_on_a_real_socket_of_loopback(tmp_path: Path) -> None:
    with live_gateway(tmp_path, []) as gateway, httpx.Client(trust_env=False) as client:
        url, hosts = f"{gateway.url}/health", ("127.0.0.1", "localhost", "evil.example")
        found = [client.get(url, headers={"host": host}).status_code for host in hosts]
    assert found == [200, 200, 403]
