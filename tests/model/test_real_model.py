"""What a caller sees of real models behind the gateway, with the official SDK (make test-model)."""

import asyncio
import json
import time
from itertools import pairwise
from typing import Literal

import httpx
import pytest
from openai import AsyncOpenAI, BadRequestError, OpenAI
from openai.types.chat import ChatCompletionChunk, ChatCompletionUserMessageParam
from pydantic import BaseModel

pytestmark = pytest.mark.model


def user(content: str) -> list[ChatCompletionUserMessageParam]:
    return [{"role": "user", "content": content}]


CAPITAL = "What is the capital of France?"
COUNT = user("Count: 1, 2, 3, 4,")
COUNTED = " 1, 2, 3, 4, 5, 6, 7, 8, 9, 10"


class Capital(BaseModel):
    city: Literal["Oslo", "Paris", "Rome"]
    country: Literal["France", "Italy", "Norway"]
    in_europe: bool


def text_of(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def dot(one: list[float], other: list[float]) -> float:
    return sum(x * y for x, y in zip(one, other, strict=True))


def test_answers_a_question(client: OpenAI) -> None:
    reply = client.chat.completions.create(model="gemma", messages=user(CAPITAL), temperature=0)
    choice = reply.choices[0]
    assert (choice.message.content, choice.finish_reason) == (" Paris", "stop")


def test_an_async_client_gets_answers_side_by_side(base_url: str) -> None:
    async def ask() -> list[str | None]:
        async with AsyncOpenAI(base_url=base_url, api_key="not-needed", max_retries=0) as client:
            create = client.chat.completions.create
            calls = [create(model="gemma", messages=user(CAPITAL), temperature=0) for _ in "abc"]
            return [reply.choices[0].message.content for reply in await asyncio.gather(*calls)]

    assert asyncio.run(ask()) == [" Paris"] * 3


def test_an_async_client_gets_a_stream(base_url: str) -> None:
    async def ask() -> list[ChatCompletionChunk]:
        async with AsyncOpenAI(base_url=base_url, api_key="not-needed", max_retries=0) as client:
            stream = await client.chat.completions.create(
                model="gemma", messages=COUNT, temperature=0, max_tokens=30, stream=True
            )
            return [chunk async for chunk in stream]

    assert text_of(asyncio.run(ask())) == COUNTED


def test_a_stream_arrives_as_it_is_made(client: OpenAI) -> None:
    began = time.monotonic()
    stream = client.chat.completions.create(
        model="gemma", messages=COUNT, temperature=0, max_tokens=60, stream=True
    )
    arrivals = [time.monotonic() - began for chunk in stream if text_of([chunk])]
    assert len(arrivals) > 40
    assert arrivals[0] < arrivals[-1] / 2
    assert max(later - earlier for earlier, later in pairwise(arrivals)) < arrivals[-1] / 2


def test_a_stream_says_what_one_answer_says(client: OpenAI) -> None:
    create = client.chat.completions.create
    whole = create(model="gemma", messages=COUNT, temperature=0, max_tokens=30)
    pieces = list(create(model="gemma", messages=COUNT, temperature=0, max_tokens=30, stream=True))
    assert whole.choices[0].message.content == text_of(pieces) == COUNTED
    assert whole.choices[0].finish_reason == pieces[-1].choices[0].finish_reason == "length"
    assert whole.model == pieces[-1].model


def test_stops_before_a_stop_text(client: OpenAI) -> None:
    reply = client.chat.completions.create(
        model="gemma", messages=COUNT, temperature=0, max_tokens=60, stop=["7", "never said"]
    )
    choice = reply.choices[0]
    assert (choice.message.content, choice.finish_reason) == (" 1, 2, 3, 4, 5, 6, ", "stop")


def test_max_tokens_cuts_the_answer_and_usage_counts_it(client: OpenAI) -> None:
    reply = client.chat.completions.create(
        model="gemma", messages=COUNT, temperature=0, max_tokens=5
    )
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 5
    assert reply.usage.prompt_tokens == 20
    assert reply.usage.total_tokens == 25


def test_a_stream_has_usage_when_asked(client: OpenAI) -> None:
    *pieces, last = client.chat.completions.create(
        model="gemma",
        messages=COUNT,
        temperature=0,
        max_tokens=5,
        stream=True,
        stream_options={"include_usage": True},
    )
    assert all(piece.usage is None for piece in pieces)
    assert last.choices == []
    assert last.usage is not None
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (20, 5)


def test_a_stream_has_no_usage_when_not_asked(client: OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="gemma", messages=COUNT, temperature=0, max_tokens=5, stream=True
        )
    )
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)


def test_an_answer_keeps_to_a_json_schema(client: OpenAI) -> None:
    reply = client.chat.completions.parse(
        model="gemma",
        messages=user(CAPITAL),
        temperature=0,
        max_tokens=200,
        response_format=Capital,
    )
    parsed = reply.choices[0].message.parsed
    assert parsed is not None
    # The shape is enforced; the facts are the model's own, and about Europe it is wrong.
    assert (parsed.city, parsed.country) == ("Paris", "France")


