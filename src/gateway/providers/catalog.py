"""One row per provider. One that imitates a known dialect needs nothing else.

Each base URL and key variable is the one in common use for the provider's OpenAI-compatible API.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.dialects import (
    ANTHROPIC_COUNT,
    ANTHROPIC_MESSAGES,
    OPENAI_CHAT,
    OPENAI_COMPACTION,
    OPENAI_EMBEDDINGS,
    OPENAI_RESPONSES,
    Dialect,
)

CHAT: Mapping[Dialect, str] = {OPENAI_CHAT: "/chat/completions"}
CHAT_AND_EMBEDDINGS = {**CHAT, OPENAI_EMBEDDINGS: "/embeddings"}
CHAT_AND_RESPONSES = {**CHAT, OPENAI_RESPONSES: "/responses"}
ALL_BUT_COMPACTION = {**CHAT_AND_EMBEDDINGS, OPENAI_RESPONSES: "/responses"}
ALL_OF_OPENAI = {**ALL_BUT_COMPACTION, OPENAI_COMPACTION: "/responses/compact"}

MESSAGES: Mapping[Dialect, str] = {
    ANTHROPIC_MESSAGES: "/messages",
    ANTHROPIC_COUNT: "/messages/count_tokens",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a call is taken: where its key stands, what headers it brings, and which of the
    caller's may come along, in the place of those."""

    key_header: str = "authorization"
    key_format: str = "Bearer {key}"
    headers: Mapping[str, str] = field(default_factory=dict)
    forwards: frozenset[str] = frozenset()


OPENAIS = Terms(forwards=frozenset({"openai-beta"}))
AZURES = Terms("api-key", "{key}", forwards=OPENAIS.forwards)
# What a version means is between Anthropic and the caller's SDK: each SDK names the one it reads.
ANTHROPICS = Terms(
    "x-api-key",
    "{key}",
    headers={"anthropic-version": "2023-06-01"},
    forwards=frozenset({"anthropic-version", "anthropic-beta"}),
)


@dataclass(frozen=True, slots=True)
class Provider:
    """Where a provider is and how it is spoken to.

    ``base_url``: empty when only the target can know it. ``speaks``: dialect -> path below the base
    URL. ``key_variables``: the environment variables that usually hold its key, best first; none
    means that it takes calls without one. ``base_url_variable``: one that usually moves it.
    ``base_path``: how every base URL of it ends, and so need not be written.
    ``terms``: those of every dialect but those in ``terms_of``.
    ``models``: how its model names begin, where that tells them from others'. ``example``: a model
    for a first try.
    ``stream_usage``: whether it takes ``stream_options`` (the others tell the usage unasked).
    """

    name: str
    base_url: str
    speaks: Mapping[Dialect, str]
    key_variables: tuple[str, ...] = ()
    base_url_variable: str | None = None
    base_path: str = ""
    terms: Terms = Terms()
    terms_of: Mapping[Dialect, Terms] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    example: str = ""
    stream_usage: bool = True

    def terms_in(self, dialect: Dialect) -> Terms:
        return self.terms_of.get(dialect, self.terms)


ECHO = "echo"
OPENAI_COMPATIBLE = "openai_compatible"
ANTHROPIC_COMPATIBLE = "anthropic_compatible"

