"""Recorded traffic of real providers for callers of other dialects: what each official SDK makes of
the answer is what the recording itself says."""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import anthropic
import openai
import pytest
from google.genai import errors as google_errors

from gateway.dialects import (
    ANTHROPIC_MESSAGES,
    CHAT_DIALECTS,
    GEMINI,
    OPENAI_CHAT,
    OPENAI_RESPONSES,
    Dialect,
)
from gateway.routing.endpoint import Target
from tests.contract.callers import CALLERS
from tests.contract.holding import faults, form_of, over_the_wire, read_back
from tests.contract.said import Raw, Said, said_in
from tests.fakes import FakeUpstream, World, endpoint
from tests.parity.wire import SHARED

FOLDER = SHARED / "recordings"
if not FOLDER.is_dir():
    pytest.skip(f"the recordings are not here: {FOLDER}", allow_module_level=True)

SPOKEN = {
    "chat": OPENAI_CHAT,
    "responses": OPENAI_RESPONSES,
    "messages": ANTHROPIC_MESSAGES,
    "generateContent": GEMINI,
    "streamGenerateContent": GEMINI,
}
OTHERS = ("bedrock", "cohere", "embeddings", "count_tokens", "batchEmbedContents", "countTokens")
# Google's streams come as server-sent events, as we ask for them; this is one that nobody asked for.
AN_ARRAY = "gemini-streamgeneratecontent__test-tools__2"
# Two answers in one, as somebody met it: what the first began to say is not passed off as complete.
SPLICED = "anthropic-messages-stream__spliced-message-start-chunks"
# Who kept these has cut the base64 of their images, which Google's SDK decodes and so refuses.
IMAGES_CUT = (
    "openai-responses-stream__openai-image-generation-tool-1-chunks",
    "openai-responses__openai-image-generation-tool-1",
)
# Who kept this one has cut its pieces by hand: they are not how the text at its end begins.
PIECES_CUT = "openai-responses-stream__openai-shell-container-1-chunks"
FAILS_BEFORE_ITS_FIRST_WORD = "openai-responses-stream__openai-error-1-chunks"


def recordings() -> Iterator[tuple[str, Raw]]:
    for file in sorted(FOLDER.glob("*/*.json")):
        one = json.loads(file.read_text())
        if not any(other in one["api"] for other in OTHERS) and file.stem != AN_ARRAY:
            yield file.stem, one


ALL = dict(recordings())
ANSWERED = [n for n, r in ALL.items() if r["response"]["status"] == 200]
REFUSED = [n for n, r in ALL.items() if r["response"]["status"] != 200]
ASKED = [n for n, r in ALL.items() if (r["request"] or {}).get("body")]


def spoken(recording: Raw) -> Dialect:
    return SPOKEN[recording["api"].partition(".")[2]]


def crossings(names: list[str]) -> list[Any]:
    """Each with every caller whose dialect is another."""
    return [
        pytest.param(name, caller, id=f"{name}-{caller.name}")
        for name in names
        for caller in CHAT_DIALECTS
        if caller is not spoken(ALL[name]) and not (name in IMAGES_CUT and caller is GEMINI)
    ]


def world(name: str, recording: Raw) -> World:
    """A gateway whose provider says what was recorded, in pieces as they may come."""
    told = recording["response"]
    body = (told.get("sse_text") or told.get("body_text")).encode()
    random, pieces = Random(name), []
    while body:
        size = random.choice((1, 7, 80, 1500))
        pieces.append(body[:size])
        body = body[size:]
    provider = recording["api"].partition(".")[0]
    target = Target(
        {"vertex": "gemini", "azure": "openai"}.get(provider, provider),
        "the-model",
        secret="key",
        dialect=spoken(recording).name,
    )
    kind = "text/event-stream" if "sse_text" in told else "application/json"
    status = told["status"]
    return World(
        endpoint(target), FakeUpstream(*pieces, status=status, headers={"content-type": kind})
    )


