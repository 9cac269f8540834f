"""What is written down of an exchange when it is over."""

from dataclasses import dataclass
from typing import Literal

from gateway.usage import Usage

Outcome = Literal["answered", "failed", "hung_up"]


@dataclass(frozen=True, slots=True)
class Record:
    """One exchange. Times in seconds; ``cost`` in US dollars; None for what is not known.

    ``at``: when it was over, in seconds since 1970. ``dropped``: what one dialect said and the
    other could not, by name.

    ``provider`` and ``model`` are of the target that served, or that was tried last. Holds no body
    and no secret, and nothing of the caller's text but such names.
    """

    request_id: str
    caller: str
    endpoint: str
    dialect: str
    stream: bool
    outcome: Outcome
    status: int
    provider: str | None
    model: str | None
    attempts: int
    usage: Usage | None
    cost: float | None
    duration: float
    first_content: float | None
    error: str | None
    at: int = 0
    dropped: tuple[str, ...] = ()
