"""An SDK's two clients behind one face, so that each claim is tested of both."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from anthropic import Anthropic, AnthropicError, AsyncAnthropic
from google import genai
from google.genai.types import HttpOptions
from openai import AsyncOpenAI, OpenAI, OpenAIError

# What to ask of a client. The asynchronous one gives an awaitable of what the other gives.
Ask = Callable[[Any], Any]


@dataclass
class Streamed:
    """What came of a stream: every chunk that was delivered, then perhaps an exception."""

    response: Any
    chunks: list[Any] = field(default_factory=list)
    error: Exception | None = None

    @property
    def text(self) -> str:
        """Of the first choice of a chat."""
        deltas = [choice.delta for chunk in self.chunks for choice in chunk.choices[:1]]
        return "".join(delta.content or "" for delta in deltas)


GIVEN: dict[str, Any] = {"api_key": "caller-key", "max_retries": 0, "timeout": 10}
ERRORS = (OpenAIError, AnthropicError, ValueError)


class Sdk(Protocol):
    base_url: str

    def call(self, ask: Ask) -> Any: ...

    def stream(self, ask: Ask, cues: Sequence[threading.Event] = ()) -> Streamed:
        """Read to the end; the nth cue is given as soon as the nth chunk is in hand."""
        ...

    def hang_up(self, ask: Ask, *, first: bool = True) -> Any:
        """Close a stream, after its first chunk or before; return the HTTP response."""
        ...

    def gather(self, ask: Ask, final: str) -> tuple[list[Any], Any]:
        """Use a stream helper: its events, and what it made of them."""
        ...


class SyncSdk:
    def __init__(self, base_url: str, client: OpenAI | Anthropic | None = None) -> None:
        self.base_url = base_url
        self._client = client or OpenAI(base_url=base_url, **GIVEN)

    def call(self, ask: Ask) -> Any:
        return ask(self._client)

    def stream(self, ask: Ask, cues: Sequence[threading.Event] = ()) -> Streamed:
        with ask(self._client) as stream:
            told = Streamed(stream.response)
            try:
                for chunk in stream:
                    take(told, chunk, cues)
            except ERRORS as error:
                told.error = error
        return told

    def hang_up(self, ask: Ask, *, first: bool = True) -> Any:
        stream = ask(self._client)
        if first:
            next(iter(stream))
        stream.close()
        return stream.response

    def gather(self, ask: Ask, final: str) -> tuple[list[Any], Any]:
        with ask(self._client) as stream:
            return list(stream), getattr(stream, final)()

    def close(self) -> None:
        self._client.close()


class AsyncSdk:
    """All its calls run on one event loop, as its connections must."""

    def __init__(self, base_url: str, client: AsyncOpenAI | AsyncAnthropic | None = None) -> None:
        self.base_url = base_url
        self._runner = asyncio.Runner()
        self._client = client or AsyncOpenAI(base_url=base_url, **GIVEN)

    def call(self, ask: Ask) -> Any:
        return self._runner.run(awaited(ask(self._client)))

    def stream(self, ask: Ask, cues: Sequence[threading.Event] = ()) -> Streamed:
        return self._runner.run(self._stream(ask, cues))

    async def _stream(self, ask: Ask, cues: Sequence[threading.Event]) -> Streamed:
        async with await ask(self._client) as stream:
            told = Streamed(stream.response)
            try:
                async for chunk in stream:
                    take(told, chunk, cues)
            except ERRORS as error:
                told.error = error
        return told

    def hang_up(self, ask: Ask, *, first: bool = True) -> Any:
        return self._runner.run(self._hang_up(ask, first))

    async def _hang_up(self, ask: Ask, first: bool) -> Any:
        stream = await ask(self._client)
        if first:
            await anext(aiter(stream))
        await stream.close()
        return stream.response

    def gather(self, ask: Ask, final: str) -> tuple[list[Any], Any]:
        return self._runner.run(self._gather(ask, final))

    async def _gather(self, ask: Ask, final: str) -> tuple[list[Any], Any]:
        async with ask(self._client) as stream:
            return [event async for event in stream], await getattr(stream, final)()

    def close(self) -> None:
        self._runner.run(self._client.close())
        self._runner.close()


def sdk_of(manner: str, url: str, api: str) -> "SyncSdk | AsyncSdk":
    """The SDK of an API of the gateway at this URL."""
    if api == "anthropic":
        base_url = f"{url}/gateway/anthropic"
        if manner == "sync":
            return SyncSdk(base_url, Anthropic(base_url=base_url, **GIVEN))
        return AsyncSdk(base_url, AsyncAnthropic(base_url=base_url, **GIVEN))
    base_url = f"{url}/gateway/{api}/v1"
    return SyncSdk(base_url) if manner == "sync" else AsyncSdk(base_url)


class Gemini:
    """Google's SDK, whose asynchronous half is a part of the client, in the manner that is asked for."""

    def __init__(self, url: str, manner: str) -> None:
        self._manner = manner
        self._runner = asyncio.Runner() if manner == "async" else None
        if self._runner is not None:
            # Where a stream fails it leaves generators of its HTTP client half read.
            self._runner.get_loop().set_exception_handler(lambda *_: None)
        options = HttpOptions(base_url=f"{url}/gateway/gemini", timeout=10_000)
        self._client = genai.Client(api_key="caller-key", http_options=options)

    def call(self, ask: Ask) -> Any:
        """``ask`` is told the client's models."""
        if self._runner is None:
            return ask(self._client.models)
        return self._runner.run(awaited(ask(self._client.aio.models)))

    def chunks(self, ask: Ask) -> list[Any]:
        """All of a stream."""
        if self._runner is None:
            return list(ask(self._client.models))
        return self._runner.run(self._chunks(ask))

    async def _chunks(self, ask: Ask) -> list[Any]:
        return [chunk async for chunk in await ask(self._client.aio.models)]

    def close(self) -> None:
        if self._runner is not None:
            self._runner.run(self._client.aio.aclose())
            self._runner.close()
        self._client.close()


async def awaited(value: Awaitable[Any]) -> Any:
    return await value


def take(told: Streamed, chunk: Any, cues: Sequence[threading.Event]) -> None:
    if len(told.chunks) < len(cues):
        cues[len(told.chunks)].set()
    told.chunks.append(chunk)
