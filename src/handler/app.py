"""The FastAPI application over a wired gateway."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from gateway import __version__
from gateway.bootstrap.wiring import Wired
from gateway.dialects import OPENAI_CHAT
from gateway.errors import GatewayError, MethodNotAllowed, NotFound
from gateway.ports import EndpointStore
from handler.door import Door, GuardedRoute
from handler.errors import answer_for, dialect_at, early_answer
from handler.inference import QUERY_PATHS, Query
from handler.local_guard import LocalGuard
from handler.models import MODELS_PATHS, Models
from handler.openapi import OpenApi
from handler.proxy import PROXY_METHODS, PROXY_PATH, Proxy
from handler.sending import response_of

logger = logging.getLogger("sluicegate")

STARTING = 5.0  # seconds that calls wait for what is done first


def create_app(
    wired: Wired,
    routes: Sequence[GuardedRoute],
    *,
    local_only: bool = False,
    start: Callable[[], Awaitable[object]] | None = None,
) -> FastAPI:
    """``local_only``: no gateway keys guard it, so only its own machine may call. ``start``: what
    is done first, or meanwhile where it takes longer."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        starting = asyncio.ensure_future(start()) if start else None
        if starting:
            starting.add_done_callback(_told)
            await asyncio.wait({starting}, timeout=STARTING)
        yield
        if starting:
            starting.cancel()
        await wired.close()

    app = FastAPI(
        title="Sluicegate",
        version=__version__,
        openapi_url=None,  # ours is built from the same table as the routes, when it is asked for
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Its own telemetry asks the environment thrice a call whether it is on.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        lifespan=lifespan,
    )
    app.router.routes.extend([*routes, *_probes(wired)])
    app.add_exception_handler(HTTPException, _no_such_route)
    app.add_exception_handler(Exception, _our_fault)
    if local_only:
        app.add_middleware(LocalGuard)
    return app


def _told(starting: "asyncio.Future[object]") -> None:
    if not starting.cancelled() and (error := starting.exception()):
        logger.error("at the start", exc_info=error)


def query_routes(wired: Wired) -> list[GuardedRoute]:
    """The query plane: what SDKs call. Plain Starlette routes, since a query has no dependencies to
    solve and no models to check. None of them writes configuration."""
    return [*_queries(wired), *_lists(wired), _proxy(wired)]


def _queries(wired: Wired) -> Iterator[GuardedRoute]:
    limit, door = wired.settings.max_body_bytes, Door(wired.admission)
    for path in QUERY_PATHS:
        yield door.route(
            path.path,
            Query(wired.gateway, path, max_body=limit),
            role="caller",
            methods=("POST",),
            detail=path.unified,
            dialect=path.errors,
        )


def _lists(wired: Wired) -> Iterator[GuardedRoute]:
    door = Door(wired.admission)
    for path, shape in MODELS_PATHS.items():
        models = Models(wired.endpoints, shape)
        for at, show in ((path, models.list), (path + "/{name:path}", models.show)):
            yield door.read(at, show, role="caller", detail=shape.detail, dialect=shape.dialect)


def _proxy(wired: Wired) -> GuardedRoute:
    proxy, door = Proxy(wired.gateway), Door(wired.admission)
    return door.route(PROXY_PATH, proxy, role="caller", methods=PROXY_METHODS, detail=True)


def _probes(wired: Wired) -> list[GuardedRoute]:
    return [
        GuardedRoute("/openapi.json", OpenApi(__version__).show, role=None),
        GuardedRoute("/health", _health, role=None),
        GuardedRoute("/ready", _Ready(wired.endpoints).show, role=None),
    ]


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


class _Ready:
    """Whether the store can be read: what a load balancer should ask. Anyone may ask, so the store
    itself is read once in a while only, and what it says stays in the log."""

    def __init__(self, endpoints: EndpointStore) -> None:
        self._endpoints = endpoints

    async def show(self, _: Request) -> Response:
        try:
            count = len(await self._endpoints.list())
        except GatewayError as error:
            logger.warning("not ready: %s", error.message)
            reason = "the store cannot be read; the log says why"
            return JSONResponse({"status": "unavailable", "reason": reason}, 503)
        return JSONResponse({"status": "ready", "endpoints": count})


async def _no_such_route(request: Request, raised: Exception) -> Response:
    path = request.scope["path"]
    if isinstance(raised, HTTPException) and raised.status_code == 405:
        allowed = _allowed(request)
        error: GatewayError = MethodNotAllowed(f"{path} takes {allowed}, not {request.method}")
        error.headers["allow"] = allowed
    else:
        lists = "/api/openapi.json" if path.startswith("/api") else "/openapi.json"
        error = NotFound(f"no such path: {path}; {lists} lists them", code="unknown_path")
    dialect = dialect_at(path)
    detail = "/mlflow/" in path and dialect is OPENAI_CHAT
    return response_of(answer_for(error, detail=detail, dialect=dialect))


def _allowed(request: Request) -> str:
    """What all routes of this path take: Starlette tells of the first alone."""
    found: set[str] = set()
    for route in request.app.router.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is Match.PARTIAL:
            found |= route.methods or set()
    return ", ".join(sorted(found))


async def _our_fault(request: Request, _: Exception) -> Response:
    """The log has the rest: Starlette raises it again once the answer is out."""
    ours = GatewayError("the gateway failed; its log says why")
    return response_of(early_answer(ours, request.scope["path"]))
