"""Bad input is the caller's 400 or the provider's 502, and never an exception of another kind."""

import re
from typing import Any

import pytest

from gateway.dialects import CHAT_DIALECTS, Dialect
from gateway.errors import BadRequest, CallerError, UpstreamError
from gateway.wire.json import Json, loads
from gateway.wire.sse import SseSplitter
from tests.contract.crossing import come_back, come_streamed, crash, cross
from tests.contract.holding import IDENTITY, IDS, form_of
from tests.contract.test_streams import SMALL
from tests.contract.wires import events_in, written
from tests.contract.wounds import rich_reply, rich_request, wounded

dialects = pytest.mark.parametrize("dialect", CHAT_DIALECTS, ids=IDS)


@dialects
def test_a_good_body_passes(dialect: Dialect) -> None:
    dialect.check(rich_request(dialect))
    dialect.check_reply(rich_reply(dialect))
    assert form_of(dialect).read_request(rich_request(dialect)).messages
    assert form_of(dialect).read_reply(rich_reply(dialect), IDENTITY).choices


@dialects
def test_a_wounded_request_is_the_callers_fault_or_none(dialect: Dialect) -> None:
    found = {
        where: fault
        for where, body in wounded("request", rich_request(dialect), 1500)
        if (fault := crash(lambda given: cross(dialect, given), body, CallerError))
    }
    assert found == {}


def steps(field: str) -> tuple[str | int, ...]:
    """``messages[0].content`` as the steps that lead there."""
    found = re.findall(r"([^.\[\]]+)|\[(\d+)\]", field)
    return tuple(int(nth) if nth else name for name, nth in found)


@dialects
def test_a_refusal_names_the_place(dialect: Dialect) -> None:
    """By its whole path: that of what is wrong, of what it stands in, or of what stands beside it."""
    found = {}
    for where, body in wounded("refused", rich_request(dialect), 800):
        wound = steps(re.sub(r"\.(\d+)", r"[\1]", where.partition(" = ")[0]))
        try:
            dialect.check(body)
            form_of(dialect).read_request(body)
        except BadRequest as error:
            named = steps(error.field or "")
            near = min(len(named), len(wound)) - 1
            if not named or named[:near] != wound[:near]:
                found[where] = error.message
    assert found == {}


USER: Json = {"role": "user", "content": "hi"}
# Well-formed, and yet not what can be asked: the body, and where it is wrong.
ODDITIES: dict[str, tuple[str, Json, str | None]] = {
    "chat: no such role": (
        "openai_chat",
        {"messages": [USER, {"role": "bard", "content": "x"}]},
        "messages[1].role",
    ),
    "messages: no such role": (
        "anthropic_messages",
        {"max_tokens": 9, "messages": [USER, {"role": "bard", "content": "x"}]},
        "messages[1].role",
    ),
    "responses: no such role": (
        "openai_responses",
        {"input": [USER, {"role": "bard", "content": "x"}]},
        "input[1].role",
    ),
    "gemini: no such role": (
        "gemini",
        {"contents": [{"role": "bard", "parts": [{"text": "x"}]}]},
        "contents[0].role",
    ),
    "chat: a result of no call": (
        "openai_chat",
        {"messages": [USER, {"role": "tool", "tool_call_id": "nobody", "content": "x"}]},
        None,
    ),
    "messages: a result of no call": (
        "anthropic_messages",
        {
            "max_tokens": 9,
            "messages": [
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "nobody"}]}
            ],
        },
        None,
    ),
    "responses: a result of no call": (
        "openai_responses",
        {"input": [{"type": "function_call_output", "call_id": "nobody", "output": "x"}]},
        None,
    ),
    "gemini: a result of no call": (
        "gemini",
        {"contents": [{"parts": [{"functionResponse": {"name": "f", "response": {}}}]}]},
        None,
    ),
}


@pytest.mark.parametrize("name", ODDITIES)
def test_what_is_odd_is_refused_with_its_place_or_said_as_it_is(name: str) -> None:
    """A result of no call is for the provider to judge, but where it cannot even be said."""
    which, body, wrong_at = ODDITIES[name]
    (dialect,) = [one for one in CHAT_DIALECTS if one.name == which]
    if wrong_at is not None:
        with pytest.raises(BadRequest) as refused:
            form_of(dialect).read_request(body)
        assert refused.value.field == wrong_at
        return
    assert crash(lambda given: cross(dialect, given), body, CallerError) is None
    request = form_of(dialect).read_request(body)
    for provider in CHAT_DIALECTS:
        if provider.name != "gemini" or which == "gemini":  # it wants the name of what was called
            written = form_of(provider).write_request(request)
            assert ("nobody" in str(written.body)) == (which != "gemini")


@dialects
def test_a_wounded_reply_is_the_providers_fault_or_none(dialect: Dialect) -> None:
    found = {
        where: fault
        for where, body in wounded("reply", rich_reply(dialect), 1500)
        if (fault := crash(lambda given: come_back(dialect, given), body, UpstreamError))
    }
    assert found == {}


def streams_of(dialect: Dialect) -> list[tuple[str, Any]]:
    """The events of a good stream, as JSON where they are that."""
    whole = SseSplitter().feed(written(dialect, SMALL))
    return [(name, data if data == b"[DONE]" else loads(data)) for name, data in events_in(whole)]


@dialects
def test_a_wounded_stream_is_the_providers_fault_or_none(dialect: Dialect) -> None:
    good = streams_of(dialect)
    found = {}
    for nth, (name, event) in enumerate(good):
        for where, changed in wounded(f"event {nth}", event, 120) if event != b"[DONE]" else ():
            events = [*good[:nth], (name, changed), *good[nth + 1 :]]
            if fault := crash(lambda given: come_streamed(dialect, given), events):
                found[f"{nth} {name} {where}"] = fault
    assert found == {}


@dialects
@pytest.mark.parametrize("act", ["left out", "said twice", "put off"])
def test_a_stream_out_of_order_is_the_providers_fault_or_none(dialect: Dialect, act: str) -> None:
    good = streams_of(dialect)
    found = {}
    for nth, event in enumerate(good):
        rest = [*good[:nth], *good[nth + 1 :]]
        events = {
            "left out": rest,
            "said twice": [*good[: nth + 1], *good[nth:]],
            "put off": [*rest[: nth + 1], event, *rest[nth + 1 :]],
        }[act]
        if fault := crash(lambda given: come_streamed(dialect, given), events):
            found[f"{nth} {event[0]}"] = fault
    assert found == {}


JUNK = (
    b"",
    b"null",
    b"[]",
    b"[1]",
    b'"x"',
    b"1",
    b"{",
    b"{}",
    b"<html><body>502 Bad Gateway</body></html>",
    b"\xff\xfe",
    b'{"type": "\xff"}',
    b"[" * 10_000,
    b"9" * 5000,
    b'{"a":' * 500 + b"1" + b"}" * 500,
)


@dialects
@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: junk[:12].decode("latin-1"))
def test_junk_in_a_stream_is_the_providers_fault_or_none(dialect: Dialect, junk: bytes) -> None:
    good = streams_of(dialect)
    for nth in range(len(good) + 1):
        for name in {"", *(name for name, _ in good)}:
            events = [*good[:nth], (name, junk), *good[nth:]]
            assert crash(lambda given: come_streamed(dialect, given), events) is None
