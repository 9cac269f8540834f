"""What is written for a model is what it takes; what it is known to refuse is left out and named."""

from typing import get_args

import pytest

from gateway.chat.blocks import Block, Seal, Text, ToolResult, ToolUse
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
from gateway.dialects.gemini import GEMINI_COUNT
from gateway.dialects.gemini.models import LEVELS, MODELS, UNKNOWN, model_of
from gateway.wire.json import Json
from tests.dialects.gemini import CHAT, SEAL

MINE, THEIRS = Seal("gemini", SEAL), Seal("anthropic", "sig")
UNSIGNED = "skip_thought_signature_validator"
LOOK = Tool("look", None, None)
LOOKED: Json = {"functionDeclarations": [{"name": "look"}]}
A_CALL = Message("assistant", [ToolUse("1", "look", "{}", THEIRS)])
ITS_RESULT = ToolResult("1", (Text("a cat"),))


def written(request: ChatRequest) -> tuple[Json, set[str]]:
    told = CHAT.write_request(request)
    return told.body, set(told.dropped)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("gemini-2.5-pro", "gemini-2-5-pro"),
        ("google/gemini-2.5-pro", "gemini-2-5-pro"),
        ("models/gemini-2.5-flash-preview-09-2025", "gemini-2-5-flash"),
        ("publishers/google/models/gemini-2.5-flash-lite-001", "gemini-2-5-flash-lite"),
        ("Gemini-2-5-Flash", "gemini-2-5-flash"),
        ("gemini-2.5-flash-image-preview", "gemini-2-5-flash-image"),
        ("gemini-2.5-computer-use-preview-10-2025", "gemini-2-5"),
        ("gemini-2.0-flash-lite-001", "gemini-2"),
        ("gemini-1.5-pro-002", "gemini-1"),
        ("gemini-3-pro-preview", "gemini-3-pro"),
        ("gemini-3-pro-image-preview", "gemini-3-pro-image"),
        ("gemini-3.1-pro-preview-customtools", "gemini-3-1-pro"),
        ("gemini-3.1-flash-lite-image", "gemini-3-1-flash-lite-image"),
        ("gemini-3.5-flash-lite", "gemini-3-5-flash"),
        ("gemini-3.7-flash", "gemini-3"),
        ("google/gemini-3.8-flash", "gemini-3"),
        ("gemini-3.8-flash-tts", "gemini-3-8-flash-tts"),
        ("gemini-4-hydrogen", "gemini-4-hydrogen"),
        ("gemini-4-carbon", "gemini-4"),
        ("gemini-flash-latest", "gemini-"),
        ("gemini-5-neutron", "gemini-"),
        ("gemma-3-27b-it", "gemma-"),
        ("models/gemma-3n-e4b-it", "gemma-"),
        ("gemma-4-31b-it", "gemma-4"),
    ],
)
def test_a_model_is_known_however_it_is_spelt(name: str, row: str) -> None:
    assert model_of(name) == MODELS[row]
    assert max((part for part in MODELS if part in name.lower().replace(".", "-")), key=len) == row


def test_of_a_model_of_one_s_own_nothing_is_known() -> None:
    assert model_of("tunedModels/my-model-123") == UNKNOWN


PENALISED = Sampling(temperature=0, presence_penalty=0.5, frequency_penalty=-1)
PENALTIES = {"presence_penalty", "frequency_penalty"}
NO_PENALTY = Sampling(presence_penalty=0, frequency_penalty=0.0, n=1, logprobs=False)
EVEN_SO: Json = {
    "presencePenalty": 0,
    "frequencyPenalty": 0.0,
    "candidateCount": 1,
    "responseLogprobs": False,
}
LOGGED = Sampling(seed=7, logprobs=True, top_logprobs=3)


