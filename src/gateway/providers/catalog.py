"""One row per provider. One that imitates a known dialect needs nothing else.

Each base URL and key variable is the one in common use for the provider's API of that kind. Of what
the first dialect of a row is for, ``Provider`` tells.
"""

from collections.abc import Mapping

from gateway.dialects import (
    ANTHROPIC_COUNT,
    ANTHROPIC_MESSAGES,
    GEMINI,
    GEMINI_BATCH_EMBED,
    GEMINI_COUNT,
    GEMINI_EMBED,
    OPENAI_CHAT,
    OPENAI_COMPACTION,
    OPENAI_EMBEDDINGS,
    OPENAI_INPUT_TOKENS,
    OPENAI_RESPONSES,
    Dialect,
)
from gateway.dialects.openai_chat import COMPATIBLE_FORM, MISTRAL_FORM, THOUGHTFUL_FORM
from gateway.dialects.openai_models import reasons
from gateway.providers.provider import Provider, Terms
from gateway.providers.quirks import (
    COHERES,
    GROQS,
    MISTRALS,
    MISTRALS_EMBEDDINGS,
    OLDER,
    PERPLEXITYS,
)

__all__ = [
    "ANTHROPIC_COMPATIBLE",
    "ECHO",
    "OPENAI_COMPATIBLE",
    "PROVIDERS",
    "Provider",
    "Terms",
    "base_url_variables",
]

CHAT: Mapping[Dialect, str] = {OPENAI_CHAT: "/chat/completions"}
CHAT_AND_EMBEDDINGS = {**CHAT, OPENAI_EMBEDDINGS: "/embeddings"}
CHAT_AND_RESPONSES = {**CHAT, OPENAI_RESPONSES: "/responses"}
ALL_BUT_COMPACTION = {**CHAT_AND_EMBEDDINGS, OPENAI_RESPONSES: "/responses"}
OF_THE_ECHO = {**ALL_BUT_COMPACTION, OPENAI_INPUT_TOKENS: "/responses/input_tokens"}
ALL_BUT_COUNTING = {**ALL_BUT_COMPACTION, OPENAI_COMPACTION: "/responses/compact"}
ALL_OF_OPENAI = {**ALL_BUT_COUNTING, OPENAI_INPUT_TOKENS: "/responses/input_tokens"}

# Without the counting of tokens, which its imitators leave out more often than not.
MESSAGES_ALONE: Mapping[Dialect, str] = {ANTHROPIC_MESSAGES: "/messages"}
MESSAGES = {**MESSAGES_ALONE, ANTHROPIC_COUNT: "/messages/count_tokens"}

# The batch first: what is translated into embeddings may hold several texts.
GENERATE: Mapping[Dialect, str] = {
    GEMINI: "/models/{model}:generateContent",
    GEMINI_COUNT: "/models/{model}:countTokens",
    GEMINI_BATCH_EMBED: "/models/{model}:batchEmbedContents",
    GEMINI_EMBED: "/models/{model}:embedContent",
}

OPENAIS = Terms(forwards=frozenset({"openai-beta"}))
AZURES = Terms("api-key", "{key}", forwards=OPENAIS.forwards)
GOOGLES = Terms("x-goog-api-key", "{key}")
# What a version means is between Anthropic and the caller's SDK: each SDK names the one it reads.
VERSION = {"anthropic-version": "2023-06-01"}
ANTHROPICS = Terms(
    "x-api-key",
    "{key}",
    headers=VERSION,
    forwards=frozenset({"anthropic-version", "anthropic-beta"}),
)
# Imitators that take the key as a bearer alone. All that are here document the use of Claude Code,
# which sends betas with every call.
BEARERS = Terms(headers=VERSION, forwards=ANTHROPICS.forwards)
# Without betas: Bedrock answers 400 to one that it does not know ("invalid beta flag", of its other
# endpoint), and clients send some with every call.
MANTLES = Terms(headers=VERSION, forwards=frozenset({"anthropic-version"}), signed="bedrock-mantle")


def _where_thoughts_are_kept(model: str) -> Dialect | None:
    """Chat Completions forgets between turns what a model has thought, and gives the newest no
    tools (https://developers.openai.com/api/docs/guides/migrate-to-responses)."""
    return OPENAI_RESPONSES if reasons(model) else None


ECHO = "echo"
OPENAI_COMPATIBLE = "openai_compatible"
ANTHROPIC_COMPATIBLE = "anthropic_compatible"

