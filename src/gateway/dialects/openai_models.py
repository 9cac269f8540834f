"""What OpenAI's own models take of a request and what they refuse, in both of its chat APIs.

https://developers.openai.com/api/docs/guides/latest-model (what goes with a level of reasoning)
https://developers.openai.com/api/docs/guides/reasoning (levels; each model's page has its own)
https://developers.openai.com/api/docs/guides/deployment-checklist (GPT-6: sampling, tools)
https://community.openai.com/t/developer-role-not-accepted-for-o1-o1-mini-o3-mini/1110750/7 (o1, o3)
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from gateway.chat.request import Effort, Reasoning

# What it means to leave each of these out: who says no more than that loses nothing.
DEFAULTS: Mapping[str, Any] = {
    "temperature": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "logprobs": False,
    "top_logprobs": 0,
    "logit_bias": {},
    "stop": [],
    "parallel_tool_calls": True,
    "verbosity": "medium",
}
# What goes only while a model does not reason.
SAMPLED = frozenset({"temperature", "top_p", "logprobs", "top_logprobs"})
WEIGHTED = frozenset({"presence_penalty", "frequency_penalty", "logit_bias"})
STOP, PARALLEL = frozenset({"stop"}), frozenset({"parallel_tool_calls"})
# Who refuses it takes the default alone.
VERBOSITY = frozenset({"verbosity"})


@dataclass(frozen=True, slots=True)
class Model:
    """``efforts``: the levels of reasoning, least first; none where it does not reason.
    ``unasked``: the level where none is asked for.
    ``refused``: what it never takes, by neutral names.
    ``beside_tools``: the levels where Chat Completions offers it tools; None for the same.
    """

    efforts: tuple[Effort, ...] = ()
    unasked: Effort = "none"
    refused: frozenset[str] = frozenset()
    beside_tools: tuple[Effort, ...] | None = None

    def level(self, asked: Effort | None) -> Effort | None:
        """The nearest level that it has: a lesser one where there is, which costs no more."""
        if asked is None or asked in self.efforts:
            return asked
        order = get_args(Effort)
        lesser = [one for one in self.efforts if order.index(one) < order.index(asked)]
        return lesser[-1] if lesser else next(iter(self.efforts), None)

    def refuses(self, level: Effort | None) -> frozenset[str]:
        """``level``: what is said of it; None: nothing."""
        return self.refused if (level or self.unasked) == "none" else self.refused | SAMPLED


OFF: tuple[Effort, ...] = ("none",)  # to be said, where it would reason unasked
LOW_TO_HIGH: tuple[Effort, ...] = ("low", "medium", "high")
TO_XHIGH: tuple[Effort, ...] = (*LOW_TO_HIGH, "xhigh")
TO_MAX: tuple[Effort, ...] = (*TO_XHIGH, "max")

CHAT = Model(refused=VERBOSITY)
# https://github.com/vercel/ai/pull/5647
SEARCHING = Model(refused=SAMPLED | WEIGHTED | STOP | VERBOSITY)
# https://github.com/langchain-ai/langchain/issues/29704 (parallel_tool_calls)
O1 = Model(LOW_TO_HIGH, "medium", WEIGHTED | PARALLEL | VERBOSITY)
O3 = replace(O1, refused=O1.refused | STOP)
GPT_5 = Model(("minimal", *LOW_TO_HIGH), "medium", WEIGHTED | STOP)
CODEX = replace(GPT_5, efforts=LOW_TO_HIGH, refused=GPT_5.refused | VERBOSITY)
PRO = replace(GPT_5, efforts=("medium", "high", "xhigh"))
# ChatGPT's own: it reasons as it likes.
INSTANT = replace(GPT_5, efforts=("medium",), refused=GPT_5.refused | VERBOSITY)
GPT_5_1 = replace(GPT_5, efforts=("none", *LOW_TO_HIGH), unasked="none")
GPT_5_2 = replace(GPT_5_1, efforts=("none", *TO_XHIGH))
# With tools not even "none" may be said (https://github.com/livekit/agents/issues/5084).
GPT_5_4 = replace(GPT_5_2, beside_tools=())
# With tools "none" must be said (https://github.com/BerriAI/litellm/pull/34569).
GPT_5_5 = replace(GPT_5_2, unasked="medium", beside_tools=OFF)
GPT_5_6 = replace(GPT_5_5, efforts=("none", *TO_MAX))
# It always reasons. Chat Completions has no tools for it, whatever is said.
GPT_6 = replace(GPT_5, efforts=TO_MAX)

# By how their names begin, a dot being a dash; the longest that fits is right.
MODELS: Mapping[str, Model] = {
    "gpt-3-5": CHAT,
    "gpt-35": CHAT,  # Azure's
    "gpt-4": CHAT,
    "gpt-4o": CHAT,
    "chatgpt-4o": CHAT,
    "gpt-audio": CHAT,
    "gpt-4o-search-preview": SEARCHING,
    "gpt-4o-mini-search-preview": SEARCHING,
    "gpt-5-search-api": SEARCHING,
    "o1": O1,
    "o1-mini": replace(CHAT, refused=O3.refused | SAMPLED),  # it has no levels
    "o1-preview": replace(CHAT, refused=O3.refused | SAMPLED),
    "o3": O3,
    "o3-mini": O1,
    "o4": O3,
    "codex-mini": O3,
    "computer-use-preview": replace(O3, efforts=("medium",)),
    "gpt-5": GPT_5,
    "gpt-5-codex": CODEX,
    "gpt-5-pro": replace(GPT_5, efforts=("high",), unasked="high"),
    "gpt-5-chat": Model(refused=VERBOSITY | {"logprobs", "top_logprobs"}),
    "gpt-5-1": GPT_5_1,
    "gpt-5-1-codex": CODEX,
    "gpt-5-1-codex-max": replace(CODEX, efforts=TO_XHIGH),
    "gpt-5-1-chat": INSTANT,
    "gpt-5-2": GPT_5_2,
    "gpt-5-2-codex": replace(CODEX, efforts=TO_XHIGH),
    "gpt-5-2-pro": PRO,
    "gpt-5-2-chat": INSTANT,
    "gpt-5-3": replace(GPT_5, efforts=TO_XHIGH),
    "gpt-5-3-chat": INSTANT,
    "gpt-5-4": GPT_5_4,
    "gpt-5-4-pro": PRO,
    "gpt-5-5": GPT_5_5,
    "gpt-5-5-pro": PRO,
    "gpt-5-6": GPT_5_6,
    "gpt-6": GPT_6,
    "gpt-6-sol": GPT_5_6,
    "gpt-6-luna": GPT_5_6,
    "gpt-6-1-terra": GPT_5_6,
}
# Within a name as routers and clouds write it: openai/gpt-5, us.openai.gpt-5.6-sol, ft:o4-mini:me.
# An o1 within a longer name is somebody else's (Marco-o1).
_OWN = re.compile(r"(?<![a-z0-9])(?:chat)?gpt-.*|(?:^|(?<=:))(?:o\d|codex-|computer-).*")


def model_of(name: str) -> Model | None:
    """None for a model that is not OpenAI's, or not known: it gets everything as it is."""
    own = _OWN.search(name.lower().rpartition("/")[2].replace(".", "-"))
    if own is None:
        return None
    fits = (known for known in MODELS if _begins(own[0], known))
    known = max(fits, key=len, default=None)
    return None if known is None else MODELS[known]