@pytest.mark.parametrize(
    ("model", "asked", "config", "dropped"),
    [
        ("gemini-2.5-pro", PENALISED, {"temperature": 0}, PENALTIES),
        ("gemini-3.8-flash", PENALISED, {"temperature": 0}, PENALTIES),
        ("gemini-4-carbon", PENALISED, {"temperature": 0}, PENALTIES),
        ("gemma-3-27b-it", PENALISED, {"temperature": 0}, PENALTIES),
        (
            "gemini-2.0-flash",
            PENALISED,
            {"temperature": 0, "presencePenalty": 0.5, "frequencyPenalty": -1},
            set(),
        ),
        ("gemini-2.5-flash", NO_PENALTY, {"candidateCount": 1}, set()),
        ("gemini-3.8-flash", NO_PENALTY, {}, set()),
        ("a-model-of-mine", NO_PENALTY, EVEN_SO, set()),
        ("gemini-2.5-flash", LOGGED, {"seed": 7}, {"logprobs", "top_logprobs"}),
        ("gemini-flash-latest", LOGGED, {"seed": 7}, {"logprobs", "top_logprobs"}),
        (
            "gemini-2.0-flash",
            LOGGED,
            {"seed": 7, "responseLogprobs": True, "logprobs": 3},
            set(),
        ),
        ("gemini-2.5-flash", Sampling(n=2), {"candidateCount": 2}, set()),
        ("gemini-2.5-flash-image", Sampling(n=2), {}, {"n"}),
        ("gemini-3-flash-preview", Sampling(n=2), {}, {"n"}),
        ("gemini-4-neon", Sampling(n=2), {}, {"n"}),
        ("gemini-3.8-flash", Sampling(100, 0.1, 0.9, 40, ["x"], 3), None, set()),
    ],
)
def test_sampling_that_a_model_refuses_is_left_out(
    model: str, asked: Sampling, config: Json | None, dropped: set[str]
) -> None:
    if config is None:
        config = {"maxOutputTokens": 100, "temperature": 0.1, "topP": 0.9, "topK": 40}
        config |= {"stopSequences": ["x"], "seed": 3}
    request = ChatRequest(model, [Message("user", [Text("hi")])], sampling=asked)
    contents: Json = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    expected = {**contents, "generationConfig": config} if config else contents
    assert written(request) == (expected, dropped)


EFFORT, BUDGET, SHOWN = {"reasoning.effort"}, {"reasoning.budget"}, {"reasoning.shown"}