def for_caller(caller: Dialect, said: Said) -> Said:
    """With what this caller's API has no word for put as it has it."""
    answers = [replace(answer) for answer in said.answers]
    if caller in (OPENAI_RESPONSES, ANTHROPIC_MESSAGES):
        answers = answers[:1]
    for answer in answers:
        if answer.stop == "end" and answer.refusal:
            answer.stop = "refusal"
        if answer.stop == "end" and answer.calls and caller in (OPENAI_RESPONSES, GEMINI):
            answer.stop = "tool"  # all that tells there of tools to call is that there are calls
        if caller in (ANTHROPIC_MESSAGES, GEMINI):
            answer.text, answer.refusal = answer.text + answer.refusal, ""
    used = said.used and replace(said.used)
    if used and caller is not ANTHROPIC_MESSAGES:
        used.written = 0
    return Said(answers, used)


def test_every_recording_is_of_an_api_that_is_known() -> None:
    assert {SPOKEN[one["api"].partition(".")[2]] for one in ALL.values()} == set(CHAT_DIALECTS)
    assert (len(ANSWERED), len(REFUSED)) == (140, 18)


BROKEN = (FAILS_BEFORE_ITS_FIRST_WORD, SPLICED)
WHOLLY = [name for name in ANSWERED if name not in (*BROKEN, PIECES_CUT)]


@pytest.mark.parametrize(("name", "caller"), crossings(WHOLLY))
def test_the_sdk_makes_of_it_what_was_said(name: str, caller: Dialect) -> None:
    recording = ALL[name]
    made = CALLERS[caller](world(name, recording), caller)
    told, said = made.ask(stream="sse_text" in recording["response"]), said_in(recording)
    if said.used is None:  # where the API must tell of a usage, it is none
        assert told.used is None or told.used.output == 0
        told.used = None
    assert told == for_caller(caller, said)


ERRORS = (openai.APIError, anthropic.APIError, google_errors.APIError)


@pytest.mark.parametrize(("name", "caller"), crossings([SPLICED, FAILS_BEFORE_ITS_FIRST_WORD]))
def test_a_stream_that_breaks_is_an_error_for_the_sdk(name: str, caller: Dialect) -> None:
    made = CALLERS[caller](world(name, ALL[name]), caller)
    with pytest.raises(ERRORS) as raised:
        made.ask(stream=True)
    words = "another message" if name == SPLICED else "exceeded your current quota"
    assert words in str(raised.value)


def words_of(recording: Raw) -> str:
    """What a provider's error says."""
    told = recording["response"]
    body = json.loads(told.get("body_text") or told["sse_text"])
    error = body.get("error", body)
    return str(error["message"])


KINDS: dict[int, tuple[type[Exception], ...]] = {
    400: (openai.BadRequestError, anthropic.BadRequestError, google_errors.ClientError),
    401: (openai.AuthenticationError, anthropic.AuthenticationError, google_errors.ClientError),
    404: (openai.NotFoundError, anthropic.NotFoundError, google_errors.ClientError),
}


@pytest.mark.parametrize(("name", "caller"), crossings(REFUSED))
def test_the_sdk_raises_what_was_refused(name: str, caller: Dialect) -> None:
    recording = ALL[name]
    status = recording["response"]["status"]
    made = CALLERS[caller](world(name, recording), caller)
    streamed = ((recording["request"] or {}).get("body") or {}).get("stream") is True
    with pytest.raises(KINDS[status]) as raised:
        made.ask(stream=streamed or "stream" in name)
    code = raised.value.code if caller is GEMINI else raised.value.status_code  # type: ignore[attr-defined]
    assert code == status
    # Where a provider quotes the key, masked, the rest of its words counts.
    assert [
        one
        for one in re.split(r"\S*\*{3,}\S*", words_of(recording))
        if one not in str(raised.value)
    ] == []


# It asks nothing at all, which its provider refused.
EMPTY = "anthropic-messages__handles-empty-string-content"


@pytest.mark.parametrize("name", [name for name in ASKED if name != EMPTY])
def test_what_was_asked_can_be_asked_everywhere(name: str) -> None:
    """Each recorded request is read, and each provider's dialect has a body for it."""
    own, body = spoken(ALL[name]), ALL[name]["request"]["body"]
    before = copy.deepcopy(body)
    request = form_of(own).read_request(body)
    assert body == before
    request.model = request.model or "the-model"
    for provider in CHAT_DIALECTS:
        written = form_of(provider).write_request(request)
        provider.check(over_the_wire(written.body))
        again = read_back(provider, written)
        assert faults(provider, request, written, again) == [], provider.name
