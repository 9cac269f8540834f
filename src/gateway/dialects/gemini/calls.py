"""The names under which calls of functions go: Gemini does not always give them any."""

from collections import deque

PREFIX = "call_"


class Calls:
    """Which answer in a conversation belongs to which call.

    A call without an id gets one by its place, which is the same whenever the conversation is told
    again. An answer without one belongs to the first call of that name that has none yet.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, str] = {}  # id -> name
        self._by_name: dict[str, deque[str]] = {}

    def called(self, id: str | None, name: str, place: str) -> str:
        own = id or PREFIX + place
        self._waiting[own] = name
        self._by_name.setdefault(name, deque()).append(own)
        return own

    def answered(self, id: str | None, name: str, place: str) -> str:
        if id and self._waiting.pop(id, None) is not None:
            return id
        waiting = self._by_name.get(name, deque())
        while waiting:
            first = waiting.popleft()
            if self._waiting.pop(first, None) is not None:
                return first
        return id or PREFIX + place
