"""``sluicegate call``: a prompt in, an answer out, and what it took."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from decimal import Decimal

from gateway.chat.blocks import Refusal, Text, Thinking
from gateway.chat.reply import (
    ChatReply,
    Ended,
    RefusalDelta,
    ReplyEvent,
    Stopped,
    StopReason,
    TextDelta,
    ThinkingDelta,
)
from gateway.dialects.forms import Identity
from gateway.dialects.openai_chat import CHAT_FORM
from gateway.errors import UpstreamError
from gateway.settings import Settings
from gateway.usage import Usage
from gateway.wire.json import Json, loads
from gateway.wire.sse import SseReader
from handler.cli.asking import Asked, InProcess, Question, Served
from handler.cli.listing import Surroundings
from handler.cli.screen import note, print_json, write
from handler.cli.trouble import Trouble

NAMELESS = Identity("", 0)  # nothing here asks what an answer is called


@dataclass(slots=True)
class Told:
    """What the answer itself tells. Times in seconds."""

    usage: Usage = field(default_factory=Usage)
    stop_reason: StopReason = "end"
    first_token: float | None = None
    total: float = 0


def call(settings: Settings, question: Question, url: str | None, *, json: bool) -> None:
    asyncio.run(converse(_asked(settings, url), question, json=json))


def _asked(settings: Settings, url: str | None) -> Asked:
    if url is None:
        return InProcess(Surroundings.here(settings))
    from handler.cli.asking_remote import Remote  # httpx takes longer to import than many an answer

    return Remote(url)


async def converse(asked: Asked, question: Question, *, json: bool) -> None:
    started = time.monotonic()
    async with aclosing(asked.ask(question)) as parts:
        if question.stream:
            told = await _stream(parts, started)
        else:
            told = _show(b"".join([part async for part in parts]), json=json)
    told.total = time.monotonic() - started
    if not json:
        note(summary(told, asked.served()), "dim")


def prompt_of(argument: str) -> str:
    prompt = sys.stdin.read() if argument == "-" else argument
    if not prompt.strip():
        raise Trouble("the prompt is empty; give it in quotes, or - and text on standard input")
    return prompt


async def _stream(parts: AsyncGenerator[bytes, None], started: float) -> Told:
    told, ended, open_line = Told(), False, False
    try:
        async for event in _events(parts):
            match event:
                case TextDelta(_, text) | RefusalDelta(_, text):
                    told.first_token = told.first_token or time.monotonic() - started
                    write(text)
                    open_line = not text.endswith("\n")
                case ThinkingDelta():
                    told.first_token = told.first_token or time.monotonic() - started
                case Stopped(stop_reason):
                    told.stop_reason = stop_reason
                case Ended(usage):
                    told.usage, ended = usage, True
    finally:
        if open_line:
            write("\n")
    if not ended:
        raise Trouble("the answer was cut off before its end")
    return told


async def _events(parts: AsyncGenerator[bytes, None]) -> AsyncIterator[ReplyEvent]:
    splitter, reader = SseReader(), CHAT_FORM.reader(NAMELESS)
    async for part in parts:
        for data in splitter.feed(part):
            try:
                events = reader.feed(data)
            except UpstreamError as failure:
                raise Trouble(f"the answer broke off: {failure.message}") from failure
            for event in events:
                yield event


def _show(body: bytes, *, json: bool) -> Told:
    reply = _parsed(body)
    if json:
        print_json(reply)
        return Told()
    return _show_content(CHAT_FORM.read_reply(reply, NAMELESS))


def _parsed(body: bytes) -> Json:
    try:
        parsed = loads(body)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise Trouble("what answered is no gateway: its reply is not a JSON object; check --url")
    return parsed


def _show_content(reply: ChatReply) -> Told:
    choice = reply.choices[0]
    for block in choice.content:
        match block:
            case Text(text) | Refusal(text):
                write(text if text.endswith("\n") else text + "\n")
            case Thinking():
                pass  # the answer was asked for; the summary counts the rest
            case _:
                raise Trouble("the answer holds what cannot be shown here; see it with --json")
    return Told(reply.usage, choice.stop_reason)


def summary(told: Told, served: Served) -> str:
    """Who answered, how many tokens, how fast, for how much: what is unknown is called so."""
    usage = told.usage
    counted = bool(usage.prompt_tokens or usage.output_tokens)
    parts = [
        served.target or "target unknown",
        _tokens(usage) if counted else "tokens unknown",
    ]
    if told.first_token is not None:
        parts.append(f"first token {duration(told.first_token)}")
    parts.append(f"total {duration(told.total)}")
    cost = usage.cost if served.cost is None else served.cost
    parts.append("cost unknown" if cost is None or not counted else f"cost {dollars(cost)}")
    if served.attempts > 1:
        parts.append(f"{served.attempts} attempts")
    if told.stop_reason == "length":
        parts.append("stopped at the token limit")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def dollars(cost: float) -> str:
    """Two digits that mean something, however small it is."""
    if cost == 0 or cost >= 0.1:
        return f"${cost:.2f}" if cost else "$0"
    return f"${Decimal(f'{cost:.2g}'):f}"


def _tokens(usage: Usage) -> str:
    told = f"tokens {usage.prompt_tokens} in, {usage.output_tokens} out"
    return told + (f" ({usage.reasoning_tokens} reasoning)" if usage.reasoning_tokens else "")
