"""Neutral chats as hypothesis draws them: only what OpenAI's Chat dialect can say, in its order."""

from dataclasses import dataclass, field
from itertools import count

from hypothesis import strategies as st

from gateway.chat.blocks import (
    Block,
    Citation,
    Foreign,
    Media,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    ChatReply,
    Choice,
    CitationDelta,
    Ended,
    RefusalDelta,
    ReplyEvent,
    SealDelta,
    Started,
    Stopped,
    StopReason,
    TextDelta,
    ThinkingDelta,
    TokenLogprob,
    ToolUseStarted,
    WholeBlock,
)
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
from gateway.wire.json import Json

words = st.text(max_size=12)
some_words = st.text(min_size=1, max_size=12)
optional_words = st.none() | some_words
schemas = st.dictionaries(some_words, st.integers(0, 9) | words, max_size=3)
# A tool takes an object: what does not say so is told with words that were not there.
tool_schemas: st.SearchStrategy[Json] = schemas.map(
    lambda schema: {**schema, "type": "object", "properties": {}}
)
# One that OpenAI can be held to.
STRICT: Json = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
counts = st.integers(0, 2**40)

texts = st.builds(Text, some_words)
images = st.builds(
    Media,
    st.just("image"),
    url=st.just("https://x.example/a.png"),
    detail=st.none() | st.just("high"),
) | st.builds(Media, st.just("image"), st.just("image/png"), base64=st.just("AAAA"))
recordings = st.builds(
    Media, st.just("audio"), st.sampled_from(["audio/wav", "audio/mp3"]), base64=words
)
documents = st.one_of(
    st.builds(Media, st.just("document"), file_id=some_words.map("file-{}".format)),
    st.builds(
        Media,
        st.just("document"),
        st.just("application/pdf"),
        base64=st.just("JVBERi0="),
        name=some_words,
    ),
)
parts = texts | images | recordings | documents
tool_uses = st.builds(ToolUse, some_words, some_words, some_words)
tool_results = st.builds(
    ToolResult, some_words, st.lists(texts, max_size=3).map(tuple), name=optional_words
)


@st.composite
def user_messages(draw: st.DrawFn) -> Message:
    """Results first, as a tool's answer is a message of its own and the user speaks after it."""
    content: list[Block] = [*draw(st.lists(tool_results, max_size=2))]
    name = None if content else draw(optional_words)
    content += draw(st.lists(parts, min_size=0 if content else 1, max_size=3))
    return Message("user", content, name)


@st.composite
def assistant_messages(draw: st.DrawFn) -> Message:
    content: list[Block] = [*draw(st.lists(texts | st.builds(Refusal, words), max_size=2))]
    content += draw(st.lists(st.builds(Media, st.just("audio"), file_id=some_words), max_size=1))
    content += draw(st.lists(tool_uses, min_size=0 if content else 1, max_size=3))
    return Message("assistant", content, draw(optional_words))


@st.composite
def conversations(draw: st.DrawFn) -> list[Message]:
    """Turns that alternate, whoever begins; the system may speak between."""
    users = draw(st.booleans())
    messages: list[Message] = []
    for _ in range(draw(st.integers(1, 4))):
        between: bool = draw(st.booleans())
        said = draw(user_messages()) if users else draw(assistant_messages())
        # Results stand next to their calls.
        if between and messages and not isinstance(said.content[0], ToolResult):
            words: list[Block] = [*draw(st.lists(texts, min_size=1, max_size=2))]
            messages.append(Message("system", words, draw(optional_words)))
        messages.append(said)
        users = not users
    return messages


tools = st.one_of(
    st.builds(
        Tool,
        some_words,
        optional_words,
        st.none() | tool_schemas,
        st.none() | st.just(value=False),
    ),
    st.builds(Tool, some_words, optional_words, st.none() | st.just(STRICT), st.just(value=True)),
    st.builds(lambda name: Foreign("openai_chat", {"type": "mcp", "mcp": {"name": name}}), words),
)
choices = st.sampled_from([ToolChoice("auto"), ToolChoice("required"), ToolChoice("none")]) | (
    st.builds(ToolChoice, st.just("named"), some_words)
)
numbers = st.none() | st.integers(-2, 2) | st.floats(-2, 2)
samplings = st.builds(
    Sampling,
    max_tokens=st.none() | counts,
    temperature=numbers,
    top_p=numbers,
    stop=st.none() | st.lists(words, max_size=4),
    seed=st.none() | st.integers(-(2**53), 2**53),
    n=st.none() | counts,
    presence_penalty=numbers,
    frequency_penalty=numbers,
    logprobs=st.none() | st.booleans(),
    top_logprobs=st.none() | st.integers(0, 20),
    logit_bias=st.none() | st.dictionaries(some_words, st.integers(-100, 100), max_size=2),
)
efforts = st.sampled_from(["minimal", "low", "medium", "high", "xhigh", "max"])
formats = st.one_of(
    st.just(ResponseFormat()),
    st.builds(
        ResponseFormat, schemas, some_words, optional_words, st.none() | st.just(value=False)
    ),
    st.builds(ResponseFormat, st.just(STRICT), some_words, optional_words, st.just(value=True)),
)


@st.composite
def chat_requests(draw: st.DrawFn) -> ChatRequest:
    offered = draw(st.lists(tools, max_size=3))
    form = draw(st.none() | formats)
    spoken_of = [Text("JSON")] if form and form.schema is None else []
    return ChatRequest(
        model=draw(some_words),
        messages=draw(conversations()),
        system=draw(st.lists(texts, max_size=2)) + spoken_of,
        tools=offered,
        tool_choice=draw(st.none() | choices) if offered else None,
        parallel_tools=draw(st.none() | st.booleans()) if offered else None,
        sampling=draw(samplings),
        reasoning=draw(st.none() | st.builds(Reasoning, efforts)),
        response_format=form,
        stream=draw(st.booleans()),
        user=draw(optional_words),
        service_tier=draw(optional_words),
        verbosity=draw(st.none() | st.sampled_from(["low", "medium", "high"])),
        modalities=draw(st.none() | st.sampled_from([["audio"], ["image"], ["image", "audio"]])),
    )


