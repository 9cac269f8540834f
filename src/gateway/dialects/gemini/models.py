"""What the API takes for one model and refuses for another, as far as a request must know it.

https://ai.google.dev/gemini-api/docs/generate-content/thinking#thinking-levels (also budgets)
https://ai.google.dev/gemini-api/docs/generate-content/latest-model, .../whats-new-gemini-3.6, 3.7
https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/start/get-started-with-gemini-4
What a page does not say is by the answers that are cited beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

NOTHING = frozenset[str]()
# "Penalty is not enabled for this model": of the models still served, Gemini 2.0 Flash alone takes
# them (https://github.com/google-gemini/cookbook/issues/1290).
PENALTIES = frozenset({"presence_penalty", "frequency_penalty"})
# "Logprobs is not enabled for this model" (https://github.com/googleapis/python-genai/issues/1921).
LOGPROBS = frozenset({"logprobs", "top_logprobs"})
# "Multiple candidates is not enabled for this model"
# (https://github.com/googleapis/js-genai/issues/1609: Gemini 2.5 takes them, 3 does not).
MANY = frozenset({"n"})

LEVELS = ("MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH")  # of thinking, least first


@dataclass(frozen=True, slots=True)
class Model:
    """``levels``: those of ``thinkingLevel`` that it takes, least first.
    ``budget``: how many tokens it takes as ``thinkingBudget``; ``off``: whether none at all is one.
    With neither levels nor a budget it does not think.
    ``refuses``: what of the sampling, by our names.
    ``formed``: when it forms an answer as JSON: never, as words ask it to, without tools alone, or
    always.
    ``functions``, ``system``: whether it takes functions, and what the system says.
    ``newer``: it asks for its signatures back, and takes media in the results of functions.
    ``fetches``: it reads files at public addresses
    (https://ai.google.dev/gemini-api/docs/file-input-methods#external-urls).
    """

    levels: tuple[str, ...] = ()
    budget: range | None = None
    off: bool = False
    refuses: frozenset[str] = NOTHING
    formed: Literal["never", "worded", "alone", "always"] = "always"
    functions: bool = True
    system: bool = True
    newer: bool = False
    fetches: bool = True


UP_TO_HIGH = LEVELS[:4]
FROM_LOW = LEVELS[1:4]
# A budget is what Gemini 3 and 3.1 take beside levels, for those who still write one.
LARGE, MIDDLE, LITE = range(128, 32769), range(1, 24577), range(512, 24577)

# JSON beside tools: "Function calling with a response mime type: 'application/json' is
# unsupported" (https://github.com/googleapis/python-genai/issues/867).
OLD = Model(formed="alone", fetches=False)
BUDGETED = Model(budget=LITE, refuses=PENALTIES | LOGPROBS, formed="alone")
NEWEST = Model(FROM_LOW, refuses=PENALTIES | LOGPROBS | MANY, newer=True)
FLASH_3 = replace(NEWEST, levels=UP_TO_HIGH)
UP_TO_XHIGH = replace(NEWEST, levels=LEVELS[1:])
# "Thinking is not enabled", "JSON mode is not enabled"
# (https://github.com/google-gemini/cookbook/issues/1028).
IMAGES_25 = replace(BUDGETED, budget=None, refuses=NEWEST.refuses, formed="never", functions=False)
IMAGES_3 = replace(NEWEST, levels=("MINIMAL", "HIGH"), functions=False)
# "Developer instruction is not enabled" (https://github.com/TheKentuckian/robot_comic/issues/122).
SPEECH = replace(IMAGES_25, system=False)
# The same, and "Function calling is not enabled": https://github.com/google/adk-python/issues/3900,
# https://github.com/BerriAI/litellm/issues/10313; JSON: https://github.com/simonw/llm-gemini.
GEMMA = Model(refuses=PENALTIES | LOGPROBS, formed="worded", functions=False, system=False)
# https://github.com/earendil-works/pi/issues/2812
GEMMA_4 = Model(("MINIMAL", "HIGH"), refuses=PENALTIES | LOGPROBS, newer=True)

# By what their names hold, however they are spelt; the longest that fits is right.
MODELS: Mapping[str, Model] = {
    "gemini-": NEWEST,  # one that is yet to come, or whatever is the latest
    "gemini-1": replace(OLD, refuses=LOGPROBS),
    "gemini-2": OLD,
    "gemini-2-5": BUDGETED,
    "gemini-2-5-pro": replace(BUDGETED, budget=LARGE),
    "gemini-2-5-flash": replace(BUDGETED, budget=MIDDLE, off=True),
    "gemini-2-5-flash-lite": replace(BUDGETED, off=True),
    "gemini-2-5-flash-image": IMAGES_25,
    "gemini-robotics-er-1-5": replace(BUDGETED, budget=MIDDLE, off=True),
    "gemini-3": NEWEST,
    "gemini-3-pro": replace(NEWEST, levels=("LOW", "HIGH"), budget=LARGE),
    "gemini-3-flash": replace(FLASH_3, budget=LARGE),
    "gemini-3-pro-image": replace(IMAGES_3, levels=("LOW", "HIGH")),
    "gemini-3-1-pro": replace(NEWEST, budget=LARGE),
    "gemini-3-1-flash-lite": replace(FLASH_3, budget=LARGE),
    "gemini-3-1-flash-image": IMAGES_3,
    "gemini-3-1-flash-lite-image": IMAGES_3,
    "gemini-3-5-flash": FLASH_3,
    "gemini-3-6-flash": FLASH_3,
    "gemini-4": NEWEST,
    "gemini-4-hydrogen": UP_TO_XHIGH,
    "gemini-4-neon": UP_TO_XHIGH,
    **dict.fromkeys(
        (
            "gemini-2-5-flash-preview-tts",
            "gemini-2-5-pro-preview-tts",
            "gemini-3-1-flash-tts",
            "gemini-3-8-flash-tts",
            "gemini-3-8-flash-lite-tts",
        ),
        SPEECH,
    ),
    "gemma-": GEMMA,
    "gemma-4": GEMMA_4,
}

# A tuned model, a deployment: nothing is known of it, and it is told all.
UNKNOWN = Model(LEVELS, range(2**31), off=True, newer=True)


def model_of(name: str) -> Model:
    """By a name as any router writes it: ``google/gemini-2.5-flash``, ``models/gemma-3-27b-it``."""
    plain = name.lower().replace(".", "-")
    known = max((part for part in MODELS if part in plain), key=len, default=None)
    return MODELS[known] if known else UNKNOWN
