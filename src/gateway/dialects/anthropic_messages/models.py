"""What the API takes for one family of models and refuses for another.

https://platform.claude.com/docs/en/build-with-claude/thinking (each model's configuration)
https://platform.claude.com/docs/en/build-with-claude/effort (levels)
https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

ALL = ("low", "medium", "high", "xhigh", "max")
NO_XHIGH = ("low", "medium", "high", "max")
UP_TO_HIGH = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Model:
    """``thinking``: how it is asked to think: by a budget of tokens, adaptively, or either way.
    ``efforts``: the levels of ``output_config.effort``, least first.
    ``off``: the type of thinking that turns it off; None where nothing does.
    ``unasked``: it thinks without being asked.
    ``system``: it takes messages of the system amid the conversation.
    ``answer``: tokens for an answer, where the caller sets no limit and the API wants one.
    """

    thinking: Literal["none", "budget", "either", "adaptive"]
    efforts: tuple[str, ...] = ()
    off: str | None = "disabled"
    unasked: bool = False
    system: bool = False
    answer: int = 8192  # what MLflow's gateway asks for; every model since Claude 3.5 has as much


FIRST = Model("none", answer=4096)  # the most that Claude 3 gives
BUDGET = Model("budget")
ADAPTIVE = Model("adaptive", ALL)
NEWEST = Model("adaptive", ALL, unasked=True, system=True)
ALWAYS = replace(NEWEST, off=None)

# By what their names hold, whoever serves them; the longest that fits is right.
MODELS: Mapping[str, Model] = {
    "claude-": NEWEST,  # one that is yet to come
    "claude-fable": ALWAYS,
    "claude-mythos": ALWAYS,
    "claude-mythos-preview": replace(ALWAYS, efforts=NO_XHIGH, system=False),
    "claude-opus-5": NEWEST,
    "claude-opus-5-5": ALWAYS,
    "claude-sonnet-5": replace(NEWEST, system=False),
    "claude-sonnet-5-5": replace(NEWEST, off="between_tools"),
    "claude-haiku-5": NEWEST,
    "claude-opus-4-8": replace(ADAPTIVE, system=True),
    "claude-opus-4-7": ADAPTIVE,
    "claude-opus-4-6": Model("either", NO_XHIGH),
    "claude-sonnet-4-6": Model("either", NO_XHIGH),
    "claude-opus-4-5": Model("budget", UP_TO_HIGH),
    "claude-opus-4": BUDGET,
    "claude-sonnet-4": BUDGET,
    "claude-haiku-4": BUDGET,
    "claude-3": FIRST,
    "claude-3-5": Model("none"),
    "claude-3-7": BUDGET,
    "claude-2": FIRST,
    "claude-instant": FIRST,
}

# Those who imitate the API know its older way, and most of their models think unasked.
IMITATOR = replace(BUDGET, unasked=True)


def model_of(name: str) -> Model:
    """By a name as any cloud writes it: ``anthropic.claude-opus-4-6-v1:0``, ``claude-opus-4.6``."""
    plain = name.lower().replace(".", "-")
    known = max((part for part in MODELS if part in plain), key=len, default=None)
    return MODELS[known] if known else IMITATOR
