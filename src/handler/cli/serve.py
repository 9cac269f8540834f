"""``sluicegate serve``: the gateway on this machine, for this machine."""

import asyncio
import os
import socket
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI

from gateway.bootstrap import local
from gateway.settings import Settings
from handler.app import create_app
from handler.cli.banner import banner
from handler.cli.configuration import configured_endpoints, settings_for
from handler.cli.listening import BACKLOG, listen, url_of
from handler.cli.listing import Surroundings
from handler.cli.logs import start_logging
from handler.cli.screen import note, output
from handler.cli.trouble import Trouble
from handler.local_guard import is_loopback

GRACE = 10  # seconds for the calls under way when the server is told to stop
KEPT_ALIVE = 75  # seconds: longer than SDKs keep an idle connection, so that they close it first


def build(
    settings: Settings | None = None, environment: Mapping[str, str] | None = None
) -> FastAPI:
    """The app, open to this machine only.

    Under a server of one's own: ``uvicorn --factory handler.cli.serve:build``.
    """
    settings = settings or settings_for()
    wired = local(
        settings,
        environment=os.environ if environment is None else environment,
        configured=configured_endpoints(settings),
    )
    return create_app(wired, local_only=True)


def serve(settings: Settings, host: str, port: int) -> None:
    """Until it is told to stop. Raises Trouble when it cannot start."""
    start_logging(settings.log_level)
    here = Surroundings.here(settings)
    rows = asyncio.run(here.listed())
    app = build(settings, here.environment)
    _refuse_loop(here.environment.get("OPENAI_BASE_URL", ""), port)
    sockets = listen(host, port)
    banner(output(), url_of(host, sockets), rows, here)
    sys.stdout.flush()
    _run(app, sockets)


def _run(app: FastAPI, sockets: list[socket.socket]) -> None:
    config = uvicorn.Config(
        app,
        loop="auto",  # uvloop where there is one
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # each exchange has a line of its own
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEPT_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
    try:
        _Server(config).run(sockets)
    except KeyboardInterrupt:  # uvicorn has shut down and passes the signal on
        note("stopped")


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if calls := len(self.server_state.tasks):
            waiting = f"waiting up to {GRACE} s for {calls} call{'s'[: calls > 1]} under way"
            note(f"{waiting}; Ctrl-C again stops at once")
        await super().shutdown(sockets)


def _refuse_loop(base_url: str, port: int) -> None:
    """A shell set up for callers of the gateway is no place to start it from."""
    try:
        itself = urlsplit(base_url).port == port and is_loopback(base_url)
    except ValueError:
        return  # it is no URL: calls will be told so
    if itself:
        raise Trouble(
            f"OPENAI_BASE_URL points at this gateway itself (port {port}), so it would call "
            "itself without end; start it with: env -u OPENAI_BASE_URL sluicegate serve"
        )
