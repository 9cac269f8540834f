"""What a stream of OpenAI's Responses may look like.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from typing import Any

from gateway.wire.json import Json
from tests.contract.heard import Heard, Listener, an_object, said_in

TERMINAL = ("response.completed", "response.incomplete")
# What says a part or an item in pieces, and where the whole of it stands in `done`.
PIECES = {
    "output_text": "text",
    "refusal": "refusal",
    "reasoning_summary_text": "text",
    "reasoning_text": "text",
    "function_call_arguments": "arguments",
}


class ResponsesMachine(Listener):
    def __init__(self, asked: Json) -> None:
        del asked
        self.heard = Heard()
        self._items: list[dict[str, Any]] = []  # as they began
        self._done: dict[int, dict[str, Any]] = {}
        self._parts: dict[tuple[Any, ...], dict[str, Any] | None] = {}  # None: it is done
        self._said: dict[tuple[Any, ...], str] = {}
        self._whole: dict[tuple[Any, ...], str] = {}
        self._notes: dict[tuple[Any, ...], list[Any]] = {}

    def hear(self, stream: bytes) -> list[Heard]:
        events = [(name, an_object(data)) for name, data in said_in(stream)]
        assert all(name == data["type"] for name, data in events)
        assert [data["sequence_number"] for _, data in events] == list(range(len(events)))
        (first, begun), (second, going), *rest, (last, ended) = events
        assert (first, second) == ("response.created", "response.in_progress")
        assert last in TERMINAL
        for told in (begun["response"], going["response"]):
            assert (told["status"], told["output"]) == ("in_progress", [])
        for name, event in rest:
            self._take(name.removeprefix("response."), event)
        self._end(last, begun["response"], ended["response"])
        return [self.heard]

    def _take(self, name: str, event: dict[str, Any]) -> None:
        subject, _, act = name.rpartition(".")
        match subject, act:
            case "output_item", "added":
                self._add_item(event)
            case "output_item", "done":
                self._finish_item(event)
            case (("content_part" | "reasoning_summary_part"), _):
                self._part(act, event)
            case "output_text.annotation", "added":
                notes = self._notes.setdefault(self._place(event), [])
                assert event["annotation_index"] == len(notes)
                notes.append(event["annotation"])
            case _ if subject in PIECES:
                self._piece(subject, act, event)
            case _:
                raise AssertionError(f"no such event: {name}")

    def _add_item(self, event: dict[str, Any]) -> None:
        item = event["item"]
        assert event["output_index"] == len(self._items), "items are numbered as they begin"
        if not self.lenient:  # items of other kinds are told as they came
            assert item["id"] not in [one["id"] for one in self._items], "ids are each its own"
            assert item.get("status") in (None, "in_progress", "completed")
            assert not item.get("content"), "an item begins empty"
            assert not item.get("arguments")
        self._items.append(item)

    def _item(self, event: dict[str, Any]) -> dict[str, Any]:
        index = event["output_index"]
        assert index not in self._done, f"after the item was done: {event}"
        item: dict[str, Any] = self._items[index]
        assert event["item_id"] == item.get("id")
        return item

    def _place(self, event: dict[str, Any]) -> tuple[Any, ...]:
        self._item(event)
        inner = event.get("content_index", event.get("summary_index"))
        place = (event["output_index"], "summary_index" in event, inner)
        if inner is not None:
            assert self._parts.get(place) is not None, f"no such part is open: {event}"
        return place

    def _part(self, act: str, event: dict[str, Any]) -> None:
        self._item(event)
        summary = "summary_index" in event
        inner = event["summary_index" if summary else "content_index"]
        place = (event["output_index"], summary, inner)
        if act == "added":
            before = [one for one in self._parts if one[:2] == place[:2]]
            assert inner == len(before), "parts are numbered as they begin"
            assert (event["part"].get("text") or event["part"].get("refusal") or "") == ""
            self._parts[place] = event["part"]
            return
        assert act == "done"
        assert self._parts[place] is not None
        part, self._parts[place] = event["part"], None
        assert part.get("text", part.get("refusal")) == self._whole[place]
        assert part.get("annotations", []) == self._notes.get(place, [])

    def _piece(self, subject: str, act: str, event: dict[str, Any]) -> None:
        place = self._place(event)
        assert place not in self._whole, f"after it was done: {event}"
        if act == "delta":
            assert event["delta"], "a delta that says nothing"
            self._said[place] = self._said.get(place, "") + event["delta"]
            return
        assert act == "done"
        whole = self._whole[place] = event[PIECES[subject]]
        assert whole == self._said.get(place, ""), "the pieces make up the whole"
        match subject:
            case "output_text":
                self.heard.text += whole
            case "refusal":
                self.heard.refusal += whole
            case "reasoning_summary_text" | "reasoning_text":
                self.heard.thinking += whole

    def _finish_item(self, event: dict[str, Any]) -> None:
        index, item = event["output_index"], event["item"]
        begun = self._items[index]
        assert (item.get("id"), item.get("type")) == (begun.get("id"), begun.get("type"))
        assert index not in self._done
        self._done[index] = item
        open_parts = [p for p, part in self._parts.items() if p[0] == index and part]
        assert not open_parts, "its parts are done before it"
        parts = [(False, part) for part in item.get("content") or ()]
        parts += [(True, part) for part in item.get("summary") or ()]
        for nth, (summary, part) in enumerate(parts):
            inner = nth - (len(item.get("content") or ()) if summary else 0)
            told = part.get("text", part.get("refusal"))
            assert self._whole[index, summary, inner] == told
        if item.get("type") == "function_call":
            arguments = item["arguments"]
            assert self._whole[index, False, None] == arguments

    def _end(self, name: str, begun: dict[str, Any], ended: dict[str, Any]) -> None:
        assert ended["output"] == [self._done[nth] for nth in range(len(self._items))]
        for item in ended["output"]:
            if item.get("type") == "function_call":
                call = (item["call_id"], item["name"], item["arguments"])
                self.own(call[0], self.heard)
                self.heard.calls.append(call)
        constant = ("id", "created_at", "model", "object")
        assert [ended[one] for one in constant] == [begun[one] for one in constant]
        assert ended["status"] == name.removeprefix("response.")
        assert (ended["incomplete_details"] is None) == (ended["status"] == "completed")
        used = ended["usage"]
        assert used["total_tokens"] == used["input_tokens"] + used["output_tokens"]
        self.heard.stop = ended["status"]