def _begins(name: str, known: str) -> bool:
    return name.startswith(known) and not name[len(known) : len(known) + 1].isalnum()


def in_chat(name: str, *, tools: bool) -> Model | None:
    """The same as Chat Completions has it, with or without tools: not at the highest level, which
    only Responses takes (https://github.com/BerriAI/litellm-docs/pull/1173). A router
    (``openai/gpt-5.6``) calls Responses itself, so that tools need no care."""
    model = model_of(name)
    if model is None:
        return None
    beside_tools = model.beside_tools if tools and "/" not in name else None
    efforts = model.efforts if beside_tools is None else beside_tools
    return replace(model, efforts=tuple(level for level in efforts if level != "max"))


def reasons(name: str) -> bool:
    """Whether it is one of OpenAI's models that reason at a level; Responses has all of them."""
    model = model_of(name)
    return model is not None and bool(model.efforts)


def fit_level(
    asked: Reasoning | None, effort: Effort | None, model: Model, dropped: set[str]
) -> Effort | None:
    """The level to ask for, None for no word of it. ``effort``: the one that is asked for, or that
    the asked budget is worth."""
    by_budget = asked is not None and asked.effort is None and asked.budget is not None
    if by_budget and effort is None and model.unasked == "none":
        effort = "medium"  # left to a model that of itself would not think at all
        dropped.add("reasoning.budget")
    level = model.level(effort)
    if level is None and model.efforts == OFF:
        level = "none"
    if (level or model.unasked) != (effort or model.unasked):
        dropped.add("reasoning.budget" if by_budget else "reasoning.effort")
    return level


# Of the models that are not OpenAI's: whose APIs take "none" (https://console.groq.com/docs/reasoning,
# https://ai.google.dev/gemini-api/docs/openai#thinking), and who never thinks, so that nothing is
# lost without the word. Most others refuse it. Groq refuses any word of it for those who do not
# think (https://github.com/diegosouzapw/OmniRoute/pull/3277).
TAKES_NONE = ("qwen", "gemini")
NEVER_THINKS = ("llama", "gemma", "mixtral", "command")
THINKS = ("r1", "nemotron", "reason", "think")  # however its name goes on


def others_level(
    name: str, asked: Reasoning | None, effort: Effort | None, dropped: set[str]
) -> Effort | None:
    """The same as ``fit_level`` for a model that is not OpenAI's."""
    name = name.lower()
    if effort is None or asked is None or any(known in name for known in TAKES_NONE):
        return effort
    thinks = any(known in name for known in THINKS)
    never = not thinks and any(known in name for known in NEVER_THINKS)
    if effort != "none" and not never:
        return effort
    if never is not (effort == "none"):
        dropped.add("reasoning.budget" if asked.effort is None else "reasoning.effort")
    return None


def taken(
    said: Mapping[str, Any], model: Model | None, level: Effort | None, dropped: set[str]
) -> dict[str, Any]:
    """What the model takes of what is said, by neutral names. ``level``: see ``Model.refuses``;
    ``dropped`` gets the names of the rest, unless it says no more than its absence."""
    refused = model.refuses(level) if model else frozenset()
    dropped |= {name for name in refused & said.keys() if said[name] != DEFAULTS[name]}
    return {name: value for name, value in said.items() if name not in refused}
