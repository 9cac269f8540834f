"""A Messages request, written for a provider, and what it could not say."""

import copy
from base64 import b64encode
from typing import Any

import pytest

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
from gateway.chat.in_words import ONE_OBJECT
from gateway.chat.request import (
    ChatRequest,
    Message,
    Reasoning,
    ResponseFormat,
    Sampling,
    Tool,
    ToolChoice,
)
from gateway.dialects.anthropic_messages import read_request, write_request
from gateway.dialects.forms import Written
from gateway.wire.json import Json, dumps

OLD = "claude-sonnet-4-5"  # takes no message of the system amid a conversation
NEW = "claude-opus-4-8"  # does
SCHEMA: Json = {"type": "object", "properties": {"a": {"type": "string"}}}
CLOSED: Json = {**SCHEMA, "additionalProperties": False}


def write(*messages: Message, model: str = OLD, **fields: Any) -> Written:
    return write_request(ChatRequest(model, list(messages), **fields))


def user(*content: Block | str) -> Message:
    return Message("user", [Text(one) if isinstance(one, str) else one for one in content])


def assistant(*content: Block | str) -> Message:
    return Message("assistant", user(*content).content)


def system(*content: Block | str) -> Message:
    return Message("system", user(*content).content)


def turns(*messages: Message, model: str = OLD) -> tuple[Any, Any, set[str]]:
    """What is sent of a conversation: the turns, the system's words, what was dropped."""
    written = write(*messages, model=model)
    return written.body["messages"], written.body.get("system"), set(written.dropped)


def said(*blocks: Block, by: Any = user) -> tuple[Any, set[str]]:
    sent, _, dropped = turns(by(*blocks))
    return (sent[0]["content"] if sent else None), dropped


def test_a_whole_request_is_written() -> None:
    request = ChatRequest(
        OLD,
        [user("Hi")],
        system=[Text("be brief"), Text("be kind", "1h")],
        tools=[Tool("f", "d", SCHEMA, strict=True, cache_ttl="5m"), Tool("g", None, None)],
        tool_choice=ToolChoice("named", "f"),
        parallel_tools=False,
        sampling=Sampling(max_tokens=64, temperature=1.5, top_k=3, stop=["END"]),
        response_format=ResponseFormat(SCHEMA),
        stream=True,
        user="u",
        service_tier="default",
    )
    assert write_request(request) == Written(
        {
            "model": OLD,
            "max_tokens": 64,
            "system": [
                {"type": "text", "text": "be brief"},
                {
                    "type": "text",
                    "text": "be kind",
                    "cache_control": {"type": "ephemeral", "ttl": "1h"},
                },
            ],
            "messages": [{"role": "user", "content": "Hi"}],
            "tools": [
                {
                    "name": "f",
                    "description": "d",
                    "input_schema": CLOSED,
                    "strict": True,
                    "cache_control": {"type": "ephemeral"},
                },
                {"name": "g", "input_schema": {"type": "object", "properties": {}}},
            ],
            "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
            "temperature": 1.5,
            "top_k": 3,
            "stop_sequences": ["END"],
            "output_config": {"format": {"type": "json_schema", "schema": CLOSED}},
            "metadata": {"user_id": "u"},
            "service_tier": "standard_only",
            "stream": True,
        }
    )


def test_a_written_request_reads_as_what_it_means() -> None:
    request = ChatRequest(
        OLD,
        [
            user("Hi", Media("image", "image/png", base64="AA", cache_ttl="1h")),
            assistant(
                Thinking("Hm", Seal("anthropic", "S")),
                Thinking("", Seal("anthropic", "R"), redacted=True),
                Text("I look"),
                ToolUse("t1", "f", '{"a":[1.5]}', cache_ttl="5m"),
                ToolUse("t2", "f", "{}"),
            ),
            user(
                ToolResult("t1", (Text("no"), Media("image", url="u")), is_error=True),
                ToolResult("t2", (Text("ok"),), cache_ttl="5m"),
                Media("document", "application/pdf", base64="JVBERi0=", name="a.pdf"),
                Media("document", "text/plain", text="words"),
                Media("document", file_id="file_1"),
            ),
        ],
        system=[Text("be brief")],
        tools=[Tool("f", "d", SCHEMA)],
        tool_choice=ToolChoice("auto"),
        sampling=Sampling(max_tokens=5000),
        reasoning=Reasoning(budget=2000),
    )
    written = write_request(request)
    assert (read_request(written.body), set(written.dropped)) == (request, set())


