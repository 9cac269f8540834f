"""What a stream of Anthropic's Messages may look like.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from typing import Any

from gateway.wire.json import Json
from tests.contract.heard import Heard, Listener, an_object, exactly, only, said_in

# Which deltas each kind of block takes.
DELTAS: dict[str, set[str]] = {
    "text": {"text_delta", "citations_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "tool_use": {"input_json_delta"},
    "server_tool_use": {"input_json_delta"},
}
EMPTY = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}}
REASONS = {"end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal"}


class MessagesMachine(Listener):
    def __init__(self, asked: Json) -> None:
        del asked
        self.heard = Heard()
        self._next = 0
        self._open: dict[str, Any] | None = None
        self._input = ""
        self._signed = False
        self._over = ""

    def hear(self, stream: bytes) -> list[Heard]:
        events = [(name, an_object(data)) for name, data in said_in(stream)]
        assert all(name == data["type"] for name, data in events), "events go by their names"
        (first, begun), *rest = events
        assert first == "message_start"
        self._begin(begun)
        for name, event in rest:
            assert self._over != "message_stop", f"after the end: {event}"
            if name != "ping":
                getattr(self, f"_{name}")(event)
        assert self._over == "message_stop", "the stream never ends"
        return [self.heard]

    def _begin(self, event: dict[str, Any]) -> None:
        exactly(event, "type", "message")
        message = event["message"]
        only(
            message,
            *("id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage"),
        )
        assert (message["type"], message["role"], message["content"]) == (
            "message",
            "assistant",
            [],
        )
        assert message["stop_reason"] is None
        assert message["id"]
        assert message["usage"]["input_tokens"] >= 0
        assert message["usage"]["output_tokens"] >= 0

    def _content_block_start(self, event: dict[str, Any]) -> None:
        exactly(event, "type", "index", "content_block")
        assert self._open is None, "one block is open at a time"
        assert not self._over, "after the message's delta"
        assert event["index"] == self._next, "blocks are numbered as they begin"
        block = event["content_block"]
        self._open, self._input, self._signed = block, "", False
        for name, value in EMPTY.get(block["type"], {}).items():
            assert block[name] == value, "a block begins empty"
        if block["type"] == "tool_use":
            only(block, "type", "id", "name", "input")
            assert block["input"] == {}
            self.own(block["id"], self.heard)
            assert self.lenient or block["name"]

    def _content_block_delta(self, event: dict[str, Any]) -> None:
        exactly(event, "type", "index", "delta")
        assert self._open is not None, "a delta of no block"
        assert event["index"] == self._next
        delta, kind = event["delta"], self._open["type"]
        assert delta["type"] in DELTAS.get(kind, set()), f"{delta['type']} in a block of {kind}"
        assert not self._signed, "nothing follows the signature"
        match delta["type"]:
            case "text_delta":
                self.heard.text += delta["text"]
            case "thinking_delta":
                self.heard.thinking += delta["thinking"]
            case "signature_delta":
                assert delta["signature"]
                self._signed = True
            case "input_json_delta":
                self._input += delta["partial_json"]

    def _content_block_stop(self, event: dict[str, Any]) -> None:
        exactly(event, "type", "index")
        assert self._open is not None
        assert event["index"] == self._next
        if self._open["type"] == "tool_use":
            self.heard.calls.append((self._open["id"], self._open["name"], self._input or "{}"))
        self._open, self._next = None, self._next + 1

    def _message_delta(self, event: dict[str, Any]) -> None:
        exactly(event, "type", "delta", "usage")
        assert self._open is None
        assert not self._over
        only(event["delta"], "stop_reason", "stop_sequence")
        assert event["delta"]["stop_reason"] in REASONS
        assert event["usage"]["output_tokens"] >= 0
        self.heard.stop, self._over = event["delta"]["stop_reason"], "message_delta"

    def _message_stop(self, event: dict[str, Any]) -> None:
        exactly(event, "type")
        assert self._over == "message_delta"
        self._over = "message_stop"
