"""What providers do otherwise in a dialect that they speak, as data, and bodies fitted to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.wire.json import Json

# Asked for by the gateway, for the usage. Who refuses it tells the usage unasked: nothing is lost.
ASKED_BY_US = "stream_options"
# What OpenAI does where a member is left out (its reference of Create chat completion): whoever
# asked for just that loses nothing.
DEFAULTS: Mapping[str, object] = {
    "frequency_penalty": 0,
    "logit_bias": {},
    "logprobs": False,
    "metadata": {},
    "n": 1,
    "parallel_tool_calls": True,
    "presence_penalty": 0,
    "service_tier": "auto",
    "store": False,
    "top_logprobs": 0,
}


@dataclass(frozen=True, slots=True)
class Quirks:
    """Of members at the top of a body. ``renames``: a member -> what this provider calls it, and
    refuses the other name. ``refuses``: what it answers with an error."""

    renames: Mapping[str, str] = field(default_factory=dict)
    refuses: frozenset[str] = frozenset()


NO_QUIRKS = Quirks()

# --- OpenAI Chat. Only what is known to be refused, each with where that is said. What would make
# another answer of it (functions, modalities, audio) is left to the provider's own error.

# Asked for it they answer 4xx, or as without: each tells the usage of a stream unasked.
USAGE_UNASKED = frozenset({ASKED_BY_US})

# Whose references know max_tokens alone, and what comes of the newer name: Ollama and DeepSeek do
# not see it, so that nothing limits an answer (github.com/ollama/ollama issue 7125, github.com/
# earendil-works/pi issue 8018); NVIDIA answers 400 (github.com/openclaw/openclaw issue 78836).
OLDER_LIMIT = {"max_completion_tokens": "max_tokens"}
OLDER = Quirks(renames=OLDER_LIMIT)

# 422 extra_forbidden for what its schema does not name: max_completion_tokens (github.com/
# editor-code-assistant/eca issue 231), stream_options. The schema is that of ChatCompletionRequest
# in its own SDK (mistralai 3.7).
MISTRALS = Quirks(
    renames={**OLDER_LIMIT, "seed": "random_seed"},
    refuses=USAGE_UNASKED
    | {"logit_bias", "prompt_cache_retention", "safety_identifier", "store", "user", "verbosity"},
)
# The members of its embeddings: docs.mistral.ai/api/endpoint/embeddings.
MISTRALS_EMBEDDINGS = Quirks({"dimensions": "output_dimension"}, frozenset({"user"}))
# console.groq.com/docs/openai, Currently unsupported: "will result in a 400 error". metadata: a 400
# of gpt-oss-120b (github.com/skye-harris/hass_local_openai_llm issue 59).
GROQS = Quirks(refuses=frozenset({"logit_bias", "logprobs", "metadata", "top_logprobs"}))
# docs.cohere.com/docs/compatibility-api, Unsupported parameters. A 422 of it, "n is not supported":
# github.com/davidmigloz/ai_clients_dart issue 26.
COHERES = Quirks(
    refuses=frozenset(
        {
            "logit_bias",
            "metadata",
            "n",
            "parallel_tool_calls",
            "prediction",
            "service_tier",
            "store",
            "top_logprobs",
        }
    )
)
# Every chunk of its streams carries the usage so far.
PERPLEXITYS = Quirks(renames=OLDER_LIMIT, refuses=USAGE_UNASKED)


@dataclass(frozen=True, slots=True)
class Fitted:
    """``changes``: members to set. ``without``: members to take away. ``dropped``: those of them
    that say something which the provider is not told; whoever asked shall know."""

    changes: Json
    without: tuple[str, ...]
    dropped: frozenset[str]


def fit(body: Json, quirks: Quirks) -> Fitted:
    """What to do to this body before the provider gets it. The body stays as it is.

    Where it holds a member by both of its names, the provider's own goes before the other.
    """
    renamed = [name for name in body if name in quirks.renames]
    refused = [name for name in body if name in quirks.refuses]
    changes: Json = {}
    dropped = {name for name in refused if name != ASKED_BY_US and _says_something(name, body)}
    for name in renamed:
        told, value = body.get(quirks.renames[name]), body[name]
        if told is None and value is not None:
            changes[quirks.renames[name]] = value
        elif value not in (None, told):
            dropped.add(name)
    return Fitted(changes, (*renamed, *refused), frozenset(dropped))


def _says_something(name: str, body: Json) -> bool:
    value = body[name]
    return value is not None and not (name in DEFAULTS and value == DEFAULTS[name])