@pytest.mark.parametrize(
    ("model", "limit"),
    [
        ("claude-3-haiku-20240307", 4096),
        ("claude-sonnet-4-5", 8192),
        ("claude-opus-4-8", 8192),
        ("claude-opus-5-5", 8192 + 24576),  # it thinks unasked, and that counts
        ("kimi-k3", 8192),
    ],
)
def test_where_the_caller_sets_no_limit_there_is_one_that_the_model_has(
    model: str, limit: int
) -> None:
    assert write(user("Hi"), model=model).body["max_tokens"] == limit


def test_what_it_has_no_words_for_is_reported() -> None:
    written = write(
        Message("user", [Text("Hi")], name="ann"),
        sampling=Sampling(
            seed=1,
            n=2,
            presence_penalty=0.5,
            frequency_penalty=-1,
            logprobs=True,
            top_logprobs=3,
            logit_bias={"5": 1},
        ),
        response_format=ResponseFormat(),
        verbosity="low",
        modalities=["text", "audio"],
        metadata={"team": "t", "user_id": "u"},
        service_tier="flex",
        tools=[Foreign("openai_chat", {"type": "custom", "custom": {"name": "g"}})],
        tool_choice=ToolChoice("required"),
    )
    assert written == Written(
        {
            "model": OLD,
            "max_tokens": 8192,
            "system": ONE_OBJECT,
            "messages": [{"role": "user", "content": "Hi"}],
            "metadata": {"user_id": "u"},
        },
        frozenset(
            {
                "name",
                "seed",
                "n",
                "presence_penalty",
                "frequency_penalty",
                "logprobs",
                "top_logprobs",
                "logit_bias",
                "response_format",
                "verbosity",
                "modalities",
                "metadata",
                "service_tier",
                "tools.custom",
                "tool_choice",
            }
        ),
    )


def test_what_asks_for_nothing_else_than_it_does_is_no_loss() -> None:
    written = write(
        user("Hi"),
        sampling=Sampling(n=1, presence_penalty=0, frequency_penalty=0.0, logprobs=False, stop=[]),
        modalities=["text"],
        tool_choice=ToolChoice("auto"),
        parallel_tools=False,
    )
    assert written == Written(
        {
            "model": OLD,
            "max_tokens": 8192,
            "messages": [{"role": "user", "content": "Hi"}],
        }
    )


@pytest.mark.parametrize(
    ("tier", "written", "dropped"),
    [
        ("auto", "auto", set()),
        ("default", "standard_only", set()),
        ("priority", "auto", {"service_tier"}),
        ("flex", None, {"service_tier"}),
    ],
)
def test_a_tier_is_said_as_nearly_as_it_can_be(
    tier: str, written: str | None, dropped: set[str]
) -> None:
    sent = write(user("Hi"), service_tier=tier)
    assert (sent.body.get("service_tier"), set(sent.dropped)) == (written, dropped)


@pytest.mark.parametrize(
    "named",
    [
        "alice@example.com",
        "user:alice.b@mail.example.com:5",
        "+4915112345678",
        "+1 (555) 123-4567",
        "555-123-4567",
        "0151/2345678",
        "5551234567",
        "x" * 257,
    ],
)
def test_whoever_could_be_known_by_it_is_not_named(named: str) -> None:
    """ "metadata.user_id: user_id appears to contain an email address"."""
    unnamed = {"model": OLD, "max_tokens": 8192, "messages": [{"role": "user", "content": "Hi"}]}
    assert write(user("Hi"), user=named) == Written(unnamed, frozenset({"user"}))
    told = write(user("Hi"), metadata={"user_id": named})
    assert told == Written(unnamed, frozenset({"metadata"}))


@pytest.mark.parametrize(
    "named",
    [
        "u",
        "",
        "12345678",
        "123456789012345678",
        "alice@localhost",
        "@alice",
        "user_5551234567",
        "6f1c2a9e-0b7d-4f3a-9c1e-5d2b8a7f6e01",
        "2026-1",
        "x" * 256,
    ],
)
def test_any_other_is(named: str) -> None:
    sent = write(user("Hi"), user=named)
    assert (sent.body["metadata"], sent.dropped) == ({"user_id": named}, frozenset())


