"""Output items under way: what a caller is told of each, and what it is in the end.

At its end the protocol demands every item whole, twice, and its text once more: so the pieces are
kept. https://platform.openai.com/docs/api-reference/responses-streaming
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from gateway.chat.blocks import Citation, Seal
from gateway.chat.reply import TokenLogprob
from gateway.chat.seals import carried
from gateway.dialects.openai_responses.citations import write_annotation
from gateway.dialects.openai_responses.logprobs import write_logprobs
from gateway.dialects.openai_responses.parts import ISSUER
from gateway.wire.json import Json

Told = tuple[str, Json]  # an event: its type without `response.`, and its members
Status = Literal["completed", "incomplete"]


class Part:
    """A part of a message. Blocks that follow each other join in one: ``start`` is where the
    present one begins. A citation of a whole block waits until it is known how long that is."""

    __slots__ = (
        "_counted",
        "_length",
        "annotations",
        "logprobs",
        "number",
        "pieces",
        "refusal",
        "start",
        "waiting",
    )

    def __init__(self, number: int, *, refusal: bool) -> None:
        self.number, self.refusal, self.start = number, refusal, 0
        self.pieces: list[str] = []
        self._counted = self._length = 0  # how many of the pieces have been counted, and as what
        self.annotations: list[Json] = []
        self.logprobs: list[TokenLogprob] = []
        self.waiting: list[Citation] = []

    @property
    def length(self) -> int:
        self._length += sum(map(len, self.pieces[self._counted :]))
        self._counted = len(self.pieces)
        return self._length

    def whole(self) -> Json:
        return self.said("".join(self.pieces), self.annotations, self.logprobs)

    def said(self, text: str, annotations: list[Json], logprobs: list[TokenLogprob]) -> Json:
        if self.refusal:
            return {"type": "refusal", "refusal": text}
        told = {"annotations": annotations, "logprobs": write_logprobs(logprobs)}
        return {"type": "output_text", "text": text, **told}


class Message:
    __slots__ = ("id", "index", "parts")

    def __init__(self, id: str, index: int) -> None:
        self.id, self.index = id, index
        self.parts: list[Part] = []

    def opening(self) -> Iterator[Told]:
        yield _added(self.index, {**self.whole("completed"), "status": "in_progress"})

    def begin(self, *, refusal: bool) -> Iterator[Told]:
        """Go on with the part that there is, or with another where this is of another kind."""
        if self.parts and self.parts[-1].refusal == refusal:
            self.parts[-1].start = self.parts[-1].length
            return
        yield from self.end_part()
        part = Part(len(self.parts), refusal=refusal)
        self.parts.append(part)
        yield "content_part.added", {**self._place(part), "part": part.whole()}

    def piece(self, text: str, logprobs: Sequence[TokenLogprob]) -> Iterator[Told]:
        part = self.parts[-1]
        part.pieces.append(text)
        part.logprobs += logprobs
        if part.refusal:
            yield "refusal.delta", {**self._place(part), "delta": text}
        else:
            told = {"delta": text, "logprobs": write_logprobs(logprobs)}
            yield "output_text.delta", {**self._place(part), **told}

    def cite(self, citation: Citation, dropped: set[str], *, whole: bool = False) -> Iterator[Told]:
        """``whole``: the block has ended, so that what has waited for its length can be told."""
        part = self.parts[-1]
        if not whole and (citation.start is None or citation.end is None):
            part.waiting.append(citation)
            return
        annotation = write_annotation(citation, part.start, part.length, dropped)
        if annotation is not None:
            number = {"annotation_index": len(part.annotations), "annotation": annotation}
            part.annotations.append(annotation)
            yield "output_text.annotation.added", {**self._place(part), **number}

    def end_block(self, dropped: set[str]) -> Iterator[Told]:
        part = self.parts[-1]
        for citation in part.waiting:
            yield from self.cite(citation, dropped, whole=True)
        part.waiting = []

    def end_part(self) -> Iterator[Told]:
        if not self.parts:
            return
        part = self.parts[-1]
        place, whole = self._place(part), part.whole()
        if part.refusal:
            yield "refusal.done", {**place, "refusal": whole["refusal"]}
        else:
            told = {"text": whole["text"], "logprobs": whole["logprobs"]}
            yield "output_text.done", {**place, **told}
        yield "content_part.done", {**place, "part": whole}

    def closing(self, status: Status) -> Iterator[Told]:
        yield from self.end_part()
        yield _done(self.index, self.whole(status))

    def whole(self, status: Status) -> Json:
        return {
            "id": self.id,
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": [part.whole() for part in self.parts],
        }

    def _place(self, part: Part) -> Json:
        return {"item_id": self.id, "output_index": self.index, "content_index": part.number}


class Thought:
    """``redacted``: the thought has no words of its own; any other has a part of its summary, if
    need be an empty one, so that the two are told apart when they come back."""

    __slots__ = ("id", "index", "pieces", "redacted", "seal", "spoken")

    def __init__(self, id: str, index: int, *, redacted: bool) -> None:
        self.id, self.index, self.redacted = id, index, redacted
        self.pieces: list[str] = []
        self.seal: Seal | None = None
        self.spoken = False  # its part has been opened

    def opening(self) -> Iterator[Told]:
        yield _added(self.index, {"id": self.id, "type": "reasoning", "summary": []})

    def begin(self) -> Iterator[Told]:
        self.spoken = True
        part = {"type": "summary_text", "text": ""}
        yield "reasoning_summary_part.added", {**self._place(), "part": part}

    def piece(self, text: str) -> Iterator[Told]:
        if not self.spoken:
            yield from self.begin()
        self.pieces.append(text)
        yield "reasoning_summary_text.delta", {**self._place(), "delta": text}

    def closing(self, status: Status) -> Iterator[Told]:
        if not self.spoken and not self.redacted and self.seal:
            yield from self.begin()
        whole = self.whole(status)
        for part in whole["summary"]:
            yield "reasoning_summary_text.done", {**self._place(), "text": part["text"]}
            yield "reasoning_summary_part.done", {**self._place(), "part": part}
        yield _done(self.index, whole)

    def whole(self, status: Status) -> Json:
        del status  # an item of reasoning that is cut off has nothing that is half
        part = {"type": "summary_text", "text": "".join(self.pieces)}
        return {
            "id": self.id,
            "type": "reasoning",
            "summary": [part] if self.spoken else [],
            "encrypted_content": self._sealed(),
        }

    def _sealed(self) -> str:
        """Without any the API would look the item up by its id, and know nothing of it: what it did
        not seal itself is marked, so that it is told apart."""
        own = self.seal is not None and self.seal.issuer == ISSUER
        return self.seal.value if self.seal and own else carried(self.seal)

    def _place(self) -> Json:
        return {"item_id": self.id, "output_index": self.index, "summary_index": 0}


class Call:
    """``call_id``: the call's own name, which its result refers to."""

    __slots__ = ("call_id", "id", "index", "name", "pieces")

    def __init__(self, id: str, index: int, call_id: str, name: str) -> None:
        self.id, self.index, self.call_id, self.name = id, index, call_id, name
        self.pieces: list[str] = []

    def opening(self) -> Iterator[Told]:
        yield _added(self.index, {**self.whole("completed"), "status": "in_progress"})

    def piece(self, json: str) -> Iterator[Told]:
        self.pieces.append(json)
        yield "function_call_arguments.delta", {**self._place(), "delta": json}

    def closing(self, status: Status) -> Iterator[Told]:
        if not any(self.pieces):
            yield from self.piece(NO_ARGUMENTS)
        whole = self.whole(status)
        done = {"name": self.name, "arguments": whole["arguments"]}
        yield "function_call_arguments.done", {**self._place(), **done}
        yield _done(self.index, whole)

    def whole(self, status: Status) -> Json:
        return {
            "id": self.id,
            "type": "function_call",
            "status": status,
            "call_id": self.call_id,
            "name": self.name,
            "arguments": "".join(self.pieces),
        }

    def _place(self) -> Json:
        return {"item_id": self.id, "output_index": self.index}


class Whole:
    """An item that comes in one piece, of one of the API's own kinds; ``hidden``: what of it is not
    told yet as it begins."""

    __slots__ = ("_hidden", "_item", "index")

    def __init__(self, index: int, item: Json, hidden: Json) -> None:
        self.index, self._item, self._hidden = index, item, hidden

    def opening(self) -> Iterator[Told]:
        yield _added(self.index, {**self._item, **self._hidden})

    def closing(self, status: Status) -> Iterator[Told]:
        del status  # it is complete
        yield _done(self.index, self._item)


Item = Message | Thought | Call | Whole
NO_ARGUMENTS = "{}"  # arguments are always an object's text: clients parse it


def _added(index: int, item: Json) -> Told:
    return "output_item.added", {"output_index": index, "item": item}


def _done(index: int, item: Json) -> Told:
    return "output_item.done", {"output_index": index, "item": item}
