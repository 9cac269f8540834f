"""What a translated event costs in our own code, by pair: `python -m benchmarks.translation`."""

import timeit
import tracemalloc
from collections.abc import Callable, Mapping
from statistics import median

from gateway.admission.admission import Caller
from gateway.dialects import (
    ANTHROPIC_MESSAGES,
    CHAT_DIALECTS,
    GEMINI,
    OPENAI_CHAT,
    OPENAI_RESPONSES,
    Dialect,
)
from gateway.exchange.bridge import Bridge, bridge_for
from gateway.exchange.exchange import Call
from gateway.wire.json import Json, dumps, loads
from gateway.wire.sse import data_of, events

CALLER = Caller("local")
EVENTS = 1000
ROUNDS = 15
REPEATS = 2
READ = 4096  # bytes, of about ten to forty events

CHUNK = (
    b'data: {"id":"chatcmpl-123","object":"chat.completion.chunk","created":1700000000,'
    b'"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_1234567",'
    b'"choices":[{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}],"usage":null}\n\n'
)
OUTPUT = b'"item_id":"msg_1","output_index":0,"content_index":0'
ITEM = b'{"id":"msg_1","type":"message","status":"%s","role":"assistant","content":[]}'
RESPONSE = (
    b'{"id":"resp_1","object":"response","created_at":1700000000,"status":"%s","model":"gpt",'
    b'"output":[],"error":null,"incomplete_details":null,"parallel_tool_calls":true,'
    b'"tool_choice":"auto","tools":[],"usage":%s}'
)
PART = b'{"type":"output_text","text":"%s","annotations":[]}'
CANDIDATE = (
    b'data: {"candidates":[{"content":{"parts":[{"text":"token "}],"role":"model"},%s"index":0}],'
    b'"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":2,"totalTokenCount":9},'
    b'"modelVersion":"gemini-2.5-flash","responseId":"r1"}\r\n\r\n'
)


def named(kind: bytes, rest: bytes) -> bytes:
    return b'event: %s\ndata: {"type":"%s",%s}\n\n' % (kind, kind, rest)


# A stream of each dialect: how it begins, one of its many events, how it ends.
STREAMS: Mapping[Dialect, tuple[bytes, bytes, bytes]] = {
    OPENAI_CHAT: (
        CHUNK % (b'{"role":"assistant","content":""}', b"null"),
        CHUNK % (b'{"content":"token "}', b"null"),
        CHUNK % (b"{}", b'"stop"') + b"data: [DONE]\n\n",
    ),
    OPENAI_RESPONSES: (
        named(
            b"response.created",
            b'"sequence_number":0,"response":' + RESPONSE % (b"in_progress", b"null"),
        )
        + named(
            b"response.output_item.added",
            b'"sequence_number":1,"output_index":0,"item":' + ITEM % b"in_progress",
        )
        + named(
            b"response.content_part.added",
            b'"sequence_number":2,' + OUTPUT + b',"part":' + PART % b"",
        ),
        named(
            b"response.output_text.delta",
            b'"sequence_number":3,'
            + OUTPUT
            + b',"delta":"token ","logprobs":[],"obfuscation":"x8SxJp"',
        ),
        named(
            b"response.output_text.done",
            b'"sequence_number":4,' + OUTPUT + b',"text":"t","logprobs":[]',
        )
        + named(
            b"response.content_part.done",
            b'"sequence_number":5,' + OUTPUT + b',"part":' + PART % b"t",
        )
        + named(
            b"response.output_item.done",
            b'"sequence_number":6,"output_index":0,"item":' + ITEM % b"completed",
        )
        + named(
            b"response.completed",
            b'"sequence_number":7,"response":'
            + RESPONSE % (b"completed", b'{"input_tokens":7,"output_tokens":2,"total_tokens":9}'),
        ),
    ),
    ANTHROPIC_MESSAGES: (
        named(
            b"message_start",
            b'"message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],'
            b'"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":7,"output_tokens":1}}',
        )
        + named(b"content_block_start", b'"index":0,"content_block":{"type":"text","text":""}'),
        named(b"content_block_delta", b'"index":0,"delta":{"type":"text_delta","text":"token "}'),
        named(b"content_block_stop", b'"index":0')
        + named(
            b"message_delta",
            b'"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":1000}',
        )
        + b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    ),
    GEMINI: (b"", CANDIDATE % b"", CANDIDATE % b'"finishReason":"STOP",'),
}
BODIES: Mapping[Dialect, Json] = {
    OPENAI_CHAT: {"model": "e", "messages": [{"role": "user", "content": "hi"}]},
    OPENAI_RESPONSES: {"model": "e", "input": "hi"},
    ANTHROPIC_MESSAGES: {
        "model": "e",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "hi"}],
    },
    GEMINI: {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
}


def bridged(caller: Dialect, provider: Dialect) -> Bridge:
    body = BODIES[caller]
    call = Call("r", CALLER, caller, "e", dumps(body), body, arrived=1_700_000_000, streamed=True)
    bridge = bridge_for(call, provider)
    if bridge is None:
        raise AssertionError(f"nothing leads from {caller.name} to {provider.name}")
    return bridge


def played(caller: Dialect, provider: Dialect, most: int = EVENTS) -> int:
    """The bytes that the caller got."""
    bridge, (start, event, end) = bridged(caller, provider), STREAMS[provider]
    told = len(bridge.feed(start)) if start else 0
    rest = event * most + end
    for at in range(0, len(rest), READ):
        told += len(bridge.feed(rest[at : at + READ]))
    told += len(bridge.finish())
    if not bridge.ended:
        raise AssertionError(f"{bridge.failure!r}: the stream was not read to its end")
    return told


def parsed_and_dumped(provider: Dialect) -> None:
    """The floor: every event split off, parsed and written again."""
    for event in events(STREAMS[provider][1] * EVENTS):
        dumps(loads(data_of(event)))


def microseconds(work: Callable[[], object]) -> float:
    return timeit.timeit(work, number=REPEATS) / REPEATS / EVENTS * 1e6


def measured(caller: Dialect, provider: Dialect) -> tuple[float, float, float]:
    """The floor, the cost, and their ratio: medians of rounds in which both are measured in turn,
    since a shared machine is now faster and now slower."""
    rounds = [
        (
            microseconds(lambda: parsed_and_dumped(provider)),
            microseconds(lambda: played(caller, provider)),
        )
        for _ in range(ROUNDS)
    ]
    floors, costs = zip(*rounds, strict=True)
    ratios = [cost / floor for floor, cost in rounds]
    return median(floors), median(costs), median(ratios)


def held(caller: Dialect, provider: Dialect, most: int) -> int:
    """The most bytes that were held at once while a stream of so many events was played."""
    tracemalloc.start()
    played(caller, provider, most)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The stream itself, and the copy of it that is cut into reads.
    return peak - 2 * len(STREAMS[provider][1]) * most


HEAD = """| provider | caller | floor, µs | µs an event | ÷ floor | held, of 9,000 events more |
|---|---|--:|--:|--:|--:|"""


def main() -> None:
    print(HEAD)
    for provider in CHAT_DIALECTS:
        for caller in CHAT_DIALECTS:
            floor, cost, ratio = measured(caller, provider)
            grown = held(caller, provider, 10 * EVENTS) - held(caller, provider, EVENTS)
            pair = f"| {provider.name} | {caller.name} |"
            print(f"{pair} {floor:.2f} | {cost:.2f} | {ratio:.2f} | {grown:,} |")


if __name__ == "__main__":
    main()
