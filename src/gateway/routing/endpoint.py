"""An endpoint: the name callers use, and the targets behind it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens. A class without a price of its own costs what input costs."""

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One model at one provider.

    ``secret``: where its key is, as the vault knows it (``env:OPENAI_API_KEY``); None where
    no key is asked. ``base_url``: in place of the provider's own. ``dialect``: the one that chats
    are said in here, of those that the provider speaks; None: the caller's, or else its first.
    """

    provider: str
    model: str
    secret: str | None = None
    weight: float = 1
    base_url: str | None = None
    price: Price | None = None
    dialect: str | None = None

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


@dataclass(frozen=True, slots=True)
class Retries:
    """How often to try the same target again, and the pauses between, in seconds."""

    times: int = 0
    first_pause: float = 0.25
    longest_pause: float = 4.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """All in seconds.

    ``first_content``: for the whole of an unstreamed answer, or the first content of a stream.
    ``idle``: a stream's longest silence. ``commit_after``: how long a stream's first content may
    take before the answer is begun without it; ``heartbeat``: how often a silent line is kept open.
    """

    first_content: float = 300
    idle: float = 180
    commit_after: float = 20
    heartbeat: float = 15


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``strict``: refuse a call that the target's dialect cannot say whole, where it would else be
    answered without what is lost. ``raw``: the raw proxy leads to all that its provider offers."""

    name: str
    targets: tuple[Target, ...]
    fallbacks: tuple[Target, ...] = ()
    retries: Retries = field(default_factory=Retries)
    timeouts: Timeouts = field(default_factory=Timeouts)
    created: int = 0  # seconds since 1970
    strict: bool = False
    raw: bool = True