@pytest.mark.parametrize(
    ("model", "asked", "thinking", "dropped"),
    [
        # Models that do not think are told nothing of it, and need not be told to leave it.
        ("gemini-2.0-flash", Reasoning("high", shown=True), None, EFFORT | SHOWN),
        ("gemini-2.0-flash", Reasoning("none", shown=False), None, set()),
        ("gemini-2.0-flash", Reasoning(budget=0), None, set()),
        ("gemini-2.5-flash-image", Reasoning(budget=-1), None, BUDGET),
        ("gemma-3-27b-it", Reasoning("low", 99, summary="auto"), None, None),
        # Those that think by budgets.
        ("gemini-2.5-pro", Reasoning("none"), {"thinkingBudget": 128}, EFFORT),
        ("gemini-2.5-pro", Reasoning(budget=0), {"thinkingBudget": 128}, BUDGET),
        ("gemini-2.5-pro", Reasoning(budget=31999), {"thinkingBudget": 31999}, set()),
        ("gemini-2.5-pro", Reasoning(budget=-1), {"thinkingBudget": -1}, set()),
        ("gemini-2.5-pro", Reasoning("minimal"), {"thinkingBudget": 1024}, EFFORT),
        ("gemini-2.5-flash", Reasoning("none"), {"thinkingBudget": 0}, set()),
        ("gemini-2.5-flash", Reasoning("max"), {"thinkingBudget": 24576}, EFFORT),
        ("gemini-2.5-flash", Reasoning(budget=31999), {"thinkingBudget": 24576}, BUDGET),
        ("gemini-2.5-flash", Reasoning("high", 200), {"thinkingBudget": 200}, EFFORT),
        ("gemini-2.5-flash-lite", Reasoning(budget=200), {"thinkingBudget": 512}, BUDGET),
        ("gemini-2.5-flash-lite", Reasoning(budget=0), {"thinkingBudget": 0}, set()),
        # Thoughts that are not had cannot be shown.
        ("gemini-2.5-flash", Reasoning("none", shown=True), {"thinkingBudget": 0}, set()),
        # Those that think by levels: the nearest, the greater of two.
        ("gemini-3-pro-preview", Reasoning("none"), {"thinkingLevel": "LOW"}, EFFORT),
        ("gemini-3-pro-preview", Reasoning("medium"), {"thinkingLevel": "HIGH"}, EFFORT),
        ("gemini-3-pro-preview", Reasoning("max"), {"thinkingLevel": "HIGH"}, EFFORT),
        ("gemini-3.1-pro-preview", Reasoning("medium"), {"thinkingLevel": "MEDIUM"}, set()),
        ("gemini-3.1-pro-preview", Reasoning("minimal"), {"thinkingLevel": "LOW"}, EFFORT),
        ("gemini-3-flash-preview", Reasoning("minimal"), {"thinkingLevel": "MINIMAL"}, set()),
        ("gemini-3.6-flash", Reasoning("none"), {"thinkingLevel": "MINIMAL"}, EFFORT),
        ("gemini-3.8-flash", Reasoning("minimal"), {"thinkingLevel": "LOW"}, EFFORT),
        ("gemini-3.8-flash", Reasoning("xhigh"), {"thinkingLevel": "HIGH"}, EFFORT),
        ("gemini-4-carbon", Reasoning("xhigh"), {"thinkingLevel": "HIGH"}, EFFORT),
        ("gemini-4-hydrogen", Reasoning("xhigh"), {"thinkingLevel": "XHIGH"}, set()),
        ("gemini-4-neon", Reasoning("none"), {"thinkingLevel": "LOW"}, EFFORT),
        ("gemini-3.1-flash-image", Reasoning("medium"), {"thinkingLevel": "HIGH"}, EFFORT),
        ("gemma-4-31b-it", Reasoning("low"), {"thinkingLevel": "MINIMAL"}, EFFORT),
        ("gemma-4-31b-it", Reasoning("medium"), {"thinkingLevel": "HIGH"}, EFFORT),
        # Budgets for them: as they are where both are taken, and else the level that they are worth.
        ("gemini-3-pro-preview", Reasoning(budget=31999), {"thinkingBudget": 31999}, set()),
        ("gemini-3-pro-preview", Reasoning(budget=0), {"thinkingLevel": "LOW"}, BUDGET),
        ("gemini-3-pro-preview", Reasoning(budget=99999), {"thinkingLevel": "HIGH"}, BUDGET),
        ("gemini-3.8-flash", Reasoning(budget=0), {"thinkingLevel": "LOW"}, BUDGET),
        ("gemini-3.8-flash", Reasoning(budget=8000), {"thinkingLevel": "MEDIUM"}, BUDGET),
        ("gemini-4-argon", Reasoning(budget=31999), {"thinkingLevel": "HIGH"}, BUDGET),
        ("gemini-4-argon", Reasoning("low", 31999), {"thinkingLevel": "LOW"}, BUDGET),
        ("gemini-4-argon", Reasoning(budget=-1), None, set()),
        (
            "gemini-4-argon",
            Reasoning(budget=-1, shown=True),
            {"includeThoughts": True},
            set(),
        ),
    ],
)
def test_thinking_is_asked_for_as_the_model_takes_it(
    model: str, asked: Reasoning, thinking: Json | None, dropped: set[str] | None
) -> None:
    if dropped is None:
        dropped = EFFORT | BUDGET | {"reasoning.summary"}
    body, lost = written(ChatRequest(model, [], reasoning=asked))
    config: Json = {"generationConfig": {"thinkingConfig": thinking}} if thinking else {}
    assert (body, lost) == ({"contents": [], **config}, dropped)


ASKED = [Reasoning(effort) for effort in get_args(Effort)]
ASKED += [Reasoning(budget=size) for size in (-1, 0, 1, 127, 128, 511, 8192, 24577, 32768, 10**9)]


@pytest.mark.parametrize("name", [*MODELS, "a-model-of-mine"])
def test_no_model_is_asked_to_think_in_a_way_it_refuses(name: str) -> None:
    model = model_of(name)
    assert list(model.levels) == [one for one in LEVELS if one in model.levels]
    for asked in ASKED:
        body, _ = written(ChatRequest(name, [], reasoning=asked))
        thinking = body.get("generationConfig", {}).get("thinkingConfig", {})
        assert len(thinking) < 2
        assert thinking.get("thinkingLevel") in {None, *model.levels}
        budget = thinking.get("thinkingBudget")
        if model.budget is None:
            assert budget is None
        elif budget not in (None, -1):
            assert budget in model.budget or (budget == 0 and model.off)


SCHEMA: Json = {"type": "object"}
FORM = ResponseFormat(SCHEMA)
WORDED = (
    "Answer with exactly one JSON value: no words before or after it, and no code fence. "
    'It must fit this JSON Schema:\n{"type":"object"}'
)
FORMED: Json = {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}


