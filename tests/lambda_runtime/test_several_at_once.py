"""One process, eight calls at once, as Lambda Managed Instances give them."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI

from tests.lambda_runtime.deployed import PATIENCE, PROVIDERS_KEY, Deployed, deployed
from tests.live import DONE, ScriptedProvider, Step, scripted_provider, sse
from tests.sdk.said import BEGIN, COUNTED, END, part

pytestmark = pytest.mark.sdk

CALLS = 8


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with scripted_provider() as provider:
        yield provider
        assert provider.faults == []


@pytest.fixture
def function(provider: ScriptedProvider, tmp_path: Path) -> Iterator[Deployed]:
    environment = {"OPENAI_API_KEY": PROVIDERS_KEY, "OPENAI_BASE_URL": provider.url}
    with deployed(tmp_path, environment, concurrency=CALLS) as function:
        yield function


async def read(client: AsyncOpenAI, nth: int, first: threading.Event) -> tuple[str, Any]:
    stream: Any = await client.chat.completions.create(
        model="openai/gpt-test", messages=[{"role": "user", "content": str(nth)}], stream=True
    )
    text = ""
    async for chunk in stream:
        text += "".join(one.delta.content or "" for one in chunk.choices)
        if text:
            first.set()
    return text, stream.response.headers["x-gateway-request-id"]


def test_eight_streams_are_open_at_once_and_none_gets_anothers_words(
    function: Deployed, provider: ScriptedProvider
) -> None:
    """Each provider holds its second word until all callers have a first."""
    begun = [threading.Event() for _ in range(CALLS)]
    replies = []
    for nth in range(CALLS):
        words: list[Step] = [part(content=f"{nth} "), *begun, part(content=f"{nth}")]
        replies.append(sse(BEGIN, *words, END, COUNTED, DONE))
    provider.will(*replies)

    async def work() -> list[tuple[str, Any]]:
        url = f"{function.url}/gateway/openai/v1"
        async with AsyncOpenAI(base_url=url, api_key="k", max_retries=0, timeout=PATIENCE) as sdk:
            return await asyncio.gather(*(read(sdk, nth, begun[nth]) for nth in range(CALLS)))

    function.idle(CALLS)
    told = asyncio.run(work())
    assert sorted(text for text, _ in told) == [f"{nth} {nth}" for nth in range(CALLS)]
    assert len({request_id for _, request_id in told}) == CALLS
    function.idle(CALLS)
    assert function.aws.most_polls == CALLS
    assert len(provider.requests) == CALLS
