"""An answer that is being streamed: its blocks as they begin and end."""

from dataclasses import dataclass, field

from gateway.chat.blocks import Citation, Foreign, Media, Seal, Text, Thinking, ToolUse
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    CitationDelta,
    ReplyEvent,
    SealDelta,
    Stopped,
    TextDelta,
    ThinkingDelta,
    TokenLogprob,
    ToolUseStarted,
    WholeBlock,
)
from gateway.dialects.gemini.asides import beside_content, beside_reason
from gateway.dialects.gemini.citations import read_citations
from gateway.dialects.gemini.fields import ProtoFields
from gateway.dialects.gemini.partial import PartialCall
from gateway.dialects.gemini.places import Places
from gateway.dialects.gemini.stops import refuse_spoilt, stop_reason
from gateway.wire.json import Json

Source = tuple[str | None, str | None, str | None]  # address, title, quote


@dataclass(slots=True)
class Blocks:
    """How many have begun, over all answers. ``dropped``: what nobody else can be told."""

    dropped: set[str]
    count: int = 0


@dataclass(slots=True)
class Underway:
    """One answer. ``block``: the number of what is open, of this ``kind`` (None: a refusal);
    ``closed``: nothing is, or it has its seal and no more can follow. ``places``: of all its text,
    which Google counts as one whose pieces are streamed."""

    choice: int
    blocks: Blocks
    block: int = -1
    kind: type | None = None
    closed: bool = True
    places: Places = field(default_factory=Places)
    finish: str | None = None
    words: str | None = None  # on why it finished
    _calls: bool = False
    _partial: PartialCall | None = None
    _began: int = 0  # how many blocks
    _at: tuple[int, int] = 0, 0  # where the last text begins in all of it: byte, character
    _answered: bool = False  # anything but thoughts
    _said: bool = False  # any text
    _cited: set[tuple[Source, int | None, int | None]] = field(default_factory=set)  # of that text
    _sources: set[Source] = field(default_factory=set)  # that have been told
    _lost: bool = False  # whether what is read rests on words that cannot be found
    _late: dict[Source, Citation] = field(default_factory=dict)  # what may still have to be told

    def open(self, kind: type | None, events: list[ReplyEvent]) -> int:
        """The block to go on with, or a new one."""
        if self.closed or self.kind is not kind:
            self.close(events)
            self.block, self.kind, self.closed = self._begin(), kind, False
        return self.block

    def _begin(self) -> int:
        self._began += 1
        self.blocks.count += 1
        return self.blocks.count - 1

    def close(self, events: list[ReplyEvent]) -> None:
        """Raises BadRequest for a call whose pieces do not fit."""
        if self._partial:
            number, arguments = self._partial.block, self._partial.arguments()
            self._partial = None
            events += [
                ArgumentsDelta(number, arguments, self.choice),
                BlockEnded(number, self.choice),
            ]
        if self.block >= 0:
            events.append(BlockEnded(self.block, self.choice))
        self.block, self.closed = -1, True

    def text(
        self, said: Text, logprobs: tuple[TokenLogprob, ...], events: list[ReplyEvent]
    ) -> None:
        if not said.text and self.kind is Text and not self.closed:
            self._seal(said.seal, events)
            return
        before, block = self.block, self.open(Text, events)
        if block != before:
            self._said, self._cited = True, set()
            self._at = self.places.size, self.places.length
        events.append(TextDelta(block, said.text, self.choice, logprobs))
        self.places.add(said.text)
        self._answered = self._answered or bool(said.text)
        self._seal(said.seal, events)

    def thought(self, said: Thinking, events: list[ReplyEvent]) -> None:
        if said.text or self.kind is not Thinking or self.closed:
            block = self.open(Thinking, events)
            events.append(ThinkingDelta(block, said.text, self.choice))
        self._seal(said.seal, events)

    def _seal(self, seal: Seal | None, events: list[ReplyEvent]) -> None:
        if seal:
            events.append(SealDelta(self.block, seal, self.choice))
            self.closed = True

    def call(self, call: ToolUse, events: list[ReplyEvent]) -> None:
        number = self._start(call, events)
        events += [
            ArgumentsDelta(number, call.arguments, self.choice),
            BlockEnded(number, self.choice),
        ]

    def _start(self, call: ToolUse, events: list[ReplyEvent]) -> int:
        self.close(events)
        self._calls = self._answered = True
        number = self._begin()
        events.append(ToolUseStarted(number, call.id, call.name, self.choice, call.seal))
        return number

    def goes_on(self, call: ProtoFields) -> bool:
        """Whether this is but a piece of a call: the first says that more will follow, the others
        have no name. The last may hold nothing at all."""
        pieces = any(call.rest.get(name) is not None for name in ("willContinue", "partialArgs"))
        return pieces or call.rest.get("name") is None

    def piece(
        self, call: ProtoFields, seal: Seal | None, made: str, events: list[ReplyEvent]
    ) -> None:
        """``made``: what to make an id of, for a call that has none."""
        name = call.may("name", str)
        if name is not None:
            given = call.may("id", str) or f"call_{made}_{self.blocks.count}"
            self._partial = PartialCall(self._start(ToolUse(given, name, "", seal), events))
        if self._partial is None:  # the end of a call that had already ended
            return
        self._partial.take(call)
        if not call.may("willContinue", bool):
            self.close(events)

    def whole(self, block: Media | Foreign, events: list[ReplyEvent]) -> None:
        self.close(events)
        self._answered = True
        number = self._begin()
        events += [WholeBlock(number, block, self.choice), BlockEnded(number, self.choice)]

    def cite(self, candidate: Json, events: list[ReplyEvent]) -> None:
        """To the text that is open; told again, a citation is the same one. Google may tell them
        when their text has ended: then they wait for the end."""
        late = self.kind is not Text or self.block < 0
        for _, citation in read_citations(candidate, self._character):
            source = (citation.url, citation.title, citation.quote)
            lost, self._lost = self._lost, False
            if lost and source in self._sources:  # of a text that has ended
                continue
            if lost:
                self.blocks.dropped.add("citations")
            if late:
                self._late.setdefault(source, citation)
            elif (key := (source, citation.start, citation.end)) not in self._cited:
                self._cited.add(key)
                self._sources.add(source)
                events.append(CitationDelta(self.block, citation, self.choice))

    def end(self, events: list[ReplyEvent]) -> None:
        """What was not told while its text was open is of an empty one, and does not say which
        words rest on it. Raises as ``close`` does; UpstreamBroke where nothing came of it."""
        self.close(events)
        refuse_spoilt(self.finish, self.words, said=self._answered)
        late = {source: one for source, one in self._late.items() if source not in self._sources}
        if late and (not self._said or any(one.end is not None for one in late.values())):
            self.blocks.dropped.add("citations")
        if self._said and late:
            events.append(TextDelta(self.open(Text, events), "", self.choice))
            events += [CitationDelta(self.block, Citation(*one), self.choice) for one in late]
            self.close(events)

    def _character(self, part: int, byte: int) -> int | None:
        """In the text that is open. Google counts from where a part begins, and leaves the part's
        number out of streams and, mostly, where only thoughts stand before the text
        (https://github.com/googleapis/python-genai/issues/961): then it is all of the text."""
        first_byte, first = self._at
        if part == 0:
            place = self.places.character(byte) - first
        elif part == self._began - 1:
            place = self.places.character(first_byte + byte) - first
        else:
            place = -1
        self._lost = self._lost or place < 0
        return None if place < 0 else place

    def look_beside(self, candidate: Json) -> None:
        self.blocks.dropped.update(name for name, _ in beside_content(candidate))

    def stopped(self) -> Stopped:
        self.blocks.dropped.update(name for name, _ in beside_reason(self.finish, self.words))
        return Stopped(stop_reason(self.finish, calls=self._calls), choice=self.choice)
