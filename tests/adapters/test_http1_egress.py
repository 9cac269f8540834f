"""Where our own connections may go, checked when they are made."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from gateway.adapters.http1.dialing import Refuses
from gateway.adapters.http1.transport import Http1Transport
from gateway.errors import UpstreamUnreachable
from gateway.providers.egress import AllowList, EgressGuard
from tests.adapters.wire import OK, in_time, on_both_loops, provider, says_and_closes

# Everything that a machine takes for its own loopback, or for an address that carries it.
HOSTILE = [
    "127.0.0.1",
    "localhost",
    "LOCALHOST",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "127.255.255.254",
    "0",
    "0.0.0.0",
    "0x0",
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "2852039166",
    "100.100.100.200",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[2002:7f00:1::]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::127.0.0.1]",
    "[2001:0:7f00:1::]",
    "[fd00:ec2::254]",
    "[fec0::1]",
    "[fe80::1]",
]
# What is no host at all, whatever a laxer reader makes of it.
MISSHAPEN = [
    "a@127.0.0.1",
    "127.0.0.1@example.test",
    "127.0.0.1%2f@127.0.0.1",
    "127.0.0.1%2f",
    "127.0.0.1%00",
    "%6c%6f%63alhost",
    "127。0。0。1",
    "127\uff0e0\uff0e0\uff0e1",
    "①②⑦.0.0.1",
    "127.0.0.1\\@example.test",
    "[::1%25lo]",
]


def guard(*allowed: str, forbidden: tuple[tuple[str, int], ...] = ()) -> Refuses:
    return EgressGuard(forbidden, lambda: AllowList.parse(allowed)).refuses


async def reach(url: str, refuses: Refuses) -> int:
    transport = Http1Transport(refuses=refuses)
    try:
        upstream = await transport.open(url, {}, b"", patience=5)
        await upstream.read(5)
        await upstream.close()
        return upstream.status
    finally:
        await transport.close()


class Names:
    """Answers each look-up with the next of its answers, and knows what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: tuple[str, ...]) -> None:
        self.answers, self.asked = list(answers), list[str]()
        monkeypatch.setattr(socket, "getaddrinfo", self.getaddrinfo)

    def getaddrinfo(self, host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        self.asked.append(host)
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in self.answers.pop(0)
        ]


@pytest.mark.parametrize("host", HOSTILE)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_spelling_of_a_place_that_is_not_public_gets_through(scheme: str, host: str) -> None:
    async def story() -> None:
        async with provider(says_and_closes(OK)) as stage:
            with pytest.raises(UpstreamUnreachable, match="no address of it may be connected to"):
                await reach(f"{scheme}://{host}:{stage.port}/", guard())
            assert stage.connections == 0

    asyncio.run(in_time(story))


