"""A call of a function whose arguments come in pieces.

Each piece is a value, or a part of a text, and a JSONPath that says where in the arguments it
stands (https://ai.google.dev/api/caching#FunctionCall; Vertex AI sends them where
``streamFunctionCallArguments`` asks for it).
"""

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from gateway.dialects.gemini.arguments import read_arguments
from gateway.dialects.gemini.fields import NUMBER, ProtoFields
from gateway.errors import BadRequest
from gateway.wire.json import Json

Path = tuple[str | int, ...]
_STEP = re.compile(
    r"""\.(?P<name>[^.\[\]]+)
      | \[(?P<nth>\d{1,9})\]
      | \[(?P<quote>['"])(?P<quoted>.*?)(?P=quote)\]""",
    re.VERBOSE,
)
DEEPEST = 100


@dataclass(slots=True)
class PartialCall:
    """``block``: the number of the call's. Its pieces are kept until the call is complete: they may
    come in any order, and only then are they JSON."""

    block: int
    _whole: Json = field(default_factory=dict)
    _values: dict[Path, Any] = field(default_factory=dict)
    _texts: dict[Path, list[str]] = field(default_factory=dict)

    def take(self, call: ProtoFields) -> None:
        """Raises BadRequest for what is no piece."""
        self._whole |= call.may("args", dict) or {}
        for raw, place in call.each("partialArgs"):
            piece = ProtoFields(raw, place)
            path = _steps(piece.need("jsonPath", str), piece.path("jsonPath"))
            text = piece.may("stringValue", str)
            if text is not None:
                self._values.setdefault(path, None)
                self._texts.setdefault(path, []).append(text)
            else:
                value = piece.may("numberValue", NUMBER)
                self._values[path] = piece.may("boolValue", bool) if value is None else value

    def arguments(self) -> str:
        """Raises BadRequest where the pieces do not fit together."""
        root: Any = self._whole
        for path, value in self._values.items():
            told = "".join(self._texts[path]) if path in self._texts else value
            _put(root, path, told)
        return read_arguments(root)


def _steps(path: str, place: str) -> Path:
    steps: list[str | int] = []
    at = 1 if path.startswith("$") else -1
    while 0 <= at < len(path):
        found = _STEP.match(path, at)
        if found is None or len(steps) > DEEPEST:
            raise BadRequest(place, f"is no path that is understood: {path[:100]!r}")
        named = found["name"] if found["quoted"] is None else found["quoted"]
        steps.append(int(found["nth"]) if found["nth"] else named)
        at = found.end()
    if not steps or isinstance(steps[0], int):
        raise BadRequest(place, f"is no path into the arguments: {path[:100]!r}")
    return tuple(steps)


def _put(root: Any, path: Path, value: Any) -> None:
    holder = root
    for step, after in pairwise(path):
        holder = _set(holder, step, [] if isinstance(after, int) else {}, keep=True)
    _set(holder, path[-1], value, keep=False)


def _set(holder: Any, step: str | int, value: Any, *, keep: bool) -> Any:
    """Put a value where the step leads, unless one is there to keep. A list grows by one."""
    if isinstance(step, int) and isinstance(holder, list) and step <= len(holder):
        if step == len(holder):
            holder.append(value)
        elif not keep:
            holder[step] = value
        return holder[step]
    if isinstance(step, str) and isinstance(holder, dict):
        if keep:
            return holder.setdefault(step, value)
        holder[step] = value
        return value
    raise BadRequest("partialArgs", f"the piece at {step!r} has no place in the arguments")
