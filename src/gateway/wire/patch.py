"""Change members of a JSON object in its own text, so that every other byte stays as it was.

Re-serialising would spell numbers, escapes and key order anew: a relayed request must not change
by more than the gateway means to change.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.wire.json import Json, dumps, loads

Span = tuple[int, int]

_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_SPACE = rb"[ \t\r\n]*"
_KEY = re.compile(_SPACE + rb"(" + _STRING + rb")" + _SPACE + rb":" + _SPACE, re.DOTALL)
_SCALAR = re.compile(_STRING + rb"|[^\s,{}\[\]]+", re.DOTALL)
_TO_BRACKET = re.compile(rb'[^"{}\[\]]*(?:' + _STRING + rb'[^"{}\[\]]*)*', re.DOTALL)
_SPACE_RUN = re.compile(_SPACE)


def patch(text: bytes, parsed: Json, changes: Mapping[str, Any]) -> bytes:
    """``text`` with each top-level member of ``changes`` replaced, or added at the end.

    ``text`` must be a valid JSON object and ``parsed`` what it means. A key that stands twice is
    replaced twice: providers differ in which one they believe.
    """
    edits: list[tuple[Span, bytes]] = []
    added: list[bytes] = []
    for key, value in changes.items():
        written = dumps(value)
        if key in parsed:
            edits += [(span, written) for span in _spans(text, key)]
        else:
            added.append(dumps(key) + b":" + written)
    for (start, end), written in sorted(edits, reverse=True):
        text = text[:start] + written + text[end:]
    return _append(text, added, empty=not parsed) if added else text


def without(text: bytes, key: str) -> bytes:
    """``text`` less one top-level member; the others keep their bytes and their order."""
    kept = [text[start:end] for name, (start, _, end) in _members(text) if name != key]
    return b"{" + b",".join(kept) + b"}"


def _append(text: bytes, members: list[bytes], *, empty: bool) -> bytes:
    body = text.rstrip()[:-1].rstrip()
    return body + (b"" if empty else b",") + b",".join(members) + b"}"


def _spans(text: bytes, key: str) -> list[Span]:
    """Where the values of this top-level key stand."""
    quoted = dumps(key)
    at = text.find(quoted)
    # One spelling of the key in the whole text, and no escapes that could spell it another way:
    # then this is the top-level one. (Inside a string its quotes would be escaped.)
    if at > 0 and text[at - 1] != 0x5C and b"\\u" not in text and text.find(quoted, at + 1) < 0:
        found = _KEY.match(text, at)
        if found:
            return [(found.end(), _end_of_value(text, found.end()))]
    return [span for name, span in members(text) if name == key]


def members(text: bytes) -> Iterator[tuple[str, Span]]:
    """Each top-level key of a valid JSON object, with the place of its value, in order."""
    for key, (_, start, end) in _members(text):
        yield key, (start, end)


def _members(text: bytes) -> Iterator[tuple[str, tuple[int, int, int]]]:
    """Each key, with where it begins, and where its value begins and ends."""
    at = text.index(b"{") + 1
    while found := _KEY.match(text, at):
        end = _end_of_value(text, found.end())
        yield loads(found[1]), (found.start(1), found.end(), end)
        at = _after_comma(text, end)


def _after_comma(text: bytes, at: int) -> int:
    run = _SPACE_RUN.match(text, at)
    return (run.end() if run else at) + 1


def _end_of_value(text: bytes, start: int) -> int:
    if text[start] not in b"{[":
        scalar = _SCALAR.match(text, start)
        return scalar.end() if scalar else start
    depth, at = 1, start + 1
    while depth:  # one step per bracket; strings and all between are skipped by the pattern
        between = _TO_BRACKET.match(text, at)
        at = between.end() if between else at
        depth += 1 if text[at] in b"{[" else -1
        at += 1
    return at
