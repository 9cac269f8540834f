"""Every route and who may pass: none is served without a role of its own, or the word that it is
public. Decided by the route that matched, before anything of the body is read."""

import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, request_response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.admission.admission import Admission, Caller
from gateway.admission.keys import Role
from gateway.dialects import OPENAI_CHAT, Dialect
from gateway.errors import Forbidden, GatewayError, shortened
from handler.credentials import presented
from handler.errors import answer_for
from handler.sending import send_answer

CALLER = "sluicegate.caller"  # where a scope holds who it was
REQUEST_ID = "sluicegate.request_id"

logger = logging.getLogger("sluicegate.door")


@dataclass(frozen=True, slots=True)
class Door:
    """Makes routes that ask who is there."""

    admission: Admission

    def route(
        self,
        path: str,
        endpoint: ASGIApp,
        *,
        role: Role,
        methods: tuple[str, ...] = ("GET",),
        detail: bool = False,
        dialect: Dialect = OPENAI_CHAT,
    ) -> "GuardedRoute":
        """``dialect``: that of its errors. ``detail``: they say it once more as MLflow's clients
        read it."""
        guarded = Guarded(endpoint, self.admission, role, detail=detail, dialect=dialect)
        return GuardedRoute(path, guarded, methods=list(methods), role=role)

    def read(
        self,
        path: str,
        show: Callable[[Request], Awaitable[Response]],
        *,
        role: Role,
        detail: bool = False,
        dialect: Dialect = OPENAI_CHAT,
    ) -> "GuardedRoute":
        """A route that is only read, from a plain function."""
        return self.route(path, request_response(show), role=role, detail=detail, dialect=dialect)


class GuardedRoute(Route):
    """``role``: who may pass; None: everyone."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., object],
        *,
        methods: list[str] | None = None,
        role: Role | None,
    ) -> None:
        super().__init__(path, endpoint, methods=methods)
        self.role = role


class Guarded:
    """Pure ASGI."""

    def __init__(
        self, app: ASGIApp, admission: Admission, role: Role, *, detail: bool, dialect: Dialect
    ) -> None:
        self._app, self._admission, self._role = app, admission, role
        self._detail, self._dialect = detail, dialect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = scope[REQUEST_ID] = os.urandom(12).hex()
        try:
            scope[CALLER] = await self._pass(scope)
        except GatewayError as error:
            _note(error, scope)
            answer = answer_for(
                error, request_id=request_id, detail=self._detail, dialect=self._dialect
            )
            await send_answer(answer, send)
            return
        await self._app(scope, receive, send)

    async def _pass(self, scope: Scope) -> Caller:
        caller = await self._admission.identify(presented(scope))
        if self._role not in caller.roles:
            raise Forbidden(WRONG_ROLE[self._role], code="wrong_role")
        return caller


def _note(error: GatewayError, scope: Scope) -> None:
    """Whoever is turned away leaves a trace, and nothing of what was tried as a key."""
    method, path = scope["method"], shortened(scope["path"])
    fields = {"request_id": scope[REQUEST_ID], "status": error.status}
    fields |= {"method": method, "path": path, "error": type(error).__name__}
    request_id = scope[REQUEST_ID]
    logger.info("refused: %s %r, %d, %s", method, path, error.status, request_id, extra=fields)


WRONG_ROLE = {
    "caller": "an admin key configures the gateway and calls no endpoint: make a caller's key, "
    "`sluicegate keys create NAME`",
    "admin": "this takes an admin key; yours is a caller's",
}
