"""What MLflow's own API refuses, before a provider is asked, where that provider cannot be told it.

Elsewhere such a thing is left out and reported; who comes from MLflow knows a 422, in these words.
"""

from collections.abc import Mapping

from gateway.dialects import ANTHROPIC_MESSAGES, GEMINI, OPENAI_CHAT, Dialect
from gateway.errors import Unprocessable, Unsayable
from gateway.exchange.exchange import Call
from gateway.wire.json import Json

# Gemini's own names of parameters, and what the unified API calls them.
NATIVE: Mapping[str, str] = {
    "topP": "top_p",
    "topK": "top_k",
    "maxOutputTokens": "max_tokens",
    "stopSequences": "stop",
    "candidateCount": "n",
}


def keep_manners(call: Call, provider: Dialect) -> None:
    """Raises Unprocessable; Unsayable for what another target can be told."""
    if not call.unified or call.dialect is not OPENAI_CHAT:
        return
    if provider is ANTHROPIC_MESSAGES:
        _to_anthropic(call.body)
    elif provider is GEMINI:
        _to_gemini(call.body)


def _to_anthropic(body: Json) -> None:
    n = body.get("n")
    if n not in (None, 1):
        raise Unsayable(
            f"'n' must be '1' for the Anthropic provider. Received value: '{n}'.", field="n"
        )
    # Claude Opus 4.1 and what came after it refuse the two together.
    if body.get("temperature") is not None and body.get("top_p") is not None:
        raise Unsayable(
            "Cannot set both 'temperature' and 'top_p' parameters.", field="temperature"
        )


def _to_gemini(body: Json) -> None:
    for native, unified in NATIVE.items():
        if native in body:
            raise Unprocessable(f"Invalid parameter {native}. Use {unified} instead.", field=native)
