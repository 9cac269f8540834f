"""The blocks of a stream that have begun."""

from collections.abc import Callable, Mapping

from gateway.chat.blocks import Citation, Seal
from gateway.chat.reply import ArgumentsDelta, ReplyEvent, TextDelta, ThinkingDelta
from gateway.wire.json import Json

# The deltas that dominate: where their words stand, what they are, and of which kind of block.
PIECES: Mapping[str, tuple[str, Callable[[int, str], ReplyEvent], str]] = {
    "text_delta": ("text", TextDelta, "text"),
    "input_json_delta": ("partial_json", ArgumentsDelta, "tool_use"),
    "thinking_delta": ("thinking", ThinkingDelta, "thinking"),
}
NEUTRAL = frozenset({"text", "thinking", "redacted_thinking", "tool_use"})
NUMBERLESS = -1  # of a block that has said nothing yet


class Opened:
    """A block that has begun on the wire. ``number``: ours, once it says something; from then on
    ``delta`` is the kind of its pieces, if it has any."""

    __slots__ = (
        "citations",
        "data",
        "delta",
        "field",
        "index",
        "kind",
        "length",
        "make",
        "number",
        "seal",
        "told",
    )

    def __init__(self, index: int, kind: str, data: Json) -> None:
        self.index, self.kind, self.data = index, kind, data
        self.number = NUMBERLESS
        self.delta = self.field = ""
        self.make: Callable[[int, str], ReplyEvent] = TextDelta
        self.length = 0  # of its text
        self.citations: list[Citation] = []
        self.seal: Seal | None = None
        self.told: list[str] = []  # the pieces of what is read only when it is whole
