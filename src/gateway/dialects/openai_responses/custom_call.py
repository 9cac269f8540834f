"""Calls of custom tools, which take a text: the one argument of the function that the model knows.

https://platform.openai.com/docs/api-reference/responses-streaming (custom_tool_call_input)
"""

from collections.abc import Iterator

from gateway.dialects.openai_custom import as_text
from gateway.dialects.openai_responses.underway import Call, Status, Told
from gateway.wire.json import Json


class CustomCall(Call):
    """The input is told once it is whole: until then it stands within JSON."""

    __slots__ = ()

    def piece(self, json: str) -> Iterator[Told]:
        self.pieces.append(json)
        yield from ()

    def closing(self, status: Status) -> Iterator[Told]:
        whole = self.whole(status)
        text = whole["input"]
        if text:
            yield "custom_tool_call_input.delta", {**self._place(), "delta": text}
        yield "custom_tool_call_input.done", {**self._place(), "input": text}
        yield "output_item.done", {"output_index": self.index, "item": whole}

    def whole(self, status: Status) -> Json:
        return {
            "id": self.id,
            "type": "custom_tool_call",
            "status": status,
            "call_id": self.call_id,
            "name": self.name,
            "input": as_text("".join(self.pieces)),
        }