def test_a_user_id_that_is_no_text_is_not_sent() -> None:
    sent = write(user("Hi"), metadata={"user_id": 5})
    assert ("metadata" in sent.body, set(sent.dropped)) == (False, {"metadata"})


@pytest.mark.parametrize(
    ("choice", "parallel", "written"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice("auto"), None, {"type": "auto"}),
        (ToolChoice("required"), True, {"type": "any"}),
        (ToolChoice("none"), False, {"type": "none"}),
    ],
)
def test_the_choice_says_whether_tools_may_be_called_at_once(
    choice: ToolChoice | None, parallel: bool | None, written: Json | None
) -> None:
    sent = write(
        user("Hi"), tools=[Tool("f", None, SCHEMA)], tool_choice=choice, parallel_tools=parallel
    )
    assert (sent.body.get("tool_choice"), set(sent.dropped)) == (written, set())


@pytest.mark.parametrize(
    ("schema", "told", "dropped"),
    [
        (None, {"type": "object", "properties": {}}, set()),
        ({"properties": {}, "$defs": {}}, {"type": "object", "properties": {}, "$defs": {}}, set()),
        ({"type": ["object", "null"]}, {"type": "object"}, set()),
        ({"type": None, "title": "T"}, {"type": "object", "title": "T"}, set()),
        (
            {"type": "object", "properties": {"a": {"format": "x", "minimum": 1}}},
            {"type": "object", "properties": {"a": {"format": "x", "minimum": 1}}},
            set(),
        ),
        # "input_schema does not support oneOf, allOf, or anyOf at the top level"
        (
            {"anyOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"format": "x"}}},
            {
                "type": "object",
                "$defs": {"a": {"format": "x"}},
                "description": '{anyOf: [{"$ref":"#/$defs/a"}]}',
            },
            {"tools.schema"},
        ),
        (
            {**SCHEMA, "description": "d", "oneOf": [{}], "allOf": [{"required": ["a"]}]},
            {**SCHEMA, "description": 'd\n\n{oneOf: [{}], allOf: [{"required":["a"]}]}'},
            {"tools.schema"},
        ),
    ],
)
def test_a_tools_schema_is_of_an_object_and_nothing_else(
    schema: Json | None, told: Json, dropped: set[str]
) -> None:
    before = copy.deepcopy(schema)
    sent = write(user("Hi"), tools=[Tool("f", None, schema)])
    assert sent == Written(
        {
            "model": OLD,
            "max_tokens": 8192,
            "messages": [{"role": "user", "content": "Hi"}],
            "tools": [{"name": "f", "input_schema": told}],
        },
        frozenset(dropped),
    )
    assert schema == before


def test_tools_of_its_own_kind_are_written_back() -> None:
    own = {"type": "bash_20250124", "name": "bash"}
    sent = write(user("Hi"), tools=[Foreign("anthropic_messages", own)])
    assert (sent.body["tools"], set(sent.dropped)) == ([own], set())


def test_what_a_format_says_beside_its_schema_is_reported() -> None:
    asked = ResponseFormat(SCHEMA, "answer", "an answer", strict=False)
    assert write(user("Hi"), response_format=asked).dropped == {
        "response_format.name",
        "response_format.description",
        "response_format.strict",
    }


def test_neighbours_are_merged_and_results_come_first() -> None:
    call = {"type": "tool_use", "name": "f", "input": {}}
    assert turns(
        user("a"),
        user("b"),
        assistant(ToolUse("t1", "f", "")),
        assistant(ToolUse("t2", "f", "{}")),
        user(ToolResult("t1", (Text("1"),))),
        user("and"),
        user(ToolResult("t2", ())),
        assistant(),
    ) == (
        [
            {
                "role": "user",
                "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            },
            {"role": "assistant", "content": [{**call, "id": "t1"}, {**call, "id": "t2"}]},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": "1"},
                    {"type": "tool_result", "tool_use_id": "t2"},
                    {"type": "text", "text": "and"},
                ],
            },
        ],
        None,
        set(),
    )


def test_a_blank_text_is_left_out() -> None:
    """ "text content blocks must contain non-whitespace text"."""
    assert said(Text(""), Text("a"), Text(" \n")) == ("a", set())
    assert said(Text(" ")) == (None, set())
    assert said(Refusal("\n"), by=assistant) == (None, {"refusal"})
    assert said(ToolResult("t", (Text(" "),))) == (
        [{"type": "tool_result", "tool_use_id": "t"}],
        set(),
    )