@pytest.mark.parametrize(
    ("model", "tools", "formed", "dropped"),
    [
        ("gemini-2.0-flash", [LOOK], False, {"response_format"}),
        ("gemini-2.5-pro", [LOOK], False, {"response_format"}),
        ("gemini-2.5-pro", [], True, set()),
        ("gemini-3-pro-preview", [LOOK], True, set()),
        ("gemini-4-hydrogen", [LOOK], True, set()),
        ("gemini-2.5-flash-image", [], False, {"response_format"}),
        ("gemma-3-27b-it", [], False, {"response_format"}),
        ("gemma-4-31b-it", [], True, set()),
    ],
)
def test_json_is_asked_for_where_it_is_had(
    model: str, tools: list[Tool], formed: bool, dropped: set[str]
) -> None:
    request = ChatRequest(model, [], tools=[*tools], response_format=FORM)
    expected: Json = {"contents": []}
    if tools:
        expected["tools"] = [LOOKED]
    if formed:
        expected["generationConfig"] = FORMED
    elif model.startswith("gemma"):
        expected["contents"] = [user(WORDED)]
    elif not model.endswith("image"):
        expected["systemInstruction"] = {"parts": [{"text": WORDED}]}
    if model == "gemma-3-27b-it":
        dropped = dropped | {"system.position"}
    assert written(request) == (expected, dropped)


@pytest.mark.parametrize(
    ("model", "choice", "more", "dropped"),
    [
        ("gemma-3-27b-it", ToolChoice("required"), {}, {"tools", "tool_choice"}),
        ("gemma-3-27b-it", ToolChoice("auto"), {}, {"tools"}),
        ("gemini-2.5-flash-image", None, {}, {"tools"}),
        ("gemma-4-31b-it", None, {"tools": [LOOKED]}, set()),
    ],
)
def test_functions_are_offered_to_models_that_call_them(
    model: str, choice: ToolChoice | None, more: Json, dropped: set[str]
) -> None:
    request = ChatRequest(model, [], tools=[LOOK], tool_choice=choice)
    assert written(request) == ({"contents": [], **more}, dropped)


def user(*texts: str) -> Json:
    return {"role": "user", "parts": [{"text": text} for text in texts]}


@pytest.mark.parametrize(
    ("messages", "contents"),
    [
        ([Message("user", [Text("hi")])], [user("Be brief.", "hi")]),
        ([], [user("Be brief.")]),
        (
            [Message("assistant", [Text("Hello.")]), Message("user", [Text("hi")])],
            [
                user("Be brief."),
                {"role": "model", "parts": [{"text": "Hello."}]},
                user("hi"),
            ],
        ),
    ],
)
def test_what_the_system_says_is_the_user_s_to_tell_gemma(
    messages: list[Message], contents: list[Json]
) -> None:
    request = ChatRequest("gemma-3-27b-it", messages, [Text("Be brief.")])
    assert written(request) == ({"contents": contents}, {"system.position"})


def test_newer_gemmas_hear_the_system_themselves() -> None:
    request = ChatRequest("gemma-4-31b-it", [Message("user", [Text("hi")])], [Text("Be brief.")])
    assert written(request) == (
        {"contents": [user("hi")], "systemInstruction": {"parts": [{"text": "Be brief."}]}},
        set(),
    )


def result(id: str, **response: str) -> Json:
    return {"functionResponse": {"id": id, "name": "look", "response": response}}


def call(id: str, signature: str | None = None) -> Json:
    part: Json = {"functionCall": {"id": id, "name": "look", "args": {}}}
    return {**part, "thoughtSignature": signature} if signature else part


def test_results_stand_alone_right_behind_their_calls() -> None:
    """What a client says beside them, before or after, is said in the next content."""
    calls: list[Block] = [ToolUse("1", "look", "{}"), ToolUse("2", "look", "{}")]
    messages = [
        Message("user", [Text("go")]),
        Message("assistant", [Text("I look."), *calls]),
        Message("user", [Text("meanwhile"), ToolResult("1", (Text("a cat"),))]),
        Message("user", [ToolResult("2", (Text("a dog"),)), Text("remember")]),
    ]
    for model in ("gemini-2.5-pro", "gemini-3.8-flash"):
        assert written(ChatRequest(model, messages)) == (
            {
                "contents": [
                    user("go"),
                    {"role": "model", "parts": [{"text": "I look."}, call("1"), call("2")]},
                    {
                        "role": "user",
                        "parts": [result("1", result="a cat"), result("2", result="a dog")],
                    },
                    user("meanwhile", "remember"),
                ]
            },
            set(),
        )


