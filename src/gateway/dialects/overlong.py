"""A conversation that no longer fits: how providers say so, and what clients look for.

Agents shorten their history at it, but each knows its own provider's words: OpenAI's code
``context_length_exceeded`` (LangChain, DSPy), Anthropic's "prompt is too long" (Claude Code).
"""

import re

from gateway.errors import GatewayError

CODE = "context_length_exceeded"
ANTHROPICS = "prompt is too long"
_SAID = re.compile(
    ANTHROPICS  # Anthropic: "prompt is too long: 208310 tokens > 200000 maximum"
    + r"|exceed context limit"  # … "input length and `max_tokens` exceed context limit"
    r"|maximum context length"  # OpenAI and most imitators
    r"|exceeds the context window"  # … of Responses
    r"|exceeds the maximum number of tokens"  # Gemini: "The input token count (…) exceeds …"
    r"|context[_ ](?:length|window)[_ ]exceeded",
    re.IGNORECASE,
)


def mark(error: GatewayError) -> None:
    """Give the error OpenAI's code, where its words say that the conversation is too long."""
    if error.code is None and error.status in (400, 413) and _SAID.search(error.message):
        error.code = CODE


def in_anthropics_words(error: GatewayError) -> str:
    if error.code == CODE and ANTHROPICS not in error.message.lower():
        return f"{ANTHROPICS}: {error.message}"
    return error.message