def test_logprobs_tell_each_token(client: OpenAI) -> None:
    reply = client.chat.completions.create(
        model="gemma", messages=COUNT, temperature=0, max_tokens=4, logprobs=True, top_logprobs=2
    )
    choice = reply.choices[0]
    assert choice.logprobs is not None
    tokens = choice.logprobs.content or []
    assert "".join(token.token for token in tokens) == choice.message.content
    assert [len(token.top_logprobs) for token in tokens] == [2] * 4
    assert all(token.logprob <= 0 for token in tokens)


def test_a_prompt_over_the_context_is_the_callers_mistake(client: OpenAI) -> None:
    with pytest.raises(BadRequestError, match="context"):
        client.chat.completions.create(model="gemma", messages=user("word " * 5000))


def test_a_caller_who_hangs_up_sets_the_model_free(client: OpenAI) -> None:
    create = client.chat.completions.create
    stream = create(  # it would count for a minute, and it serves one call at a time
        model="gemma",
        messages=COUNT,
        temperature=0,
        max_tokens=3500,
        stop=["never said"],
        stream=True,
        extra_body={"ignore_eos": True},
    )
    next(iter(stream))
    stream.close()
    began = time.monotonic()
    create(model="gemma", messages=user(CAPITAL), max_tokens=1)
    assert time.monotonic() - began < 10


def test_lists_the_endpoints(client: OpenAI) -> None:
    assert {"gemma", "minilm"} <= {model.id for model in client.models.list()}


def test_embeddings_are_vectors_of_length_one(client: OpenAI) -> None:
    texts = ["A cat sat on the mat.", "Interest rates rose."]
    reply = client.embeddings.create(model="minilm", input=texts, encoding_format="float")
    vectors = [one.embedding for one in reply.data]
    assert [one.index for one in reply.data] == [0, 1]
    assert [len(vector) for vector in vectors] == [384, 384]
    assert [dot(vector, vector) for vector in vectors] == pytest.approx([1, 1])
    assert reply.usage.prompt_tokens == reply.usage.total_tokens == 15


def test_float_and_base64_embeddings_are_equal(client: OpenAI) -> None:
    create = client.embeddings.create
    text = "A cat sat on the mat."
    floats = create(model="minilm", input=text, encoding_format="float").data[0].embedding
    by_default = create(model="minilm", input=text).data[0].embedding  # base64, which it decodes
    assert floats == by_default


def test_near_meanings_have_near_embeddings(client: OpenAI) -> None:
    cat, kitten, bank = (
        one.embedding
        for one in client.embeddings.create(
            model="minilm",
            input=[
                "A cat is sleeping on the sofa.",
                "A kitten naps on the couch.",
                "The central bank raised interest rates.",
            ],
        ).data
    )
    assert dot(cat, kitten) > 0.6
    assert dot(cat, bank) < 0.2


def test_tokens_instead_of_text_are_refused_by_name(client: OpenAI) -> None:
    with pytest.raises(BadRequestError, match="tokens") as caught:
        client.embeddings.create(model="minilm", input=[[101, 102]])
    assert caught.value.param == "input"


def test_one_url_per_endpoint_takes_chats_and_embeddings(gateway: str) -> None:
    chat = {"messages": user(CAPITAL), "temperature": 0}
    answer = httpx.post(f"{gateway}/gateway/gemma/mlflow/invocations", json=chat, timeout=60)
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"] == " Paris"

    embed = {"input": ["A cat", "A dog"]}
    answer = httpx.post(f"{gateway}/gateway/minilm/mlflow/invocations", json=embed, timeout=60)
    assert answer.status_code == 200
    assert [len(one["embedding"]) for one in answer.json()["data"]] == [384, 384]


def test_one_url_per_endpoint_streams(gateway: str) -> None:
    chat = {"messages": COUNT, "temperature": 0, "max_tokens": 30, "stream": True}
    url = f"{gateway}/gateway/gemma/mlflow/invocations"
    with httpx.stream("POST", url, json=chat, timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line.removeprefix("data: ") for line in answer.iter_lines() if line]
    assert lines.pop() == "[DONE]"
    assert text_of([ChatCompletionChunk.model_validate(json.loads(line)) for line in lines]) == (
        COUNTED
    )


def test_relays_responses(openai_client: OpenAI) -> None:
    reply = openai_client.responses.create(model="gemma", input=CAPITAL, temperature=0)
    assert (reply.status, reply.output_text) == ("completed", " Paris")
    assert reply.usage is not None
    assert reply.usage.input_tokens > 0


def test_relays_a_stream_of_responses(openai_client: OpenAI) -> None:
    with openai_client.responses.create(
        model="gemma", input=CAPITAL, temperature=0, stream=True
    ) as stream:
        events = list(stream)
    assert events[0].type == "response.created"
    said = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(said) == " Paris"
    assert events[-1].type == "response.completed"
