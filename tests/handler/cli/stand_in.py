"""A provider on loopback that answers what a test tells it to, from a thread of its own."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from gateway.wire.json import Json, dumps, loads


def chunk(delta: Json, finish_reason: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    body = {"id": "c1", "model": "m", "created": 1, "choices": [choice], **more}
    return b"data: " + dumps(body) + b"\n\n"


HELLO = chunk({"role": "assistant", "content": ""}) + chunk({"content": "Hello"})
STOP = chunk({}, "stop")
USAGE = chunk(
    {},
    choices=[],
    usage={
        "prompt_tokens": 12,
        "completion_tokens": 34,
        "completion_tokens_details": {"reasoning_tokens": 5},
    },
)
DONE = b"data: [DONE]\n\n"


class StandIn:
    """``answer``: status, content type and body, ``missing`` bytes of which do not come.

    ``asked``: the bodies that came; ``headers``: what came with them, names in lower case.
    """

    def __init__(self) -> None:
        self.answer: tuple[int, str, bytes] = (200, "text/event-stream", HELLO + STOP + DONE)
        self.missing = 0
        self.asked: list[Json] = []
        self.headers: list[dict[str, str]] = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                stand_in.asked.append(loads(self.rfile.read(length)))
                self._note()
                self._send()

            def do_GET(self) -> None:
                self._note()
                self._send()

            def _note(self) -> None:
                told = {name.lower(): value for name, value in self.headers.items()}
                stand_in.headers.append(told)

            def _send(self) -> None:
                status, kind, body = stand_in.answer
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body) + stand_in.missing))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                del format, args

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
