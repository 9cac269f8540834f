"""DSPy, its caches off: programs, schemas, tools, streams; by its own HTTP client and by LiteLLM."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import dspy
import pytest
from dspy.lm15 import (
    AccessPolicy,
    ModelSupport,
    OpenAIChatCompat,
    ProviderDefinition,
    register_provider,
    unregister_provider,
)

from tests.frameworks.conftest import Run
from tests.live import DONE, LiveGateway, ScriptedProvider, answer, sse
from tests.sdk.said import BEGIN, COUNTED, END, completion, part, says, tool_call

ECHO = "This is an echo, not a model. You said:"
ENGINES = pytest.mark.parametrize("engine", ["lm15", "litellm"])


class Check(dspy.Signature):
    """Says whether the answer fits the question."""

    question: str = dspy.InputField()
    answer: str = dspy.InputField()
    fits: bool = dspy.OutputField()
    reason: str = dspy.OutputField()


ASKED = {"question": "What is 2 + 2?", "answer": "4"}
FITS = """[[ ## fits ## ]]
True

[[ ## reason ## ]]
It is four.

[[ ## completed ## ]]"""


def by_prefix(url: str, route: str = "openai", **more: Any) -> dspy.LM:
    """As DSPy's own documentation has it for any OpenAI-compatible server."""
    return dspy.LM(
        "openai/model",
        api_base=f"{url}/gateway/{route}/v1",
        api_key="not-needed",
        cache=False,
        num_retries=0,
        **more,
    )


@pytest.fixture
def declared(gateway: LiveGateway) -> Iterator[dspy.LM]:
    """As examples/frameworks/dspy_program.py has it."""
    access = AccessPolicy(provider="sluicegate", base_url=f"{gateway.url}/gateway/openai/v1")
    register_provider(
        ProviderDefinition.chat(access, compat=OpenAIChatCompat()),
        supports=ModelSupport(function_calling=True, response_schema=True),
    )
    yield dspy.LM("sluicegate/demo", api_key="not-needed", cache=False, num_retries=0)
    unregister_provider("sluicegate")


@ENGINES
@pytest.mark.parametrize("route", ["openai", "mlflow"])
def test_a_program_of_its_own_format(
    route: str, engine: str, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    provider.will(answer(completion(says(FITS))))
    with dspy.context(lm=by_prefix(gateway.url, route, engine=engine)):
        checked = dspy.Predict(Check)(**ASKED)
    assert (checked.fits, checked.reason) == (True, "It is four.")
    (sent,) = provider.requests
    assert sent.json["model"] == "gpt-test"


def test_a_thoughtful_program_and_its_usage(
    provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    thought = "[[ ## reasoning ## ]]\nTwo and two.\n\n" + FITS
    provider.will(answer(completion(says(thought))))
    lm = by_prefix(gateway.url)
    with dspy.context(lm=lm, track_usage=True):
        checked = dspy.ChainOfThought(Check)(**ASKED)
    assert (checked.reasoning, checked.fits) == ("Two and two.", True)
    (used,) = checked.get_lm_usage().values()
    assert used["total_tokens"] == 12


def test_every_call_reaches_the_gateway(provider: ScriptedProvider, gateway: LiveGateway) -> None:
    provider.will(answer(completion(says(FITS))), answer(completion(says(FITS))))
    with dspy.context(lm=by_prefix(gateway.url)):
        for _ in range(2):
            dspy.Predict(Check)(**ASKED)
    assert len(provider.requests) == 2


def test_a_schema_where_the_endpoint_is_declared_to_take_one(declared: dspy.LM) -> None:
    with dspy.context(lm=declared, adapter=dspy.JSONAdapter()):
        checked = dspy.Predict(Check)(**ASKED)
    assert checked.fits is True
    assert checked.reason.startswith(f"{ECHO} [[ ## question ## ]]\nWhat is 2 + 2?")


def test_an_async_program(declared: dspy.LM, run: Run) -> None:
    async def ask() -> Any:
        with dspy.context(lm=declared, adapter=dspy.JSONAdapter()):
            return await dspy.Predict(Check).acall(**ASKED)

    assert run(ask()).fits is True


def test_programs_side_by_side(declared: dspy.LM) -> None:
    program = dspy.Predict("question -> answer")
    jobs = [
        (program, dspy.Example(question=f"number {n}").with_inputs("question")) for n in range(6)
    ]
    with dspy.context(lm=declared, adapter=dspy.JSONAdapter()):
        answers = dspy.Parallel(num_threads=6, disable_progress_bar=True)(jobs)
    assert [f"number {n}" in one.answer for n, one in enumerate(answers)] == [True] * 6


@pytest.mark.usefixtures("declared")
def test_native_tools(provider: ScriptedProvider) -> None:
    provider.will(
        answer(
            completion(
                says(
                    None,
                    "tool_calls",
                    tool_calls=[
                        tool_call("call_1", "get_weather", '{"city": "Paris"}'),
                        tool_call("call_2", "get_weather", '{"city": "Rome"}'),
                    ],
                )
            )
        )
    )

    def get_weather(city: str) -> str:
        """The weather in a city."""
        return f"sunny in {city}"

    class Ask(dspy.Signature):
        """Answers by tools."""

        question: str = dspy.InputField()
        tools: list[dspy.Tool] = dspy.InputField()
        outputs: dspy.ToolCalls = dspy.OutputField()

    lm = dspy.LM("sluicegate/model", api_key="not-needed", cache=False, num_retries=0)
    adapter = dspy.JSONAdapter(use_native_function_calling=True)
    with dspy.context(lm=lm, adapter=adapter):
        asked = dspy.Predict(Ask)(question="How is it?", tools=[dspy.Tool(get_weather)])
    assert [(call.name, call.args) for call in asked.outputs.tool_calls] == [
        ("get_weather", {"city": "Paris"}),
        ("get_weather", {"city": "Rome"}),
    ]
    (sent,) = provider.requests
    assert [tool["function"]["name"] for tool in sent.json["tools"]] == ["get_weather"]


def test_a_streamed_field_arrives_as_it_is_said(
    provider: ScriptedProvider, gateway: LiveGateway, run: Run
) -> None:
    """DSPy holds text back until it knows that no header begins in it; so the cue comes later."""
    cue = threading.Event()
    words = [f"word{n} " for n in range(30)]
    pieces = [part(content=word) for word in words]
    provider.will(
        sse(
            BEGIN,
            part(content="[[ ## answer ## ]]\n"),
            *pieces[:20],
            cue,
            *pieces[20:],
            part(content="\n\n[[ ## completed ## ]]"),
            *(END, COUNTED, DONE),
        )
    )
    listener = dspy.streaming.StreamListener(signature_field_name="answer")
    program = dspy.streamify(dspy.Predict("question -> answer"), stream_listeners=[listener])

    async def listen() -> list[Any]:
        heard = []
        with dspy.context(lm=by_prefix(gateway.url)):
            async for piece in program(question="Say words"):
                heard.append(piece)
                cue.set()
        return heard

    *chunks, final = run(listen())
    assert "".join(chunk.chunk for chunk in chunks).strip() == "".join(words).strip()
    assert len(chunks) > 10
    assert final.answer == "".join(words).strip()


def test_json_mode_without_a_declaration(provider: ScriptedProvider, gateway: LiveGateway) -> None:
    provider.will(answer(completion(says(json.dumps({"fits": False, "reason": "No."})))))
    with dspy.context(lm=by_prefix(gateway.url), adapter=dspy.JSONAdapter()):
        checked = dspy.Predict(Check)(**ASKED)
    assert (checked.fits, checked.reason) == (False, "No.")


def test_embeddings(gateway: LiveGateway) -> None:
    embed = dspy.Embedder(
        "openai/demo",
        api_base=f"{gateway.url}/gateway/openai/v1",
        api_key="not-needed",
        caching=False,
    )
    assert embed(["a cat", "a dog"]).shape == (2, 256)
