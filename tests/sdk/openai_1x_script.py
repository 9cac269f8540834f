"""Run by a Python that has openai 1.x: calls the gateway and prints what it saw, as JSON.

python openai_1x_script.py GATEWAY_URL
"""

import asyncio
import json
import sys
from typing import Any

import openai
from openai.types.chat import ChatCompletionMessageParam

HI: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hi, Zoë 👋"}]


def main(url: str) -> None:
    told: dict[str, Any] = {"version": openai.__version__}
    for api in ("openai", "mlflow"):
        with openai.OpenAI(base_url=f"{url}/gateway/{api}/v1", api_key="", max_retries=0) as client:
            told[api] = {
                "chat": whole(client),
                "stream": streamed(client),
                "embeddings": embedded(client),
                "errors": errors(client),
                "cut": cut(client),
            }
    told["async"] = asyncio.run(side_by_side(f"{url}/gateway/openai/v1"))
    sys.stdout.write(json.dumps(told))


def whole(client: openai.OpenAI) -> dict[str, Any]:
    raw = client.chat.completions.with_raw_response.create(model="demo", messages=HI)
    sent = raw.http_response.request.headers
    return {"text": raw.parse().choices[0].message.content, "key": sent.get("authorization")}


def streamed(client: openai.OpenAI) -> dict[str, Any]:
    stream = client.chat.completions.create(model="demo", messages=HI, stream=True)
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    return {"text": text, "usages": sum(chunk.usage is not None for chunk in chunks)}


def embedded(client: openai.OpenAI) -> list[int]:
    reply = client.embeddings.create(model="demo", input=["a", "b"], dimensions=8)
    return [len(row.embedding) for row in reply.data]


def errors(client: openai.OpenAI) -> list[list[Any]]:
    """Of an endpoint that is not there, then of one whose provider answers 400, 429 and 500."""
    seen = []
    for model in ("nope", "model", "model", "model"):
        try:
            client.chat.completions.create(model=model, messages=HI)
        except openai.APIStatusError as error:
            wait = error.response.headers.get("retry-after")
            seen.append([type(error).__name__, error.status_code, error.code, wait])
    return seen


def cut(client: openai.OpenAI) -> list[Any]:
    text = ""
    try:
        for chunk in client.chat.completions.create(model="model", messages=HI, stream=True):
            text += chunk.choices[0].delta.content or ""
    except openai.APIError as error:
        return [text, type(error).__name__]
    return [text, None]


async def side_by_side(base_url: str) -> list[str | None]:
    async with openai.AsyncOpenAI(base_url=base_url, api_key="", max_retries=0) as client:
        create = client.chat.completions.create
        replies = await asyncio.gather(*(create(model="demo", messages=HI) for _ in "abc"))
    return [reply.choices[0].message.content for reply in replies]


if __name__ == "__main__":
    main(sys.argv[1])
