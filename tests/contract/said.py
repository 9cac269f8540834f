"""What a recorded answer says, read from its raw text by the API's own documentation: no code of the
dialects is used here, so that they can be held to it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

Raw = dict[str, Any]
Stop = Literal["end", "length", "tool", "refusal"]


@dataclass
class Answer:
    """``calls``: name and arguments, as values."""

    text: str = ""
    thinking: str = ""
    refusal: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    stop: Stop = "end"


@dataclass
class Used:
    """``prompt``: all that went in, ``cached`` and ``written`` being parts of it."""

    prompt: int
    output: int
    cached: int = 0
    written: int = 0
    thought: int = 0


@dataclass
class Said:
    answers: list[Answer]
    used: Used | None = None  # None: it does not say


def events_of(text: str) -> list[Any]:
    """The JSON of each server-sent event."""
    told = []
    for event in text.replace("\r\n", "\n").split("\n\n"):
        lines = [line[5:].lstrip(" ") for line in event.split("\n") if line.startswith("data:")]
        if lines and lines != ["[DONE]"]:
            told.append(json.loads("\n".join(lines)))
    return told


def said_in(recording: Raw) -> Said:
    kind = recording["api"].partition(".")[2]
    response = recording["response"]
    if "sse_text" in response:
        return STREAMED[kind](events_of(response["sse_text"]))
    return WHOLE[kind](json.loads(response["body_text"]))


def arguments(text: str | None) -> Any:
    return json.loads(text or "{}")


def number(counts: Any, *names: str) -> int:
    """The first that is told."""
    return next((counts[n] for n in names if isinstance(counts, dict) and counts.get(n)), 0)


# -- OpenAI Chat, and those who imitate it

CHAT_STOPS: dict[str | None, Stop] = {
    "length": "length",
    "tool_calls": "tool",
    "function_call": "tool",
    "content_filter": "refusal",
}


def chat(body: Raw) -> Said:
    choices: dict[int, tuple[Answer, dict[int, list[str]]]] = {}
    for choice in body["choices"]:
        chat_piece(choices, choice, choice.get("message") or {})
    return chat_told(choices, body.get("usage"))


def chat_stream(chunks: list[Raw]) -> Said:
    choices: dict[int, tuple[Answer, dict[int, list[str]]]] = {}
    counts = None
    for chunk in chunks:
        counts = chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage") or counts
        for choice in chunk.get("choices") or ():
            chat_piece(choices, choice, choice.get("delta") or {})
    return chat_told(choices, counts)


def chat_piece(choices: dict[int, Any], choice: Raw, piece: Raw) -> None:
    answer, calls = choices.setdefault(choice.get("index", 0), (Answer(), {}))
    content = piece.get("content")
    parts: list[Raw] = [{"type": "text", "text": content or ""}]
    for part in content if isinstance(content, list) else parts:
        if part["type"] == "thinking":  # Mistral's
            answer.thinking += "".join(one["text"] for one in part["thinking"])
        elif part["type"] == "text":
            answer.text += part["text"]
    answer.thinking += piece.get("reasoning_content") or piece.get("reasoning") or ""
    answer.refusal += piece.get("refusal") or ""
    for nth, call in enumerate(piece.get("tool_calls") or ()):
        told = calls.setdefault(call.get("index", nth) if "delta" in choice else nth, ["", ""])
        told[0] += call["function"].get("name") or ""
        told[1] += call["function"].get("arguments") or ""
    if choice.get("finish_reason"):
        answer.stop = CHAT_STOPS.get(choice["finish_reason"], "end")


def chat_told(choices: dict[int, Any], counts: Raw | None) -> Said:
    answers = []
    for _, (answer, calls) in sorted(choices.items()):
        answer.calls = [(name, arguments(text)) for _, (name, text) in sorted(calls.items())]
        answers.append(answer)
    if counts is None:
        return Said(answers)
    detail, thought = counts.get("prompt_tokens_details"), counts.get("completion_tokens_details")
    prompt = counts["prompt_tokens"]
    # Azure's Grok tells of 403 cached tokens among 347.
    cached = min(number(detail, "cached_tokens"), prompt)
    used = Used(prompt, counts.get("completion_tokens", 0), cached)
    used.thought = number(thought, "reasoning_tokens")
    return Said(answers, used)


# -- OpenAI Responses


def responses(body: Raw) -> Said:
    answer = Answer()
    for item in body["output"]:
        match item["type"]:
            case "message":
                for part in item["content"]:
                    answer.text += part.get("text", "")
                    answer.refusal += part.get("refusal", "")
            case "function_call":
                answer.calls.append((item["name"], arguments(item["arguments"])))
            case "reasoning":
                told = [*(item.get("summary") or ()), *(item.get("content") or ())]
                answer.thinking += "".join(part["text"] for part in told)
    reason = (body.get("incomplete_details") or {}).get("reason")
    if reason:
        answer.stop = "refusal" if reason == "content_filter" else "length"
    elif answer.calls:
        answer.stop = "tool"
    elif answer.refusal:
        answer.stop = "refusal"
    counts = body["usage"]
    used = Used(counts["input_tokens"], counts["output_tokens"])
    used.cached = number(counts.get("input_tokens_details"), "cached_tokens")
    used.thought = number(counts.get("output_tokens_details"), "reasoning_tokens")
    return Said([answer], used)


def responses_stream(events: list[Raw]) -> Said:
    """The last event holds the whole of it."""
    return responses(events[-1]["response"])


# -- Anthropic

MESSAGE_STOPS: dict[str | None, Stop] = {
    "max_tokens": "length",
    "tool_use": "tool",
    "refusal": "refusal",
}


def messages(body: Raw) -> Said:
    answer = Answer(stop=MESSAGE_STOPS.get(body["stop_reason"], "end"))
    for block in body["content"]:
        message_block(answer, block)
    return Said([answer], message_used(body["usage"]))


def message_block(answer: Answer, block: Raw) -> None:
    match block["type"]:
        case "text":
            answer.text += block["text"]
        case "thinking":
            answer.thinking += block["thinking"]
        case "tool_use":
            answer.calls.append((block["name"], block["input"]))


def messages_stream(events: list[Raw]) -> Said:
    blocks: dict[int, Raw] = {}
    inputs: dict[int, str] = {}
    counts: Raw = {}
    stop = None
    for event in events:
        match event["type"]:
            case "message_start":
                merge(counts, event["message"].get("usage"))
            case "content_block_start":
                blocks[event["index"]] = dict(event["content_block"])
            case "content_block_delta":
                message_delta(blocks[event["index"]], event, inputs)
            case "message_delta":
                merge(counts, event.get("usage"))
                stop = event["delta"].get("stop_reason") or stop
    for index, text in inputs.items():
        blocks[index]["input"] = arguments(text)
    answer = Answer(stop=MESSAGE_STOPS.get(stop, "end"))
    for _, block in sorted(blocks.items()):
        message_block(answer, block)
    return Said([answer], message_used(counts))


def message_delta(block: Raw, event: Raw, inputs: dict[int, str]) -> None:
    delta = event["delta"]
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "input_json_delta":
            inputs[event["index"]] = inputs.get(event["index"], "") + delta["partial_json"]


def merge(counts: Raw, told: Raw | None) -> None:
    counts.update({name: value for name, value in (told or {}).items() if value is not None})


def message_used(counts: Raw) -> Used:
    """Where several turns are told, all of them."""
    turns = counts.get("iterations") or [counts]
    cached = sum(number(turn, "cache_read_input_tokens") for turn in turns)
    written = sum(number(turn, "cache_creation_input_tokens") for turn in turns)
    read = sum(number(turn, "input_tokens") for turn in turns)
    output = sum(number(turn, "output_tokens") for turn in turns)
    thought = number(counts.get("output_tokens_details"), "thinking_tokens")
    return Used(read + cached + written, output, cached, written, thought)


# -- Gemini

GEMINI_STOPS: dict[str | None, Stop] = {"MAX_TOKENS": "length", "SAFETY": "refusal"}


def gemini(body: Raw) -> Said:
    return gemini_stream([body])


def gemini_stream(chunks: list[Raw]) -> Said:
    answers: dict[int, Answer] = {}
    counts: Raw = {}
    growing: Raw | None = None  # the arguments of a call that comes in pieces
    for chunk in chunks:
        merge(counts, chunk.get("usageMetadata"))
        for candidate in chunk.get("candidates") or ():
            answer = answers.setdefault(candidate.get("index", 0), Answer())
            for part in (candidate.get("content") or {}).get("parts") or ():
                growing = gemini_part(answer, part, growing)
            if reason := candidate.get("finishReason"):
                answer.stop = GEMINI_STOPS.get(reason, "end")
    for answer in answers.values():
        if answer.calls and answer.stop == "end":
            answer.stop = "tool"
    prompt = number(counts, "promptTokenCount") + number(counts, "toolUsePromptTokenCount")
    thought = number(counts, "thoughtsTokenCount")
    used = Used(prompt, number(counts, "candidatesTokenCount") + thought)
    used.cached, used.thought = number(counts, "cachedContentTokenCount"), thought
    return Said([answers[nth] for nth in sorted(answers)], used)


def gemini_part(answer: Answer, part: Raw, growing: Raw | None) -> Raw | None:
    call = part.get("functionCall")
    if call is None:
        text = part.get("text") or ""
        if part.get("thought"):
            answer.thinking += text
        else:
            answer.text += text
        return growing
    if growing is None:
        growing = dict(call.get("args") or {})
        answer.calls.append((call["name"], growing))
    for piece in call.get("partialArgs") or ():
        put(growing, piece)
    return growing if call.get("willContinue") else None


def put(arguments: Raw, piece: Raw) -> None:
    """At its JSON path, as far as recordings use paths: names and places in arrays."""
    steps: list[Any] = [
        name or int(nth) for name, nth in re.findall(r"\.(\w+)|\[(\d+)\]", piece["jsonPath"])
    ]
    holder: Any = arguments
    for step, following in pairwise(steps):
        fresh: Any = [] if isinstance(following, int) else {}
        holder = at(holder, step, fresh)
    if "stringValue" in piece:
        before = at(holder, steps[-1], "")
        holder[steps[-1]] = before + piece["stringValue"]
        return
    (value,) = [piece[name] for name in ("numberValue", "boolValue", "nullValue") if name in piece]
    at(holder, steps[-1], None)
    holder[steps[-1]] = value


def at(holder: Any, step: Any, fresh: Any) -> Any:
    if isinstance(holder, list):
        if step == len(holder):
            holder.append(fresh)
        return holder[step]
    return holder.setdefault(step, fresh)


WHOLE: dict[str, Callable[[Raw], Said]] = {
    "chat": chat,
    "responses": responses,
    "messages": messages,
    "generateContent": gemini,
}
STREAMED: dict[str, Callable[[list[Raw]], Said]] = {
    "chat": chat_stream,
    "responses": responses_stream,
    "messages": messages_stream,
    "streamGenerateContent": gemini_stream,
}

__all__ = ["Answer", "Said", "Stop", "Used", "events_of", "said_in"]
