"""Whole requests as hypothesis draws them: conversations that hang together, and every option."""

from typing import Any

from hypothesis import strategies as st

from gateway.chat.blocks import Block, Foreign, Text, ToolResult, ToolUse
from gateway.chat.request import (
    ChatRequest,
    Effort,
    Message,
    Reasoning,
    ResponseFormat,
    Sampling,
    Tool,
    ToolChoice,
)
from tests.contract.pieces import (
    foreign,
    json_values,
    media,
    names,
    optional_names,
    refusals,
    said_texts,
    some_words,
    texts,
    thoughts,
    tool_uses,
    ttls,
)

# What each dialect does may depend on the model.
MODELS = (
    "gpt-5.2",
    "claude-opus-4-8",
    "claude-sonnet-4-5",
    "claude-3-5-haiku-latest",
    "gemini-2.5-flash",
    "gemini-3-pro-preview",
    "mistral-large",
)


@st.composite
def results(draw: st.DrawFn, call: ToolUse) -> ToolResult:
    """What answers a call."""
    content = draw(st.lists(st.builds(Text, some_words) | media("image", "document"), max_size=2))
    named = draw(st.sampled_from([None, call.name]))
    return ToolResult(
        call.id, tuple(content), draw(st.sampled_from([False, False, True])), draw(ttls), named
    )


@st.composite
def answers(draw: st.DrawFn, first: int) -> list[Block]:
    """What an assistant said. ``first``: the number of its first call."""
    blocks: list[Block] = []
    for nth in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["text", "text", "call", "call", "thought", "rare"]))
        rare: st.SearchStrategy[Block] = refusals | foreign
        kinds: dict[str, st.SearchStrategy[Block]] = {
            "text": said_texts,
            "call": tool_uses(first + nth),
            "thought": thoughts,
            "rare": rare,
        }
        blocks.append(draw(kinds[kind]))
    return blocks


@st.composite
def conversations(draw: st.DrawFn) -> list[Message]:
    """Each call is answered in what the user says next. Speakers may speak twice in a row, and the
    system in the middle."""
    messages = [Message("user", [draw(texts), *draw(st.lists(texts | media(), max_size=2))])]
    messages[0].name = draw(st.sampled_from([None, None, None, "Zoe"]))
    for turn in range(draw(st.integers(0, 2))):
        said = draw(answers(turn * 10))
        messages.append(Message("assistant", said))
        calls = [block for block in said if isinstance(block, ToolUse)]
        content: list[Block] = [draw(results(call)) for call in draw(st.permutations(calls))]
        content += draw(st.lists(texts | media(), min_size=not content, max_size=2))
        messages.append(Message("user", content))
        match draw(st.sampled_from(["", "", "", "system", "again"])):
            case "system":
                messages.append(Message("system", [Text(draw(some_words))]))
            case "again":
                messages.append(Message("user", draw(st.lists(texts, min_size=1, max_size=1))))
    return messages


properties = st.fixed_dictionaries(
    {},
    optional={
        "city": st.just({"type": "string", "format": "city", "minLength": 1}),
        "where": st.just({"$ref": "#/$defs/where"}),
        "either": st.just({"anyOf": [{"type": "null"}, {"const": 1}]}),
        "odd": st.fixed_dictionaries({"default": json_values}),
    },
)
schemas = st.builds(
    lambda properties, more: {"type": "object", "properties": properties, **more},
    properties,
    st.sampled_from(
        [
            {},
            {"required": ["city"], "additionalProperties": False},
            {"$defs": {"where": {"type": "object", "title": "Where"}}},
        ]
    ),
)
THEIR_TOOLS = (
    Foreign("openai_responses", {"type": "web_search"}),
    Foreign("anthropic_messages", {"type": "web_search_20250305", "name": "web_search"}),
    Foreign("gemini", {"googleSearch": {}}),
)
some_bools = st.none() | st.booleans()


