"""What is asked of AWS, and what may come of it, in words that need no SDK."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.errors import Unavailable

THROTTLED = ("aws_throttled", "was throttled by AWS: try again in a moment")


@dataclass(frozen=True, slots=True)
class Use:
    """One thing asked of AWS, as its operator knows it.

    ``action``: as a role's policy has it (``dynamodb:GetItem``). ``resource``: ``table 'config'``.
    ``expected``: the error codes that whoever asks sees to; they are raised as they are.
    """

    action: str
    resource: str
    expected: frozenset[str] = frozenset()

    def fault(self, code: str, problem: str) -> Unavailable:
        return Unavailable(f"{self.action} on {self.resource} {problem}", code=code)

    def timed_out(self) -> Unavailable:
        return self.fault("aws_timed_out", "timed out; a write may have been done all the same")


class Refused(Exception):
    """AWS answered with one of the codes that whoever asked sees to.

    ``retried``: the SDK asked more than once, so what it asked first may have been done.
    """

    def __init__(self, code: str, response: Mapping[str, Any]) -> None:
        super().__init__(code)
        self.code, self.response = code, response
        self.retried = response.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0
