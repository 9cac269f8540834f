"""What is written down of an exchange when it is over."""

from dataclasses import dataclass
from typing import Literal

from gateway.usage import Usage

Outcome = Literal["answered", "failed", "hung_up"]


@dataclass(frozen=True, slots=True)
class Record:
    """One exchange. Times in seconds; ``cost`` in US dollars, None when it is not known.

    Holds no body and no secret, and nothing of the caller's text.
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
    usage: Usage
    cost: float | None
    duration: float
    first_content: float | None
    error: str | None