requests = chat_requests()


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    output = draw(counts)
    return Usage(
        input_tokens=draw(counts),
        output_tokens=output,
        cache_read_tokens=draw(counts),
        reasoning_tokens=draw(st.integers(0, output)),
    )


stop_reasons: st.SearchStrategy[StopReason] = st.sampled_from(["length", "refusal"])
seals = st.builds(
    Seal,
    st.sampled_from(["anthropic", "gemini", "openai"]),
    st.text("AZaz09+/=_-:", min_size=1, max_size=12),
)
sealed_thoughts = st.builds(Thinking, some_words, seals, id=optional_words) | st.builds(
    Thinking, st.just(""), seals, st.just(True)
)
citations = st.builds(
    Citation, some_words, optional_words, optional_words, st.integers(0, 99), st.integers(0, 99)
)
spoken = st.builds(
    Media,
    st.just("audio"),
    base64=st.just("AAAA"),
    file_id=some_words,
    transcript=some_words,
)
logprobs = st.builds(
    TokenLogprob,
    words,
    st.floats(-9999, 0),
    st.none() | st.lists(st.integers(0, 255), max_size=3),
    st.lists(st.builds(TokenLogprob, words, st.floats(-9, 0)), max_size=2).map(tuple),
)


@st.composite
def answers(draw: st.DrawFn) -> Choice:
    """The order in which one message of this dialect tells its pieces."""
    content: list[Block] = [
        *draw(st.builds(lambda text: [Thinking(text)], some_words) | st.lists(sealed_thoughts))
    ]
    if draw(st.booleans()):
        cited = st.lists(citations, max_size=2)
        content.append(Text(draw(some_words), citations=draw(cited)))
    if draw(st.booleans()):
        content.append(Refusal(draw(some_words)))
    content += draw(st.lists(images.filter(lambda image: image.detail is None), max_size=2))
    content += draw(st.lists(spoken, max_size=1))
    calls = draw(st.lists(tool_uses, max_size=3, unique_by=lambda use: use.id))
    refused = any(isinstance(block, Refusal) for block in content)
    reason = draw(stop_reasons | st.just(_end(calls=bool(calls), refused=refused)))
    return Choice([*content, *calls], reason, logprobs=draw(st.lists(logprobs, max_size=2)))


def _end(*, calls: bool, refused: bool) -> StopReason:
    """Why an answer ends that nothing cuts short."""
    if calls:
        return "tool_use"
    return "refusal" if refused else "end"


replies = st.builds(
    ChatReply,
    some_words,
    words,
    st.integers(1, 2**40),
    st.lists(answers(), min_size=1, max_size=2),
    usages(),
    optional_words,
)


@dataclass
class Telling:
    """One choice that is being told: which block is open besides tool calls, which calls are."""

    open: str = ""
    number: int = -1
    calls: dict[str, int] = field(default_factory=dict)
    refused: bool = False


@st.composite
def event_sequences(draw: st.DrawFn) -> list[ReplyEvent]:
    """A stream of one or two choices, whose tool calls come in turn: any other block ends where the
    next begins."""
    kinds = ["thinking", "text", "refusal", "image", "seal", "citation", "tool a", "tool b"]
    steps = st.tuples(st.integers(0, 1), st.sampled_from(kinds))
    told = {0: Telling()}
    blocks = count()
    started = Started(draw(some_words), draw(words), draw(st.integers(1, 2**40)))
    events: list[ReplyEvent] = [started]
    for choice, kind in draw(st.lists(steps, max_size=12)):
        telling = told.setdefault(choice, Telling())
        text = draw(some_words)
        if kind.startswith("tool"):
            if kind not in telling.calls:
                events += _closed(telling, choice)
                telling.calls[kind] = next(blocks)
                events.append(ToolUseStarted(telling.calls[kind], text + kind, kind, choice))
            events.append(ArgumentsDelta(telling.calls[kind], text, choice))
        elif kind == "image":
            events += _closed(telling, choice)
            number = next(blocks)
            events.append(WholeBlock(number, draw(images_told), choice))
            events.append(BlockEnded(number, choice))
        elif kind == "seal":
            if telling.open == "thinking":
                events.append(SealDelta(telling.number, draw(seals), choice))
                events += _closed(telling, choice)
        elif kind == "citation":
            if telling.open == "text":
                events.append(CitationDelta(telling.number, draw(citations), choice))
        else:
            if telling.open != kind:
                events += _closed(telling, choice)
                telling.open, telling.number = kind, next(blocks)
                telling.refused = telling.refused or kind == "refusal"
            events.append(PIECES[kind](telling.number, text, choice))
    for choice, telling in sorted(told.items()):
        events += _closed(telling, choice)
        events += [BlockEnded(number, choice) for number in telling.calls.values()]
        whole = _end(calls=bool(telling.calls), refused=telling.refused)
        reason = draw(stop_reasons | st.just(whole))
        events.append(Stopped(reason, choice=choice))
    return [*events, Ended(draw(usages()), draw(optional_words))]


images_told = images.filter(lambda image: image.detail is None)
PIECES = {"thinking": ThinkingDelta, "text": TextDelta, "refusal": RefusalDelta}


def _closed(telling: Telling, choice: int) -> list[ReplyEvent]:
    was, telling.open = telling.open, ""
    return [BlockEnded(telling.number, choice)] if was else []
