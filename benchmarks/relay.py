"""What a relayed event costs in our own code, without a network: `python -m benchmarks.relay`."""

import timeit
from dataclasses import dataclass

from gateway.admission.admission import Caller
from gateway.dialects import ANTHROPIC_MESSAGES, OPENAI_CHAT, Dialect
from gateway.exchange.bridge import Relay
from gateway.exchange.exchange import Call
from gateway.wire.json import Json, dumps, loads
from gateway.wire.sse import data_of, events

CALLER = Caller("local")
EVENTS = 1000
ROUNDS = 7
REPEATS = 10
BODY: Json = {"model": "e", "messages": [{"role": "user", "content": "hi"}], "stream": True}
EVENT = (
    b'data: {"id":"chatcmpl-123","object":"chat.completion.chunk","created":1700000000,'
    b'"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_1234567",'
    b'"choices":[{"index":0,"delta":{"content":"token "},"logprobs":null,"finish_reason":null}],'
    b'"usage":null}\n\n'
)
END = b'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}\n\ndata: [DONE]\n\n'
DELTA = (
    b"event: content_block_delta\ndata: "
    b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"token "}}\n\n'
)
START = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message",'
    b'"usage":{"input_tokens":7,"output_tokens":1}}}\n\n'
)
STOP = (
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},'
    b'"usage":{"output_tokens":1000}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)


@dataclass(frozen=True)
class Subject:
    dialect: Dialect
    start: bytes
    event: bytes
    end: bytes


SUBJECTS = (
    Subject(OPENAI_CHAT, b"", EVENT, END),
    Subject(ANTHROPIC_MESSAGES, START, DELTA, STOP),
)


def relayed(subject: Subject, size: int) -> None:
    relay = Relay(Call("r", CALLER, subject.dialect, "e", dumps(BODY), BODY))
    relay.feed(subject.start)
    rest = subject.event * EVENTS + subject.end
    for at in range(0, len(rest), size):
        relay.feed(rest[at : at + size])
    if not relay.ended or relay.usage is None:
        raise AssertionError("the stream was not read to its end")


def parsed_and_dumped(subject: Subject) -> None:
    """The floor: every event split off, parsed and written again."""
    for event in events(subject.event * EVENTS):
        dumps(loads(data_of(event)))


def microseconds(work: str, subject: Subject) -> float:
    known = {**globals(), "subject": subject}
    best = min(timeit.repeat(work, globals=known, number=REPEATS, repeat=ROUNDS))
    return best / REPEATS / EVENTS * 1e6


def main() -> None:
    for subject in SUBJECTS:
        floor = microseconds("parsed_and_dumped(subject)", subject)
        print(f"{subject.dialect.name}, {len(subject.event)} bytes an event")
        print(f"{'parse and dump each event':32} {floor:6.2f} µs an event")
        for name, size in (
            ("relay, one event to a read", len(subject.event)),
            ("relay, 1,000 bytes to a read", 1000),
            ("relay, 64 KiB to a read", 65536),
        ):
            cost = microseconds(f"relayed(subject, {size})", subject)
            print(f"{name:32} {cost:6.2f} µs an event, {cost / floor:.2f} of the floor")


if __name__ == "__main__":
    main()
