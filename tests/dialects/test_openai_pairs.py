"""A call of the API's own tools, or of a custom one, and its answer: both are read, or none."""

from collections.abc import Callable
from typing import Any, get_args, get_type_hints

import pytest
from openai.types.responses import response_input_item_param as items_of_the_sdk

from gateway.chat.blocks import Block, Foreign, Media, Seal, Text, ToolResult, ToolUse
from gateway.chat.request import ChatRequest, Message
from gateway.chat.seals import with_seal
from gateway.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from gateway.dialects.base import Dialect
from gateway.dialects.gemini import GEMINI
from gateway.dialects.openai_chat import OPENAI_CHAT
from gateway.dialects.openai_responses import RESPONSES_FORM
from gateway.dialects.openai_responses.own_calls import ANSWERS, CALLS, FUNCTION
from gateway.errors import BadRequest, CallerError
from gateway.wire.json import Json, dumps
from tests.dialects.hostile import crashes

USER: Json = {"role": "user", "content": "go"}
EXEC: Json = {"type": "exec", "command": ["ls", "-l"], "env": {}}
EXEC_TEXT = '{"type":"exec","command":["ls","-l"],"env":{}}'
LOCAL: Json = {
    "type": "local_shell_call",
    "id": "lsh_1",
    "call_id": "c1",
    "status": "completed",
    "action": EXEC,
}
ENDED: Json = {"type": "exit", "exit_code": 0}
PATCH: Json = {"type": "update_file", "path": "a.py", "diff": "@@\n-a\n+b"}
SHOT: Json = {
    "type": "computer_screenshot",
    "image_url": "data:image/png;base64,AAAA",
}


def read(*items: Json) -> ChatRequest:
    return RESPONSES_FORM.read_request({"model": "m", "input": [USER, *items]})


def told(*items: Json) -> list[Message]:
    """The turns behind the user's first."""
    request = read(*items)
    assert (request.messages[0], request.unread) == (Message("user", [Text("go")]), {})
    return request.messages[1:]


def of(call: ToolUse, *answer: Block, is_error: bool = False) -> list[Message]:
    result = ToolResult(call.id, answer, is_error=is_error)
    return [Message("assistant", [call]), Message("user", [result])]


