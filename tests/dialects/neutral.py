"""Neutral chats as hypothesis draws them: only what OpenAI's Chat dialect can say, in its order."""

from hypothesis import strategies as st

from gateway.chat.blocks import Block, Foreign, Media, Refusal, Text, Thinking, ToolResult, ToolUse
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    ChatReply,
    Ended,
    RefusalDelta,
    ReplyEvent,
    Started,
    StopReason,
    TextDelta,
    ThinkingDelta,
    ToolUseStarted,
)
from gateway.chat.request import ChatRequest, Message, ResponseFormat, Sampling, Tool, ToolChoice
from gateway.usage import Usage

words = st.text(max_size=12)
some_words = st.text(min_size=1, max_size=12)
optional_words = st.none() | some_words
schemas = st.dictionaries(some_words, st.integers(0, 9) | words, max_size=3)
counts = st.integers(0, 2**40)

texts = st.builds(Text, words)
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
    st.builds(Media, st.just("document"), file_id=some_words),
    st.builds(
        Media,
        st.just("document"),
        st.just("application/pdf"),
        base64=st.just("JVBERi0="),
        name=optional_words,
    ),
)
parts = texts | images | recordings | documents
tool_uses = st.builds(ToolUse, some_words, some_words, words)
tool_results = st.builds(ToolResult, some_words, st.lists(parts, max_size=3).map(tuple))


@st.composite
def user_content(draw: st.DrawFn) -> list[Block]:
    """Results first, as a tool's answer is a message of its own and the user speaks after it."""
    content: list[Block] = [*draw(st.lists(tool_results, max_size=2))]
    content += draw(st.lists(parts, min_size=0 if content else 1, max_size=3))
    return content


@st.composite
def assistant_content(draw: st.DrawFn) -> list[Block]:
    content: list[Block] = [*draw(st.lists(texts | st.builds(Refusal, words), max_size=2))]
    content += draw(st.lists(tool_uses, min_size=0 if content else 1, max_size=3))
    return content


@st.composite
def conversations(draw: st.DrawFn) -> list[Message]:
    """Turns that alternate, whoever begins."""
    users = draw(st.booleans())
    messages = []
    for _ in range(draw(st.integers(1, 4))):
        if users:
            messages.append(Message("user", draw(user_content())))
        else:
            messages.append(Message("assistant", draw(assistant_content())))
        users = not users
    return messages


tools = st.one_of(
    st.builds(Tool, some_words, optional_words, schemas, st.none() | st.booleans()),
    st.builds(
        lambda name: Foreign("openai_chat", {"type": "custom", "custom": {"name": name}}), words
    ),
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
    top_k=st.none() | counts,
    stop=st.none() | st.lists(words, max_size=4),
    seed=st.none() | st.integers(-(2**53), 2**53),
    n=st.none() | counts,
    presence_penalty=numbers,
    frequency_penalty=numbers,
)
formats = st.just(ResponseFormat()) | st.builds(
    ResponseFormat, schemas, some_words, optional_words, st.none() | st.booleans()
)
requests = st.builds(
    ChatRequest,
    model=some_words,
    messages=conversations(),
    system=st.lists(st.builds(Text, some_words), max_size=2),
    tools=st.lists(tools, max_size=3),
    tool_choice=st.none() | choices,
    parallel_tools=st.none() | st.booleans(),
    sampling=samplings,
    response_format=st.none() | formats,
    stream=st.booleans(),
)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    output = draw(counts)
    return Usage(
        input_tokens=draw(counts),
        output_tokens=output,
        cache_read_tokens=draw(counts),
        reasoning_tokens=draw(st.integers(0, output)),
    )


stop_reasons: st.SearchStrategy[StopReason] = st.sampled_from(
    ["end", "length", "tool_use", "refusal"]
)


@st.composite
def replies(draw: st.DrawFn) -> ChatReply:
    """The order in which one message of this dialect tells its pieces."""
    kinds = [kind for kind in (Thinking, Text, Refusal) if draw(st.booleans())]
    content: list[Block] = [kind(draw(some_words)) for kind in kinds]
    content += draw(st.lists(tool_uses, max_size=3))
    return ChatReply(
        draw(words), draw(words), draw(counts), content, draw(stop_reasons), draw(usages())
    )


@st.composite
def event_sequences(draw: st.DrawFn) -> list[ReplyEvent]:
    """A stream whose blocks interleave: thought, text, refusal and parallel tool calls in turn."""
    kinds = draw(
        st.lists(
            st.sampled_from(["thinking", "text", "refusal", "tool a", "tool b", "tool c"]),
            max_size=12,
        )
    )
    numbers: dict[str, int] = {}
    events: list[ReplyEvent] = [Started(draw(words), draw(words), draw(counts))]
    for kind in kinds:
        new = kind not in numbers
        number = numbers.setdefault(kind, len(numbers))
        if new and kind.startswith("tool"):
            events.append(ToolUseStarted(number, draw(some_words), kind))
        events.append(_delta(kind, number, draw(some_words)))
    events += [BlockEnded(number) for number in numbers.values()]
    return [*events, Ended(draw(stop_reasons), draw(usages()))]


def _delta(kind: str, number: int, text: str) -> ReplyEvent:
    match kind:
        case "thinking":
            return ThinkingDelta(number, text)
        case "text":
            return TextDelta(number, text)
        case "refusal":
            return RefusalDelta(number, text)
    return ArgumentsDelta(number, text)
