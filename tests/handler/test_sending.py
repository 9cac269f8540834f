"""Answers as ASGI messages."""

import asyncio

import pytest
from starlette.types import Message

from gateway.exchange.answer import Answer
from handler.bodies import CallerGone
from handler.sending import response_of, send_answer
from tests.fakes import run


class Parts:
    """A stream of these parts, which counts how often it is closed."""

    patience = 5.0

    def __init__(self, *parts: bytes) -> None:
        self.parts = [*parts, b""]
        self.closed = 0

    async def next(self) -> bytes:
        return self.parts.pop(0)

    async def close(self) -> None:
        self.closed += 1


async def sent(answer: Answer) -> list[Message]:
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    await send_answer(answer, send)
    return messages


def test_a_whole_answer_is_two_messages_and_says_its_length() -> None:
    assert run(sent(Answer(404, {"x-a": "b"}, b"hello"))) == [
        {
            "type": "http.response.start",
            "status": 404,
            "headers": [(b"x-a", b"b"), (b"content-length", b"5")],
        },
        {"type": "http.response.body", "body": b"hello"},
    ]


def test_a_stream_is_sent_part_by_part_and_closed() -> None:
    parts = Parts(b"a", b"b")
    assert run(sent(Answer(200, {}, parts))) == [
        {"type": "http.response.start", "status": 200, "headers": []},
        {"type": "http.response.body", "body": b"a", "more_body": True},
        {"type": "http.response.body", "body": b"b", "more_body": True},
        {"type": "http.response.body", "body": b""},
    ]
    assert parts.closed == 1


def test_a_stream_is_closed_when_its_head_cannot_be_sent() -> None:
    parts = Parts(b"a")

    async def send(message: Message) -> None:
        raise OSError(message["type"])

    with pytest.raises(OSError, match=r"http\.response\.start"):
        run(send_answer(Answer(200, {}, parts), send))
    assert parts.closed == 1


def test_a_stream_is_closed_when_a_header_of_its_is_not_fit_for_the_wire() -> None:
    """Or the provider would go on talking to nobody, and the call would never be settled."""
    parts = Parts(b"a")
    with pytest.raises(UnicodeEncodeError):
        run(sent(Answer(200, {"x-request-id": "\u20ac"}, parts)))
    assert parts.closed == 1


def test_a_stream_is_not_returned_where_a_whole_answer_must_be() -> None:
    with pytest.raises(TypeError, match="a streamed answer is sent"):
        response_of(Answer(200, {}, Parts()))


def test_a_caller_who_makes_no_room_is_taken_for_gone() -> None:
    parts = Parts(b"a", b"b")
    parts.patience = 0.01

    async def send(message: Message) -> None:
        if message.get("body"):
            await asyncio.Event().wait()

    with pytest.raises(CallerGone):
        run(send_answer(Answer(200, {}, parts), send))
    assert parts.closed == 1
