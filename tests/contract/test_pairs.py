"""Every caller's dialect served by every provider's: over two wires nothing is lost in silence."""

import pytest
from hypothesis import given

from gateway.chat.reply import ChatReply, ReplyEvent
from gateway.chat.request import ChatRequest
from gateway.dialects import CHAT_DIALECTS, Dialect
from tests.contract import holding
from tests.contract.drawing import drawn
from tests.contract.holding import IDENTITY, form_of, over_the_wire, read_back
from tests.contract.machines import MACHINES
from tests.contract.replies import replies, streams
from tests.contract.requests import requests
from tests.contract.test_replies import faults
from tests.contract.told import gathered
from tests.contract.wires import PLAIN, plain_asked, read_stream, written

PAIRS = [(a, b) for a in CHAT_DIALECTS for b in CHAT_DIALECTS if a is not b]
pairs = pytest.mark.parametrize(
    ("caller", "provider"), PAIRS, ids=[f"{a.name}-{b.name}" for a, b in PAIRS]
)


@pairs
@given(requests())
@drawn(15)
def test_a_request_crosses(caller: Dialect, provider: Dialect, drawn: ChatRequest) -> None:
    body = over_the_wire(form_of(caller).write_request(drawn).body)
    request = form_of(caller).read_request(body)
    request.model, request.stream = drawn.model, drawn.stream
    told = form_of(provider).write_request(request)
    assert holding.faults(provider, request, told, read_back(provider, told)) == []


@pairs
@given(replies())
@drawn(15)
def test_a_reply_crosses(caller: Dialect, provider: Dialect, drawn: ChatReply) -> None:
    body = over_the_wire(form_of(provider).write_reply(drawn, plain_asked(provider)).body)
    reply = form_of(provider).read_reply(body, IDENTITY)
    told = form_of(caller).write_reply(reply, plain_asked(caller))
    again = form_of(caller).read_reply(over_the_wire(told.body), IDENTITY)
    assert faults(caller, reply, told.dropped, again) == []


@pairs
@given(streams())
@drawn(15)
def test_a_stream_crosses(caller: Dialect, provider: Dialect, events: list[ReplyEvent]) -> None:
    read = read_stream(provider, [written(provider, events)])
    reply = gathered(read)
    writer = form_of(caller).writer(plain_asked(caller))
    stream = b"".join(writer.feed(event) for event in read)
    MACHINES[caller.name](PLAIN[caller.name]).hear(stream)
    again = gathered(read_stream(caller, [stream]))
    assert faults(caller, reply, frozenset(writer.dropped), again) == []