@pytest.mark.parametrize("model", [OLD, NEW])
def test_who_says_nothing_but_blanks_has_said_nothing(model: str) -> None:
    told = [user("a"), system("\n"), assistant("\n\n"), user("b"), system(" ", ""), user("\t")]
    request = ChatRequest(model, told, [Text(" ")])
    assert write_request(request) == Written(
        {
            "model": model,
            "max_tokens": 8192,
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
                }
            ],
        }
    )


def test_an_answer_that_the_caller_begins_ends_without_a_blank() -> None:
    """ "final assistant content cannot end with trailing whitespace"."""
    begun = [{"role": "user", "content": "a "}, {"role": "assistant", "content": " Sure:"}]
    assert turns(user("a "), assistant(" Sure: \n")) == (begun, None, set())
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    called = assistant(ToolUse("t", "f", ""))
    assert turns(user("a "), assistant("I look "), called) == (
        [begun[0], {"role": "assistant", "content": [{"type": "text", "text": "I look "}, call]}],
        None,
        set(),
    )
    assert turns(user("a "), assistant("Sure: "), user("b ")) == (
        [
            begun[0],
            {"role": "assistant", "content": "Sure: "},
            {"role": "user", "content": "b "},
        ],
        None,
        set(),
    )
    marked = Message("assistant", [Text("b "), Text("Sure: ", "5m")])
    assert turns(user("a "), marked)[0][1]["content"] == [
        {"type": "text", "text": "b "},
        {"type": "text", "text": "Sure:", "cache_control": {"type": "ephemeral"}},
    ]


def test_a_mark_on_a_blank_text_is_on_what_stands_before_it() -> None:
    mark = {"type": "ephemeral"}
    marked = [{"type": "text", "text": "a", "cache_control": mark}]
    assert said(Text("a"), Text(" ", "5m")) == (marked, set())
    assert said(Text("a", "5m"), Text(" ", "5m")) == (marked, set())
    assert said(Text("a", "5m"), Text(" ", "1h")) == (marked, {"cache_control"})
    assert said(Text(" ", "5m"), Text("a")) == ("a", {"cache_control"})


def test_json_without_a_schema_is_asked_for_in_words_and_reported() -> None:
    request = ChatRequest(OLD, [user("Hi")], [Text("be brief")], response_format=ResponseFormat())
    written = write_request(request)
    texts = [{"type": "text", "text": "be brief"}, {"type": "text", "text": ONE_OBJECT}]
    assert (written.body["system"], set(written.dropped)) == (texts, {"response_format"})


@pytest.mark.parametrize(
    "arguments", ['{"n": 123456789012345678901234567890}', '{"n":0.12345678901234567890}']
)
def test_a_number_that_a_parser_would_change_is_told_as_it_was_written(arguments: str) -> None:
    written = write(assistant(ToolUse("t", "f", arguments)))
    assert f'"input":{arguments}'.encode() in dumps(written.body)


