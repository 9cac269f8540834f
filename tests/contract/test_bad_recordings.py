"""Recorded traffic with something wrong in it."""

import json
from typing import Any

import pytest

from gateway.errors import CallerError, UpstreamError
from tests.contract.crossing import come_back, come_streamed, crash, cross
from tests.contract.test_recordings import ALL, ANSWERED, ASKED, spoken
from tests.contract.wounds import wounded

WHOLE = [n for n in ANSWERED if "body_text" in ALL[n]["response"]]
STREAMED = [n for n in ANSWERED if "sse_text" in ALL[n]["response"]]
LONG = 40_000  # bytes of a stream that is not read again and again


@pytest.mark.parametrize("name", ASKED)
def test_a_wounded_request_is_the_callers_fault_or_none(name: str) -> None:
    dialect, asked = spoken(ALL[name]), ALL[name]["request"]["body"]
    found = {
        where: fault
        for where, body in wounded(name, asked, 40)
        if (fault := crash(lambda given: cross(dialect, given), body, CallerError))
    }
    assert found == {}


@pytest.mark.parametrize("name", WHOLE)
def test_a_wounded_reply_is_the_providers_fault_or_none(name: str) -> None:
    dialect = spoken(ALL[name])
    found = {
        where: fault
        for where, body in wounded(name, json.loads(ALL[name]["response"]["body_text"]), 40)
        if (fault := crash(lambda given: come_back(dialect, given), body, UpstreamError))
    }
    assert found == {}


def events_of(name: str) -> list[tuple[str, Any]]:
    """Their names and what they say."""
    told = []
    for event in ALL[name]["response"]["sse_text"].replace("\r\n", "\n").split("\n\n"):
        lines = dict(line.split(": ", 1) for line in event.split("\n") if ": " in line)
        if data := lines.get("data"):
            said = data.encode() if data == "[DONE]" else json.loads(data)
            told.append((lines.get("event", ""), said))
    return told


@pytest.mark.parametrize(
    "name", [n for n in STREAMED if len(ALL[n]["response"]["sse_text"]) < LONG]
)
def test_a_wounded_stream_is_the_providers_fault_or_none(name: str) -> None:
    dialect, good = spoken(ALL[name]), events_of(name)
    found = {}
    step = max(len(good) // 8, 1)
    for nth in range(0, len(good), step):
        kind, event = good[nth]
        for where, changed in wounded(f"{name} {nth}", event, 4) if event != b"[DONE]" else ():
            events = [*good[:nth], (kind, changed), *good[nth + 1 :]]
            if fault := crash(lambda given: come_streamed(dialect, given), events):
                found[f"{nth} {kind} {where}"] = fault
    assert found == {}
