"""What a strict listener hears of a stream, by the protocol alone: it knows no code of ours."""

import json
import re
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Heard:
    """One answer. ``calls``: id, name, and the arguments as they came: as text, or as an object."""

    text: str = ""
    thinking: str = ""
    refusal: str = ""
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    stop: str | None = None


class Listener:
    """``lenient``: a provider's nonsense may be told as it is, as long as the protocol is kept."""

    lenient = False

    def own(self, id: str, heard: Heard) -> None:
        """A call's id is its own."""
        assert self.lenient or id not in [one for one, _, _ in heard.calls], f"{id} said twice"


_EVENT = re.compile(r"(?:event: (?P<name>[^\r\n]+)\r?\n)?data: (?P<data>[^\r\n]+)\r?\n\r?\n")


def said_in(stream: bytes) -> list[tuple[str, str]]:
    """Name and data of each event; nothing else may stand in what we write, and no event is cut."""
    found, at, text = [], 0, stream.decode()
    while at < len(text):
        match = _EVENT.match(text, at)
        assert match, f"no event: {text[at : at + 80]!r}"
        found.append((match["name"] or "", match["data"]))
        at = match.end()
    return found


def an_object(data: str) -> dict[str, Any]:
    told = json.loads(data)
    assert isinstance(told, dict), data
    return told


def only(told: dict[str, Any], *names: str) -> None:
    """It has no members but these."""
    assert told.keys() <= set(names), f"{sorted(told.keys() - set(names))} in {told}"


def exactly(told: dict[str, Any], *names: str) -> None:
    assert told.keys() == set(names), f"{sorted(told)} and not {sorted(names)}"