def test_the_system_speaks_amid_a_conversation_where_the_model_takes_it() -> None:
    sent = [
        {"role": "user", "content": "a"},
        {"role": "system", "content": "be kind"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
        {"role": "system", "content": "be brief"},
    ]
    told = (
        user("a"),
        system("be kind"),
        assistant("b"),
        user("c"),
        system("be brief"),
    )
    assert turns(*told, model=NEW) == (sent, None, set())
    assert turns(*told, model=OLD) == (
        [one for one in sent if one["role"] != "system"],
        [{"type": "text", "text": "be kind"}, {"type": "text", "text": "be brief"}],
        {"system.position"},
    )


def test_before_a_user_the_system_cannot_speak_so_it_does_after() -> None:
    assert turns(user("a"), system("s"), user("b"), assistant("c"), model=NEW) == (
        [
            {
                "role": "user",
                "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            },
            {"role": "system", "content": "s"},
            {"role": "assistant", "content": "c"},
        ],
        None,
        {"system.position"},
    )


def test_where_no_user_spoke_before_the_systems_words_move_to_the_beginning() -> None:
    assert turns(user("a"), assistant("b"), system("s", "t"), model=NEW) == (
        [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
        [{"type": "text", "text": "s"}, {"type": "text", "text": "t"}],
        {"system.position"},
    )
    assert turns(system("s"), user("a"), model=NEW) == (
        [{"role": "user", "content": "a"}],
        "s",
        set(),
    )


def test_what_the_system_says_later_never_stands_before_what_it_said_first() -> None:
    told = (user("a"), system("first"), assistant("b"), system("no, this"), assistant("c"))
    assert turns(*told, model=NEW) == (
        [
            {"role": "user", "content": "a"},
            {"role": "system", "content": [text("first"), text("no, this")]},
            {"role": "assistant", "content": [text("b"), text("c")]},
        ],
        None,
        {"system.position"},
    )
    assert turns(*told, model=OLD)[1] == [text("first"), text("no, this")]


SCREEN = Media("image", "image/png", base64="iVBORw")
SEEN: Json = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw"},
}


def text(words: str) -> Json:
    return {"type": "text", "text": words}


def test_what_the_system_shows_is_told_by_the_user_in_its_place() -> None:
    told = (user("hi"), system("the screen now:", SCREEN), user("go"))
    shown = {"role": "user", "content": [text("hi"), SEEN, text("go")]}
    assert turns(*told) == ([shown], "the screen now:", {"system.position"})
    assert turns(*told, model=NEW) == (
        [shown, {"role": "system", "content": "the screen now:"}],
        None,
        {"system.position"},
    )
    assert turns(system("s", SCREEN), user("go")) == (
        [{"role": "user", "content": [SEEN, text("go")]}],
        "s",
        {"system.position"},
    )
    assert turns(user("hi"), assistant("b"), system(SCREEN)) == (
        [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": [SEEN]},
        ],
        None,
        {"system.position"},
    )


def test_it_stands_behind_the_results_of_tools() -> None:
    call = assistant(ToolUse("t", "f", ""))
    assert turns(user("hi"), call, system(SCREEN), user(ToolResult("t", ()))) == (
        [
            {"role": "user", "content": "hi"},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}, SEEN]},
        ],
        None,
        {"system.position"},
    )


@pytest.mark.parametrize(
    ("block", "lost"),
    [
        (Foreign("anthropic_messages", {"type": "tool_addition"}), "tool_addition"),
        (Foreign("openai_responses", {"type": "item_reference"}), "item_reference"),
        (Thinking("Hm", Seal("anthropic", "S")), "thinking"),
        (ToolUse("t", "f", "{}"), "tool_use"),
        (ToolResult("t", (Text("a"),)), "tool_result"),
        (Media("audio", base64="AA"), "audio"),
        (Media("image", file_id="file-openai"), "image"),
        (Media("document", "application/msword", base64="AA"), "document"),
    ],
)
@pytest.mark.parametrize("model", [OLD, NEW])
def test_what_it_cannot_say_at_all_is_reported(block: Block, lost: str, model: str) -> None:
    sent = [{"role": "user", "content": "a"}]
    assert turns(user("a"), system(block), model=model) == (sent, None, {lost})
    assert turns(system(block), user("a"), model=model) == (sent, None, {lost})


def test_what_it_refuses_is_told_in_plain_words() -> None:
    sent = [{"role": "user", "content": "a"}]
    assert turns(system(Refusal("no")), user("a")) == (sent, "no", {"refusal"})


@pytest.mark.parametrize(
    ("block", "written", "dropped"),
    [
        (Thinking("Hm"), None, {"thinking"}),
        (Thinking("Hm", Seal("gemini", "G")), None, {"thinking"}),
        (
            Thinking("Hm", Seal("anthropic", "S=")),
            {"type": "thinking", "thinking": "Hm", "signature": "S="},
            set(),
        ),
        (
            Thinking("", Seal("anthropic", "R="), redacted=True),
            {"type": "redacted_thinking", "data": "R="},
            set(),
        ),
        (Refusal("no"), "no", {"refusal"}),
        (
            Text("a", citations=[Citation("u")], seal=Seal("gemini", "G")),
            "a",
            {"citations", "signature"},
        ),
        (
            ToolUse("t", "f", "", Seal("gemini", "G")),
            {"type": "tool_use", "id": "t", "name": "f", "input": {}},
            {"signature"},
        ),
        (Media("image", url="u"), None, {"image"}),  # not within assistant turns
        (Media("audio", base64="A", transcript="hello"), "hello", {"audio"}),
        (Foreign("gemini", {"executableCode": {}}), None, {"executableCode"}),
        (
            Foreign("anthropic_messages", {"type": "server_tool_use"}),
            {"type": "server_tool_use"},
            set(),
        ),
    ],
)
def test_what_an_assistant_said_is_told_back(block: Block, written: Any, dropped: set[str]) -> None:
    content = [written] if isinstance(written, dict) else written
    assert said(block, by=assistant) == (content, dropped)