@pytest.mark.parametrize("host", MISSHAPEN)
def test_what_is_no_host_leads_nowhere_though_a_lax_resolver_takes_it_for_an_allowed_one(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    async def story() -> None:
        async with provider(says_and_closes(OK)) as stage:
            Names(monkeypatch, ("127.0.0.1",))
            with pytest.raises(UpstreamUnreachable):
                await reach(f"http://{host}:{stage.port}/", guard("127.0.0.0/8", "::1"))
            assert stage.connections == 0

    asyncio.run(in_time(story))


def test_the_reason_names_the_fix_and_the_fix_works() -> None:
    async def story() -> None:
        async with provider(says_and_closes(OK)) as stage:
            url = f"http://127.0.0.1:{stage.port}/"
            with pytest.raises(UpstreamUnreachable) as raised:
                await reach(url, guard())
            assert raised.value.message == (
                "cannot connect to 127.0.0.1: no address of it may be connected to: "
                "127.0.0.1 is not a public address; to let the gateway connect there, allow it: "
                f"`sluicegate settings allow 127.0.0.1:{stage.port}`, or allow_private: [127.0.0.1:{stage.port}]"
            )
            assert await reach(url, guard(f"127.0.0.1:{stage.port}")) == 200

    asyncio.run(in_time(story))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1", "[::1]", "[::ffff:7f00:1]"])
def test_what_runs_beside_the_gateway_is_out_of_reach_whatever_is_allowed(host: str) -> None:
    async def story() -> None:
        async with provider(says_and_closes(OK)) as stage:
            refuses = guard(
                "127.0.0.0/8", "::1", "localhost", forbidden=(("127.0.0.1", stage.port),)
            )
            with pytest.raises(UpstreamUnreachable, match="is never connected to"):
                await reach(f"http://{host}:{stage.port}/", refuses)
            assert stage.connections == 0

    asyncio.run(in_time(story))


def test_the_runtime_api_of_lambda_is_out_of_reach() -> None:
    refuses = guard("127.0.0.1", forbidden=(("127.0.0.1", 9001),))
    url = "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next"
    with pytest.raises(UpstreamUnreachable, match=r"127\.0\.0\.1:9001 is the gateway's own or its"):
        asyncio.run(reach(url, refuses))


@on_both_loops
async def test_a_redirect_to_a_metadata_service_is_not_followed() -> None:
    moved = b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"
    asked: list[tuple[str, int, str]] = []
    async with provider(says_and_closes(moved)) as stage:
        assert await reach(stage.url, lambda *place: asked.append(place)) == 302
        assert asked == [("127.0.0.1", stage.port, "127.0.0.1")]


def test_what_was_checked_is_connected_to_by_a_name_that_changes_its_mind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        async with provider(says_and_closes(OK)) as stage:
            names = Names(monkeypatch, ("127.0.0.1",), ("10.0.0.1",), ("169.254.169.254",))
            url, refuses = f"http://name.test:{stage.port}/", guard("127.0.0.1")
            assert await reach(url, refuses) == 200
            assert (names.asked, stage.connections) == (["name.test"], 1)
            for address in ("10.0.0.1", "169.254.169.254"):
                with pytest.raises(UpstreamUnreachable, match=address):
                    await reach(url, refuses)
            assert (names.asked, stage.connections) == (["name.test"] * 3, 1)

    asyncio.run(in_time(story))


def test_each_new_connection_of_one_transport_is_checked_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        async with provider(says_and_closes(OK)) as stage:
            Names(monkeypatch, ("127.0.0.1",), ("127.0.0.2",))
            transport = Http1Transport(refuses=guard("127.0.0.1"))
            url = f"http://name.test:{stage.port}/"
            upstream = await transport.open(url, {}, b"", patience=5)
            await upstream.read(5)
            await stage.lines[0].hung_up()
            await upstream.close()
            with pytest.raises(UpstreamUnreachable, match=r"name\.test is at 127\.0\.0\.2"):
                await transport.open(url, {}, b"", patience=5)
            await transport.close()
            assert stage.connections == 1

    asyncio.run(in_time(story))


@pytest.mark.parametrize(
    "answer",
    [
        ("10.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "10.0.0.1"),
        ("169.254.169.254", "127.0.0.1", "0.0.0.0"),
    ],
)
def test_only_what_may_be_connected_to_is_tried_of_a_mixed_answer(
    monkeypatch: pytest.MonkeyPatch, answer: tuple[str, ...]
) -> None:
    async def story() -> None:
        async with provider(says_and_closes(OK)) as stage:
            Names(monkeypatch, answer)
            assert await reach(f"http://name.test:{stage.port}/", guard("127.0.0.1")) == 200

    asyncio.run(in_time(story))


def test_a_mixed_answer_whose_good_address_fails_does_not_fall_back_to_the_bad(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        async with provider(says_and_closes(OK)) as stage:
            Names(monkeypatch, ("127.0.0.2", "127.0.0.1"))
            with pytest.raises(UpstreamUnreachable) as raised:
                await reach(f"http://name.test:{stage.port}/", guard("127.0.0.2"))
            assert stage.connections == 0
            refusal, failure = raised.value.message.split("; 127.0.0.2: ")
            assert refusal.startswith(
                "cannot connect to name.test: name.test is at 127.0.0.1, which is not a public "
            )
            assert "Connect call failed" in failure

    asyncio.run(in_time(story))


def test_every_reason_is_told_when_no_address_may_be_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Names(monkeypatch, ("169.254.169.254", "10.0.0.1"))
    with pytest.raises(UpstreamUnreachable) as raised:
        asyncio.run(reach("http://name.test/", guard("127.0.0.1")))
    assert raised.value.message == (
        "cannot connect to name.test: no address of it may be connected to: "
        "name.test points at a metadata service (169.254.169.254); "
        "name.test is at 10.0.0.1, which is not a public address; to let the gateway connect "
        "there, allow it: `sluicegate settings allow 10.0.0.1:80`, or allow_private: [10.0.0.1:80]"
    )


@pytest.mark.parametrize("name", ["metadata.google.internal", "metadata.goog", "instance-data."])
def test_a_metadata_service_is_out_of_reach_by_its_name_wherever_that_leads(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    Names(monkeypatch, ("127.0.0.1",))
    with pytest.raises(UpstreamUnreachable, match="points at a metadata service"):
        asyncio.run(reach(f"http://{name}/", guard("127.0.0.1")))


def test_what_is_allowed_may_change_while_the_gateway_runs() -> None:
    allowed: list[str] = []
    changing: Callable[[], AllowList] = lambda: AllowList.parse(allowed)  # noqa: E731

    async def story() -> None:
        async with provider(says_and_closes(OK)) as stage:
            refuses = EgressGuard((), changing).refuses
            with pytest.raises(UpstreamUnreachable, match="is not a public address"):
                await reach(stage.url, refuses)
            allowed.append("127.0.0.1")
            assert await reach(stage.url, refuses) == 200

    asyncio.run(in_time(story))
