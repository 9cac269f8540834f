"""What a stream of chat completion chunks may look like.

https://platform.openai.com/docs/api-reference/chat-streaming
"""

from typing import Any

from gateway.wire.json import Json
from tests.contract.heard import Heard, Listener, an_object, only, said_in

ENVELOPE = ("id", "object", "created", "model", "service_tier", "system_fingerprint")
DELTAS = (
    *("role", "content", "refusal", "tool_calls", "function_call"),
    # What the imitators added: thoughts, images, sources.
    *("reasoning_content", "thinking_blocks", "annotations", "images", "audio", "extra_content"),
)
REASONS = {"stop", "length", "tool_calls", "content_filter", "function_call"}


class ChatMachine(Listener):
    def __init__(self, asked: Json) -> None:
        options = asked.get("stream_options") or {}
        self.counted = bool(options.get("include_usage"))
        self.choices: dict[int, Heard] = {}
        self._roles: set[int] = set()
        self._envelope: dict[str, Any] | None = None

    def hear(self, stream: bytes) -> list[Heard]:
        events = said_in(stream)
        assert not any(name for name, _ in events), "this API names no events"
        assert [nth for nth, (_, data) in enumerate(events) if data == "[DONE]"] == [
            len(events) - 1
        ], "[DONE] comes once, and last"
        chunks = [an_object(data) for _, data in events[:-1]]
        if self.counted:
            last = chunks.pop()
            self._same(last)
            assert last["choices"] == []
            used = last["usage"]
            assert used["total_tokens"] == used["prompt_tokens"] + used["completion_tokens"]
        for chunk in chunks:
            self._chunk(chunk)
        assert self._roles == set(self.choices)
        assert all(choice.stop for choice in self.choices.values()), "a choice never finishes"
        return [self.choices[nth] for nth in sorted(self.choices)]

    def _same(self, chunk: dict[str, Any]) -> None:
        only(chunk, *ENVELOPE, "choices", "usage")
        told = {name: chunk.get(name) for name in ENVELOPE[:4]}
        self._envelope = self._envelope or told
        assert told == self._envelope, "one answer has one id, one date and one model"
        assert told["object"] == "chat.completion.chunk"
        assert isinstance(told["id"], str)
        assert told["id"]
        assert isinstance(told["created"], int)

    def _chunk(self, chunk: dict[str, Any]) -> None:
        self._same(chunk)
        assert chunk.get("usage") is None, "nobody asked for the usage here"
        assert chunk["choices"], "a chunk that says nothing"
        for choice in chunk["choices"]:
            only(choice, "index", "delta", "finish_reason", "logprobs")
            heard = self.choices.setdefault(choice["index"], Heard())
            assert heard.stop is None, f"after the end of choice {choice['index']}: {choice}"
            self._delta(choice["index"], heard, choice["delta"])
            heard.stop = choice["finish_reason"]
            if heard.stop is not None:
                assert heard.stop in REASONS
                assert heard.stop != "tool_calls" or heard.calls, "none was told of"
                assert choice["delta"] == {}, "the end says nothing else"
            else:
                assert choice["delta"], "a delta that says nothing"

    def _delta(self, index: int, heard: Heard, delta: dict[str, Any]) -> None:
        only(delta, *DELTAS)
        if "role" in delta:
            assert index not in self._roles, "a choice says its role once"
            assert delta["role"] == "assistant"
            self._roles.add(index)
        assert index in self._roles, "a choice says its role first"
        heard.text += delta.get("content") or ""
        heard.refusal += delta.get("refusal") or ""
        heard.thinking += delta.get("reasoning_content") or ""
        for call in delta.get("tool_calls", ()):
            self._call(heard, call)

    def _call(self, heard: Heard, call: dict[str, Any]) -> None:
        index = call["index"]
        assert index <= len(heard.calls), "calls are numbered as they begin"
        if index == len(heard.calls):
            if call["type"] == "custom":
                only(call, "index", "id", "type", "custom")
                heard.calls.append((call["id"], call["custom"]["name"], None))
                return
            only(call, "index", "id", "type", "function")
            only(call["function"], "name", "arguments")
            assert call["type"] == "function"
            self.own(call["id"], heard)
            heard.calls.append((call["id"], call["function"]["name"], ""))
        else:
            only(call, "index", "function")
            only(call["function"], "arguments")
        own, name, arguments = heard.calls[index]
        heard.calls[index] = own, name, arguments + call["function"]["arguments"]
