"""What has been told so far of a stream that is being written, and what is held back of it."""

from dataclasses import dataclass, field

from gateway.chat.blocks import Seal


@dataclass(slots=True)
class Line:
    """What has been told of one choice. ``text``, ``thought``: an event up to its piece of text;
    ``length``: of all texts, in characters; ``starts``: where in that a block of text begins."""

    text: bytes
    thought: bytes
    length: int = 0
    block: int = -1
    starts: dict[int, int] = field(default_factory=dict)
    annotations: int = 0
    images: int = 0
    thoughts: int = 0
    calls: int = 0
    function: bool = False
    audio: bool = False
    refused: bool = False

    @property
    def told(self) -> int:
        """How many blocks there are so far beside the thoughts: texts and refusals are one each."""
        single = [self.length, self.refused, self.audio, self.function]
        return sum(map(bool, single)) + self.images + self.calls


@dataclass(slots=True)
class Call:
    """``before``, ``after``: an event around a piece of the arguments. ``place``: its index."""

    before: bytes
    after: bytes
    place: int
    said: bool = False


@dataclass(slots=True)
class Custom:
    """A call of a custom tool: what its text is, is known when the arguments are whole."""

    id: str
    name: str
    pieces: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Thought:
    """Told again with its seal, as one block: its pieces are held until then."""

    pieces: list[str]
    redacted: bool
    id: str | None
    before: int
    seal: Seal | None = None
