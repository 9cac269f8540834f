"""The built artefact, driven by AWS' own code on the other side of the Runtime API."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.deploy.artefact import ROOT, Artefact
from tests.deploy.emulator import PATIENCE, Emulator, emulated, emulated_managed_instance
from tests.live import DONE, Act, ScriptedProvider, scripted_provider, sse
from tests.live import event as said

pytestmark = pytest.mark.deploy

AT_ONCE = 8


def event(name: str, **changes: Any) -> Any:
    return json.loads((ROOT / "events" / f"{name}.json").read_text()) | changes


def words(body: bytes) -> str:
    events = [line[6:] for line in body.split(b"\n\n") if line.startswith(b"data: {")]
    choices = [choice for one in events for choice in json.loads(one).get("choices", ())]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


@pytest.fixture(scope="module")
def emulator(artefact: Artefact, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulated(artefact, tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


@pytest.mark.parametrize("door", ["function_url", "rest_api"])
def test_a_stream_is_a_prelude_eight_nuls_and_events(emulator: Emulator, door: str) -> None:
    told, body = emulator.invoke(event(f"{door}/stream")).streamed
    assert told["statusCode"] == 200
    assert told["headers"]["content-type"] == "text/event-stream; charset=utf-8"
    assert words(body).endswith("Say hello in five words.")
    assert body.endswith(DONE)


def test_a_whole_answer_is_streamed_too(emulator: Emulator) -> None:
    told, body = emulator.invoke(event("function_url/chat")).streamed
    assert told["headers"]["content-type"] == "application/json"
    assert json.loads(body)["object"] == "chat.completion"


@pytest.mark.parametrize("door", ["http_api_v1", "http_api_v2", "alb", "alb_multi"])
def test_other_front_doors_get_their_answer_whole(emulator: Emulator, door: str) -> None:
    told = emulator.invoke(event(f"{door}/stream")).json
    assert told["statusCode"] == 200
    assert told["body"].endswith(DONE.decode())


@pytest.mark.parametrize(
    ("name", "status"), [("bad_json", 400), ("bad_base64", 400), ("wrong_path", 404)]
)
def test_bad_input_is_told_so_and_the_loop_lives_on(
    emulator: Emulator, name: str, status: int
) -> None:
    told, body = emulator.invoke(event(f"function_url/{name}")).streamed
    assert told["statusCode"] == status
    assert json.loads(body)["error"]["message"]
    assert emulator.invoke(event("function_url/models")).streamed[0]["statusCode"] == 200


def test_an_event_that_is_no_request_is_told_so(emulator: Emulator) -> None:
    told = emulator.invoke({"source": "aws.events", "detail": {}}).json
    assert told["statusCode"] == 400
    assert "no HTTP request" in json.loads(told["body"])["error"]["message"]


HI = [{"role": "user", "content": "Hi"}]
ASKED = json.dumps({"model": "openai/gpt", "messages": HI, "stream": True})


def content(text: str) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return said({"id": "c1", "object": "chat.completion.chunk", "choices": [choice]})


def at(provider: ScriptedProvider) -> dict[str, str]:
    return {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": provider.url}


def test_a_stream_that_is_cut_ends_in_an_error_and_the_next_is_served(
    artefact: Artefact, tmp_path: Path
) -> None:
    with scripted_provider() as provider, emulated(artefact, tmp_path, at(provider)) as emulator:
        provider.will(sse(content("Hel"), Act.HANG_UP), sse(content("Hello"), DONE))
        asked = event("function_url/stream", body=ASKED)
        told, body = emulator.invoke(asked).streamed
        assert (told["statusCode"], words(body)) == (200, "Hel")
        assert b'"error":' in body
        assert DONE not in body
        assert words(emulator.invoke(asked).streamed[1]) == "Hello"


@pytest.mark.parametrize("kind", ["Runtime.StreamError", "Runtime.IncompleteResponse"])
def test_what_an_app_leaves_broken_off_aws_takes_for_an_error(
    artefact: Artefact, tmp_path: Path, kind: str
) -> None:
    """Trailers that are malformed or too long would break AWS' side for good."""
    (tmp_path / "broken_app.py").write_text(BROKEN_APP)
    more = {"_HANDLER": "broken_app.handler", "PYTHONPATH": str(tmp_path)}
    broken = event("function_url/models", rawPath=f"/{kind}")
    broken["requestContext"]["http"]["path"] = f"/{kind}"
    with emulated(artefact, tmp_path, more) as emulator:
        told, body = emulator.invoke(broken).streamed
        assert (told["statusCode"], body) == (200, b"half")
        assert emulator.invoke(event("function_url/models")).streamed[1] == b"whole"


BROKEN_APP = """
from mangum import Mangum

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        return await send({"type": "lifespan.startup.complete"})
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"].startswith("/Runtime."):
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        if scope["path"] == "/Runtime.StreamError":
            raise RuntimeError("a long story\\r\\n" * 1000)
        return
    await send({"type": "http.response.body", "body": b"whole"})

handler = Mangum(app, lifespan="off")
"""


def test_one_process_serves_as_many_at_once_as_it_is_given(
    artefact: Artefact, tmp_path: Path
) -> None:
    """All their providers wait until each has been asked."""
    with scripted_provider() as provider:
        cue = Event()
        provider.will(*[sse(content("Hel"), cue, content("lo"), DONE)] * AT_ONCE)
        with (
            emulated_managed_instance(artefact, tmp_path, AT_ONCE, at(provider)) as emulator,
            ThreadPoolExecutor(AT_ONCE) as callers,
        ):
            emulator.invoke(event("function_url/models"))  # by now all its polls wait
            asked = event("function_url/stream", body=ASKED)
            answers = [callers.submit(emulator.invoke, asked) for _ in range(AT_ONCE)]
            try:
                until(lambda: len(provider.requests) == AT_ONCE, emulator)
            finally:
                cue.set()
            assert [words(one.result().streamed[1]) for one in answers] == ["Hello"] * AT_ONCE


def until(true: Callable[[], bool], emulator: Emulator) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, emulator.log.read_text()
        time.sleep(0.01)
