"""The raw proxy: from path and bytes as they are to a RawCall, and its answer back as it comes."""

import asyncio
import logging
import time
from collections.abc import AsyncIterable, Mapping
from typing import Final

from starlette.types import Message, Receive, Scope, Send

from gateway.errors import BadRequest, GatewayError
from gateway.exchange.answer import Answer
from gateway.exchange.exchange import HOPS
from gateway.exchange.gateway import Gateway
from gateway.exchange.proxied.call import RawCall, stalled
from gateway.exchange.proxied.headers import SENT
from gateway.exchange.proxying import PATH, Proxying
from gateway.providers.catalog import PROVIDERS
from handler.bodies import CallerGone, refuse_upgrade
from handler.door import CALLER, REQUEST_ID
from handler.errors import answer_for
from handler.hang_up import HangUp
from handler.lambda_time import seconds_left
from handler.sending import send_answer

logger = logging.getLogger("sluicegate")

PROXY_PATH = PATH + "/{endpoint}/{path:path}"
PROXY_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")  # and HEAD, where there is GET
BEFORE: Final = PATH.encode() + b"/"
# Bytes of a body that is read whole first, so that it can be sent twice where that is needed.
SMALL = 64 * 1024
PATIENCE = 60.0  # seconds for its beginning, or for the whole of a short one
TERMS = [terms for one in PROVIDERS.values() for terms in (one.terms, *one.terms_of.values())]
FORWARDED = frozenset[str]().union(*(terms.forwards for terms in TERMS))
KEPT = {name.encode(): name for name in SENT | FORWARDED | {HOPS, "content-length"}}


class Proxy:
    """An ASGI endpoint for whatever a provider offers.

    The endpoint's name is the first segment of the path. A name with slashes is written with
    ``%2F`` in their place, or as it is where no shorter beginning of the path is a name itself.

    An answer that breaks off is raised here, unfinished: the server then closes the connection
    without an end, and Lambda is told of an error.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._proxying = Proxying(gateway)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, request_id = time.perf_counter(), scope[REQUEST_ID]
        arriving = Arriving(receive)
        try:
            with HangUp(arriving.gone) as hang_up:
                hang_up.watch()
                answer = await self._answer(scope, arriving, request_id)
                await send_answer(answer, send, started=started, before_last=hang_up.stop)
        except CallerGone:
            logger.debug("request %s: the caller hung up", request_id)

    async def _answer(self, scope: Scope, arriving: "Arriving", request_id: str) -> Answer:
        try:
            return await self._proxying.answer(await self._call(scope, arriving, request_id))
        except GatewayError as error:
            return answer_for(error, request_id=request_id, detail=True)
        except Exception:
            logger.exception("request %s failed", request_id)
            ours = GatewayError(f"the gateway failed; its log says why (request {request_id})")
            return answer_for(ours, request_id=request_id, detail=True)

    async def _call(self, scope: Scope, arriving: "Arriving", request_id: str) -> RawCall:
        refuse_upgrade(scope["headers"])
        headers, left = _headers(scope), seconds_left(scope)
        return RawCall(
            request_id,
            scope[CALLER],
            scope["method"],
            _behind(scope),
            scope["query_string"].decode("utf-8", "surrogateescape"),
            headers,
            await arriving.body(headers.get("content-length")),
            deadline=None if left is None else self._proxying.clock() + left,
        )


class Arriving:
    """What a caller sends: a body, and after its end at some time that it has gone.

    A caller who goes before that end leaves whoever waits for the rest waiting, until ``gone`` has
    had them cancelled.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._waiting = b""  # what has been received and not been taken
        self._ended = asyncio.Event()
        self._left = False

    async def body(self, announced: str | None) -> bytes | AsyncIterable[bytes]:
        """Whole where it is short, or came in one piece; else as it comes. ``announced``: the
        content-length."""
        short = announced is not None and announced.isdecimal() and int(announced[:20]) <= SMALL
        try:
            async with asyncio.timeout(PATIENCE):
                self._waiting = await self._received()
                while short and not self._ended.is_set() and len(self._waiting) <= SMALL:
                    self._waiting += await self._received()
        except TimeoutError:
            raise stalled(PATIENCE) from None
        return self._waiting if self._ended.is_set() else self

    async def gone(self) -> Message:
        """For HangUp: there is nothing to be told before the body has ended."""
        await self._ended.wait()
        return {"type": "http.disconnect"} if self._left else await self._receive()

    def __aiter__(self) -> "Arriving":
        return self

    async def __anext__(self) -> bytes:
        if waiting := self._waiting:
            self._waiting = b""
            return waiting
        if self._ended.is_set():
            raise StopAsyncIteration
        return await self._received()

    async def _received(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._left = True
            self._ended.set()
            await asyncio.Event().wait()
        if not message.get("more_body"):
            self._ended.set()
        body: bytes = message.get("body", b"")
        return body


def _behind(scope: Scope) -> str:
    """The path as it was written, not as the server has read it: ``%2F`` is no slash."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
    if not raw.startswith(BEFORE):
        raise BadRequest(None, f"write the path as it is: {PATH}/ENDPOINT/PATH", code="bad_path")
    return raw.removeprefix(BEFORE).decode("utf-8", "surrogateescape")


def _headers(scope: Scope) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    for raw, value in scope["headers"]:
        if name := KEPT.get(raw):
            text = value.decode("latin-1")
            headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers
