"""Every framework's way to say Hello and give back what it heard: (URL, key, endpoint) -> text.

None of them tries again by itself, so that an error is of the first answer.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Literal

import anthropic
import dspy
import litellm
import openai
import pytest
from agents import Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner
from google import genai
from google.genai import types
from langchain_anthropic import ChatAnthropic
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_openai import ChatOpenAI
from mlflow.genai import make_judge
from pydantic import SecretStr

Caller = Callable[[str, str, str], str]

HELLO: Any = [{"role": "user", "content": "Hello!"}]


def openai_sdk(url: str, key: str, endpoint: str) -> str:
    with openai.OpenAI(base_url=f"{url}/gateway/openai/v1", api_key=key, max_retries=0) as client:
        reply = client.chat.completions.create(model=endpoint, messages=HELLO)
        return reply.choices[0].message.content or ""


def anthropic_sdk(url: str, key: str, endpoint: str) -> str:
    with anthropic.Anthropic(
        base_url=f"{url}/gateway/anthropic", api_key=key, max_retries=0
    ) as client:
        message = client.messages.create(model=endpoint, max_tokens=200, messages=HELLO)
        return "".join(block.text for block in message.content if block.type == "text")


def gemini_sdk(url: str, key: str, endpoint: str) -> str:
    options = types.HttpOptions(base_url=f"{url}/gateway/gemini")
    client = genai.Client(api_key=key, vertexai=False, http_options=options)
    return client.models.generate_content(model=endpoint, contents="Hello!").text or ""


def langchain_openai(url: str, key: str, endpoint: str) -> str:
    base = f"{url}/gateway/openai/v1"
    model = ChatOpenAI(model=endpoint, base_url=base, api_key=SecretStr(key), max_retries=0)
    return model.invoke("Hello!").text


def langchain_anthropic(url: str, key: str, endpoint: str) -> str:
    model = ChatAnthropic(
        model_name=endpoint,
        base_url=f"{url}/gateway/anthropic",
        api_key=SecretStr(key),
        max_retries=0,
        timeout=10,
        stop=None,
    )
    return model.invoke("Hello!").text


def langchain_gemini(url: str, key: str, endpoint: str) -> str:
    model = ChatGoogleGenerativeAI(
        model=endpoint,
        base_url=f"{url}/gateway/gemini",
        api_key=SecretStr(key),
        vertexai=False,
        max_retries=0,
    )
    return model.invoke("Hello!").text


def litellm_by(prefix: str, base: str) -> Caller:
    def call(url: str, key: str, endpoint: str) -> str:
        reply = litellm.completion(
            model=f"{prefix}/{endpoint}",
            base_url=url + base,
            api_key=key,
            messages=HELLO,
            max_retries=0,
        )
        return str(reply.choices[0].message.content)

    return call


def dspy_by(engine: str) -> Caller:
    def call(url: str, key: str, endpoint: str) -> str:
        model = dspy.LM(
            f"openai/{endpoint}",
            api_base=f"{url}/gateway/openai/v1",
            api_key=key,
            cache=False,
            num_retries=0,
            engine=engine,
        )
        return str(model("Hello!")[0])

    return call


def agents_by(model: Any) -> Caller:
    async def ask(url: str, key: str, endpoint: str) -> str:
        base = f"{url}/gateway/openai/v1"
        async with openai.AsyncOpenAI(base_url=base, api_key=key, max_retries=0) as client:
            agent = Agent(name="Greeter", model=model(endpoint, client))
            return str((await Runner.run(agent, "Hello!")).final_output)

    def call(url: str, key: str, endpoint: str) -> str:
        return asyncio.run(ask(url, key, endpoint))

    return call


def mlflow_judge(url: str, key: str, endpoint: str) -> str:
    """The rationale. MLflow shows its key as a password."""
    judge = make_judge(
        name="said",
        instructions="Look at {{ outputs }}.",
        model=f"gateway:/{endpoint}",
        feedback_value_type=Literal["fine", "poor"],
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_GATEWAY_URI", url)
        patch.setenv("MLFLOW_TRACKING_USERNAME", "judge")
        patch.setenv("MLFLOW_TRACKING_PASSWORD", key)
        return str(judge(outputs="Hello!").rationale)


CALLERS: Mapping[str, Caller] = {
    "openai": openai_sdk,
    "anthropic": anthropic_sdk,
    "gemini": gemini_sdk,
    "langchain-openai": langchain_openai,
    "langchain-anthropic": langchain_anthropic,
    "langchain-gemini": langchain_gemini,
    "litellm-openai": litellm_by("openai", "/gateway/openai/v1"),
    "litellm-anthropic": litellm_by("anthropic", "/gateway/anthropic"),
    "litellm-gemini": litellm_by("gemini", "/gateway/gemini/v1beta"),
    "dspy-lm15": dspy_by("lm15"),
    "dspy-litellm": dspy_by("litellm"),
    "agents-chat": agents_by(OpenAIChatCompletionsModel),
    "agents-responses": agents_by(OpenAIResponsesModel),
    "mlflow-judge": mlflow_judge,
}