def text_file(mime_type: str, data: bytes = "Zoë".encode()) -> Media:
    return Media("document", mime_type, base64=b64encode(data).decode())


@pytest.mark.parametrize(
    ("media", "source"),
    [
        (
            Media("image", base64="/9j/AA"),
            {"type": "base64", "media_type": "image/jpeg", "data": "/9j/AA"},
        ),
        (
            Media("image", base64="AAAA"),
            {"type": "base64", "media_type": "image/png", "data": "AAAA"},
        ),
        *[
            (
                Media("image", written, base64="AA"),
                {"type": "base64", "media_type": meant, "data": "AA"},
            )
            for written, meant in (
                ("image/jpg", "image/jpeg"),
                ("IMAGE/PNG", "image/png"),
                ("image/webp; charset=utf-8", "image/webp"),
            )
        ],
        (
            Media("document", "Application/PDF;name=a.pdf", base64="AA"),
            {"type": "base64", "media_type": "application/pdf", "data": "AA"},
        ),
        (
            text_file("Application/LD+JSON; charset=utf-8", b"{}"),
            {"type": "text", "media_type": "text/plain", "data": "{}"},
        ),
        (
            Media("document", base64="JVBERi0"),
            {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0"},
        ),
        (
            text_file("text/markdown; charset=utf-8"),
            {"type": "text", "media_type": "text/plain", "data": "Zoë"},
        ),
        (
            text_file("application/json", b"{}"),
            {"type": "text", "media_type": "text/plain", "data": "{}"},
        ),
        (
            Media("document", "text/html", text="<p>"),
            {"type": "text", "media_type": "text/plain", "data": "<p>"},
        ),
        (Media("document", url="https://e.x/a.pdf"), {"type": "url", "url": "https://e.x/a.pdf"}),
        (Media("image", file_id="file_1"), {"type": "file", "file_id": "file_1"}),
    ],
)
def test_media_are_written_as_what_they_are(media: Media, source: Json) -> None:
    assert said(media) == ([{"type": media.kind, "source": source}], set())


@pytest.mark.parametrize(
    "media",
    [
        Media("image", file_id="file-openai"),
        Media("document", file_id="file-openai"),
        Media("image"),
        text_file("application/msword"),
        text_file("text/plain", b"\xff"),
        Media("document", "text/plain", base64="?"),
        Media("audio", "audio/wav", base64="AA"),
        Media("video", url="u"),
    ],
)
def test_media_that_cannot_be_told_are_reported(media: Media) -> None:
    assert said(media, Text("a")) == ("a", {media.kind})
    assert said(ToolResult("t", (media,))) == (
        [{"type": "tool_result", "tool_use_id": "t"}],
        {f"tool_result.{media.kind}"},
    )


def test_how_closely_to_look_cannot_be_said() -> None:
    image = Media("image", url="u", detail="high", seal=Seal("gemini", "G"), name="a.png")
    assert said(image) == (
        [{"type": "image", "source": {"type": "url", "url": "u"}}],
        {"detail", "signature"},
    )
    assert said(Media("image", url="u", detail="auto"))[1] == set()


@pytest.mark.parametrize("broken", ['{"a', "[1]", '"x"', "null", "{" * 2000, "NaN"])
def test_arguments_that_are_no_object_are_kept_within_one(broken: str) -> None:
    """A model wrote them, and the conversation must go on; they come back as they were."""
    call = assistant(ToolUse("t", "f", broken))
    written = write(user("a"), call)
    sent = written.body["messages"][1]["content"][0]
    assert (sent["input"], set(written.dropped)) == ({"INVALID_JSON": broken}, set())
    assert read_request(written.body).messages[1] == call


def test_ids_are_made_fit_alike_in_a_call_and_in_its_result() -> None:
    sent, _, _ = turns(
        assistant(ToolUse("functions.f:0", "f", "")), user(ToolResult("functions.f:0", ()))
    )
    assert sent[0]["content"][0]["id"] == "functions_2ef_3a0"
    assert sent[1]["content"][0]["tool_use_id"] == "functions_2ef_3a0"


def test_a_conversation_of_which_nothing_can_be_told_is_left_to_the_provider() -> None:
    assert turns(user(Media("audio", base64="AA"))) == ([], None, {"audio"})