@st.composite
def tools(draw: st.DrawFn) -> list[Tool | Foreign]:
    """Each of a name of its own."""
    named = draw(st.lists(names, max_size=2, unique=True))
    offered: list[Tool | Foreign] = [
        Tool(name, draw(st.none() | some_words), draw(st.none() | schemas), draw(some_bools))
        for name in named
    ]
    for tool in offered:
        if isinstance(tool, Tool):
            tool.cache_ttl = draw(ttls)
    return offered + draw(st.lists(st.sampled_from(THEIR_TOOLS), max_size=1))


def rarely(some: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), st.none(), st.none(), some)


samplings = st.builds(
    Sampling,
    max_tokens=st.none() | st.integers(1, 2**31),
    temperature=rarely(st.sampled_from([0, 1, 0.7, 2, 1.9])),
    top_p=rarely(st.sampled_from([0.0, 1, 0.95])),
    top_k=rarely(st.integers(0, 500)),
    stop=rarely(st.lists(some_words, min_size=1, max_size=5)),
    seed=rarely(st.integers(-(2**31), 2**31 - 1)),
    n=rarely(st.integers(1, 3)),
    presence_penalty=rarely(st.sampled_from([0, -2.0, 0.5])),
    frequency_penalty=rarely(st.sampled_from([0, 2.0, 0.5])),
    logprobs=rarely(st.booleans()),
    logit_bias=rarely(st.just({"50256": -100})),
)
EFFORTS: tuple[Effort | None, ...] = (None, "minimal", "low", "medium", "high", "xhigh", "max")
reasonings = st.one_of(
    st.sampled_from([Reasoning("none"), Reasoning(budget=0)]),
    st.builds(
        Reasoning,
        effort=st.sampled_from(EFFORTS),
        budget=rarely(st.sampled_from([-1, 1024, 5000, 32000])),
        shown=some_bools,
    ),
    st.builds(
        Reasoning,
        effort=st.sampled_from(EFFORTS),
        shown=st.sampled_from([None, True]),
        summary=st.sampled_from(["auto", "concise", "detailed"]),
    ),
)
formats = st.just(ResponseFormat()) | st.builds(
    ResponseFormat, schemas, optional_names, st.none() | some_words, some_bools
)


@st.composite
def choices(draw: st.DrawFn, offered: list[Tool | Foreign]) -> ToolChoice | None:
    """Of what is offered; None where nothing is."""
    named = [tool.name for tool in offered if isinstance(tool, Tool)]
    if not named:
        return None
    modes: list[Any] = [None, "auto", "required", "none"]
    mode = draw(st.sampled_from([*modes, "named"]))
    if mode is None:
        return None
    return ToolChoice(mode, draw(st.sampled_from(named)) if mode == "named" else None)


@st.composite
def samplings_told(draw: st.DrawFn) -> Sampling:
    sampling = draw(samplings)
    if sampling.logprobs:  # APIs refuse it of who does not want any
        sampling.top_logprobs = draw(st.none() | st.integers(0, 20))
    return sampling


@st.composite
def requests(draw: st.DrawFn) -> ChatRequest:
    offered = draw(tools())
    return ChatRequest(
        model=draw(st.sampled_from(MODELS)),
        messages=draw(conversations()),
        system=draw(st.lists(texts, max_size=2)),
        tools=offered,
        tool_choice=draw(choices(offered)),
        parallel_tools=draw(rarely(st.booleans())),
        sampling=draw(samplings_told()),
        reasoning=draw(rarely(reasonings)),
        response_format=draw(rarely(formats)),
        stream=draw(st.booleans()),
        user=draw(rarely(names)),
        metadata=draw(rarely(st.just({"team": "a"}))),
        service_tier=draw(rarely(st.sampled_from(["auto", "default", "flex", "priority"]))),
        verbosity=draw(rarely(st.sampled_from(["low", "medium", "high"]))),
        modalities=draw(rarely(st.sampled_from([["image"], ["audio"]]))),
    )
