"""The strict listener of each dialect."""

from collections.abc import Callable
from typing import Any, Protocol

from gateway.wire.json import Json
from tests.contract.heard import Heard
from tests.contract.machine_chat import ChatMachine
from tests.contract.machine_gemini import GeminiMachine
from tests.contract.machine_messages import MessagesMachine
from tests.contract.machine_responses import ResponsesMachine


class Machine(Protocol):
    lenient: bool

    def hear(self, stream: bytes) -> list[Heard]:
        """Each answer. Raises AssertionError for what the protocol does not allow."""
        ...


MACHINES: dict[str, Callable[[Json], Machine]] = {
    "openai_chat": ChatMachine,
    "openai_responses": ResponsesMachine,
    "anthropic_messages": MessagesMachine,
    "gemini": GeminiMachine,
}

__all__ = ["MACHINES", "Any", "Heard", "Machine"]
