"""What we say as OpenAI, and to OpenAI, is what its published schemas describe."""

import re

import pytest
from hypothesis import given

from gateway.chat.reply import ChatReply, ReplyEvent
from gateway.chat.request import ChatRequest
from gateway.dialects import OPENAI_CHAT, OPENAI_RESPONSES
from gateway.errors import (
    BadRequest,
    EndpointNotFound,
    GatewayError,
    OutOfTime,
    Unauthenticated,
    UpstreamBroke,
    UpstreamTimedOut,
)
from gateway.wire.json import loads
from tests.contract.drawing import drawn
from tests.contract.heard import said_in
from tests.contract.holding import form_of, over_the_wire
from tests.contract.replies import replies, streams
from tests.contract.requests import requests
from tests.contract.specs import FILE, faults
from tests.contract.wires import plain_asked, written

if not FILE.is_file():
    pytest.skip(f"the schemas are not here: {FILE}", allow_module_level=True)


# What the API takes, and its document does not: an answer or a thought told back without the id
# under which nobody keeps it, as OpenAI's own Codex does; an image without a word on its detail.
BEYOND = re.compile(
    r"^input\.\d+(: 'id' is a requ"
    r"|\.content\.\d+(\.type: '(output_text|refusal)'|: 'detail' is a requ))"
)


def within_bounds(request: ChatRequest) -> None:
    """What is out of them goes out as it is, and OpenAI refuses it."""
    sampling = request.sampling
    sampling.max_tokens = sampling.max_tokens and max(sampling.max_tokens, 16)
    sampling.stop = sampling.stop and sampling.stop[:4]
    if request.modalities == ["image"]:  # which only its imitators give
        request.modalities = None


@given(replies())
@drawn(40)
def test_a_chat_completion(reply: ChatReply) -> None:
    told = form_of(OPENAI_CHAT).write_reply(reply, plain_asked(OPENAI_CHAT))
    assert faults("CreateChatCompletionResponse", over_the_wire(told.body)) == []


@given(streams())
@drawn(40)
def test_the_chunks_of_one(events: list[ReplyEvent]) -> None:
    for _, data in said_in(written(OPENAI_CHAT, events))[:-1]:
        assert faults("CreateChatCompletionStreamResponse", loads(data)) == []


@given(requests())
@drawn(40)
def test_a_chat_as_it_goes_out(request: ChatRequest) -> None:
    within_bounds(request)
    told = form_of(OPENAI_CHAT).write_request(request)
    assert faults("CreateChatCompletionRequest", over_the_wire(told.body)) == []


@given(requests())
@drawn(40)
def test_a_response_as_it_is_asked_for(request: ChatRequest) -> None:
    within_bounds(request)
    told = form_of(OPENAI_RESPONSES).write_request(request)
    found = faults("CreateResponse", over_the_wire(told.body))
    assert [one for one in found if not BEYOND.search(one)] == []


@given(replies())
@drawn(40)
def test_a_response(reply: ChatReply) -> None:
    told = form_of(OPENAI_RESPONSES).write_reply(reply, plain_asked(OPENAI_RESPONSES))
    assert faults("Response", over_the_wire(told.body)) == []


@given(streams())
@drawn(30)
def test_the_events_of_one(events: list[ReplyEvent]) -> None:
    for _, data in said_in(written(OPENAI_RESPONSES, events)):
        assert faults("ResponseStreamEvent", loads(data)) == []


@pytest.mark.parametrize(
    "error",
    [
        BadRequest("messages[0].role", "is required"),
        Unauthenticated(),
        EndpointNotFound("e"),
        UpstreamBroke("cut"),
        UpstreamTimedOut("silent"),
        OutOfTime(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error(error: GatewayError) -> None:
    for dialect in (OPENAI_CHAT, OPENAI_RESPONSES):
        assert faults("ErrorResponse", over_the_wire(dialect.write_error(error, "req_1"))) == []
    ((_, data),) = said_in(OPENAI_CHAT.write_stream_error(error))
    assert faults("ErrorResponse", loads(data)) == []
