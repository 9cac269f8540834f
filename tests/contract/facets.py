"""What a request says, taken apart into facets that have the names under which a dialect reports
what it could not say. What has no name there can never be lost."""

import base64
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from gateway.chat.blocks import (
    Block,
    Foreign,
    Media,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from gateway.chat.request import ChatRequest, Message, Tool
from gateway.wire.json import loads

# Options that ask for nothing but what happens without them.
NOTHING: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "temperature": (1,),
    "top_p": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "service_tier": ("auto",),
}
OPTIONS = ("user", "metadata", "service_tier", "verbosity", "modalities")
Facets = dict[str, Any]


def blocks(request: ChatRequest) -> Iterator[Block]:
    """All there are, those within results too."""
    yield from request.system
    for message in request.messages:
        yield from inner(message)


def inner(message: Message) -> Iterator[Block]:
    for block in message.content:
        yield block
        if isinstance(block, ToolResult):
            yield from block.content


def facets(request: ChatRequest) -> Facets:
    """What it says; what says nothing has no facet."""
    told = {
        **options(request),
        **reasoning(request),
        **response_format(request),
        **tools(request),
        **listed(request),
    }
    return {name: value for name, value in told.items() if value not in (None, [], {})}


def options(request: ChatRequest) -> Facets:
    sampling = {name: getattr(request.sampling, name) for name in request.sampling.__slots__}
    told = {**sampling, **{name: getattr(request, name) for name in OPTIONS}}
    return {name: value for name, value in told.items() if value not in NOTHING.get(name, ())}


def reasoning(request: ChatRequest) -> Facets:
    """A budget of nothing is the same as no effort; -1 leaves it to the model, as no word does. To
    ask for any summary is to ask that thoughts be shown."""
    asked = request.reasoning
    if asked is None:
        return {}
    effort, budget = asked.effort, asked.budget
    if budget == 0 and effort is None:
        effort = "none"
    return {
        "reasoning.effort": effort,
        "reasoning.budget": budget if budget and budget > 0 else None,
        "reasoning.shown": asked.shown or (asked.shown is None and bool(asked.summary)) or None,
        "reasoning.summary": None if asked.summary == "auto" else asked.summary,
    }


def response_format(request: ChatRequest) -> Facets:
    form = request.response_format
    if form is None:
        return {}
    return {
        "response_format": "an object" if form.schema is None else "by a schema",
        "response_format.schema": plain_schema(form.schema) if form.schema else None,
        "response_format.name": form.name,
        "response_format.description": form.description,
        "response_format.strict": form.strict or None,
    }


def tools(request: ChatRequest) -> Facets:
    functions = [tool for tool in request.tools if isinstance(tool, Tool)]
    choice = request.tool_choice
    mode = choice.mode if choice else "auto"
    single = request.parallel_tools is False and bool(functions) and mode != "none"
    told: Facets = {
        "tools": [(tool.name, tool.description) for tool in functions],
        "tools.schema": [plain_schema(tool.schema) for tool in functions],
        "tools.strict": [tool.name for tool in functions if tool.strict],
        "tool_choice": [mode, choice and choice.name] if mode != "auto" else None,
        "parallel_tool_calls": False if single else None,
    }
    for tool in request.tools:
        if isinstance(tool, Foreign):
            told.setdefault(f"tools.{tool.kind}", []).append(tool.data)
    return told


def plain_schema(schema: Any) -> Any:
    """Some APIs want one that says of an object that it is one, and that it is closed."""
    told = {"properties": {}, "type": "object", **(schema or {})}
    return {name: value for name, value in told.items() if (name, value) != CLOSED}


CLOSED = ("additionalProperties", False)


def listed(request: ChatRequest) -> Facets:
    """What blocks say beside what `said`, `calls` and `results` compare."""
    told: Facets = {
        "thinking": [sealed(b) for b in blocks(request) if isinstance(b, Thinking)],
        "refusal": [b.text for b in blocks(request) if isinstance(b, Refusal)],
        "signature": [
            (type(b).__name__, b.seal.issuer, b.seal.value)
            for b in blocks(request)
            if isinstance(b, Text | ToolUse | Media) and b.seal and b.seal.value != UNSIGNED
        ],
        "citations": [
            (c.url, c.title, c.quote)
            for b in blocks(request)
            if isinstance(b, Text)
            for c in b.citations
        ],
        "name": [m.name for m in request.messages if m.name is not None and speaks(m)],
        "cache_control": [
            ttl
            for b in [*blocks(request), *request.tools]
            if (ttl := getattr(b, "cache_ttl", None)) is not None
        ],
        "tool_result.is_error": [
            b.tool_use_id for b in blocks(request) if isinstance(b, ToolResult) and b.is_error
        ],
        "system.position": positions(request),
    }
    for message in request.messages:
        for block in message.content:
            note(told, block)
    return told


