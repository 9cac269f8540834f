"""Keeps web pages out of a gateway that is open on loopback.

A page in a browser on this machine can reach loopback too: by a form or a script of its own origin,
or by a host name that it points at 127.0.0.1. Neither may spend the keys.
"""

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import Forbidden
from handler.errors import answer_for
from handler.sending import send_answer

ONLY_LOCAL = "this gateway is open to its own machine only"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class LocalGuard:
    """Pure ASGI. Refuses a Host that is no loopback name, and an Origin that is none either."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (why := _refused(scope["headers"])):
            await send_answer(answer_for(Forbidden(why), detail=True), send)
            return
        await self._app(scope, receive, send)


def _refused(headers: list[tuple[bytes, bytes]]) -> str | None:
    for name, value in headers:
        if name == b"host" and not is_loopback("//" + value.decode("latin-1")):
            return f"{ONLY_LOCAL}: call it as 127.0.0.1 or localhost"
        if name == b"origin" and not is_loopback(value.decode("latin-1")):
            return f"{ONLY_LOCAL}: pages of other sites may not call it"
    return None


def is_loopback(url: str) -> bool:
    try:
        return urlsplit(url).hostname in LOOPBACK
    except ValueError:
        return False
