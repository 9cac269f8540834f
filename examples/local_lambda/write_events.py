"""Writes `events/`: what each front door makes of the same requests, and events that are no HTTP.

python -m examples.local_lambda.write_events            # all that are kept in git
python -m examples.local_lambda.write_events --large    # and large.json, 5.9 MB, for each door
"""

import argparse
import base64
import gzip
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.local_lambda.connection import Headers
from examples.local_lambda.doors import DOORS
from examples.local_lambda.events import ACCOUNT, REGION, Event, Request, Stamp

EVENTS = Path(__file__).parents[2] / "events"
STAMP = Stamp("5f0f3c1e-8a4b-4d57-9c8f-0d2b6f1c7a10", 1_764_000_000_000)
USUAL: Headers = (("Accept", "application/json"), ("User-Agent", "OpenAI/Python 2.8.1"))
JSON: Headers = (*USUAL, ("Content-Type", "application/json"))
API = "/gateway/openai/v1"
CHAT, EMBEDDINGS = f"{API}/chat/completions", f"{API}/embeddings"
HELLO = {"model": "demo", "messages": [{"role": "user", "content": "Say hello in five words."}]}
WEATHER = {
    "name": "get_weather",
    "description": "The weather at a place, now",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
LARGE = 5_900_000  # bytes of the request's body


def as_it_is(event: Event) -> Event:
    return event


def in_base64(event: Event) -> Event:
    """As an API Gateway does it whose binary types take in JSON."""
    encoded = base64.b64encode(event["body"].encode()).decode()
    return event | {"body": encoded, "isBase64Encoded": True}


def in_no_base64(event: Event) -> Event:
    return event | {"body": "%% this is not base64 %%", "isBase64Encoded": True}


@dataclass(frozen=True, slots=True)
class Recorded:
    request: Request
    edit: Callable[[Event], Event] = as_it_is


def _post(told: Any, path: str = CHAT, headers: Headers = JSON) -> Request:
    body = told if isinstance(told, bytes) else _text(told)
    return Request("POST", path, (*headers, ("Content-Length", str(len(body)))), body)


def _text(told: Any) -> bytes:
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()


def _packed(told: Any) -> bytes:
    """The same bytes whichever zlib packs: nothing is compressed, and byte 9 names no system."""
    text = bytearray(gzip.compress(_text(told), compresslevel=0, mtime=0))
    text[9] = 255
    return bytes(text)


REQUESTS: Mapping[str, Recorded] = {
    "chat": Recorded(_post(HELLO)),
    "stream": Recorded(_post(HELLO | {"stream": True, "stream_options": {"include_usage": True}})),
    "tools": Recorded(_post(HELLO | {"tools": [{"type": "function", "function": WEATHER}]})),
    "embeddings": Recorded(_post({"model": "demo", "input": ["A sluice", "a gate"]}, EMBEDDINGS)),
    "models": Recorded(Request("GET", f"{API}/models", USUAL)),
    "binary": Recorded(_post(_packed(HELLO), headers=(*JSON, ("Content-Encoding", "gzip")))),
    "cookies": Recorded(_post(HELLO, headers=(*JSON, ("Cookie", "session=abc123; theme=dark")))),
    "base64": Recorded(_post(HELLO), in_base64),
    "bad_json": Recorded(_post(b'{"model": "demo", "messages": [')),
    "bad_base64": Recorded(_post(HELLO), in_no_base64),
    "wrong_path": Recorded(_post(HELLO, "/v1/nowhere?debug=1&debug=2")),
    "encoded_path": Recorded(Request("GET", f"{API}/models/team%2Fdemo%3Alatest", USUAL)),
    "header_bomb": Recorded(
        _post(HELLO, headers=(*JSON, *((f"X-Bomb-{n:02}", "x" * 90) for n in range(90))))
    ),
}
NO_HTTP: Mapping[str, Any] = {
    "schedule": {
        "version": "0",
        "id": "cdc73f9d-aea9-11e3-9d5a-835b769c0d9c",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": "2025-11-24T16:00:00Z",
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/keep-warm"],
        "detail": {},
    },
    "s3": {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": REGION,
                "eventTime": "2025-11-24T16:00:00.000Z",
                "eventName": "ObjectCreated:Put",
                "userIdentity": {"principalId": "EXAMPLE"},
                "requestParameters": {"sourceIPAddress": "203.0.113.7"},
                "responseElements": {
                    "x-amz-request-id": "EXAMPLE123456789",
                    "x-amz-id-2": "EXAMPLE123/5678abcdefghijklambdaisawesome/mnopqrstuvwxyzABCD",
                },
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "upload",
                    "bucket": {
                        "name": "example-bucket",
                        "ownerIdentity": {"principalId": "EXAMPLE"},
                        "arn": "arn:aws:s3:::example-bucket",
                    },
                    "object": {
                        "key": "reports/november.csv",
                        "size": 1024,
                        "eTag": "0123456789abcdef0123456789abcdef",
                        "sequencer": "0A1B2C3D4E5F678901",
                    },
                },
            }
        ]
    },
    "null": None,
    "string": "hello",
    "list": [1, 2, 3],
}


def written() -> Iterator[tuple[str, str]]:
    """Each file of `events/`, by its path there, and what is in it."""
    for door in DOORS:
        for name, recorded in REQUESTS.items():
            event = recorded.edit(DOORS[door].event(recorded.request, STAMP))
            yield f"{door}/{name}.json", _pretty(event)
    for name, told in NO_HTTP.items():
        yield f"no_http/{name}.json", _pretty(told)


def large() -> Iterator[tuple[str, str]]:
    """A chat as large as Lambda takes it; a load balancer would have refused it."""
    empty = len(_text(HELLO | {"messages": [{"role": "user", "content": ""}]}))
    told = HELLO | {"messages": [{"role": "user", "content": "x" * (LARGE - empty)}]}
    for door in DOORS:
        if not door.startswith("alb"):
            yield f"{door}/large.json", _pretty(DOORS[door].event(_post(told), STAMP))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--large", action="store_true", help="also 5.9 MB for each front door")
    options = parser.parse_args()
    for path, text in [*written(), *(large() if options.large else ())]:
        (EVENTS / path).parent.mkdir(parents=True, exist_ok=True)
        (EVENTS / path).write_text(text, encoding="utf-8")
    print(f"written to {EVENTS}")
    return 0


def _pretty(told: Any) -> str:
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
