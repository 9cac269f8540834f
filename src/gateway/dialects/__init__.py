"""The wire formats that callers and providers speak. One folder each; none knows another."""

from gateway.dialects.anthropic_messages import ANTHROPIC_COUNT, ANTHROPIC_MESSAGES
from gateway.dialects.base import Dialect
from gateway.dialects.openai_chat import OPENAI_CHAT
from gateway.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from gateway.dialects.openai_responses import OPENAI_COMPACTION, OPENAI_RESPONSES

__all__ = [
    "ANTHROPIC_COUNT",
    "ANTHROPIC_MESSAGES",
    "OPENAI_CHAT",
    "OPENAI_COMPACTION",
    "OPENAI_EMBEDDINGS",
    "OPENAI_RESPONSES",
    "Dialect",
]
