"""What a chat may hold, feature by feature: a request that asks for it, a reply that answers it, and
how to see whether either came through."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from gateway.chat.blocks import (
    Block,
    Citation,
    Media,
    Refusal,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from gateway.chat.reply import ChatReply, Choice, StopReason, TokenLogprob
from gateway.chat.request import (
    ChatRequest,
    Message,
    Reasoning,
    ResponseFormat,
    Sampling,
    Tool,
    ToolChoice,
)
from gateway.usage import Usage

PNG = "iVBORw0KGgo="
PDF = "JVBERi0xLjQK"
WAV = "UklGRiQAAABXQVZF"
USED = Usage(input_tokens=70, output_tokens=20)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "format": "hostname"},
        "near": {"anyOf": [{"$ref": "#/$defs/place"}, {"type": "null"}]},
    },
    "required": ["city", "near"],
    "additionalProperties": False,
    "$defs": {
        "place": {
            "type": "object",
            "properties": {"name": {"type": "string"}},
            "required": ["name"],
            "additionalProperties": False,
        }
    },
}
WEATHER = Tool("weather", "The weather of a city.", SCHEMA)
CLOCK = Tool("clock", "What time it is.", {"type": "object", "properties": {}})
CALL = ToolUse("call_1", "weather", '{"city":"Oslo","near":null}')
OTHER = ToolUse("call_2", "weather", '{"city":"Rome","near":{"name":"sea"}}')

Seen = Callable[[ChatRequest], object]
Heard = Callable[[ChatReply], object]


def asking(*content: Block, **more: Any) -> ChatRequest:
    more.setdefault("messages", [Message("user", list(content) or [Text("hi")])])
    more.setdefault("sampling", Sampling(max_tokens=500))
    return ChatRequest(model="e", **more)


def saying(*content: Block, stop: StopReason = "end", **more: Any) -> ChatReply:
    choice = Choice(list(content) or [Text("hello")], stop, more.pop("stop_sequence", None))
    choice.logprobs = more.pop("logprobs", [])
    more.setdefault("usage", USED)
    return ChatReply("reply-1", "the-model", 1_700_000_000, [choice], **more)


def text_of(reply: ChatReply) -> str:
    return "".join(b.text for b in reply.choices[0].content if isinstance(b, Text | Refusal))


def calls_of(reply: ChatReply) -> list[tuple[str, object]]:
    return [(b.name, b.arguments) for b in reply.choices[0].content if isinstance(b, ToolUse)]


def blocks(request: ChatRequest) -> list[Block]:
    found: list[Block] = []
    for block in (block for message in request.messages for block in message.content):
        found += [block, *(block.content if isinstance(block, ToolResult) else ())]
    return found


def texts(request: ChatRequest) -> list[tuple[str, str]]:
    return [
        (message.role, "".join(b.text for b in message.content if isinstance(b, Text)))
        for message in request.messages
    ]


def media(kind: str) -> Seen:
    return lambda request: [
        (b.url, b.base64) for b in blocks(request) if isinstance(b, Media) and b.kind == kind
    ]


def in_results(request: ChatRequest) -> object:
    return [
        [
            part.base64 if isinstance(part, Media) else getattr(part, "text", None)
            for part in b.content
        ]
        for b in blocks(request)
        if isinstance(b, ToolResult)
    ]


def tools(request: ChatRequest) -> object:
    return [(t.name, t.description, t.schema) for t in request.tools if isinstance(t, Tool)]


def uses(request: ChatRequest) -> object:
    return [(b.id, b.name, b.arguments) for b in blocks(request) if isinstance(b, ToolUse)]


def results(request: ChatRequest) -> object:
    return [b.tool_use_id for b in blocks(request) if isinstance(b, ToolResult)]


def marks(request: ChatRequest) -> object:
    return [t.cache_ttl for t in request.system], [
        getattr(b, "cache_ttl", None) for b in blocks(request)
    ]


def nothing(_: object) -> object:
    return None


@dataclass(frozen=True)
class Feature:
    """``seen``, ``heard``: what must be the same on the other side, of the request and of the reply.
    ``about``: the losses by which a dialect says that it has no such thing."""

    name: str
    request: ChatRequest
    reply: ChatReply = field(default_factory=saying)
    seen: Seen = nothing
    heard: Heard = text_of
    about: tuple[str, ...] = ()
    stream: bool = False
    turns: int = 1
    fails: Literal["", "before", "after"] = ""


def _tool_turns(*results: ToolResult) -> list[Message]:
    uses: list[Block] = [u for u in (CALL, OTHER) if u.id in {r.tool_use_id for r in results}]
    return [
        Message("user", [Text("the weather?")]),
        Message("assistant", uses),
        Message("user", [*results]),
    ]


def usage_of(reply: ChatReply) -> object:
    used = reply.usage
    return (
        used.input_tokens,
        used.cache_read_tokens,
        used.cache_write_tokens,
        used.output_tokens,
        used.reasoning_tokens,
    )


def stop_of(reply: ChatReply) -> object:
    return text_of(reply), reply.choices[0].stop_reason


def thoughts_of(reply: ChatReply) -> object:
    return [b.text for b in reply.choices[0].content if isinstance(b, Thinking)], text_of(reply)


ASKED = Message("user", [Text("and?")])
ANSWERED = Message("assistant", [Text("so it is")])
SHOT = Media("image", "image/png", base64=PNG)
FEATURES = (
    Feature("text", asking(), seen=texts),
    Feature(
        "system",
        asking(system=[Text("Be brief.")]),
        seen=lambda r: "".join(t.text for t in r.system),
    ),
    Feature("several turns", asking(messages=[ASKED, ANSWERED, ASKED]), seen=texts),
    Feature("streamed text", asking(), stream=True, seen=lambda r: r.stream and texts(r)),
    Feature(
        "sampling: temperature, top_p",
        asking(sampling=Sampling(max_tokens=50, temperature=0.5, top_p=0.25)),
        seen=lambda r: (r.sampling.max_tokens, r.sampling.temperature, r.sampling.top_p),
    ),
    Feature(
        "sampling: top_k",
        asking(sampling=Sampling(max_tokens=50, top_k=5)),
        seen=lambda r: r.sampling.top_k,
        about=("top_k",),
    ),
    Feature(
        "sampling: seed, penalties",
        asking(sampling=Sampling(max_tokens=50, seed=7, presence_penalty=0.5, frequency_penalty=1)),
        seen=lambda r: (r.sampling.seed, r.sampling.presence_penalty, r.sampling.frequency_penalty),
        about=("seed", "presence_penalty", "frequency_penalty"),
    ),
    Feature(
        "stop sequences",
        asking(sampling=Sampling(max_tokens=50, stop=["\n", "END"])),
        saying(Text("one"), stop="stop_sequence", stop_sequence="END"),
        seen=lambda r: r.sampling.stop,
        about=("stop",),
    ),
    Feature(
        "several answers (n)",
        asking(sampling=Sampling(max_tokens=50, n=2)),
        seen=lambda r: r.sampling.n,
        about=("n",),
    ),
    Feature(
        "log probabilities",
        asking(sampling=Sampling(max_tokens=50, logprobs=True, top_logprobs=2)),
        saying(Text("hi"), logprobs=[TokenLogprob("hi", -0.5, None, (TokenLogprob("ho", -1.0),))]),
        seen=lambda r: (r.sampling.logprobs, r.sampling.top_logprobs),
        heard=lambda r: [(one.token, one.logprob) for one in r.choices[0].logprobs],
        about=("logprobs", "top_logprobs"),
    ),
    Feature(
        "tools",
        asking(tools=[WEATHER, CLOCK]),
        saying(CALL, stop="tool_use"),
        seen=tools,
        heard=calls_of,
    ),
    Feature(
        "streamed tool call",
        asking(tools=[WEATHER]),
        saying(Text("I look."), CALL, stop="tool_use"),
        seen=tools,
        heard=lambda r: (text_of(r), calls_of(r), r.choices[0].stop_reason),
        stream=True,
    ),
    Feature(
        "parallel tool calls",
        asking(tools=[WEATHER]),
        saying(CALL, OTHER, stop="tool_use"),
        heard=calls_of,
    ),
    Feature(
        "parallel tool calls, streamed",
        asking(tools=[WEATHER]),
        saying(CALL, OTHER, stop="tool_use"),
        heard=calls_of,
        stream=True,
    ),
    Feature(
        "parallel tool calls forbidden",
        asking(tools=[WEATHER], parallel_tools=False),
        seen=lambda r: r.parallel_tools,
        about=("parallel_tool_calls",),
    ),
    Feature(
        "tool results",
        asking(
            messages=_tool_turns(
                ToolResult("call_1", (Text("rain"),)), ToolResult("call_2", (Text("sun"),))
            ),
            tools=[WEATHER],
        ),
        seen=lambda r: (uses(r), results(r), in_results(r)),
    ),
    Feature(
        "tool result that is an error",
        asking(
            messages=_tool_turns(ToolResult("call_1", (Text("no"),), is_error=True)),
            tools=[WEATHER],
        ),
        seen=lambda r: [b.is_error for b in blocks(r) if isinstance(b, ToolResult)],
        about=("tool_result.is_error",),
    ),
    Feature(
        "tool result with an image",
        asking(messages=_tool_turns(ToolResult("call_1", (Text("see"), SHOT))), tools=[WEATHER]),
        seen=in_results,
        about=("tool_result.image",),
    ),
    Feature(
        "tool that must be called",
        asking(tools=[WEATHER, CLOCK], tool_choice=ToolChoice("named", "clock")),
        saying(ToolUse("call_3", "clock", "{}"), stop="tool_use"),
        seen=lambda r: r.tool_choice,
        heard=calls_of,
    ),
    Feature(
        "structured output",
        asking(response_format=ResponseFormat(SCHEMA, "place")),
        saying(Text('{"city":"Oslo","near":null}')),
        seen=lambda r: r.response_format and r.response_format.schema,
        about=("response_format",),
    ),
    Feature(
        "JSON without a schema",
        asking(response_format=ResponseFormat()),
        saying(Text("{}")),
        seen=lambda r: r.response_format and r.response_format.schema is None,
        about=("response_format",),
    ),
    Feature(
        "image, inline",
        asking(Text("what?"), SHOT),
        seen=media("image"),
        about=("image",),
    ),
    Feature(
        "image by address",
        asking(Text("what?"), Media("image", "image/png", url="https://x.example/a.png")),
        seen=media("image"),
        about=("image",),
    ),
    Feature(
        "document, inline",
        asking(Text("read"), Media("document", "application/pdf", base64=PDF, name="a.pdf")),
        seen=media("document"),
        about=("document",),
    ),
    Feature(
        "audio, inline",
        asking(Text("listen"), Media("audio", "audio/wav", base64=WAV)),
        seen=media("audio"),
        about=("audio",),
    ),
    Feature(
        "image in the answer",
        asking(Text("draw"), modalities=["text", "image"]),
        saying(Text("here"), SHOT),
        seen=nothing,
        heard=lambda r: [b.base64 for b in r.choices[0].content if isinstance(b, Media)],
        about=("image", "modalities"),
    ),
    Feature(
        "citations",
        asking(),
        saying(Text("It rains.", citations=[Citation("https://x.example", "X")])),
        heard=lambda r: [
            (c.url, c.title)
            for b in r.choices[0].content
            if isinstance(b, Text)
            for c in b.citations
        ],
        about=("citations",),
    ),
    Feature(
        "thinking, by effort",
        asking(reasoning=Reasoning(effort="high"), sampling=Sampling(max_tokens=64_000)),
        saying(Thinking("I think"), Text("so")),
        seen=lambda r: r.reasoning and r.reasoning.effort,
        heard=thoughts_of,
        about=("reasoning.effort",),
    ),
    Feature(
        "thinking, by budget",
        asking(reasoning=Reasoning(budget=4096), sampling=Sampling(max_tokens=64_000)),
        saying(Thinking("I think"), Text("so")),
        seen=lambda r: r.reasoning and r.reasoning.budget,
        heard=thoughts_of,
        about=("reasoning.budget",),
    ),
    Feature(
        "sealed thinking and tools, two turns",
        asking(
            tools=[WEATHER],
            reasoning=Reasoning(effort="high"),
            sampling=Sampling(max_tokens=64_000),
        ),
        saying(Thinking("I look it up"), CALL, stop="tool_use"),
        heard=calls_of,
        about=("thinking",),
        turns=2,
    ),
    Feature(
        "cache marks",
        asking(Text("long", cache_ttl="5m"), system=[Text("longer", cache_ttl="5m")]),
        seen=marks,
        about=("cache_control",),
    ),
    Feature(
        "usage by class",
        asking(),
        saying(usage=Usage(10, 20, 30, 0, 5)),
        heard=usage_of,
    ),
    Feature(
        "usage by class, streamed",
        asking(),
        saying(usage=Usage(10, 20, 30, 0, 5)),
        heard=usage_of,
        stream=True,
    ),
    Feature("refusal", asking(), saying(Text("I may not."), stop="refusal"), heard=stop_of),
    Feature("stopped by length", asking(), saying(Text("so it"), stop="length"), heard=stop_of),
    Feature("error before the first byte", asking(), fails="before"),
    Feature("error before the first byte of a stream", asking(), stream=True, fails="before"),
    Feature("error after the first byte", asking(), stream=True, fails="after"),
)
