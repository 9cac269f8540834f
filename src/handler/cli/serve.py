"""``sluicegate serve``: the gateway on this machine, for this machine or, with keys, for others."""

import asyncio
import logging
import os
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from itertools import repeat
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI

from gateway.adapters.stored import StoredEndpoints
from gateway.admin.first_key import Safe, make_first_key
from gateway.admin.means import Means, every
from gateway.admission.keys import read_key
from gateway.bootstrap.local import local
from gateway.bootstrap.wiring import Wired
from gateway.errors import GatewayError
from gateway.ports import ItemStore
from gateway.providers.catalog import base_url_variables
from gateway.settings import Settings
from handler.app import create_app, query_routes
from handler.cli.banner import banner, how_to_make_a_key
from handler.cli.configuration import configured_endpoints, settings_for
from handler.cli.listening import BACKLOG, is_own, listen, url_of
from handler.cli.listing import Listed, Surroundings
from handler.cli.logs import start_logging
from handler.cli.screen import note, output, warn
from handler.cli.trouble import Trouble
from handler.control.routes import control_routes, means_of
from handler.local_guard import is_loopback

logger = logging.getLogger("sluicegate")

BETWEEN_TRIES = 15  # seconds, for the first admin key
GRACE = 10  # seconds for the calls under way when the server is told to stop
KEPT_ALIVE = 75  # seconds: longer than SDKs keep an idle connection, so that they close it first


def build(
    settings: Settings | None = None, environment: Mapping[str, str] | None = None
) -> FastAPI:
    """The app; without gateway keys it is open to this machine only.

    Under a server of one's own: ``uvicorn --factory handler.cli.serve:build``.
    """
    settings = settings or settings_for()
    environment = os.environ if environment is None else environment
    return _app(_wired(Surroundings(settings, environment, configured_endpoints(settings))))


def serve(settings: Settings, host: str, port: int) -> None:
    """Until it is told to stop. Raises Trouble when it cannot start."""
    start_logging(settings.log_level, "json" if settings.logs_json else "text")
    if settings.store == "aws" or not is_own(host):
        settings = settings.model_copy(update={"require_keys": True})
    here = Surroundings.here(settings)
    wired = _wired(here)
    rows, guarded = asyncio.run(_looked_up(here, wired))
    if not guarded and not is_own(host):
        raise Trouble(_nobody_to_ask(host, settings))
    for variable in base_url_variables():
        _refuse_loop(variable, here.environment.get(variable, ""), port)
    sockets = listen(host, port)
    banner(output(), url_of(host, sockets), rows, here)
    sys.stdout.flush()
    if settings.require_keys and not guarded:
        warn(f"no gateway key is good now, so nobody can call: {how_to_make_a_key(settings)}")
    if not is_own(host):
        warn(
            f"{host} is served as plain HTTP: keys and answers cross the network in clear; put a "
            "proxy that speaks TLS in front, and let nothing else reach this port"
        )
    _run(_app(wired), sockets)


def _wired(here: Surroundings) -> Wired:
    settings = here.settings
    if settings.store == "local":
        return local(settings, environment=here.environment, configured=here.configured)
    if settings.config:
        raise Trouble(
            f"{settings.config}: on AWS endpoints are served from the store alone; put them there: "
            f"sluicegate apply {settings.config} --aws"
        )
    from gateway.bootstrap.aws import aws

    return aws(settings)


def _app(wired: Wired) -> FastAPI:
    settings = wired.settings
    return create_app(
        wired,
        [*query_routes(wired), *control_routes(wired)],
        local_only=settings.store == "local" and not settings.require_keys,
        start=_first_key(wired) if settings.store == "aws" else None,
    )


def _first_key(wired: Wired) -> Callable[[], Awaitable[object]]:
    """Without it nobody could configure a gateway on AWS from elsewhere."""
    from gateway.bootstrap.aws import AdminKeySafe

    async def make() -> None:
        safe, means = AdminKeySafe(wired.settings), means_of(wired)
        try:
            for pause in repeat(BETWEEN_TRIES):
                if await _made(means, safe):
                    return
                await asyncio.sleep(pause)
        finally:
            await safe.close()

    return make


async def _made(means: Means, safe: Safe) -> bool:
    try:
        return await make_first_key(means, safe)
    except GatewayError as error:
        logger.warning("the first admin key is not made yet: %s", error.message)
        return False


async def _looked_up(here: Surroundings, wired: Wired) -> tuple[list[Listed], bool]:
    """What can be called, and whether there is a key to call it with."""
    if here.settings.store == "local":
        guarded = here.settings.require_keys and await _has_good_key(wired.items)
        return await here.listed(), guarded
    try:
        guarded = await _has_good_key(wired.items)
        found = await StoredEndpoints(wired.items).list()
    except GatewayError as error:
        warn(f"{error.message}; calls are refused until that is mended")
        return [], True  # every caller is asked for a key in any case
    return [Listed(one, "store") for one in found], guarded


async def _has_good_key(items: ItemStore) -> bool:
    """Whether a caller could come in by one: an admin's calls nothing, principals are for AWS."""
    now = time.time()
    async for item in every(items, "key"):
        key = read_key(item.body)
        good = not key.disabled and (key.expires is None or key.expires > now)
        if good and key.role == "caller" and key.credentials:
            return True
    return False


def _nobody_to_ask(host: str, settings: Settings) -> str:
    return (
        f"--host {host} is refused: it would open the gateway, and the providers' keys behind it, "
        "to other machines, and there is no gateway key that a caller could use. Make one first: "
        f"{how_to_make_a_key(settings)}. Or leave --host out (127.0.0.1)"
    )


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


def _refuse_loop(variable: str, base_url: str, port: int) -> None:
    """A shell set up for callers of the gateway is no place to start it from."""
    try:
        itself = urlsplit(base_url).port == port and is_loopback(base_url)
    except ValueError:
        return  # it is no URL: calls will be told so
    if itself:
        raise Trouble(
            f"{variable} points at this gateway itself (port {port}), so it would call "
            f"itself without end; start it with: env -u {variable} sluicegate serve"
        )