@pytest.mark.parametrize(
    ("model", "signature"),
    [("gemini-2.5-flash", None), ("gemini-3-pro-preview", UNSIGNED), ("gemini-4-neon", UNSIGNED)],
)
def test_a_conversation_that_begins_with_a_call_begins_with_an_empty_turn(
    model: str, signature: str | None
) -> None:
    messages = [A_CALL, Message("user", [ITS_RESULT])]
    assert written(ChatRequest(model, messages)) == (
        {
            "contents": [
                user(" "),
                {"role": "model", "parts": [call("1", signature)]},
                {"role": "user", "parts": [result("1", result="a cat")]},
            ]
        },
        {"signature"},
    )


def test_a_turn_is_the_present_one_until_the_user_says_words() -> None:
    """A picture beside a result is none: what was called before it is signed too."""
    messages = [
        Message("user", [Text("go")]),
        A_CALL,
        Message("user", [ITS_RESULT]),
        Message("assistant", [ToolUse("2", "look", "{}", MINE), ToolUse("3", "look", "{}")]),
        Message("user", [ToolResult("2", ()), ToolResult("3", ())]),
    ]
    body, _ = written(ChatRequest("gemini-3.8-flash", messages))
    assert body["contents"][1]["parts"] == [call("1", UNSIGNED)]
    assert body["contents"][3]["parts"] == [call("2", SEAL), call("3")]
    messages.append(Message("user", [Text("and now?")]))
    body, _ = written(ChatRequest("gemini-3.8-flash", messages))
    assert body["contents"][1]["parts"] == [call("1")]


def coding(model: str) -> ChatRequest:
    """As a coding agent asks in the midst of its work: a budget, and reminders beside results."""
    return ChatRequest(
        model,
        [
            Message("user", [Text("Fix it.", cache_ttl="5m")]),
            A_CALL,
            Message("user", [ITS_RESULT, Text("Keep to the task.")]),
        ],
        [Text("You write code.")],
        tools=[LOOK],
        sampling=Sampling(max_tokens=32000, temperature=1, presence_penalty=0.1),
        reasoning=Reasoning(budget=31999),
        response_format=ResponseFormat(SCHEMA),
    )


@pytest.mark.parametrize(
    ("model", "config", "dropped"),
    [
        (
            "gemini-2.5-pro",
            {"thinkingConfig": {"thinkingBudget": 31999}},
            {"response_format", "presence_penalty"},
        ),
        (
            "gemini-2.5-flash",
            {"thinkingConfig": {"thinkingBudget": 24576}},
            {"response_format", "presence_penalty", "reasoning.budget"},
        ),
        (
            "gemini-3-pro-preview",
            {"thinkingConfig": {"thinkingBudget": 31999}, **FORMED},
            {"presence_penalty"},
        ),
        (
            "gemini-4-hydrogen",
            {"thinkingConfig": {"thinkingLevel": "HIGH"}, **FORMED},
            {"presence_penalty", "reasoning.budget"},
        ),
        (
            "gemini-2.0-flash",
            {"presencePenalty": 0.1},
            {"response_format", "reasoning.budget"},
        ),
    ],
)
def test_a_coding_agent_is_understood_by_every_generation(
    model: str, config: Json, dropped: set[str]
) -> None:
    asked = [] if "responseMimeType" in config else [{"text": WORDED}]
    assert written(coding(model)) == (
        {
            "contents": [
                user("Fix it."),
                {"role": "model", "parts": [call("1")]},
                {"role": "user", "parts": [result("1", result="a cat")]},
                user("Keep to the task."),
            ],
            "systemInstruction": {"parts": [{"text": "You write code."}, *asked]},
            "tools": [LOOKED],
            "generationConfig": {"maxOutputTokens": 32000, "temperature": 1, **config},
        },
        dropped | {"cache_control", "signature"},
    )


def test_what_is_counted_is_what_would_be_asked() -> None:
    assert GEMINI_COUNT.count
    told = GEMINI_COUNT.count.write_request(coding("gemini-4-hydrogen"))
    body, dropped = written(coding("gemini-4-hydrogen"))
    assert told.body == {"generateContentRequest": {"model": "models/gemini-4-hydrogen", **body}}
    assert told.dropped == dropped
