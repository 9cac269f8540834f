"""A stream of generateContent replies, read.

https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
"""

from gateway.chat.blocks import Foreign, Media, Text, Thinking, ToolResult, ToolUse
from gateway.chat.reply import Ended, RefusalDelta, ReplyEvent, Started, TextDelta, ThinkingDelta
from gateway.dialects.forms import Identity
from gateway.dialects.gemini.asides import ENVELOPE, beside_candidates
from gateway.dialects.gemini.errors import failure_in
from gateway.dialects.gemini.fields import ProtoFields
from gateway.dialects.gemini.logprobs import read_logprobs
from gateway.dialects.gemini.parts import PartReader
from gateway.dialects.gemini.reply import envelope, index_of, part_reader, tier_in
from gateway.dialects.gemini.stops import UNSPECIFIED
from gateway.dialects.gemini.underway import Blocks, Underway
from gateway.dialects.gemini.usage import counts_of, usage_of
from gateway.dialects.gemini.watch import read_chunk
from gateway.errors import BadRequest, UpstreamBroke
from gateway.usage import Usage
from gateway.wire.halves import Halves
from gateway.wire.json import Json

PLAIN = ENVELOPE - {"promptFeedback"}  # what stands beside a piece of text


class ReplyReader:
    """Nothing in this API says that all is said: the clean end of the body does, when every answer
    has told why it ended. So the ends are told by ``finish``."""

    __slots__ = (
        "_blocks",
        "_choices",
        "_counts",
        "_halves",
        "_identity",
        "_parts",
        "_tier",
        "dropped",
        "ended",
    )

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._parts: PartReader | None = None  # None until the stream has begun
        self.dropped: set[str] = set()
        self._blocks = Blocks(self.dropped)
        self._choices: dict[int, Underway] = {}
        self._counts: Json = {}
        self._tier: str | None = None
        self.ended = False
        self._halves = Halves()

    @property
    def usage(self) -> Usage | None:
        return usage_of(self._counts)

    @usage.setter
    def usage(self, _: Usage | None) -> None:
        raise AttributeError("a reader counts for itself")

    def feed(self, data: bytes, name: str = "") -> list[ReplyEvent]:
        del name  # this dialect's events have none
        chunk = read_chunk(data, self._halves)
        if plain := self._plain(chunk):
            return [plain]
        if error := chunk.get("error"):
            raise failure_in(error)
        try:
            return self._read(chunk)
        except BadRequest as error:
            raise UpstreamBroke(f"the provider sent a malformed event: {error}") from error

    def _plain(self, chunk: Json) -> ReplyEvent | None:
        """One more piece of the text or thought that is open: what most chunks are."""
        if not PLAIN.issuperset(chunk):
            return None
        try:
            (candidate,) = chunk["candidates"]
            (part,) = candidate["content"]["parts"]
            text, index = part["text"], candidate.get("index", 0)
            underway = self._choices[index]
        except (KeyError, TypeError, ValueError, AttributeError):
            return None
        # Beside its content a candidate then has no more than its index.
        others = len(candidate) - 1
        if (others and (others > 1 or "index" not in candidate)) or underway.closed:
            return None
        if type(text) is not str or not text:
            return None
        if len(part) == 1 and underway.kind is Text:
            underway.places.add(text)
            event: ReplyEvent = TextDelta(underway.block, text, underway.choice)
        elif len(part) == 2 and part.get("thought") is True and underway.kind is Thinking:
            event = ThinkingDelta(underway.block, text, underway.choice)
        else:
            return None
        if "usageMetadata" in chunk:
            self._count(chunk)
        return event

    def _count(self, chunk: Json) -> None:
        counts = chunk.get("usageMetadata")
        if type(counts) is dict:
            self._counts.update(counts_of(chunk) if None in counts.values() else counts)

    def _read(self, chunk: Json) -> list[ReplyEvent]:
        self._tier = tier_in(chunk) or self._tier
        self._count(chunk)
        self.dropped.update(name for name, _ in beside_candidates(chunk))
        fields, events = ProtoFields(chunk), list[ReplyEvent]()
        if self._parts is None:
            name, model, created = envelope(fields, self._identity)
            self._parts = part_reader(self._identity)
            events.append(Started(name, model, created, self.usage))
        if feedback := fields.inner("promptFeedback"):
            self._refuse(feedback, events)
        for nth, one in enumerate(fields.each("candidates")):
            candidate = ProtoFields(*one)
            choice = index_of(candidate, nth)
            if choice not in self._choices:
                self._choices[choice] = Underway(choice, self._blocks)
            self._candidate(candidate, self._choices[choice], self._parts, events)
        self.dropped.update(self._parts.unread)
        return events

    def _refuse(self, feedback: ProtoFields, events: list[ReplyEvent]) -> None:
        reason = feedback.may("blockReason", str)
        if not reason:
            return
        refused = self._choices.setdefault(0, Underway(0, self._blocks))
        refused.finish = "SAFETY"
        if words := feedback.may("blockReasonMessage", str):
            events.append(RefusalDelta(refused.open(None, events), words))

    def _candidate(
        self,
        candidate: ProtoFields,
        underway: Underway,
        parts: PartReader,
        events: list[ReplyEvent],
    ) -> None:
        logprobs = tuple(read_logprobs(candidate))
        content = candidate.inner("content")
        for raw, path in content.each("parts") if content else ():
            part = ProtoFields(raw, path)
            call = part.inner("functionCall")
            if call and underway.goes_on(call):
                seal = parts.seal(part.may("thoughtSignature", str))
                underway.piece(call, seal, self._identity.id, events)
                continue
            block = parts.read(raw, path, str(self._blocks.count))
            match block:
                case Text():
                    underway.text(block, logprobs, events)
                    logprobs = ()
                case Thinking():
                    underway.thought(block, events)
                case ToolUse():
                    underway.call(block, events)
                case Media() | Foreign():
                    underway.whole(block, events)
                case ToolResult():  # those are the caller's to give
                    self.dropped.add("functionResponse")
        underway.cite(candidate.rest, events)
        underway.look_beside(candidate.rest)
        underway.words = candidate.may("finishMessage", str) or underway.words
        finish = candidate.may("finishReason", str)
        if finish and finish != UNSPECIFIED:
            underway.finish = finish

    def finish(self) -> list[ReplyEvent]:
        choices = list(self._choices.values())
        if not choices or any(choice.finish is None for choice in choices):
            return []
        events: list[ReplyEvent] = []
        try:
            for choice in choices:
                choice.end(events)
        except BadRequest as error:
            raise UpstreamBroke(f"the provider sent malformed events: {error}") from error
        self.ended = True
        stops = [choice.stopped() for choice in choices]
        return [*events, *stops, Ended(self.usage or Usage(), self._tier)]