PROVIDERS: Mapping[str, Provider] = {
    provider.name: provider
    for provider in (
        # Built in: answers deterministically, and says that it is an echo.
        Provider(ECHO, "echo://built-in", ALL_BUT_COMPACTION, example="echo"),
        Provider(
            "openai",
            "https://api.openai.com/v1",
            ALL_OF_OPENAI,
            ("OPENAI_API_KEY",),
            base_url_variable="OPENAI_BASE_URL",
            terms=OPENAIS,
            models=("gpt-", "chatgpt-", "o1", "o3", "o4", "text-embedding-"),
            example="gpt-4.1-mini",
        ),
        Provider(
            "anthropic",
            "https://api.anthropic.com/v1",
            {**CHAT, **MESSAGES},
            ("ANTHROPIC_API_KEY",),
            base_url_variable="ANTHROPIC_BASE_URL",
            base_path="/v1",
            terms_of=dict.fromkeys(MESSAGES, ANTHROPICS),
            models=("claude-",),
            example="claude-haiku-4-5",
        ),
        Provider(
            "gemini",
            "https://generativelanguage.googleapis.com/v1beta/openai",
            CHAT_AND_EMBEDDINGS,
            ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
            models=("gemini-",),
            example="gemini-2.5-flash",
        ),
        # At a resource's own https://NAME.openai.azure.com/openai/v1; a model is a deployment.
        Provider(
            "azure",
            "",
            ALL_OF_OPENAI,
            ("AZURE_OPENAI_API_KEY",),
            terms=AZURES,
        ),
        Provider(
            "groq",
            "https://api.groq.com/openai/v1",
            CHAT_AND_RESPONSES,
            ("GROQ_API_KEY",),
            example="llama-3.3-70b-versatile",
        ),
        Provider(
            "xai",
            "https://api.x.ai/v1",
            CHAT_AND_RESPONSES,
            ("XAI_API_KEY",),
            models=("grok-",),
            example="grok-4",
        ),
        Provider(
            "deepseek",
            "https://api.deepseek.com/v1",
            CHAT,
            ("DEEPSEEK_API_KEY",),
            models=("deepseek-",),
            example="deepseek-chat",
        ),
        Provider(
            "mistral",
            "https://api.mistral.ai/v1",
            CHAT_AND_EMBEDDINGS,
            ("MISTRAL_API_KEY",),
            models=("mistral-", "codestral-", "devstral-", "ministral-", "magistral-"),
            example="mistral-small-latest",
            stream_usage=False,  # 422 extra_forbidden: body.stream_options
        ),
        Provider(
            "cohere",
            "https://api.cohere.ai/compatibility/v1",
            CHAT_AND_EMBEDDINGS,
            ("COHERE_API_KEY", "CO_API_KEY"),
            models=("command-",),
            example="command-a-03-2025",
        ),
        Provider(
            "openrouter",
            "https://openrouter.ai/api/v1",
            CHAT_AND_RESPONSES,
            ("OPENROUTER_API_KEY",),
            example="openai/gpt-4.1-mini",
        ),
        Provider(
            "together",
            "https://api.together.xyz/v1",
            CHAT_AND_EMBEDDINGS,
            ("TOGETHER_API_KEY",),
            example="meta-llama/Llama-3.3-70B-Instruct-Turbo",
        ),
        Provider(
            "fireworks",
            "https://api.fireworks.ai/inference/v1",
            ALL_BUT_COMPACTION,
            ("FIREWORKS_API_KEY",),
            example="accounts/fireworks/models/llama-v3p3-70b-instruct",
        ),
        Provider(
            "cerebras",
            "https://api.cerebras.ai/v1",
            CHAT,
            ("CEREBRAS_API_KEY",),
            example="llama-3.3-70b",
        ),
        Provider(
            "perplexity",
            "https://api.perplexity.ai",
            CHAT,
            ("PERPLEXITY_API_KEY", "PPLX_API_KEY"),
            models=("sonar",),
            example="sonar",
            stream_usage=False,  # every chunk of its streams carries the usage so far
        ),
        Provider(
            "nvidia",
            "https://integrate.api.nvidia.com/v1",
            CHAT_AND_EMBEDDINGS,
            ("NVIDIA_API_KEY",),
            example="meta/llama-3.3-70b-instruct",
        ),
        Provider(
            "deepinfra",
            "https://api.deepinfra.com/v1/openai",
            CHAT_AND_EMBEDDINGS,
            ("DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"),
            example="meta-llama/Llama-3.3-70B-Instruct",
        ),
        Provider(
            "huggingface",
            "https://router.huggingface.co/v1",
            CHAT,
            ("HF_TOKEN",),
            example="openai/gpt-oss-120b",
        ),
        Provider("ollama", "http://127.0.0.1:11434/v1", ALL_BUT_COMPACTION, example="llama3.2"),
        # vLLM, llama.cpp, LM Studio, a colleague's gateway: any base URL, by configuration.
        Provider(OPENAI_COMPATIBLE, "", ALL_OF_OPENAI),
        # The same for what takes Anthropic's SDKs: DeepSeek's, Moonshot's, Z.ai's, LiteLLM's, …
        Provider(ANTHROPIC_COMPATIBLE, "", MESSAGES, base_path="/v1", terms=ANTHROPICS),
    )
}


def base_url_variables() -> list[str]:
    """The environment variables that move a provider."""
    named = (provider.base_url_variable for provider in PROVIDERS.values())
    return [variable for variable in named if variable]
