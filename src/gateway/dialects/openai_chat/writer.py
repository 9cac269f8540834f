"""OpenAI Chat Completions streams, written for a caller."""

from gateway.chat.blocks import Foreign, Media, Thinking
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    CitationDelta,
    Ended,
    RefusalDelta,
    ReplyEvent,
    SealDelta,
    Started,
    Stopped,
    TextDelta,
    ThinkingDelta,
    TokenLogprob,
    ToolUseStarted,
    WholeBlock,
)
from gateway.chat.seals import with_seal
from gateway.dialects.forms import Asked
from gateway.dialects.openai_chat.pieces import (
    write_annotation,
    write_audio,
    write_image,
    write_logprobs,
)
from gateway.dialects.openai_chat.request import speaks_of_functions
from gateway.dialects.openai_chat.thoughts import GOOGLES, Placed, write_thought
from gateway.dialects.openai_chat.told import finish_reason, hides_thoughts
from gateway.dialects.openai_chat.tools import NONE, custom_names, write_custom_call
from gateway.dialects.openai_chat.underway import Call, Custom, Line, Thought
from gateway.dialects.openai_chat.usage import write_usage
from gateway.errors import UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json, dumps
from gateway.wire.sse import write_event

DONE = b"[DONE]"
# How many characters of thought are told again with their seals: far more than any model thinks.
LONGEST = 64 * 1024 * 1024
AFTER = b'},"finish_reason":null}]}\n\n'


