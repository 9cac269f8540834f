"""``generationConfig``: how the answer is sampled, thought over and formed.

https://ai.google.dev/api/generate-content#generationconfig
"""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.chat.request import ChatRequest, Effort, Reasoning, ResponseFormat, Sampling
from gateway.dialects.gemini.fields import NUMBER, ProtoFields
from gateway.dialects.gemini.models import BUDGETS, before_3
from gateway.dialects.gemini.schema import json_schema
from gateway.wire.json import Json

JSON_TYPE = "application/json"
SAMPLING: Mapping[str, str] = {  # our name -> theirs
    "max_tokens": "maxOutputTokens",
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "stop": "stopSequences",
    "seed": "seed",
    "n": "candidateCount",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "logprobs": "responseLogprobs",
    "top_logprobs": "logprobs",
}
_READ: Mapping[str, Callable[[ProtoFields, str], Any]] = {
    "stop": ProtoFields.texts,
    "logprobs": lambda config, name: config.may(name, bool),
    **dict.fromkeys(
        ("temperature", "top_p", "presence_penalty", "frequency_penalty"),
        lambda config, name: config.may(name, NUMBER),
    ),
}
LEVELS: Mapping[str, Effort] = {
    "MINIMAL": "minimal",
    "LOW": "low",
    "MEDIUM": "medium",
    "HIGH": "high",
    "XHIGH": "xhigh",
}
LEVELS_OUT: Mapping[Effort, str] = {
    **{effort: level for level, effort in LEVELS.items()},
    "none": "MINIMAL",
    "max": "XHIGH",
}


def read_config(config: ProtoFields, request: ChatRequest) -> None:
    """Into the request; what is not understood is left in the config."""
    values = {
        ours: _READ.get(ours, ProtoFields.whole)(config, theirs)
        for ours, theirs in SAMPLING.items()
    }
    request.sampling = Sampling(**values)
    if thinking := config.inner("thinkingConfig"):
        request.reasoning = _read_thinking(thinking)
        thinking.leave(request.unread)
    request.response_format = _read_format(config)
    request.modalities = _read_modalities(config)


def _read_thinking(thinking: ProtoFields) -> Reasoning:
    level = thinking.rest.get(thinking.own("thinkingLevel"))
    effort = LEVELS.get(level.upper()) if isinstance(level, str) else None
    if effort:
        thinking.may("thinkingLevel", str)
    return Reasoning(
        effort=effort,
        budget=thinking.whole("thinkingBudget"),
        shown=thinking.may("includeThoughts", bool),
    )


def _read_format(config: ProtoFields) -> ResponseFormat | None:
    """Only JSON has a neutral meaning: an answer that is one word of an enum is left unread."""
    mime = config.rest.get(config.own("responseMimeType"))
    if mime not in (None, JSON_TYPE, "text/plain"):
        return None
    config.may("responseMimeType", str)
    for name in ("responseJsonSchema", "_responseJsonSchema"):
        if (schema := config.may(name, dict)) is not None:
            return ResponseFormat(schema)
    place = config.path(config.own("responseSchema"))
    if (schema := config.may("responseSchema", dict)) is not None:
        return ResponseFormat(json_schema(schema, place))
    return ResponseFormat() if mime == JSON_TYPE else None


def _read_modalities(config: ProtoFields) -> list[str] | None:
    told = [one.lower() for one in config.texts("responseModalities") or ()]
    return [one for one in told if one not in ("text", "modality_unspecified")] or None


def write_config(request: ChatRequest, dropped: set[str]) -> Json:
    config: Json = {}
    for ours, theirs in SAMPLING.items():
        if (value := getattr(request.sampling, ours)) is not None:
            config[theirs] = value
    if request.sampling.logit_bias:
        dropped.add("logit_bias")
    if request.reasoning:
        thinking = _write_thinking(request.reasoning, request.model, dropped)
        if thinking:
            config["thinkingConfig"] = thinking
    if request.response_format:
        config |= _write_format(request.response_format, dropped)
    if request.modalities:
        config["responseModalities"] = _write_modalities(request.modalities)
    return {"generationConfig": config} if config else {}


def _write_thinking(asked: Reasoning, model: str, dropped: set[str]) -> Json:
    """An older model knows budgets only, and a newer one takes either, but not both at once."""
    thinking: Json = {}
    if asked.budget is not None and (asked.effort is None or before_3(model)):
        thinking["thinkingBudget"] = asked.budget
        if asked.effort is not None:
            dropped.add("reasoning.effort")
    elif asked.effort is not None:
        if asked.budget is not None:
            dropped.add("reasoning.budget")
        thinking |= _write_effort(asked.effort, model, dropped)
    shown = asked.shown
    if asked.summary is not None:  # what Gemini shows of its thoughts is a summary
        shown = True if shown is None else shown
        if asked.summary != "auto":
            dropped.add("reasoning.summary")
    if shown is not None:
        thinking["includeThoughts"] = shown
    return thinking


def _write_effort(effort: Effort, model: str, dropped: set[str]) -> Json:
    if before_3(model):
        if effort != "none":
            dropped.add("reasoning.effort")
        return {"thinkingBudget": BUDGETS[effort]}
    level = LEVELS_OUT[effort]
    if LEVELS[level] != effort:
        dropped.add("reasoning.effort")
    return {"thinkingLevel": level}


def _write_format(asked: ResponseFormat, dropped: set[str]) -> Json:
    """``responseJsonSchema`` takes a schema whole, and every answer keeps to it: always strict."""
    for name in ("name", "description"):
        if getattr(asked, name) is not None:
            dropped.add(f"response_format.{name}")
    config: Json = {"responseMimeType": JSON_TYPE}
    if asked.schema is not None:
        config["responseJsonSchema"] = asked.schema
    return config


def _write_modalities(asked: list[str]) -> list[str]:
    """A model that speaks says nothing else.
    (https://ai.google.dev/gemini-api/docs/speech-generation)"""
    others = [one.upper() for one in asked if one != "text"]
    return others if "AUDIO" in others else ["TEXT", *others]
