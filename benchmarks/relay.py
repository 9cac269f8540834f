"""What a relayed event costs in our own code, without a network: `python -m benchmarks.relay`."""

import timeit

from gateway.admission.admission import Caller
from gateway.dialects import OPENAI_CHAT
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
STREAM = EVENT * EVENTS + END


def relayed(size: int) -> None:
    relay = Relay(Call("r", CALLER, OPENAI_CHAT, "e", dumps(BODY), BODY))
    for at in range(0, len(STREAM), size):
        relay.feed(STREAM[at : at + size])
    if not relay.ended or relay.usage is None:
        raise AssertionError("the stream was not read to its end")


def parsed_and_dumped() -> None:
    """The floor: every event split off, parsed and written again."""
    for event in events(EVENT * EVENTS):
        dumps(loads(data_of(event)))


def microseconds(work: str) -> float:
    best = min(timeit.repeat(work, globals=globals(), number=REPEATS, repeat=ROUNDS))
    return best / REPEATS / EVENTS * 1e6


def main() -> None:
    floor = microseconds("parsed_and_dumped()")
    print(f"{'parse and dump each event':32} {floor:6.2f} µs an event")
    for name, size in (
        ("relay, one event to a read", len(EVENT)),
        ("relay, 1,000 bytes to a read", 1000),
        ("relay, 64 KiB to a read", 65536),
    ):
        cost = microseconds(f"relayed({size})")
        print(f"{name:32} {cost:6.2f} µs an event, {cost / floor:.2f} of the floor")


if __name__ == "__main__":
    main()
