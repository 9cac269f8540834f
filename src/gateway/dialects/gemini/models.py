"""What the generations of Gemini models differ in, as far as a request must know it."""

import re

_GENERATION = re.compile(r"gemini-(\d+)(?:[.-](\d))?")

# Google's own table for its OpenAI endpoint: what an effort is in tokens.
# (https://ai.google.dev/gemini-api/docs/openai#thinking)
BUDGETS = {
    "none": 0,
    "minimal": 1024,
    "low": 1024,
    "medium": 8192,
    "high": 24576,
    "xhigh": 24576,
    "max": 24576,
}


def _generation(model: str) -> int | None:
    """None for a name that does not tell: an alias, a tuned model, a deployment."""
    found = _GENERATION.search(model)
    return int(found[1]) if found else None


def before_3(model: str) -> bool:
    """It thinks by budgets and not by levels, takes no media in the results of functions, and does
    not ask for its signatures back. (https://ai.google.dev/gemini-api/docs/gemini-3)"""
    generation = _generation(model)
    return generation is not None and generation < 3


def fetches(model: str) -> bool:
    """Whether it reads files at public addresses: all but the models before 2.5 do.
    (https://ai.google.dev/gemini-api/docs/file-input-methods#external-urls)"""
    found = _GENERATION.search(model)
    return found is None or (int(found[1]), int(found[2] or 0)) >= (2, 5)
