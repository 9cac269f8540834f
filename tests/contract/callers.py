"""The official SDKs as callers of a gateway that is among fakes: what each makes of an answer.

Their HTTP client is handed what the gateway answers, so that no socket is needed.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
import httpx2
from anthropic import Anthropic
from google import genai
from google.genai import types
from openai import LengthFinishReasonError, OpenAI

from gateway.dialects import ANTHROPIC_MESSAGES, GEMINI, OPENAI_CHAT, OPENAI_RESPONSES, Dialect
from gateway.errors import GatewayError
from gateway.exchange.exchange import Call
from handler.errors import answer_for
from tests.contract.said import Answer, Said, Stop, Used
from tests.fakes import CALLER, World

URL = "http://gateway.test"


Handed = tuple[int, dict[str, str], bytes]  # status, headers, body


def handed(world: World, dialect: Dialect, path: str, text: bytes) -> Handed:
    return asyncio.run(answered(world, dialect, path, text))


async def answered(world: World, dialect: Dialect, path: str, text: bytes) -> Handed:
    streamed = "stream" in path if dialect is GEMINI else None
    call = Call(
        *("req1", CALLER, dialect, "e", text, json.loads(text), {}, None),
        arrived=1_700_000_000,
        streamed=streamed,
    )
    try:
        answer = await world.gateway.answer(call)
    except GatewayError as error:
        answer = answer_for(error, detail=False, request_id="req1", dialect=dialect)
    if isinstance(answer.body, bytes):
        return answer.status, dict(answer.headers), answer.body
    content = b""
    while part := await answer.body.next():
        content += part
    await answer.body.close()
    return answer.status, dict(answer.headers), content


def client(world: World, dialect: Dialect) -> httpx2.Client:
    def handle(request: httpx2.Request) -> httpx2.Response:
        status, headers, body = handed(world, dialect, request.url.path, request.content)
        return httpx2.Response(status, headers=headers, content=body)

    return httpx2.Client(transport=httpx2.MockTransport(handle))


@dataclass
class Served:
    """Which gateway answers, for a client that is slow to make and is kept."""

    world: World | None = None


@cache
def google() -> tuple[genai.Client, Served]:
    """Google's SDK, over the older HTTP client."""
    served = Served()

    def handle(request: httpx.Request) -> httpx.Response:
        assert served.world
        status, headers, body = handed(served.world, GEMINI, request.url.path, request.content)
        return httpx.Response(status, headers=headers, content=body)

    arguments = {"transport": httpx.MockTransport(handle)}
    options = types.HttpOptions(base_url=URL, client_args=arguments)
    return genai.Client(api_key="k", http_options=options), served


class OpenAIs:
    """``ask`` gives what the API answers, accumulated where it is a stream."""

    def __init__(self, world: World, dialect: Dialect) -> None:
        http = client(world, dialect)
        self.client = OpenAI(base_url=f"{URL}/v1", api_key="k", max_retries=0, http_client=http)


class ChatCaller(OpenAIs):
    def ask(self, *, stream: bool) -> Said:
        asked: dict[str, Any] = {"model": "e", "messages": [{"role": "user", "content": "hi"}]}
        if not stream:
            return chat_said(self.client.chat.completions.create(**asked))
        asked["stream_options"] = {"include_usage": True}
        with self.client.chat.completions.stream(**asked) as events:
            try:
                for _ in events:
                    pass
                return chat_said(events.get_final_completion())
            except LengthFinishReasonError as cut:
                return chat_said(cut.completion)


CHAT_STOPS: dict[str, Stop] = {
    "stop": "end",
    "length": "length",
    "tool_calls": "tool",
    "content_filter": "refusal",
}


def chat_said(told: Any) -> Said:
    answers = []
    for choice in told.choices:
        message = choice.message
        calls = [
            (c.function.name, json.loads(c.function.arguments)) for c in message.tool_calls or ()
        ]
        thinking = (message.model_extra or {}).get("reasoning_content") or ""
        text, refusal = message.content or "", message.refusal or ""
        answers.append(Answer(text, thinking, refusal, calls, CHAT_STOPS[choice.finish_reason]))
    used = told.usage
    if used is None:
        return Said(answers)
    detail, thought = used.prompt_tokens_details, used.completion_tokens_details
    assert used.total_tokens == used.prompt_tokens + used.completion_tokens
    return Said(
        answers,
        Used(
            used.prompt_tokens,
            used.completion_tokens,
            (detail and detail.cached_tokens) or 0,
            0,
            (thought and thought.reasoning_tokens) or 0,
        ),
    )


class ResponsesCaller(OpenAIs):
    def ask(self, *, stream: bool) -> Said:
        if not stream:
            return responses_said(self.client.responses.create(model="e", input="hi"))
        with self.client.responses.stream(model="e", input="hi") as events:
            last: Any = list(events)[-1]
            return responses_said(last.response)


