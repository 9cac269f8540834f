"""The gateway as a Lambda function: what differs from a server that is always awake."""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mangum import Mangum
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.adapters.powertools import others_in_json, start_json_logging
from gateway.bootstrap.choosing import Chosen, choose
from gateway.bootstrap.wiring import Wired
from gateway.settings import Settings
from handler.app import create_app
from handler.door import GuardedRoute
from handler.lambda_runtime.invocation import CURRENT

Routes = Callable[[Wired], Sequence[GuardedRoute]]

LONGEST_NAP = 2.0  # seconds: what is older by so much is still what it was
AHEAD = ("provisioned-concurrency", "lambda-managed-instances")
SCRATCH = Path("/tmp/sluicegate")  # noqa: S108 - the only place in a function that can be written


class Drift:
    """How much time has passed that the clock of our caches and connections did not see: whether
    that clock goes on while a process is frozen is for the platform to say."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._clock = wall, clock
        self._ahead = wall() - clock()

    def unnoticed(self) -> float:
        """Seconds since it was asked last."""
        before, self._ahead = self._ahead, self._wall() - self._clock()
        return self._ahead - before


class OnLambda:
    """An ASGI app. What is still to be kept of a call is kept before the app is done with it, since
    the process may be frozen from then on. ``shared``: it serves several at once and never is.
    ``eager``: it starts long before its first call, so that it does then what takes long.
    """

    def __init__(
        self,
        chosen: Chosen,
        routes: Routes,
        *,
        shared: bool,
        eager: bool,
        drift: Drift | None = None,
    ) -> None:
        self._chosen, self._routes, self._shared = chosen, routes, shared
        self._start = chosen.prepare if eager else None
        self._wired, self._app = self._made()
        self._slept = drift or Drift()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._shared:
            await self._app(scope, receive, send)
            return
        if self._slept.unnoticed() > LONGEST_NAP:
            await self.after_restore()
        try:
            await self._app(scope, receive, send)
        finally:
            await self._wired.settled()

    async def before_snapshot(self) -> None:
        """What takes long and is good for ever: the SDK's clients."""
        await self._chosen.prepare()

    async def after_restore(self) -> None:
        """All is made anew: no connection, nothing remembered and no randomness is of before."""
        await self._wired.transport.close()
        self._chosen.refresh()
        self._wired, self._app = self._made()

    def _made(self) -> tuple[Wired, ASGIApp]:
        wired = self._chosen.wired()
        return wired, create_app(wired, self._routes(wired), start=self._start)


def function(routes: Routes, environment: Mapping[str, str] = os.environ) -> Mangum:
    """The Lambda handler of one plane; its ASGI app for a loop of our own is its ``app``."""
    settings = settings_on_lambda(environment)
    start_logging(settings.log_level)
    shared = int(environment.get("AWS_LAMBDA_MAX_CONCURRENCY") or 1) > 1
    eager = shared or environment.get("AWS_LAMBDA_INITIALIZATION_TYPE") in AHEAD
    app = OnLambda(choose(settings, environment), routes, shared=shared, eager=eager)
    return Mangum(app, lifespan="off")


def settings_on_lambda(environment: Mapping[str, str]) -> Settings:
    """Here the default is AWS' stores and keys for all: to be open, it has to be told.

    Under `sam local` there is neither a table nor a secret: there it is the embedded store.
    """
    if environment.get("AWS_SAM_LOCAL") == "true":
        return Settings(store="local", home=SCRATCH, log_format="json")
    settings = Settings()
    ours = {"store": "aws", "require_keys": True, "log_format": "json"}
    told = settings.model_fields_set
    return settings.model_copy(update={name: ours[name] for name in ours.keys() - told})


def start_logging(level: str) -> None:
    """One JSON object a line, on standard output, as CloudWatch wants it."""
    ours = start_json_logging(level, sys.stdout)
    others = others_in_json(ours, sys.stdout)
    logging.basicConfig(handlers=[others], level=logging.WARNING)
    for handler in (others, *ours.handlers):
        handler.addFilter(_with_request_id)


def _with_request_id(record: logging.LogRecord) -> bool:
    """AWS' own id of the invocation, by which its log lines are found too."""
    if (invocation := CURRENT.get()) is not None:
        record.requestId = invocation.aws_request_id
    return True
