"""LangChain's clients for Anthropic and for Gemini, each over its own dialect of the gateway."""

import threading
from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_google_genai import ChatGoogleGenerativeAI, GoogleGenerativeAIEmbeddings
from pydantic import BaseModel, SecretStr

from tests.dialects.messages import END, START, STOP, TEXT, TOLD, delta
from tests.live import DONE, LiveGateway, ScriptedProvider, sse
from tests.sdk.said import BEGIN, COUNTED, part
from tests.sdk.said import END as OPENAI_ENDS

KEY = SecretStr("not-needed")
ECHO = "This is an echo, not a model. You said:"


def claude(url: str, model: str = "demo") -> BaseChatModel:
    return ChatAnthropic(
        model_name=model,
        base_url=f"{url}/gateway/anthropic",
        api_key=KEY,
        max_retries=0,
        timeout=10,
        stop=None,
    )


def gemini(url: str, model: str = "demo") -> BaseChatModel:
    return ChatGoogleGenerativeAI(
        model=model,
        base_url=f"{url}/gateway/gemini",
        api_key=KEY,
        vertexai=False,
        max_retries=0,
        timeout=10,
    )


CLIENTS = {"anthropic": claude, "gemini": gemini}
OF_BOTH = pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


@tool
def get_time(city: str) -> str:
    """The time in a city."""
    return f"noon in {city}"


class City(BaseModel):
    """A city and what is known of it."""

    name: str
    inhabitants: int


@OF_BOTH
def test_chat(client: Any, gateway: LiveGateway) -> None:
    reply = client(gateway.url).invoke("Hello!")
    assert reply.text == f"{ECHO} Hello!"
    used = reply.usage_metadata
    assert used["total_tokens"] == used["input_tokens"] + used["output_tokens"] > 0


@OF_BOTH
def test_stream(client: Any, gateway: LiveGateway) -> None:
    chunks = list(client(gateway.url).stream("Hello!"))
    assert "".join(chunk.text for chunk in chunks) == f"{ECHO} Hello!"
    assert len(chunks) > 5


@OF_BOTH
def test_parallel_tools_and_their_answers(client: Any, gateway: LiveGateway) -> None:
    model = client(gateway.url).bind_tools([get_weather, get_time])
    asked = HumanMessage("get_weather and get_time")
    reply = model.invoke([asked])
    assert [(call["name"], call["args"]) for call in reply.tool_calls] == [
        ("get_weather", {"city": asked.content}),
        ("get_time", {"city": asked.content}),
    ]
    results = [
        ToolMessage(f"{call['name']}: 1", name=call["name"], tool_call_id=call["id"])
        for call in reply.tool_calls
    ]
    final = model.invoke([asked, reply, *results])
    assert "get_weather: 1" in final.text
    assert "get_time: 1" in final.text


@OF_BOTH
def test_streamed_tools_are_put_together(client: Any, gateway: LiveGateway) -> None:
    whole = AIMessageChunk("")
    for chunk in client(gateway.url).bind_tools([get_weather]).stream("get_weather"):
        whole += chunk
    assert [(call["name"], call["args"]) for call in whole.tool_calls] == [
        ("get_weather", {"city": "get_weather"})
    ]


@OF_BOTH
def test_structured_output(client: Any, gateway: LiveGateway) -> None:
    got = client(gateway.url).with_structured_output(City).invoke("Paris")
    assert isinstance(got, City)
    assert (got.name.removeprefix(f"{ECHO} "), got.inhabitants) == ("Paris", 1)


def test_embeddings_of_gemini(gateway: LiveGateway) -> None:
    embeddings = GoogleGenerativeAIEmbeddings(
        model="demo", base_url=f"{gateway.url}/gateway/gemini", api_key=KEY, vertexai=False
    )
    cat, dog = embeddings.embed_documents(["a cat", "a dog"])
    assert len(cat) == len(dog) > 0
    assert cat != dog


OPENAI_SAYS = (BEGIN, lambda word: part(content=word), (OPENAI_ENDS, COUNTED, DONE))
ANTHROPIC_SAYS = (START + TEXT, lambda word: delta("text_delta", text=word), (STOP, TOLD, END))


@OF_BOTH
@pytest.mark.parametrize(
    ("endpoint", "says"),
    [("model", OPENAI_SAYS), ("claude", ANTHROPIC_SAYS)],
    ids=["of openai", "of anthropic"],
)
def test_a_stream_arrives_as_it_is_said(
    endpoint: str, says: Any, client: Any, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    """Relayed or translated: the provider waits until each piece has arrived."""
    words = ("one ", "after ", "another")
    cues = [threading.Event() for _ in words]
    begin, say, end = says
    said = [step for word, cue in zip(words, cues, strict=True) for step in (say(word), cue)]
    provider.will(sse(begin, *said, *end))
    heard: list[str] = []
    for chunk in client(gateway.url, endpoint).stream("Hello"):
        if chunk.text:
            cues[len(heard)].set()
            heard.append(chunk.text)
    assert heard == list(words)
