"""How an answer is drawn, both ways.

What a model is known to refuse is left out and reported, never changed: an application that always
says ``temperature: 0`` could not be served by today's models at all. What each takes:
https://platform.claude.com/docs/en/build-with-claude/thinking#sampling-parameters,
https://platform.claude.com/docs/en/about-claude/models/migration-guide
"""

from collections.abc import Mapping
from typing import Any

from gateway.chat.request import Sampling
from gateway.dialects.anthropic_messages.models import Model, Takes
from gateway.dialects.base import Fields, Kinds, json_type
from gateway.errors import BadRequest
from gateway.wire.json import Json

NUMBER = (int, float)
SAMPLING: Mapping[str, Kinds] = {  # called alike by us and by them
    "max_tokens": int,
    "temperature": NUMBER,
    "top_p": NUMBER,
    "top_k": int,
}
# What the API does where nothing is said: to leave it out loses nothing.
DEFAULTS: Mapping[str, float] = {"temperature": 1, "top_p": 1}
# What goes with thinking, least and most. No `top_k` does.
WHILE_THINKING: Mapping[str, tuple[float, float]] = {"temperature": (1, 1), "top_p": (0.95, 1)}

# What it has no words for, and what asks for nothing but what it does anyway.
UNSAYABLE: Mapping[str, tuple[Any, ...]] = {
    "seed": (None,),
    "n": (None, 1),
    "presence_penalty": (None, 0),
    "frequency_penalty": (None, 0),
    "logprobs": (None, False),
    "top_logprobs": (None, 0),
    "logit_bias": (None, {}),
}


def read_sampling(fields: Fields) -> Sampling:
    values = {name: fields.may(name, kind) for name, kind in SAMPLING.items()}
    stop = fields.each("stop_sequences")
    for one, place in stop:
        if not isinstance(one, str):
            raise BadRequest(place, f"must be a string, not {json_type(one)}")
    return Sampling(**values, stop=[one for one, _ in stop] or None)


def write_sampling(asked: Sampling, model: Model, thinking: Json | None, dropped: set[str]) -> Json:
    """All but ``max_tokens``. ``thinking``: as it is written."""
    named = {name: getattr(asked, name) for name in SAMPLING if name != "max_tokens"}
    told: Json = {name: value for name, value in named.items() if value is not None}
    thinks = thinking is not None and thinking["type"] in ("enabled", "adaptive")
    refused = _refused(told, model.sampling, thinks=thinks)
    dropped |= {name for name in refused if told[name] != DEFAULTS.get(name)}
    dropped |= {name for name, mute in UNSAYABLE.items() if getattr(asked, name) not in mute}
    body: Json = {name: value for name, value in told.items() if name not in refused}
    if asked.stop:
        body["stop_sequences"] = asked.stop
    return body


def _refused(told: Mapping[str, float], takes: Takes, *, thinks: bool) -> set[str]:
    if takes == "all":
        return set()
    if takes == "none":
        return set(told)
    refused = {name for name, value in told.items() if thinks and not _fits(name, value)}
    if takes == "one" and {"temperature", "top_p"} <= told.keys() - refused:
        usual = told["temperature"] == DEFAULTS["temperature"]
        refused.add("temperature" if usual else "top_p")
    return refused


def _fits(name: str, value: float) -> bool:
    """Whether it goes with thinking."""
    if name not in WHILE_THINKING:
        return False
    least, most = WHILE_THINKING[name]
    return least <= value <= most