# A call, its answer, and what they mean.
PAIRS: dict[str, tuple[Json, Json, list[Message]]] = {
    "local shell": (
        LOCAL,
        {"type": "local_shell_call_output", "call_id": "c1", "output": '{"output":"a.py"}'},
        of(ToolUse("c1", "local_shell", EXEC_TEXT), Text('{"output":"a.py"}')),
    ),
    "local shell, as the reference has it": (
        LOCAL,
        {"type": "local_shell_call_output", "id": "c1", "output": "x", "status": "completed"},
        of(ToolUse("c1", "local_shell", EXEC_TEXT), Text("x")),
    ),
    "local shell, as Codex answers it": (
        LOCAL | {"id": None},
        {"type": "function_call_output", "call_id": "c1", "output": "a.py"},
        of(ToolUse("c1", "local_shell", EXEC_TEXT), Text("a.py")),
    ),
    "local shell, as Codex once told it": (
        LOCAL | {"call_id": None},
        {"type": "function_call_output", "call_id": "lsh_1", "output": "a.py"},
        of(ToolUse("lsh_1", "local_shell", EXEC_TEXT), Text("a.py")),
    ),
    "shell": (
        {"type": "shell_call", "call_id": "s", "action": {"commands": ["ls", "pwd"]}},
        {
            "type": "shell_call_output",
            "call_id": "s",
            "output": [{"stdout": "a.py", "stderr": "", "outcome": ENDED}],
        },
        of(
            ToolUse("s", "shell", '{"commands":["ls","pwd"]}'),
            Text('[{"stdout":"a.py","stderr":"","outcome":{"type":"exit","exit_code":0}}]'),
        ),
    ),
    "patch": (
        {"type": "apply_patch_call", "call_id": "p", "status": "completed", "operation": PATCH},
        {"type": "apply_patch_call_output", "call_id": "p", "status": "completed"},
        of(ToolUse("p", "apply_patch", dumps(PATCH).decode())),
    ),
    "patch that failed": (
        {"type": "apply_patch_call", "call_id": "p", "status": "completed", "operation": PATCH},
        {"type": "apply_patch_call_output", "call_id": "p", "status": "failed", "output": "no"},
        of(ToolUse("p", "apply_patch", dumps(PATCH).decode()), Text("no"), is_error=True),
    ),
    "custom": (
        {"type": "custom_tool_call", "call_id": "t", "name": "sql", "input": 'say "x"'},
        {"type": "custom_tool_call_output", "call_id": "t", "output": "1 row"},
        of(ToolUse("t", "sql", '{"input":"say \\"x\\""}'), Text("1 row")),
    ),
    "custom, answered in parts": (
        {"type": "custom_tool_call", "call_id": "t", "name": "draw", "input": "a cat"},
        {
            "type": "custom_tool_call_output",
            "call_id": "t",
            "output": [
                {"type": "input_text", "text": "here"},
                {"type": "input_image", "image_url": "https://a/cat.png"},
            ],
        },
        of(
            ToolUse("t", "draw", '{"input":"a cat"}'),
            Text("here"),
            Media("image", url="https://a/cat.png"),
        ),
    ),
    "computer": (
        {"type": "computer_call", "call_id": "u", "action": {"type": "wait"}},
        {"type": "computer_call_output", "call_id": "u", "output": SHOT},
        of(ToolUse("u", "computer", '{"type":"wait"}'), Media("image", "image/png", base64="AAAA")),
    ),
    "computer, several steps": (
        {"type": "computer_call", "call_id": "u", "actions": [{"type": "wait"}]},
        {
            "type": "computer_call_output",
            "call_id": "u",
            "output": {**SHOT, "image_url": "https://a/b"},
        },
        of(
            ToolUse("u", "computer", '{"actions":[{"type":"wait"}]}'),
            Media("image", url="https://a/b"),
        ),
    ),
    "a function, answered as a custom tool": (
        {"type": "function_call", "call_id": "f", "name": "g", "arguments": "{}"},
        {"type": "custom_tool_call_output", "call_id": "f", "output": "x"},
        of(ToolUse("f", "g", "{}"), Text("x")),
    ),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_is_a_call_and_its_answer(pair: str) -> None:
    call, answer, meant = PAIRS[pair]
    assert told(call, answer) == meant


ALONE = [
    item
    for call, answer, _ in PAIRS.values()
    for item in (call, answer)
    if not item["type"].startswith("function_call")
]


@pytest.mark.parametrize("item", ALONE, ids=lambda item: item["type"])
def test_one_without_the_other_is_foreign(item: Json) -> None:
    foreign = Foreign("openai_responses", item)
    if item["type"].endswith("_output"):
        assert read(item).messages == [Message("user", [Text("go"), foreign])]
    else:
        assert told(item) == [Message("assistant", [foreign])]


def is_heard(dialect: Dialect, body: Json) -> tuple[bool, bool]:
    """Whether a written body holds the call, and its answer."""
    said = dumps(body).decode()
    uses, results = {
        "openai_chat": ('"tool_calls":', '"role":"tool"'),
        "anthropic_messages": ('"type":"tool_use"', '"type":"tool_result"'),
        "gemini": ('"functionCall":', '"functionResponse":'),
    }[dialect.name]
    return uses in said, results in said


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("dialect", [OPENAI_CHAT, ANTHROPIC_MESSAGES, GEMINI], ids=lambda d: d.name)
def test_every_target_hears_both_or_none(pair: str, dialect: Dialect) -> None:
    assert dialect.chat is not None
    call, answer, _ = PAIRS[pair]
    whole = dialect.chat.write_request(read(call, answer))
    assert is_heard(dialect, whole.body) == (True, True)
    if call["type"] != "function_call":
        alone = dialect.chat.write_request(read(call))
        assert is_heard(dialect, alone.body) == (False, False)
        assert call["type"] in alone.dropped
    if answer["type"] != "function_call_output":
        alone = dialect.chat.write_request(read(answer))
        assert is_heard(dialect, alone.body) == (False, False)
        assert answer["type"] in alone.dropped


OTHERS: list[tuple[Json, Json]] = [
    (
        {"type": "mcp_approval_request", "id": "r", "arguments": "{}", "name": "x"},
        {"type": "mcp_approval_response", "approval_request_id": "r", "approve": True},
    ),
    (
        {"type": "tool_search_call", "call_id": "c", "arguments": {}, "execution": "client"},
        {"type": "tool_search_output", "call_id": "c", "tools": [], "execution": "client"},
    ),
    (
        {"type": "program", "call_id": "c", "code": "f()"},
        {"type": "program_output", "call_id": "c", "result": "1", "status": "completed"},
    ),
    (
        {"type": "tool_search_call", "call_id": "c", "arguments": {}, "execution": "client"},
        {"type": "function_call_output", "call_id": "c", "output": "x"},
    ),
]


@pytest.mark.parametrize("pair", OTHERS, ids=lambda pair: f"{pair[0]['type']}, {pair[1]['type']}")
def test_what_has_no_neutral_meaning_is_lost_as_a_pair(pair: tuple[Json, Json]) -> None:
    call, answer = pair
    assert told(call, answer) == [
        Message("assistant", [Foreign("openai_responses", call)]),
        Message("user", [Foreign("openai_responses", answer)]),
    ]


def test_every_answer_of_the_api_has_its_call_in_these_tables() -> None:
    kinds: set[str] = set()
    for item in get_args(items_of_the_sdk.ResponseInputItemParam):
        kinds |= _literals(get_type_hints(item).get("type"))
    answers = {kind for kind in kinds if kind.endswith(("_output", "_response"))}
    pairs = {answer["type"] for _, answer in OTHERS}
    assert answers == ANSWERS | pairs
    assert {kind.removesuffix("_output") for kind in ANSWERS} == set(CALLS) <= kinds


def _literals(kind: Any) -> set[str]:
    found: set[str] = set()
    for arg in get_args(kind):
        found |= {arg} if isinstance(arg, str) else _literals(arg)
    return found


def test_what_else_is_said_of_a_call_is_not_lost_in_silence() -> None:
    call = {"type": "shell_call", "call_id": "s", "action": {}, "environment": {"type": "local"}}
    answer = {"type": "shell_call_output", "call_id": "s", "output": [], "max_output_length": 9}
    shown = {"type": "computer_call_output", "call_id": "u", "output": SHOT | {"scale": 2}}
    checks = {"type": "computer_call", "call_id": "u", "action": {}, "pending_safety_checks": [{}]}
    assert read(call, answer, checks, shown).unread == {
        "input[].environment": {"type": "local"},
        "input[].max_output_length": 9,
        "input[].pending_safety_checks": [{}],
        "input[].output.scale": 2,
    }


def test_an_id_that_has_taken_a_seal_along_is_its_calls() -> None:
    sealed = with_seal("c1", Seal("gemini", "s"))
    answer = {"type": "custom_tool_call_output", "call_id": sealed, "output": "x"}
    call = {"type": "function_call", "call_id": sealed, "name": "f", "arguments": "{}"}
    use = ToolUse("c1", "f", "{}", Seal("gemini", "s"))
    assert told(call, answer) == of(use, Text("x"))


def wounded(item: Json, member: str, value: Any) -> Json:
    return {**item, member: value}


@pytest.mark.parametrize(
    ("wound", "path"),
    [
        (lambda call, answer: (wounded(call, "action", 5), answer), "input[1].action"),
        (lambda call, answer: (call, wounded(answer, "output", 5)), "input[2].output"),
        (lambda call, answer: (wounded(call, "call_id", 5), wounded(answer, "call_id", 5)), None),
        (
            lambda call, answer: (call, wounded(answer, "output", [{"type": 5}])),
            "input[2].output[0].type",
        ),
        (lambda call, answer: (call, wounded(answer, "output", {})), "input[2].output.image_url"),
    ],
)
def test_bad_items_are_named(
    wound: Callable[[Json, Json], tuple[Json, Json]], path: str | None
) -> None:
    call, answer, _ = PAIRS["local shell"]
    if path is None:  # without an id there is no pair, and what is none is nobody's to check
        kinds = [message.content[-1] for message in told(*wound(call, answer))]
        assert all(isinstance(block, Foreign) for block in kinds)
        return
    with pytest.raises(BadRequest) as refused:
        read(*wound(call, answer))
    assert refused.value.field == path


@pytest.mark.parametrize("pair", PAIRS)
def test_whatever_stands_in_a_pair_is_read_or_refused(pair: str) -> None:
    call, answer, _ = PAIRS[pair]

    def told_on(body: Json) -> None:
        for dialect in (OPENAI_CHAT, ANTHROPIC_MESSAGES, GEMINI):
            assert dialect.chat is not None
            written = dialect.chat.write_request(RESPONSES_FORM.read_request(body))
            use, result = is_heard(dialect, written.body)
            # What a function's answer is to, where that is gone, is the caller's to say.
            assert use == result or FUNCTION in f"{call['type']} {answer['type']}"

    assert crashes(told_on, {"model": "m", "input": [USER, call, answer]}, CallerError) == []
