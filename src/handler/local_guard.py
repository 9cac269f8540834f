"""Keeps a gateway that is open to its own machine to its own machine.

Whoever calls must be on loopback, and have come in by it, whatever the server was told to listen
on. A page in a browser on this machine can reach loopback too: by a form or a script of its own
origin, or by a host name that it points at 127.0.0.1. Neither may spend the keys.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import Forbidden
from handler.errors import early_answer
from handler.sending import send_answer

ONLY_LOCAL = "this gateway is open to its own machine only"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class LocalGuard:
    """Pure ASGI. Refuses callers from elsewhere, and a Host or Origin that is no loopback name."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (why := _foreign(scope) or _refused(scope["headers"])):
            await send_answer(early_answer(Forbidden(why), scope["path"]), send)
            return
        await self._app(scope, receive, send)


def _foreign(scope: Scope) -> str | None:
    ends = (scope.get("client"), scope.get("server"))
    if all(end and _is_loopback_address(end[0]) for end in ends):
        return None
    return f"{ONLY_LOCAL}: for others, start it with --require-keys"


def _is_loopback_address(host: str) -> bool:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


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
