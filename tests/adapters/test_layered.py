"""Several stores seen as one, and several transports."""

import pytest

from gateway.adapters.layered import LayeredEndpoints
from gateway.adapters.memory import MemoryEndpoints, MemoryLedger
from gateway.adapters.schemes import SchemeTransport
from gateway.errors import EndpointNotFound, Unavailable, UpstreamUnreachable
from gateway.routing.endpoint import Endpoint, Target
from tests.fakes import Clock, FakeTransport, FakeUpstream, run

GPT = Target("openai", "gpt")


def endpoint(name: str, layer: int) -> Endpoint:
    return Endpoint(name, (GPT,), created=layer)


FIRST = MemoryEndpoints([endpoint("b", 1), endpoint("both", 1)])
SECOND = MemoryEndpoints([endpoint("both", 2), endpoint("a", 2)])


class Down(MemoryEndpoints):
    async def find(self, name: str) -> Endpoint:
        raise Unavailable(f"down: {name}")


class Hinting(MemoryEndpoints):
    async def find(self, name: str) -> Endpoint:
        raise EndpointNotFound(name, "set A_KEY")


def test_the_first_that_knows_a_name_answers_for_it() -> None:
    layers = LayeredEndpoints(FIRST, SECOND)
    assert run(layers.find("both")) == endpoint("both", 1)
    assert run(layers.find("a")) == endpoint("a", 2)


def test_the_list_holds_each_name_once_and_sorted() -> None:
    assert run(LayeredEndpoints(FIRST, SECOND).list()) == [
        endpoint("a", 2),
        endpoint("b", 1),
        endpoint("both", 1),
    ]


def test_the_last_has_the_word_on_what_none_knows() -> None:
    with pytest.raises(EndpointNotFound) as missing:
        run(LayeredEndpoints(FIRST, Hinting()).find("x"))
    assert missing.value.message == "endpoint 'x' not found; set A_KEY"
    with pytest.raises(EndpointNotFound, match="'x'"):
        run(LayeredEndpoints().find("x"))


def test_a_layer_that_is_down_is_not_passed_over() -> None:
    """What it hides might be another endpoint of the same name."""
    with pytest.raises(Unavailable):
        run(LayeredEndpoints(Down(), SECOND).find("a"))
    assert run(LayeredEndpoints(SECOND, Down()).find("a")) == endpoint("a", 2)


def asked(url: str) -> tuple[list[str], list[str]]:
    """Which of two transports was asked for what."""
    web = FakeTransport(Clock(), FakeUpstream(b"x"))
    echo = FakeTransport(Clock(), FakeUpstream(b"y"))
    transport = SchemeTransport({"https": web, "http": web, "echo": echo})
    run(transport.open(url, {}, b"", patience=1))
    return [sent.url for sent in web.sent], [sent.url for sent in echo.sent]


def test_the_scheme_chooses_the_transport() -> None:
    assert asked("https://h/v1") == (["https://h/v1"], [])
    assert asked("http://h/v1") == (["http://h/v1"], [])
    assert asked("echo://built-in/x") == ([], ["echo://built-in/x"])


@pytest.mark.parametrize("url", ["HTTPS://h/v1", "Http://h/v1"])
def test_a_scheme_in_capitals_is_the_same_scheme(url: str) -> None:
    assert asked(url) == ([url], [])


@pytest.mark.parametrize("url", ["", "ftp://h", "://h", "h/v1", "file:///etc/passwd"])
def test_a_scheme_that_nothing_serves_cannot_be_reached(url: str) -> None:
    with pytest.raises(UpstreamUnreachable, match="has a scheme that nothing serves"):
        asked(url)


def test_each_transport_is_closed_once() -> None:
    class Counted(FakeTransport):
        closed = 0

        async def close(self) -> None:
            self.closed += 1

    web, echo = Counted(Clock()), Counted(Clock())
    run(SchemeTransport({"https": web, "http": web, "echo": echo}).close())
    assert (web.closed, echo.closed) == (1, 1)


def test_a_ledger_in_memory_keeps_nothing_until_told() -> None:
    assert MemoryLedger().records == []
