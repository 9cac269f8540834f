"""Whether hosts can be reached."""

import asyncio
import socket

import pytest

from gateway.providers.egress import AllowList
from gateway.routing.endpoint import Target
from handler.cli import reaching
from handler.cli.reaching import Address, Problem, address_of, reach_all


def reached(*addresses: Address | None, allowed: tuple[str, ...] = ()) -> list[Problem | None]:
    return list(asyncio.run(reach_all(addresses, AllowList.parse(allowed))).values())


@pytest.mark.parametrize(
    ("target", "address"),
    [
        (Target("openai", "m"), ("api.openai.com", 443)),
        (Target("openai", "m", base_url="http://house.test/v1"), ("house.test", 80)),
        (Target("openai", "m", base_url="http://house.test:1/v1"), ("house.test", 1)),
        (Target("openai", "m", base_url="http://house.test:port/v1"), None),
        (Target("echo", "echo"), None),
        (Target("nobody", "m"), None),
    ],
)
def test_a_targets_address(target: Target, address: Address | None) -> None:
    assert address_of(target) == address


def test_what_is_served_within_the_process_needs_no_connection() -> None:
    assert reached(None) == [None]


def test_all_are_tried_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        refused = Problem("127.0.0.1, port 9: Connection refused")
        found = reached(("127.0.0.1", port), ("127.0.0.1", 9), allowed=("127.0.0.1",))
        assert found == [None, refused]


def test_no_connection_goes_to_an_address_that_no_provider_may_have() -> None:
    said = "169.254.169.254 points at a metadata service (169.254.169.254)"
    assert reached(("169.254.169.254", 80)) == [Problem(said)]


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        (
            ("127.0.0.1", 9),
            Problem("127.0.0.1 is not a public address, and not allowed", "127.0.0.1:9"),
        ),
        (
            ("localhost", 9),
            Problem(
                "localhost is at 127.0.0.1, which is not a public address, and not allowed",
                "localhost:9",
            ),
        ),
        (
            ("house.test", 9),
            Problem(
                "house.test is at 127.0.0.1, which is not a public address, and not allowed",
                "127.0.0.1:9",
            ),
        ),
        (
            ("::1", 9),
            Problem("::1 is not a public address, and not allowed", "[::1]:9"),
        ),
    ],
)
def test_a_private_address_is_told_with_what_would_allow_it(
    monkeypatch: pytest.MonkeyPatch, address: Address, problem: Problem
) -> None:
    place = (address[0] if ":" in address[0] else "127.0.0.1", 9)
    found = [(socket.AF_INET, 1, 6, "", place)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert reached(address) == [problem]


def test_a_silent_host_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(reaching, "PATIENCE", 0.01)
    monkeypatch.setattr(reaching, "_connect", silent)
    assert reached(("house.test", 80)) == [Problem("house.test, port 80, did not answer in 0.01 s")]
