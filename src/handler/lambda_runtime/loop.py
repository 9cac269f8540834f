"""The loop: poll, let the app answer, poll again."""

import asyncio
import logging
import os
from collections.abc import Mapping
from typing import Any

from mangum import Mangum

from gateway.errors import BadRequest, GatewayError, OutOfTime
from gateway.exchange.answer import Answer
from gateway.wire.json import dumps
from handler.errors import answer_for, early_answer
from handler.lambda_runtime.answering import Answering, Streaming, Whole, has_several_values
from handler.lambda_runtime.api import RuntimeApi, RuntimeLost
from handler.lambda_runtime.connection import Connection
from handler.lambda_runtime.cycle import Cycle
from handler.lambda_runtime.invocation import CURRENT, Invocation
from handler.lambda_runtime.mode import streams
from handler.lambda_runtime.request import Request, event_of, request_of

# Seconds before Lambda ends the process, of a short time an eighth at most. An app that knows its
# deadline is done before.
LAST_MOMENT = 0.5
PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6)  # seconds between polls that fail
TRACE = "_X_AMZN_TRACE_ID"
INCOMPLETE = "Runtime.IncompleteResponse"
BROKEN = "Runtime.StreamError"
LATE = "Runtime.OutOfTime"

logger = logging.getLogger("sluicegate.lambda")


class Loop:
    """``concurrency``: how many invocations Lambda gives this process at once, and so how many
    polls wait. With one, all that an app does for a call is done before the next poll, since the
    process may be frozen from then on; with more it never is."""

    def __init__(
        self,
        api: RuntimeApi,
        mangum: Mangum,
        state: Mapping[str, Any],
        *,
        environment: Mapping[str, str],
        concurrency: int = 1,
    ) -> None:
        self._api, self._mangum, self._state = api, mangum, state
        self._environment, self._alone = environment, concurrency == 1
        self._concurrency = concurrency
        self._going_on: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until the Runtime API is lost: raises RuntimeLost."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._concurrency):
                group.create_task(self._work())

    async def _work(self) -> None:
        connection = self._api.connection()
        try:
            await self._poll(connection)
        finally:
            connection.close()

    async def _poll(self, connection: Connection) -> None:
        while True:
            invocation = await self._next(connection)
            if self._alone:
                _trace(invocation)
            CURRENT.set(invocation)
            try:
                await self._respond(invocation)
            except OSError as error:
                logger.warning("the answer did not reach Lambda: %s", error)
            except Exception:  # whatever a request brings, the next one is served
                logger.exception("an invocation failed")

    async def _next(self, connection: Connection) -> Invocation:
        """Where others' answers are under way, one poll that fails is not the end of them."""
        for pause in () if self._alone else PAUSES:
            try:
                return await self._api.next(connection)
            except RuntimeLost as lost:
                logger.warning("polling again: %s", lost)
                await asyncio.sleep(pause)
        return await self._api.next(connection)

    async def _respond(self, invocation: Invocation) -> None:
        event = event_of(invocation)
        streaming = streams(event, self._environment)
        try:
            request = request_of(self._mangum, event, invocation)
        except BadRequest as error:
            await self._refuse(invocation, error, streaming=streaming)
            return
        request.scope["state"] = dict(self._state)
        answering = self._answering(invocation, request, streaming=streaming)
        try:
            await self._answer(invocation, request, answering)
        except OSError:
            raise
        except Exception as error:
            if answering.posted:
                raise
            logger.exception("an invocation failed")
            await self._api.failed(invocation, error)

    def _answering(self, invocation: Invocation, request: Request, *, streaming: bool) -> Answering:
        if streaming:
            several = has_several_values(request.shape)
            return Streaming(self._api, invocation, several=several)
        return Whole(self._api, invocation, request.shape, request.scope["path"])

    async def _answer(self, invocation: Invocation, request: Request, answering: Answering) -> None:
        cycle = Cycle(request.body, answering, request.scope["path"])
        app = asyncio.ensure_future(self._mangum.app(request.scope, cycle.receive, cycle.send))
        waits = {app}
        if not self._alone:
            waits.add(asyncio.ensure_future(_set(cycle.done)))
        left = invocation.get_remaining_time_in_millis() / 1000
        last = min(LAST_MOMENT, left / 8)
        await asyncio.wait(waits, timeout=left - last, return_when=asyncio.FIRST_COMPLETED)
        if cycle.done.is_set() and not self._alone:
            self._let_go_on(app)
            return
        late = not app.done()
        if late:
            app.cancel()
            await asyncio.wait({app}, timeout=last / 2)
        await self._conclude(cycle, answering, _error_of(app), late=late)

    async def _conclude(
        self, cycle: Cycle, answering: Answering, error: BaseException | None, *, late: bool
    ) -> None:
        """What is to be said for an app that has come to its end, or was made to."""
        if error is not None and not late:
            logger.error("the app failed", exc_info=error)
        if cycle.done.is_set():
            if late:
                logger.error("what was to be done after the answer took too long")
            return
        cycle.done.set()  # an app that minds no cancelling has nothing more to say
        logger.error("the app left its answer unfinished%s", ": its time was up" if late else "")
        ours = OutOfTime() if late else _told(error)
        if cycle.started:
            await answering.fail(LATE if late else BROKEN if error else INCOMPLETE, ours)
        else:
            await _say(answering, early_answer(ours, cycle.path))

    def _let_go_on(self, app: "asyncio.Future[None]") -> None:
        """The answer is out, and what the app does after it delays nobody."""
        task = asyncio.ensure_future(_finished(app))
        self._going_on.add(task)
        task.add_done_callback(self._going_on.discard)

    async def _refuse(
        self, invocation: Invocation, error: GatewayError, *, streaming: bool
    ) -> None:
        """In the shape that every front door but a streaming one understands."""
        answer = answer_for(error, detail=True)
        if streaming:
            await _say(Streaming(self._api, invocation, several=False), answer)
            return
        body = answer.body if isinstance(answer.body, bytes) else b""
        told = {"statusCode": answer.status, "headers": dict(answer.headers), "body": body.decode()}
        await self._api.answer(invocation, dumps({**told, "isBase64Encoded": False}))


async def _say(answering: Answering, answer: Answer) -> None:
    headers = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()
    ]
    await answering.start(answer.status, headers)
    await answering.body(answer.body if isinstance(answer.body, bytes) else b"")
    await answering.end()


def _trace(invocation: Invocation) -> None:
    """Where X-Ray's SDK looks for it; that of the call before is not this one's."""
    if invocation.trace_id:
        os.environ[TRACE] = invocation.trace_id
    else:
        os.environ.pop(TRACE, None)


async def _set(event: asyncio.Event) -> None:
    await event.wait()


async def _finished(app: "asyncio.Future[None]") -> None:
    await asyncio.wait({app})
    if error := _error_of(app):
        logger.error("the app failed after its answer", exc_info=error)


def _told(error: BaseException | None) -> GatewayError:
    if isinstance(error, GatewayError):
        return error
    return GatewayError("the gateway failed; its log says why")


def _error_of(app: "asyncio.Future[None]") -> BaseException | None:
    if not app.done() or app.cancelled():
        return None
    return app.exception()