# What Gemini's documentation has for a call whose seal nobody has.
UNSIGNED = "skip_thought_signature_validator"


def speaks(message: Message) -> bool:
    return any(isinstance(block, Text | Refusal) for block in message.content)


def note(told: Facets, block: Block, prefix: str = "") -> None:
    match block:
        case Foreign():
            told.setdefault(block.kind, []).append(block.data)
        case ToolResult():
            for one in block.content:
                note(told, one, "tool_result.")
        case Media():
            told.setdefault(prefix + block.kind, []).append(where(block))
            if block.detail not in (None, "auto"):
                told.setdefault("detail", []).append(block.detail)
            if block.kind == "document" and block.name is not None:
                told.setdefault("document.name", []).append(block.name)
            if block.transcript is not None:
                told.setdefault("transcript", []).append(block.transcript)


def where(media: Media) -> tuple[str | None, ...]:
    """Words are the same as their base64."""
    if media.url is not None:
        return ("url", media.url)
    if media.file_id is not None:
        return ("file_id", media.file_id)
    data = media.base64
    if media.text is not None:
        data = base64.b64encode(media.text.encode()).decode()
    return ("base64", media.mime_type, data)


def sealed(thought: Thinking) -> tuple[str, str | None, str | None, bool]:
    """Only Anthropic parts thoughts that are redacted from those that have no words."""
    seal: Seal | None = thought.seal
    redacted = thought.redacted and seal is not None and seal.issuer == "anthropic"
    issuer, value = (seal.issuer, seal.value) if seal else (None, None)
    return thought.text, issuer, value, redacted


def positions(request: ChatRequest) -> list[str]:
    """What had been said before each word of the system in the middle."""
    before, found = "", []
    for message in request.messages:
        if message.role == "system" and any(words_of(b, frozenset()) for b in message.content):
            found.append(before)
        before += "".join(words_of(block, frozenset()) for block in message.content)
    return found


def system_of(request: ChatRequest) -> list[str]:
    """All that the system says, wherever."""
    amid = [b for m in request.messages if m.role == "system" for b in m.content]
    told = [words_of(block, frozenset()) for block in [*request.system, *amid]]
    return [words for words in told if words]


Instead = frozenset[str]  # kinds of media in whose place the words count that come with them


def said(request: ChatRequest, instead: Instead = frozenset()) -> list[tuple[str, str]]:
    """What each speaker said in turn. Words that are only space say nothing."""
    told = [
        (message.role, words_of(block, instead))
        for message in request.messages
        if message.role != "system"
        for block in message.content
    ]
    turns = groupby(((role, text) for role, text in told if text), key=lambda one: one[0])
    return [(role, "".join(text for _, text in texts)) for role, texts in turns]


def words_of(block: Block, instead: Instead) -> str:
    """Without space: APIs join lines and parts by their own lights."""
    match block:
        case Text(text) | Refusal(text):
            return "".join(text.split())
        case Media() if block.kind in instead:
            return "".join((block.transcript or block.text or written_in(block)).split())
        case ToolResult() if "tool_result.document" in instead:
            shown = [one for one in block.content if isinstance(one, Media)]
            return "".join(words_of(one, frozenset({"document"})) for one in shown)
    return ""


def written_in(media: Media) -> str:
    """What a file says that is text."""
    try:
        return base64.b64decode(media.base64 or "").decode()
    except ValueError:
        return ""


def calls(request: ChatRequest, *, as_values: bool) -> list[tuple[str, str, Any]]:
    """``as_values``: for dialects in which arguments are an object and not its text."""
    return [
        (b.id, b.name, loads(b.arguments or "{}") if as_values else b.arguments or "{}")
        for b in blocks(request)
        if isinstance(b, ToolUse)
    ]


def results(request: ChatRequest, instead: Instead = frozenset()) -> list[tuple[str, str]]:
    """An object that holds nothing is no more than no words at all."""
    told = [
        (b.tool_use_id, "".join(words_of(one, instead) for one in b.content))
        for b in blocks(request)
        if isinstance(b, ToolResult)
    ]
    return [(call, "" if words == "{}" else words) for call, words in told]


Rank = dict[type[Block], int]


def order(request: ChatRequest, rank: Rank) -> list[list[str]]:
    """In what order each turn says its pieces, as far as a dialect can order them."""
    labelled = [
        (message.role, rank.get(type(block), 0), label)
        for message in request.messages
        if message.role != "system"
        for block in message.content
        if (label := label_of(block))
    ]
    turns = (list(turn) for _, turn in groupby(labelled, key=lambda one: one[0]))
    ordered = [sorted(turn, key=lambda one: one[1]) for turn in turns]
    return [[label for label, _ in groupby(one[2] for one in turn)] for turn in ordered]


def label_of(block: Block) -> str:
    match block:
        case ToolUse(id=id):
            return id
        case ToolResult(tool_use_id=id):
            return f"to {id}"
    return "text" if words_of(block, frozenset()) else ""
