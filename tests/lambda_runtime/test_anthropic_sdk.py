"""Anthropic's SDK at a function URL, with an app that says what was recorded of Anthropic."""

import asyncio
import json
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from examples.local_lambda.front_door import FrontDoor
from tests.fakes import run
from tests.lambda_runtime.looping import looping, say, start
from tests.parity.wire import SHARED

pytestmark = pytest.mark.sdk

RECORDED = "anthropic/anthropic-messages-stream__anthropic-text-chunks.json"
SSE = [(b"content-type", b"text/event-stream; charset=utf-8")]
ASK: Any = {
    "model": "claude",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hi"}],
}


@pytest.fixture
def events() -> list[bytes]:
    """Of one recorded stream."""
    path = SHARED / "recordings" / RECORDED
    if not path.exists():
        pytest.skip("the recorded traffic is not beside this checkout")
    text = json.loads(path.read_text())["response"]["sse_text"]
    return [f"{one}\n\n".encode() for one in text.split("\n\n") if one]


@pytest.fixture
def anthropic() -> Any:
    return pytest.importorskip("anthropic", reason="anthropic is not installed")


class Relay:
    """Says an event once the caller has had so many of those before it."""

    def __init__(self, events: list[bytes]) -> None:
        self.events, self.had = events, asyncio.Semaphore(3)
        self.requests: list[bytes] = []

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        self.requests.append((await receive())["body"])
        await start(send, 200, SSE)
        for event in self.events:
            if b"text_delta" in event:
                await self.had.acquire()
            await say(send, event)
        await say(send, b"", more=False)


def test_a_stream_of_messages_arrives_word_by_word(anthropic: Any, events: list[bytes]) -> None:
    """No more than three words ahead of the caller."""

    async def work() -> None:
        relay = Relay(events)
        async with looping(relay) as aws, FrontDoor(aws) as door:
            async with anthropic.AsyncAnthropic(
                base_url=door.url, api_key="k", max_retries=0
            ) as sdk:
                words = []
                async with sdk.messages.stream(**ASK) as stream:
                    async for word in stream.text_stream:
                        words.append(word)
                        relay.had.release()
                    message = await stream.get_final_message()
            assert door.faults == []
        deltas = [json.loads(one.partition(b"data: ")[2]) for one in events if b"text_delta" in one]
        assert words == [one["delta"]["text"] for one in deltas]
        assert len(words) > 3
        assert message.content[0].text == "".join(words)
        assert json.loads(relay.requests[0])["messages"] == ASK["messages"]

    run(work())


def test_a_late_error_is_raised_with_its_kind(anthropic: Any, events: list[bytes]) -> None:
    told = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    broken = [*events[:5], f"event: error\ndata: {json.dumps(told)}\n\n".encode()]

    async def work() -> None:
        async with (
            looping(Relay(broken)) as aws,
            FrontDoor(aws) as door,
            anthropic.AsyncAnthropic(base_url=door.url, api_key="k", max_retries=0) as sdk,
        ):
            with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
                async with sdk.messages.stream(**ASK) as stream:
                    await stream.get_final_message()

    run(work())
