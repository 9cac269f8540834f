"""An Answer as ASGI messages."""

import time

from starlette.responses import Response
from starlette.types import Send

from gateway.exchange.answer import Answer


async def send_answer(answer: Answer, send: Send, started: float | None = None) -> None:
    """``started``: a reading of time.perf_counter, to tell MLflow's clients how long it took."""
    headers = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()
    ]
    if started is not None:
        took = f"{(time.perf_counter() - started) * 1000:.3f}"
        headers.append((b"x-mlflow-gateway-duration-ms", took.encode()))
    if isinstance(answer.body, bytes):
        headers.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})
        return
    try:
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        while part := await answer.body.next():
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        await answer.body.close()


def response_of(answer: Answer) -> Response:
    """A whole answer for a route that returns one."""
    if not isinstance(answer.body, bytes):
        raise TypeError("a streamed answer is sent, not returned")
    return Response(answer.body, answer.status, dict(answer.headers))
