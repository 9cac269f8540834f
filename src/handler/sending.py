"""An Answer as ASGI messages."""

import asyncio
import time
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Send

from gateway.exchange.answer import Answer
from handler.bodies import CallerGone


def nothing() -> None:
    pass


async def send_answer(
    answer: Answer,
    send: Send,
    *,
    started: float | None = None,
    before_last: Callable[[], None] = nothing,
) -> None:
    """``started``: a reading of time.perf_counter, to tell MLflow's clients how long it took.

    ``before_last`` is called when only the end is left to send: from then on nobody can hang up.
    Raises CallerGone when a stream's caller makes no room for more, or has gone.
    """
    if isinstance(answer.body, bytes):
        headers = _headers(answer, started)
        headers.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        before_last()
        await send({"type": "http.response.body", "body": answer.body})
        return
    try:
        headers = _headers(answer, started)
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        while part := await answer.body.next():
            try:
                async with asyncio.timeout(answer.body.patience):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            except OSError as error:  # it has gone, or reads no more and holds the provider
                raise CallerGone from error
        before_last()
        await send({"type": "http.response.body", "body": b""})
    finally:
        await answer.body.close()


def _headers(answer: Answer, started: float | None) -> list[tuple[bytes, bytes]]:
    headers = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()
    ]
    if started is not None:
        took = f"{(time.perf_counter() - started) * 1000:.3f}"
        headers.append((b"x-mlflow-gateway-duration-ms", took.encode()))
    return headers


def response_of(answer: Answer) -> Response:
    """A whole answer for a route that returns one."""
    if not isinstance(answer.body, bytes):
        raise TypeError("a streamed answer is sent, not returned")
    return Response(answer.body, answer.status, dict(answer.headers))
