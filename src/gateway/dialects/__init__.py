"""The wire formats that callers and providers speak. One folder each; none knows another."""

from gateway.dialects.anthropic_messages import ANTHROPIC_COUNT, ANTHROPIC_MESSAGES
from gateway.dialects.base import Dialect
from gateway.dialects.gemini import GEMINI, GEMINI_BATCH_EMBED, GEMINI_COUNT, GEMINI_EMBED
from gateway.dialects.openai_chat import OPENAI_CHAT
from gateway.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from gateway.dialects.openai_responses import (
    OPENAI_COMPACTION,
    OPENAI_INPUT_TOKENS,
    OPENAI_RESPONSES,
)

CHAT_DIALECTS = (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES, GEMINI)

__all__ = [
    "ANTHROPIC_COUNT",
    "ANTHROPIC_MESSAGES",
    "CHAT_DIALECTS",
    "GEMINI",
    "GEMINI_BATCH_EMBED",
    "GEMINI_COUNT",
    "GEMINI_EMBED",
    "OPENAI_CHAT",
    "OPENAI_COMPACTION",
    "OPENAI_EMBEDDINGS",
    "OPENAI_INPUT_TOKENS",
    "OPENAI_RESPONSES",
    "Dialect",
]
