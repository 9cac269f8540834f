"""What the API takes for one family of models and refuses for another.

https://platform.claude.com/docs/en/build-with-claude/thinking (each model's configuration, what
goes with it: sampling, forced use of tools)
https://platform.claude.com/docs/en/build-with-claude/effort (levels)
https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages
https://platform.claude.com/docs/en/about-claude/models/migration-guide (sampling)
https://platform.claude.com/docs/en/build-with-claude/structured-outputs (from 4.5 on, and 4.1)
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

ALL = ("low", "medium", "high", "xhigh", "max")
NO_XHIGH = ("low", "medium", "high", "max")
UP_TO_HIGH = ("low", "medium", "high")

# Of temperature, top_p and top_k: everything; what goes with thinking; that, and not both of
# temperature and top_p ("Please use only one"); nothing ("deprecated for this model").
Takes = Literal["all", "fitting", "one", "none"]


@dataclass(frozen=True, slots=True)
class Model:
    """``thinking``: how it is asked to think: by a budget of tokens, adaptively, or either way.
    ``efforts``: the levels of ``output_config.effort``, least first.
    ``off``: the type of thinking that turns it off; None where nothing does.
    ``unasked``: it thinks without being asked.
    ``system``: it takes messages of the system amid the conversation.
    ``sampling``: what it takes of how to draw an answer.
    ``forced``: it takes a choice that forces a tool to be called.
    ``forced_thinking``: it takes one while it thinks adaptively; by a budget, none does.
    ``structured``: it takes a schema for its answer, and tools that are strict.
    ``answer``: tokens for an answer, where the caller sets no limit and the API wants one.
    """

    thinking: Literal["none", "budget", "either", "adaptive"]
    efforts: tuple[str, ...] = ()
    off: str | None = "disabled"
    unasked: bool = False
    system: bool = False
    sampling: Takes = "none"
    forced: bool = True
    forced_thinking: bool = True
    structured: bool = True
    answer: int = 8192  # what MLflow's gateway asks for; every model since Claude 3.5 has as much


# The most that Claude 3 gives.
FIRST = Model("none", sampling="all", structured=False, answer=4096)
BUDGET = Model("budget", sampling="fitting", structured=False)
ONE = replace(BUDGET, sampling="one", structured=True)
EITHER = Model("either", NO_XHIGH, sampling="one")
ADAPTIVE = Model("adaptive", ALL)
NEWEST = Model("adaptive", ALL, unasked=True, system=True)
ALWAYS = replace(NEWEST, off=None)
UNFORCED = replace(ALWAYS, forced=False)
# Amazon Bedrock refuses for them what Anthropic's own servers take: of these two at once, both
# https://github.com/langchain-ai/langchain-aws/pull/1151 and
# https://github.com/llm-exe/llm-exe/pull/721 tell.
BEDROCK_EITHER = replace(EITHER, forced_thinking=False)
BEDROCK_ADAPTIVE = replace(ADAPTIVE, forced_thinking=False)

# By what their names hold, whoever serves them; the longest that fits is right.
MODELS: Mapping[str, Model] = {
    "claude-": NEWEST,  # one that is yet to come
    "claude-fable": ALWAYS,
    "claude-fable-5-1": UNFORCED,
    "claude-mythos": ALWAYS,
    "claude-mythos-5-1": UNFORCED,
    "claude-mythos-preview": replace(ALWAYS, efforts=NO_XHIGH, system=False),
    "claude-opus-5": NEWEST,
    "claude-opus-5-5": UNFORCED,
    "claude-sonnet-5": replace(NEWEST, system=False),
    "claude-sonnet-5-5": replace(NEWEST, off="between_tools", forced=False),
    "claude-haiku-5": NEWEST,
    "claude-opus-4-8": replace(ADAPTIVE, system=True),
    "claude-opus-4-7": ADAPTIVE,
    "anthropic-claude-opus-4-7": BEDROCK_ADAPTIVE,
    "claude-opus-4-6": EITHER,
    "anthropic-claude-opus-4-6": BEDROCK_EITHER,
    "claude-sonnet-4-6": EITHER,
    "anthropic-claude-sonnet-4-6": BEDROCK_EITHER,
    "claude-opus-4-5": replace(ONE, efforts=UP_TO_HIGH),
    "claude-sonnet-4-5": ONE,
    "claude-haiku-4": ONE,
    "claude-opus-4-1": ONE,
    "claude-opus-4": BUDGET,
    "claude-sonnet-4": BUDGET,
    "claude-3": FIRST,
    "claude-3-5": replace(FIRST, answer=8192),
    "claude-3-7": BUDGET,
    "claude-2": FIRST,
    "claude-v2": FIRST,  # as Bedrock calls it
    "claude-instant": FIRST,
}

# Those who imitate the API know its older way, most of their models think unasked, and how an
# answer may be drawn is their own affair.
IMITATOR = replace(BUDGET, unasked=True, sampling="all", structured=True)


def model_of(name: str) -> Model:
    """By a name as any cloud writes it: ``anthropic.claude-opus-4-6-v1:0``, ``claude-opus-4.6``."""
    plain = name.lower().replace(".", "-")
    known = max((part for part in MODELS if part in plain), key=len, default=None)
    return MODELS[known] if known else IMITATOR
