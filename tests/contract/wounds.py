"""Good bodies of every dialect, and what becomes of them when a value is replaced by another."""

import copy
from collections.abc import Iterator
from random import Random
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
from gateway.chat.reply import ChatReply, Choice, TokenLogprob
from gateway.chat.request import (
    ChatRequest,
    Message,
    Reasoning,
    ResponseFormat,
    Sampling,
    Tool,
    ToolChoice,
)
from gateway.dialects import Dialect
from gateway.usage import Usage
from gateway.wire.json import Json
from tests.contract.drawing import ASKED
from tests.contract.holding import form_of, over_the_wire
from tests.contract.pieces import THEIRS
from tests.contract.wires import plain_asked
from tests.dialects.hostile import ODD, holder, paths

MODEL = {"gemini": "gemini-3-pro-preview", "anthropic_messages": "claude-sonnet-4-5"}
ISSUER = {"gemini": "gemini", "anthropic_messages": "anthropic"}
SCHEMA: Json = {"type": "object", "properties": {"a": {"type": "integer"}}}


def rich_request(dialect: Dialect) -> Json:
    """One of each thing that this dialect can say."""
    seal = Seal(ISSUER.get(dialect.name, "openai"), "c2VhbA==")
    said: list[Block] = [
        Thinking("hm", seal, id="rs_1"),
        Text("so"),
        Refusal("no"),
        *(Foreign(dialect.name, data) for data in THEIRS[dialect.name]),
        ToolUse("call_1", "f", '{"a": 1}', seal if dialect.name == "gemini" else None),
    ]
    image = Media("image", "image/png", base64="AAAA", detail="low")
    shown: list[Block] = [
        Text("look", "5m"),
        Media("image", url="https://x.example/a.png"),
        Media("document", "application/pdf", base64="JVBERi0=", name="a.pdf"),
        Media("audio", "audio/wav", base64="AAAA"),
        Media("document", file_id="file_1"),
    ]
    result = ToolResult("call_1", (Text("done"), image), is_error=True)
    request = ChatRequest(
        MODEL.get(dialect.name, "gpt-5.2"),
        [
            Message("user", shown),
            Message("assistant", said),
            Message("user", [result, Text("go on")]),
            Message("system", [Text("be brief")]),
        ],
        system=[Text("be kind", "1h"), Text("be true")],
        tools=[Tool("f", "does", SCHEMA, strict=True), Tool("g", None, None)],
        tool_choice=ToolChoice("named", "f"),
        parallel_tools=False,
        sampling=Sampling(2000, 0.5, 0.9, 40, ["STOP"], 7, 2, 0.1, 0.2, True, 3, {"1": 2}),
        reasoning=Reasoning("low", None, True, "auto"),
        response_format=ResponseFormat(SCHEMA, "name", "described", strict=True),
        stream=False,
        user="u",
        metadata={"a": "b"},
        service_tier="default",
        verbosity="low",
    )
    return over_the_wire(form_of(dialect).write_request(request).body)


def rich_reply(dialect: Dialect) -> Json:
    seal = Seal(ISSUER.get(dialect.name, "openai"), "c2VhbA==")
    content: list[Block] = [
        Thinking("hm", seal, id="rs_1"),
        Text("so"),
        *(Foreign(dialect.name, data) for data in THEIRS[dialect.name]),
        Media("image", "image/png", base64="AAAA"),
        ToolUse("call_1", "f", '{"a": 1}'),
    ]
    logprobs = [TokenLogprob("so", -0.5, [115, 111], (TokenLogprob("so", -0.5),))]
    choices = [Choice(content, "tool_use", None, logprobs), Choice([Refusal("no")], "refusal")]
    reply = ChatReply("msg_1", "m", 1_700_000_000, choices, Usage(3, 4, 5, 6, 1), "default")
    return over_the_wire(form_of(dialect).write_reply(reply, plain_asked(dialect)).body)


def wounded(name: str, body: Any, most: int) -> Iterator[tuple[str, Any]]:
    """Where, and the body with what stands there replaced or gone: all there are to those who ask for
    more examples, else as many as ``most``, in every run the same. ``name``: seeds the choice."""
    places = [path for path in paths(body) if path]
    wounds: list[Any] = [(path, odd) for path in places for odd in (*ODD, Gone)]
    few = ASKED is None and len(wounds) > most
    for path, odd in Random(name).sample(wounds, most) if few else wounds:
        changed = copy.deepcopy(body)
        if odd is Gone:
            del holder(changed, path)[path[-1]]
        else:
            holder(changed, path)[path[-1]] = copy.deepcopy(odd)
        what = "gone" if odd is Gone else repr(odd)
        yield f"{'.'.join(map(str, path))} = {what}", changed


class Gone:
    """In the place of a value: nothing."""