def responses_said(told: Any) -> Said:
    answer = Answer(told.output_text)
    for item in told.output:
        match item.type:
            case "function_call":
                answer.calls.append((item.name, json.loads(item.arguments)))
            case "reasoning":
                parts = [*item.summary, *(item.content or ())]
                answer.thinking += "".join(part.text for part in parts)
            case "message":
                refused = [part.refusal for part in item.content if part.type == "refusal"]
                answer.refusal += "".join(refused)
    details = told.incomplete_details
    if details and details.reason:
        answer.stop = "refusal" if details.reason == "content_filter" else "length"
    elif answer.calls or answer.refusal:
        answer.stop = "tool" if answer.calls else "refusal"
    used = told.usage
    assert used.total_tokens == used.input_tokens + used.output_tokens
    cached, thought = used.input_tokens_details, used.output_tokens_details
    counts = Used(used.input_tokens, used.output_tokens, cached.cached_tokens, 0)
    counts.thought = thought.reasoning_tokens
    return Said([answer], counts)


class MessagesCaller:
    def __init__(self, world: World, dialect: Dialect) -> None:
        http = client(world, dialect)
        self.client = Anthropic(base_url=URL, api_key="k", max_retries=0, http_client=http)

    def ask(self, *, stream: bool) -> Said:
        asked: dict[str, Any] = {
            "model": "e",
            "max_tokens": 100,
            "messages": [{"role": "user", "content": "hi"}],
        }
        if not stream:
            return messages_said(self.client.messages.create(**asked))
        with self.client.messages.stream(**asked) as events:
            for _ in events:
                pass
            return messages_said(events.get_final_message())


MESSAGE_STOPS: dict[str, Stop] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "pause_turn": "end",
    "max_tokens": "length",
    "tool_use": "tool",
    "refusal": "refusal",
}


def messages_said(told: Any) -> Said:
    answer = Answer(stop=MESSAGE_STOPS[told.stop_reason])
    for block in told.content:
        match block.type:
            case "text":
                answer.text += block.text
            case "thinking":
                answer.thinking += block.thinking
            case "tool_use":
                answer.calls.append((block.name, block.input))
    used = told.usage
    cached, made = used.cache_read_input_tokens or 0, used.cache_creation_input_tokens or 0
    counts = Used(used.input_tokens + cached + made, used.output_tokens, cached, made)
    details = used.output_tokens_details
    counts.thought = (details and details.thinking_tokens) or 0
    return Said([answer], counts)


class GeminiCaller:
    def __init__(self, world: World, dialect: Dialect) -> None:
        assert dialect is GEMINI
        self.client, served = google()
        served.world = world

    def ask(self, *, stream: bool) -> Said:
        models = self.client.models
        if not stream:
            return gemini_said(iter([models.generate_content(model="e", contents="hi")]))
        return gemini_said(models.generate_content_stream(model="e", contents="hi"))


GEMINI_STOPS: dict[str, Stop] = {
    "STOP": "end",
    "OTHER": "end",
    "MAX_TOKENS": "length",
    "SAFETY": "refusal",
}


def gemini_said(chunks: Iterator[types.GenerateContentResponse]) -> Said:
    answers: dict[int, Answer] = {}
    used = None
    for chunk in chunks:
        used = chunk.usage_metadata or used
        for candidate in chunk.candidates or ():
            answer = answers.setdefault(candidate.index or 0, Answer())
            for part in (candidate.content and candidate.content.parts) or ():
                if part.function_call:
                    answer.calls.append((part.function_call.name or "", part.function_call.args))
                elif part.thought:
                    answer.thinking += part.text or ""
                else:
                    answer.text += part.text or ""
            if candidate.finish_reason:
                answer.stop = GEMINI_STOPS[candidate.finish_reason.name]
    for answer in answers.values():
        if answer.calls and answer.stop == "end":
            answer.stop = "tool"
    told = [answers[nth] for nth in sorted(answers)]
    if used is None:
        return Said(told)
    thought = used.thoughts_token_count or 0
    output = (used.candidates_token_count or 0) + thought
    prompt = used.prompt_token_count or 0
    assert used.total_token_count == prompt + output
    return Said(told, Used(prompt, output, used.cached_content_token_count or 0, 0, thought))


Caller = ChatCaller | ResponsesCaller | MessagesCaller | GeminiCaller
CALLERS: dict[Dialect, Callable[[World, Dialect], Caller]] = {
    OPENAI_CHAT: ChatCaller,
    OPENAI_RESPONSES: ResponsesCaller,
    ANTHROPIC_MESSAGES: MessagesCaller,
    GEMINI: GeminiCaller,
}
