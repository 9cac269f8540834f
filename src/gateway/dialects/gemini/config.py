"""``generationConfig``: how the answer is sampled, thought over and formed.

https://ai.google.dev/api/generate-content#generationconfig
"""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.chat.request import ChatRequest, ResponseFormat, Sampling
from gateway.dialects.gemini.fields import NUMBER, ProtoFields
from gateway.dialects.gemini.models import Model
from gateway.dialects.gemini.schema import json_schema
from gateway.dialects.gemini.thinking import read_thinking, write_thinking
from gateway.wire.json import Json

JSON_TYPE = "application/json"
PLAIN_TYPE = "text/plain"
# As an enum, which is what ``responseFormat`` is documented to take; it takes both.
TYPES: Mapping[str, str] = {"APPLICATION_JSON": JSON_TYPE, "TEXT_PLAIN": PLAIN_TYPE}
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
# What says nothing: what the API does unasked.
DEFAULTS: Json = {
    "n": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "logprobs": False,
    "top_logprobs": 0,
}


def read_config(config: ProtoFields, request: ChatRequest) -> None:
    """Into the request; what is not understood is left in the config."""
    values = {
        ours: _READ.get(ours, ProtoFields.whole)(config, theirs)
        for ours, theirs in SAMPLING.items()
    }
    request.sampling = Sampling(**values)
    if thinking := config.inner("thinkingConfig"):
        request.reasoning = read_thinking(thinking)
        thinking.leave(request.unread)
    request.response_format = _read_text_format(config, request.unread) or _read_format(config)
    request.modalities = _read_modalities(config)


def _read_text_format(config: ProtoFields, unread: Json) -> ResponseFormat | None:
    """Newer than the fields beside it, and in their place; google-genai has a list of them. What it
    says of images and sound is left unread."""
    asked: ResponseFormat | None = None
    for raw, place in config.each("responseFormat"):
        form = ProtoFields(raw, place)
        if text := form.inner("text"):
            asked = _read_text(text) or asked
            text.leave(unread)
        form.leave(unread)
    return asked


def _read_text(text: ProtoFields) -> ResponseFormat | None:
    mime = text.rest.get(text.own("mimeType"))
    mime = TYPES.get(mime, mime) if isinstance(mime, str) else mime
    if mime not in (None, JSON_TYPE, PLAIN_TYPE):
        return None
    text.may("mimeType", str)
    if (schema := text.may("schema", dict)) is not None:
        return ResponseFormat(schema, strict=True)
    return ResponseFormat() if mime == JSON_TYPE else None


def _read_format(config: ProtoFields) -> ResponseFormat | None:
    """Only JSON has a neutral meaning: an answer that is one word of an enum is left unread. An
    answer always keeps to its schema."""
    mime = config.rest.get(config.own("responseMimeType"))
    if mime not in (None, JSON_TYPE, PLAIN_TYPE):
        return None
    config.may("responseMimeType", str)
    for name in ("responseJsonSchema", "_responseJsonSchema"):
        if (schema := config.may(name, dict)) is not None:
            return ResponseFormat(schema, strict=True)
    place = config.path(config.own("responseSchema"))
    if (schema := config.may("responseSchema", dict)) is not None:
        return ResponseFormat(json_schema(schema, place), strict=True)
    return ResponseFormat() if mime == JSON_TYPE else None


def _read_modalities(config: ProtoFields) -> list[str] | None:
    told = [one.lower() for one in config.texts("responseModalities") or ()]
    return [one for one in told if one not in ("text", "modality_unspecified")] or None


def write_config(request: ChatRequest, model: Model, dropped: set[str], *, tools: bool) -> Json:
    """``tools``: whether the request offers any."""
    config = _write_sampling(request.sampling, model, dropped)
    if request.reasoning:
        thinking = write_thinking(request.reasoning, model, dropped)
        if thinking:
            config["thinkingConfig"] = thinking
    if request.response_format:
        if not forms(model, tools=tools):
            dropped.add("response_format")
        else:
            config |= _write_format(request.response_format, dropped)
    if request.modalities:
        config["responseModalities"] = _write_modalities(request.modalities)
    return {"generationConfig": config} if config else {}


def forms(model: Model, *, tools: bool) -> bool:
    """Whether the API can be asked for an answer's form."""
    return model.formed == "always" or (model.formed == "alone" and not tools)


def _write_sampling(asked: Sampling, model: Model, dropped: set[str]) -> Json:
    config: Json = {}
    for ours, theirs in SAMPLING.items():
        value = getattr(asked, ours)
        if value is None:
            continue
        if ours not in model.refuses:
            config[theirs] = value
        elif value != DEFAULTS[ours]:
            dropped.add(ours)
    if asked.logit_bias:
        dropped.add("logit_bias")
    return config


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
