"""When two answers, or two requests, mean the same."""

import json
from typing import Any

from tests.live import DONE
from tests.parity.wire import data_of

END = DONE.decode().removeprefix("data: ").strip()
# Documented fields are compared; this one is an addition of MLflow's to every chat answer.
UNDOCUMENTED = "provider"


class SomeText:
    """Equal to any string that is not empty."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and bool(other)

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "some text"


class SomeTime:
    """Equal to any whole number of seconds since 1970 that is later than the recording."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, int) and other > 1_790_000_000

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "now"


TEXT, NOW = SomeText(), SomeTime()


def without_nulls(value: Any) -> Any:
    """A null may be absent, and so may what holds nothing but nulls."""
    if isinstance(value, list):
        return [without_nulls(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {name: without_nulls(one) for name, one in value.items() if name != UNDOCUMENTED}
    return {
        name: one
        for name, one in kept.items()
        if one is not None and (one != {} or value[name] == {})
    }


def holds(ours: Any, theirs: Any) -> bool:
    """Whether ours says all that theirs does; it may say more."""
    if isinstance(theirs, dict):
        return isinstance(ours, dict) and all(holds(ours.get(k), v) for k, v in theirs.items())
    if isinstance(theirs, list):
        return (
            isinstance(ours, list)
            and len(ours) == len(theirs)
            and all(holds(one, other) for one, other in zip(ours, theirs, strict=True))
        )
    return bool(theirs == ours)


def parsed(events: list[str]) -> list[Any]:
    return [one if one == END else json.loads(one) for one in events]


def asked(body: Any) -> Any:
    """What a request to a provider means: MLflow always asks for one answer, as nobody need, and
    calls Gemini's `systemInstruction` by its other name."""
    said = {name: value for name, value in body.items() if (name, value) != ("n", 1)}
    if said.get("generationConfig", {}).get("candidateCount") == 1:
        said["generationConfig"] = dict(said["generationConfig"])
        del said["generationConfig"]["candidateCount"]
    renamed = {"system_instruction": "systemInstruction"}
    return {renamed.get(name, name): value for name, value in said.items() if value != {}}


def gathered(events: list[Any]) -> dict[str, Any]:
    """What the chunks of a streamed chat come to; how it was cut into them does not matter."""
    chunks = [one for one in events if one != END and "error" not in one]
    choices: dict[int, dict[str, Any]] = {}
    for piece in (choice for chunk in chunks for choice in chunk["choices"]):
        choice = choices.setdefault(
            piece["index"], {"index": piece["index"], "content": "", "tool_calls": {}}
        )
        choice["content"] += piece["delta"].get("content") or ""
        for call in piece["delta"].get("tool_calls") or ():
            _add_call(choice["tool_calls"], call)
        choice["finish_reason"] = piece["finish_reason"] or choice.get("finish_reason")
    usages = [chunk["usage"] for chunk in chunks if chunk.get("usage")]
    return {
        **{name: chunks[0][name] for name in ("id", "object", "created", "model")},
        "choices": [
            {**one, "tool_calls": [*one["tool_calls"].values()]} for one in choices.values()
        ],
        "usage": usages[-1] if usages else None,
        "ended": events[-1] == END,
    }


def _add_call(calls: dict[int, dict[str, Any]], piece: dict[str, Any]) -> None:
    call = calls.setdefault(
        piece["index"], {"index": piece["index"], "function": {"arguments": ""}}
    )
    function = piece["function"]
    call |= {name: piece[name] for name in ("id", "type") if piece.get(name)}
    call["function"] |= {"name": function["name"]} if function.get("name") else {}
    call["function"]["arguments"] += function.get("arguments") or ""


def told(answer: Any) -> Any:
    """An answer with the arguments of its calls read: their spaces mean nothing."""
    if isinstance(answer, list):
        return [told(one) for one in answer]
    if not isinstance(answer, dict):
        return answer
    read = {name: told(one) for name, one in answer.items()}
    if isinstance(arguments := read.get("arguments"), str) and arguments:
        read["arguments"] = json.loads(arguments)
    return read


def expected(case: dict[str, Any]) -> Any:
    """What MLflow answered, as far as we must too: without nulls, and where it translated without
    what it makes up itself."""
    body = case["response"]["body"]
    if isinstance(body, str):
        body = gathered(parsed(data_of(body)))
    answer = told(body)
    if "created" in answer and case["id"].startswith(("anth.", "gem.")):
        answer["created"] = NOW
        if case["id"].startswith("gem."):
            _as_gemini_says(answer, case["mock_upstream_replies"][0])
    return without_nulls(answer)


def _as_gemini_says(answer: dict[str, Any], reply: dict[str, Any]) -> None:
    """Its names are the provider's own, or unique; its model is the one of that name that the
    provider says it was. `thoughtsTokenCount` is Gemini's word, for which OpenAI has another."""
    said = reply.get("json") or json.loads(data_of(reply["chunks"][0])[0])
    answer |= {
        "id": said.get("responseId", TEXT),
        "model": said.get("modelVersion", answer["model"]),
    }
    for choice in answer["choices"]:
        for call in choice.get("message", choice).get("tool_calls") or ():
            call["id"] = TEXT
    if thought := answer["usage"].pop("thoughtsTokenCount", None):
        answer["usage"]["completion_tokens_details"] = {"reasoning_tokens": thought}
