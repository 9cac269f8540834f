"""The FastAPI application over a wired gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway import __version__
from gateway.bootstrap import Wired
from gateway.errors import GatewayError, MethodNotAllowed, NotFound
from gateway.ports import EndpointStore
from handler.errors import answer_for
from handler.inference import QUERY_PATHS, Query
from handler.local_guard import LocalGuard
from handler.models import Models
from handler.openapi import OpenApi
from handler.sending import response_of


def create_app(wired: Wired, *, local_only: bool) -> FastAPI:
    """``local_only``: no gateway keys guard it, so only its own machine may call."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await wired.gateway.close()
        await wired.transport.close()

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
    app.router.routes.extend(_routes(wired))
    app.add_exception_handler(HTTPException, _no_such_route)
    app.add_exception_handler(Exception, _our_fault)
    if local_only:
        app.add_middleware(LocalGuard)
    return app


def _routes(wired: Wired) -> list[Route]:
    """Plain Starlette routes: a query has no dependencies to solve and no models to check."""
    unified = Models(wired.endpoints, "mlflow", detail=True)
    openai = Models(wired.endpoints, "sluicegate", detail=False)
    limit = wired.settings.max_body_bytes
    return [
        *(
            Route(path.path, Query(wired.gateway, path, max_body=limit), methods=["POST"])
            for path in QUERY_PATHS
        ),
        Route("/gateway/openai/v1/models", openai.list),
        Route("/gateway/openai/v1/models/{name:path}", openai.show),
        Route("/gateway/mlflow/v1/models", unified.list),
        Route("/gateway/mlflow/v1/models/{name:path}", unified.show),
        Route("/openapi.json", OpenApi(__version__).show),
        Route("/health", _health),
        Route("/ready", _Ready(wired.endpoints).show),
    ]


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


class _Ready:
    """Whether the store can be read: what a load balancer should ask."""

    def __init__(self, endpoints: EndpointStore) -> None:
        self._endpoints = endpoints

    async def show(self, _: Request) -> Response:
        try:
            count = len(await self._endpoints.list())
        except GatewayError as error:
            return JSONResponse({"status": "unavailable", "reason": error.message}, 503)
        return JSONResponse({"status": "ready", "endpoints": count})


async def _no_such_route(request: Request, raised: Exception) -> Response:
    path = request.scope["path"]
    if isinstance(raised, HTTPException) and raised.status_code == 405:
        allowed = (raised.headers or {}).get("Allow", "")
        error: GatewayError = MethodNotAllowed(f"{path} takes {allowed}, not {request.method}")
        error.headers["allow"] = allowed
    else:
        error = NotFound(f"no such path: {path}; /openapi.json lists them", code="unknown_path")
    return response_of(answer_for(error, detail="/mlflow/" in path))


async def _our_fault(_: Request, __: Exception) -> Response:
    """The log has the rest: Starlette raises it again once the answer is out."""
    return response_of(
        answer_for(GatewayError("the gateway failed; its log says why"), detail=True)
    )
