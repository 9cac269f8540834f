"""The arguments of a call, and what a function answers: JSON text with us, an object here."""

import re

from gateway.wire.json import Fragment, Json, dumps, loads

# What a model wrote that is no JSON object travels within one, since a conversation that holds it
# must go on: under the name that Anthropic's documentation has for it, for want of one of Google's.
BROKEN = "INVALID_JSON"
# No other whole number is too long for 64 bit, which is all that the parser keeps.
_LONG = re.compile(r"\d{19}")


def as_object(text: str) -> Json | Fragment | None:
    """None for what is no JSON object.

    Text that would be written otherwise again stays as it is, but for line ends, which would cut an
    event. Not all text does: protocol buffers refuse an object that has a name twice ("Repeated map
    key"), as models write now and then.
    """
    if not text.lstrip().startswith("{"):
        return None
    try:
        parsed: Json = loads(text)
    except ValueError:
        return None
    if _LONG.search(text):
        return Fragment(text.replace("\n", " ").replace("\r", " "))
    return parsed


def write_arguments(text: str) -> Json | Fragment | None:
    """None at all are ``{}``; None for what is no JSON object."""
    return as_object(text) if text.strip() else {}


def read_arguments(args: Json) -> str:
    broken = args.get(BROKEN)
    if len(args) == 1 and isinstance(broken, str):
        return broken
    return dumps(args).decode()
