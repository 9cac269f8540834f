"""Blocks as hypothesis draws them: every kind, in every form, sealed by every issuer."""

import base64
import json
from typing import Any

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
    ToolUse,
)

ISSUERS = ("anthropic", "openai", "gemini")
# What upsets framing, JSON or the joining of pieces, beside what hypothesis finds itself.
ODD_WORDS = (
    "data: [DONE]\n\n",
    'a "quoted" \\ word',
    "\u2028\u2029\x85",
    "Zoë 👋🏽 你好",
    " ",
    "\r\n",
    "event: error\ndata: {}",
    "\x00\x1f",
)

words = st.text(max_size=10) | st.sampled_from(ODD_WORDS)
some_words = st.text(min_size=1, max_size=10) | st.sampled_from(ODD_WORDS)
names = st.text("abcxyzABC019_-", min_size=1, max_size=10)
optional_names = st.none() | names
ttls = st.sampled_from([None, None, None, "5m", "1h"])
base64s = st.binary(min_size=1, max_size=24).map(lambda raw: base64.b64encode(raw).decode())


def seals(*issuers: str) -> st.SearchStrategy[Seal]:
    """Each shows whose it is, so that no other word of a body is taken for it."""
    return st.builds(
        lambda issuer, raw: Seal(issuer, base64.b64encode(issuer.encode() + raw).decode()),
        st.sampled_from(issuers or ISSUERS),
        st.binary(min_size=1, max_size=16),
    )


# Gemini seals whatever it likes; the others seal thoughts alone.
part_seals = st.one_of(st.none(), st.none(), seals("gemini"))
citations = st.builds(
    Citation,
    url=st.just("https://x.example/a"),
    title=st.none() | some_words,
    quote=st.none() | some_words,
) | st.builds(Citation, title=some_words, quote=some_words)


@st.composite
def cited_texts(draw: st.DrawFn) -> Text:
    text = draw(some_words)
    return Text(text, citations=draw(st.lists(citations, min_size=1, max_size=2)))


def marked(text: str, ttl: str | None) -> Text:
    """A mark on nothing but space marks nothing."""
    return Text(text, ttl if text.strip() else None)


texts = st.builds(marked, some_words, ttls)
said_texts = st.one_of(
    st.builds(Text, some_words), st.builds(Text, some_words, seal=part_seals), cited_texts()
)
thoughts = st.one_of(
    st.builds(Thinking, some_words),
    st.builds(Thinking, words, seals()),
    st.builds(Thinking, words, seals("openai"), id=names.map("rs_{}".format)),
    st.builds(Thinking, st.just(""), seals("anthropic"), st.just(value=True)),
)


def thoughts_of(issuer: str | None) -> st.SearchStrategy[Thinking]:
    """Of one provider: it seals all of them, or none."""
    if issuer is None:
        return st.builds(Thinking, some_words)
    named = st.none() | names.map("rs_{}".format) if issuer == "openai" else st.none()
    sealed = st.builds(Thinking, words, seals(issuer), id=named)
    if issuer != "anthropic":
        return sealed
    return sealed | st.builds(Thinking, st.just(""), seals(issuer), st.just(value=True))


refusals = st.builds(Refusal, some_words)

MIMES = {
    "image": ("image/png", "image/jpeg"),
    "audio": ("audio/wav", "audio/mp3"),
    "video": ("video/mp4",),
    "document": ("application/pdf", "text/plain"),
}
ENDINGS = {"image": "png", "audio": "mp3", "video": "mp4", "document": "pdf"}
FILE_IDS = ("file_011CNha8iCJcU1wXNR6q4V8w", "file-BK7bzQj3FfZFXr7DbL6xJwfo", "files/abc-123")


@st.composite
def media(draw: st.DrawFn, *kinds: str) -> Media:
    """By address, inline, as words, or by somebody's file id."""
    kind: Any = draw(st.sampled_from(kinds or tuple(MIMES)))
    drawn = Media(kind, cache_ttl=draw(ttls))
    forms = ["url", "base64", "file_id"] + ["text"] * (kind == "document")
    match draw(st.sampled_from(forms)):
        case "url":
            drawn.url = f"https://x.example/{draw(names)}.{ENDINGS[kind]}"
        case "base64":
            drawn.mime_type, drawn.base64 = draw(st.sampled_from(MIMES[kind])), draw(base64s)
        case "file_id":
            drawn.file_id = draw(st.sampled_from(FILE_IDS))
            if drawn.file_id.startswith("files/"):  # Gemini's callers tell what is in their files
                drawn.mime_type = MIMES[kind][0]
        case "text":
            drawn.mime_type, drawn.text = "text/plain", draw(some_words)
    if kind == "document":
        drawn.name = draw(st.none() | names.map("{}.pdf".format))
    if kind == "image":
        drawn.detail = draw(st.sampled_from([None, None, "low", "high", "auto"]))
    if kind == "audio":
        drawn.transcript = draw(st.none() | some_words)
    return drawn


# Blocks that only one dialect knows, as its own reader has them.
THEIRS: dict[str, tuple[dict[str, Any], ...]] = {
    "anthropic_messages": (
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"q": "x"}},
        {"type": "container_upload", "file_id": "file_01"},
    ),
    "openai_responses": (
        {
            "type": "web_search_call",
            "id": "ws_1",
            "status": "completed",
            "action": {"type": "search", "query": "x"},
        },
        {
            "type": "computer_call",
            "id": "cu_1",
            "call_id": "c",
            "action": {"type": "screenshot"},
            "pending_safety_checks": [],
            "status": "completed",
        },
    ),
    "openai_chat": (
        {"type": "custom", "id": "call_c", "custom": {"name": "shell", "input": "ls"}},
    ),
    "gemini": ({"executableCode": {"language": "PYTHON", "code": "print(1)"}},),
}
foreign = st.sampled_from(
    [Foreign(dialect, data) for dialect, blocks in THEIRS.items() for data in blocks]
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=4,
)
objects = st.dictionaries(names, json_values, max_size=3)
# Texts that say the same as others, but are not the same: what re-writing would change.
SPELLINGS = (
    "{}",
    '{"a": 1.0}',
    '{"a":1e5,"b":-0.0}',
    '{"city": "Z\\u00fcrich \\ud83d\\ude00 \\/"}',
    '{"b": 2, "a": 1}',
    '{ "a" : [ 1 , 2 ] }',
    '{"a":\n\t"x"\n}',
    '{"big": 9007199254740993, "q": "\\""}',
)


@st.composite
def _spelled(draw: st.DrawFn) -> str:
    return json.dumps(
        draw(objects),
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.sampled_from([None, 1])),
        separators=draw(st.sampled_from([None, (",", ":")])),
    )


arguments = st.sampled_from(SPELLINGS) | _spelled()


@st.composite
def tool_uses(draw: st.DrawFn, number: int = 0) -> ToolUse:
    """``number``: what makes its id one of its own."""
    own = f"{draw(st.sampled_from(['call_', 'toolu_', 'fc-']))}{number}{draw(names)}"
    return ToolUse(own, draw(names), draw(arguments), draw(part_seals))


plain_blocks: st.SearchStrategy[Block] = texts | media()
