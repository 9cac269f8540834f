r"""JSON of servers that cut a character in two.

Beyond U+FFFF a character is a pair of surrogates in JSON's escapes (``\ud83d\ude00``). Some servers
cut their streams between the two, and neither event is JSON then that a strict parser takes.
"""

import re
from typing import Any

from gateway.wire.json import loads

UNKNOWN = rb"\ufffd"
_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a whole character
    rb'|(?P<first>\\u[dD][89abAB][0-9a-fA-F]{2})(?P<last>(?="))?'
    rb'|(?P<begins>")?(?P<second>\\u[dD][c-fC-F][0-9a-fA-F]{2})'
    rb"|\\[^u]"  # what a backslash or a quote is, that is escaped itself
)


class Halves:
    """One for each stream, for the events that ``loads`` refuses.

    A first half at the end of a string is kept for the next string that begins with a second one:
    if none does, it is not told. Each other half that is alone is U+FFFD.
    """

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept = b""

    def loads(self, data: bytes) -> Any:
        """None for what is no JSON otherwise."""
        try:
            return loads(_ESCAPES.sub(self._mended, data))
        except ValueError:
            return None

    def _mended(self, escape: re.Match[bytes]) -> bytes:
        if (first := escape["first"]) is not None:
            if escape["last"] is None:
                return UNKNOWN
            self._kept = first
            return b""
        if (second := escape["second"]) is None:
            return escape[0]
        if escape["begins"] is None:
            return UNKNOWN
        kept, self._kept = self._kept, b""
        return b'"' + (kept + second if kept else UNKNOWN)