class ChatWriter:
    """Turns what happened into events for the caller."""

    def __init__(self, asked: Asked) -> None:
        self.dropped: set[str] = set()
        options = asked.body.get("stream_options")
        self._shows_usage = isinstance(options, dict) and options.get("include_usage") is True
        self._hides_thoughts = hides_thoughts(asked)
        self._functions = speaks_of_functions(asked.body)
        self._customs = custom_names(asked.body)
        self._head: Json = {}
        self._lines: dict[int, Line] = {}
        self._calls: dict[int, Call] = {}
        self._thoughts: dict[int, Thought] = {}
        self._held: dict[int, Custom] = {}
        self._room = LONGEST

    def feed(self, event: ReplyEvent) -> bytes:
        if isinstance(event, TextDelta):
            line = self._lines.get(event.choice)
            if line and not event.logprobs:
                return _more_text(line, event)
        elif isinstance(event, ThinkingDelta):
            thought = self._thoughts.get(event.block)
            if thought:
                return self._more_thought(thought, event)
        elif isinstance(event, ArgumentsDelta):
            return self._arguments(event)
        elif isinstance(event, Started):
            return self._start(event)
        elif isinstance(event, Ended):
            return self._end(event.usage, event.service_tier)
        opening = b""
        line = self._lines.get(event.choice)
        if line is None:
            line = self._lines[event.choice] = self._line(event.choice)
            opening = self._chunk(event.choice, {"role": "assistant", "content": ""})
        return opening + self._write(event, line)

    def _write(self, event: ReplyEvent, line: Line) -> bytes:
        match event:
            case TextDelta(_, text, choice, logprobs):
                told = _more_text(line, event)
                return self._chunk(choice, {"content": text}, logprobs) if logprobs else told
            case ThinkingDelta():
                thought = Thought([], event.redacted, event.id, line.told)
                self._thoughts[event.block] = thought
                return self._more_thought(thought, event)
            case RefusalDelta(_, text, choice):
                line.refused = line.refused or bool(text)
                return self._chunk(choice, {"refusal": text}) if text else b""
            case ToolUseStarted():
                return self._begin_call(event, line)
            case SealDelta():
                return self._seal(event)
            case CitationDelta():
                return self._cite(event, line)
            case WholeBlock(_, Media() as media, choice):
                return self._show(media, choice, line)
            case WholeBlock(_, Foreign() as foreign):
                self.dropped.add(foreign.kind)
            case BlockEnded(block, choice):
                return self._end_block(block, choice, line)
            case Stopped():
                return self._stop(event, line)
        return b""

    def _start(self, event: Started) -> bytes:
        self._head = {
            "id": event.id,
            "object": "chat.completion.chunk",
            "created": event.created,
            "model": event.model,
        }
        self._lines[0] = self._line(0)
        return self._chunk(0, {"role": "assistant", "content": ""})

    def _line(self, choice: int) -> Line:
        return Line(
            self._before(choice, b'{"content":'), self._before(choice, b'{"reasoning_content":')
        )

    def _before(self, choice: int, delta: bytes) -> bytes:
        head = dumps(self._head)[:-1]
        return b'data: %b,"choices":[{"index":%d,"delta":%b' % (head, choice, delta)

    def _chunk(
        self,
        choice: int,
        delta: Json,
        logprobs: tuple[TokenLogprob, ...] = (),
        finish: str | None = None,
    ) -> bytes:
        told: Json = {"index": choice, "delta": delta}
        if logprobs:
            told["logprobs"] = write_logprobs(logprobs)
        told["finish_reason"] = finish
        return write_event(dumps({**self._head, "choices": [told]}))

    def _more_thought(self, thought: Thought, event: ThinkingDelta) -> bytes:
        if self._hides_thoughts or not event.text:
            return b""
        self._hold(len(event.text), "the model's thoughts")
        thought.pieces.append(event.text)
        return self._lines[event.choice].thought + dumps(event.text) + AFTER

    def _hold(self, characters: int, what: str) -> None:
        self._room -= characters
        if self._room < 0:
            raise UpstreamBroke(f"{what} are longer than {LONGEST} characters")

    def _begin_call(self, event: ToolUseStarted, line: Line) -> bytes:
        if event.name in self._customs:
            self._held[event.block] = Custom(with_seal(event.id, event.seal), event.name)
            return b""
        function = {"name": event.name, "arguments": ""}
        if self._functions and not line.function:
            line.function = True
            before = self._before(event.choice, b'{"function_call":{"arguments":')
            self._calls[event.block] = Call(before, b"}" + AFTER, -1)
            return self._chunk(event.choice, {"function_call": function})
        place, line.calls = line.calls, line.calls + 1
        delta = b'{"tool_calls":[{"index":%d,"function":{"arguments":' % place
        self._calls[event.block] = Call(self._before(event.choice, delta), b"}}]" + AFTER, place)
        call = {"index": place, "id": with_seal(event.id, event.seal), "type": "function"}
        return self._chunk(event.choice, {"tool_calls": [{**call, "function": function}]})

    def _arguments(self, event: ArgumentsDelta) -> bytes:
        call = self._calls.get(event.block)
        if call is None:
            self._hold(len(event.json), "the arguments of custom tools")
            self._held[event.block].pieces.append(event.json)
            return b""
        if not event.json:
            return b""
        call.said = True
        return call.before + dumps(event.json) + call.after

    def _seal(self, event: SealDelta) -> bytes:
        """A call's id, which takes a seal along, has been told: what comes later can only stand
        where Google itself puts it."""
        thought, call = self._thoughts.get(event.block), self._calls.get(event.block)
        if thought is not None:
            thought.seal = event.seal
        elif (custom := self._held.get(event.block)) is not None:
            custom.id = with_seal(custom.id, event.seal)
        elif call is not None and call.place >= 0 and event.seal.issuer == GOOGLES:
            held = {"google": {"thought_signature": event.seal.value}}
            # OpenAI's SDK looks into the function of every piece.
            told = {"index": call.place, "function": {"arguments": ""}, "extra_content": held}
            return self._chunk(event.choice, {"tool_calls": [told]})
        else:
            self.dropped.add("signature")
        return b""

    def _cite(self, event: CitationDelta, line: Line) -> bytes:
        start = line.starts.get(event.block, line.length)
        annotation = write_annotation(event.citation, start, line.length)
        if annotation is None:
            self.dropped.add("citations")
            return b""
        place, line.annotations = line.annotations, line.annotations + 1
        return self._chunk(event.choice, {"annotations": [{"index": place, **annotation}]})

    def _show(self, media: Media, choice: int, line: Line) -> bytes:
        told: Json | None = None
        if media.kind == "image" and (image := write_image(media)):
            told = {"images": [{"index": line.images, **image}]}
            line.images += 1
        elif media.kind == "audio" and not line.audio:
            audio = write_audio(media, f"audio_{self._head['id']}", self._head["created"])
            line.audio = audio is not None
            told = {"audio": audio} if audio else None
        if told is None:
            self.dropped.add(media.kind)
            return b""
        if media.seal is not None:
            self.dropped.add("signature")
        return self._chunk(choice, told)

    def _end_block(self, block: int, choice: int, line: Line) -> bytes:
        if (custom := self._held.pop(block, None)) is not None:
            return self._tell_custom(custom, choice, line)
        call, thought = self._calls.get(block), self._thoughts.pop(block, None)
        if call is not None and not call.said:
            return self._arguments(ArgumentsDelta(block, NONE, choice))
        if thought is None or self._hides_thoughts or not (thought.pieces or thought.seal):
            return b""
        text, seal = "".join(thought.pieces), thought.seal
        whole = Thinking(text, seal, redacted=thought.redacted, id=thought.id)
        told = {"index": line.thoughts, **write_thought(Placed(whole, thought.before))}
        line.thoughts += 1
        return self._chunk(choice, {"thinking_blocks": [told]})

    def _tell_custom(self, custom: Custom, choice: int, line: Line) -> bytes:
        """In one piece (https://github.com/openai/openai-openapi/issues/576 has its shape)."""
        call = write_custom_call(custom.id, custom.name, "".join(custom.pieces))
        place, line.calls = line.calls, line.calls + 1
        return self._chunk(choice, {"tool_calls": [{"index": place, **call}]})

    def _stop(self, event: Stopped, line: Line) -> bytes:
        if event.stop_sequence is not None:
            self.dropped.add("stop_sequence")
        calls, function, words = line.calls > 0, line.function, line.refused
        reason = finish_reason(event.stop_reason, calls=calls, function=function, words=words)
        return self._chunk(event.choice, {}, finish=reason)

    def _end(self, usage: Usage, tier: str | None) -> bytes:
        if not self._shows_usage:
            if tier is not None:  # it stands beside the usage only
                self.dropped.add("service_tier")
            return write_event(DONE)
        last = {**self._head, "choices": [], "usage": write_usage(usage)}
        if tier is not None:
            last["service_tier"] = tier
        return write_event(dumps(last)) + write_event(DONE)


def _more_text(line: Line, event: TextDelta) -> bytes:
    if event.block != line.block:
        line.block = event.block
        line.starts.setdefault(event.block, line.length)
    text = event.text
    if not text:
        return b""
    line.length += len(text)
    return line.text + dumps(text) + AFTER
