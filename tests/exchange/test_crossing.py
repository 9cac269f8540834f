"""Where a call crosses to: in which dialect, and beside the event loop where it is large."""

import asyncio
import threading
from dataclasses import replace

import pytest

from gateway.dialects import ANTHROPIC_COUNT, ANTHROPIC_MESSAGES, OPENAI_CHAT, Dialect
from gateway.exchange.crossing import LARGE, beside_the_loop, cross
from gateway.exchange.exchange import Call
from gateway.routing.endpoint import Target
from gateway.wire.json import dumps
from tests.fakes import CALLER, GPT, HI, endpoint, run


def crosses_into(target: Target, dialect: Dialect = ANTHROPIC_MESSAGES) -> str:
    call = Call("req1", CALLER, dialect, "e", dumps(HI), HI)
    return cross(call, target, endpoint(target)).dialect.name


@pytest.mark.parametrize(
    ("target", "dialect"),
    [
        (GPT, "openai_chat"),
        (replace(GPT, model="gpt-4.1"), "openai_chat"),
        (replace(GPT, model="gpt-5.4-mini"), "openai_responses"),
        (replace(GPT, model="o4-mini-2025-04-16"), "openai_responses"),
        (replace(GPT, model="gpt-5", dialect="openai_chat"), "openai_chat"),
        (replace(GPT, provider="openrouter", model="openai/gpt-5"), "anthropic_messages"),
        (replace(GPT, provider="azure", model="gpt-6"), "openai_responses"),
        (replace(GPT, provider="azure", model="our-deployment"), "openai_chat"),
        (replace(GPT, provider="bedrock_mantle", model="openai.gpt-5.4"), "openai_responses"),
        (Target("groq", "openai/gpt-oss-120b", "key"), "openai_chat"),
        (Target("openai_compatible", "gpt-5", None, base_url="http://127.0.0.1/v1"), "openai_chat"),
    ],
)
def test_a_model_that_thinks_is_asked_where_its_thoughts_are_kept(
    target: Target, dialect: str
) -> None:
    assert crosses_into(target) == dialect


def test_who_speaks_as_the_caller_does_is_asked_in_that() -> None:
    assert crosses_into(replace(GPT, model="gpt-5"), OPENAI_CHAT) == "openai_chat"


def test_what_is_no_chat_is_asked_where_it_can_be() -> None:
    assert crosses_into(replace(GPT, model="gpt-5"), ANTHROPIC_COUNT) == "openai_input_tokens"


def test_a_large_translation_leaves_the_loop_to_other_calls() -> None:
    """The work ends only if the loop goes on meanwhile."""

    async def crossing() -> bool:
        others = threading.Event()
        asyncio.get_running_loop().call_soon(others.set)
        return await beside_the_loop(LARGE, others.wait, 10)

    assert run(crossing())


def test_a_small_one_is_done_at_once() -> None:
    async def crossing() -> int:
        return await beside_the_loop(LARGE - 1, threading.get_ident)

    assert run(crossing()) == threading.get_ident()