PROVIDERS: Mapping[str, Provider] = {
    provider.name: provider
    for provider in (
        # Built in: answers deterministically, and says that it is an echo.
        Provider(ECHO, "echo://built-in", OF_THE_ECHO, example="echo"),
        Provider(
            "openai",
            "https://api.openai.com/v1",
            ALL_OF_OPENAI,
            ("OPENAI_API_KEY",),
            base_url_variable="OPENAI_BASE_URL",
            terms=OPENAIS,
            better_in=_where_thoughts_are_kept,
            models=("gpt-", "chatgpt-", "o1", "o3", "o4", "text-embedding-"),
            example="gpt-4.1-mini",
        ),
        Provider(
            "anthropic",
            "https://api.anthropic.com/v1",
            MESSAGES,
            ("ANTHROPIC_API_KEY",),
            base_url_variable="ANTHROPIC_BASE_URL",
            base_path="/v1",
            terms=ANTHROPICS,
            models=("claude-",),
            example="claude-haiku-4-5",
        ),
        Provider(
            "gemini",
            "https://generativelanguage.googleapis.com/v1beta",
            GENERATE,
            ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
            streams_at={GEMINI: "/models/{model}:streamGenerateContent?alt=sse"},
            terms=GOOGLES,
            models=("gemini-",),
            example="gemini-2.5-flash",
        ),
        # A model is a deployment of the resource NAME.
        Provider(
            "azure",
            "",
            ALL_BUT_COUNTING,
            ("AZURE_OPENAI_API_KEY",),
            address="https://NAME.openai.azure.com/openai/v1",
            terms=AZURES,
            better_in=_where_thoughts_are_kept,  # of a deployment that has its model's name
        ),
        Provider(
            "groq",
            "https://api.groq.com/openai/v1",
            CHAT_AND_RESPONSES,
            ("GROQ_API_KEY",),
            quirks_of={OPENAI_CHAT: GROQS},
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
            "https://api.deepseek.com",
            {**CHAT, ANTHROPIC_MESSAGES: "/anthropic/v1/messages"},
            ("DEEPSEEK_API_KEY",),
            terms_of={ANTHROPIC_MESSAGES: ANTHROPICS},
            quirks_of={OPENAI_CHAT: OLDER},
            # A turn that called tools is refused without its thoughts
            # (https://api-docs.deepseek.com/guides/thinking_mode).
            forms={OPENAI_CHAT: THOUGHTFUL_FORM},
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
            quirks_of={OPENAI_CHAT: MISTRALS, OPENAI_EMBEDDINGS: MISTRALS_EMBEDDINGS},
            forms={OPENAI_CHAT: MISTRAL_FORM},
        ),
        Provider(
            "cohere",
            "https://api.cohere.ai/compatibility/v1",
            CHAT_AND_EMBEDDINGS,
            ("COHERE_API_KEY", "CO_API_KEY"),
            models=("command-",),
            quirks_of={OPENAI_CHAT: COHERES},
            example="command-a-03-2025",
        ),
        Provider(
            "openrouter",
            "https://openrouter.ai/api/v1",
            {**CHAT_AND_RESPONSES, **MESSAGES_ALONE},
            ("OPENROUTER_API_KEY",),
            terms_of=dict.fromkeys(MESSAGES_ALONE, BEARERS),
            example="openai/gpt-4.1-mini",
        ),
        Provider(
            "together",
            "https://api.together.xyz/v1",
            CHAT_AND_EMBEDDINGS,
            ("TOGETHER_API_KEY",),
            quirks_of={OPENAI_CHAT: OLDER},
            example="meta-llama/Llama-3.3-70B-Instruct-Turbo",
        ),
        Provider(
            "fireworks",
            "https://api.fireworks.ai/inference/v1",
            {**ALL_BUT_COMPACTION, **MESSAGES_ALONE},
            ("FIREWORKS_API_KEY",),
            terms_of=dict.fromkeys(MESSAGES_ALONE, BEARERS),
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
            quirks_of={OPENAI_CHAT: PERPLEXITYS},
        ),
        Provider(
            "nvidia",
            "https://integrate.api.nvidia.com/v1",
            CHAT_AND_EMBEDDINGS,
            ("NVIDIA_API_KEY",),
            quirks_of={OPENAI_CHAT: OLDER},
            example="meta/llama-3.3-70b-instruct",
        ),
        Provider(
            "deepinfra",
            "https://api.deepinfra.com/v1/openai",
            CHAT_AND_EMBEDDINGS,
            ("DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"),
            quirks_of={OPENAI_CHAT: OLDER},
            example="meta-llama/Llama-3.3-70B-Instruct",
        ),
        Provider(
            "huggingface",
            "https://router.huggingface.co/v1",
            CHAT,
            ("HF_TOKEN",),
            example="openai/gpt-oss-120b",
        ),
        Provider(
            "ollama",
            "http://127.0.0.1:11434/v1",
            {**ALL_BUT_COMPACTION, **MESSAGES_ALONE},
            terms_of=dict.fromkeys(MESSAGES_ALONE, BEARERS),
            quirks_of={OPENAI_CHAT: OLDER},
            example="llama3.2",
        ),
        # Amazon Bedrock, signed with the gateway's own credentials, or with a Bedrock API key as
        # the target's secret. A model is at one of three places, as its card in AWS' guide says.
        Provider(
            "bedrock",
            "",
            CHAT_AND_RESPONSES,
            base_path="/openai/v1",
            address="https://bedrock-runtime.REGION.amazonaws.com/openai/v1",
            terms=Terms(signed="bedrock"),
        ),
        # The other endpoint, for models that are served there alone: below /v1, or /openai/v1.
        Provider(
            "bedrock_mantle",
            "",
            CHAT_AND_RESPONSES,
            base_path="/v1",
            address="https://bedrock-mantle.REGION.api.aws/v1",
            terms=Terms(signed="bedrock-mantle"),
            better_in=_where_thoughts_are_kept,
        ),
        # Claude, in Anthropic's own dialect.
        Provider(
            "bedrock_anthropic",
            "",
            MESSAGES,
            base_path="/v1",
            address="https://bedrock-mantle.REGION.api.aws/anthropic/v1",
            terms=MANTLES,
        ),
        # vLLM, llama.cpp, LM Studio, a colleague's gateway: any base URL, by configuration.
        Provider(OPENAI_COMPATIBLE, "", ALL_OF_OPENAI, forms={OPENAI_CHAT: COMPATIBLE_FORM}),
        # The same for what takes Anthropic's SDKs: DeepSeek's, Moonshot's, Z.ai's, LiteLLM's, …
        Provider(ANTHROPIC_COMPATIBLE, "", MESSAGES, base_path="/v1", terms=ANTHROPICS),
    )
}


def base_url_variables() -> list[str]:
    """The environment variables that move a provider."""
    named = (provider.base_url_variable for provider in PROVIDERS.values())
    return [variable for variable in named if variable]
