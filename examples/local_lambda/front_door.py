"""An HTTP server on loopback in front of the Runtime API, as AWS has one in front of a function."""

import json
import time
import uuid
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Literal, Self

import h11

from examples.local_lambda import doors
from examples.local_lambda.connection import Connection, Gone, Head, Headers
from examples.local_lambda.connection import Malformed as NotHttp
from examples.local_lambda.doors import DOORS, Reply
from examples.local_lambda.events import Request, Stamp
from examples.local_lambda.posted import Body, End, Invocation, Piece, Posted, Prelude
from examples.local_lambda.runtime_api import RuntimeApi
from examples.local_lambda.server import HOST, Server

InvokeMode = Literal["RESPONSE_STREAM", "BUFFERED"]
NO_BODY = (204, 304)


class FrontDoor:
    """``door``: a name in `DOORS`. ``mode``: the InvokeMode of a function URL, and of a REST API
    what its integration is set to; HTTP APIs and load balancers always wait for all of it.

    `url` is where it listens. `faults` has what the function answered that no caller is well
    served with. A caller who hangs up disturbs nobody: the invocation goes on, as on AWS.
    """

    def __init__(
        self,
        api: RuntimeApi,
        door: str = "function_url",
        *,
        mode: InvokeMode = "RESPONSE_STREAM",
        seconds: float = 60,
    ) -> None:
        self.url = ""
        self.faults: list[str] = []
        self._api, self._door, self._seconds = api, DOORS[door], seconds
        self._streams = mode == "RESPONSE_STREAM" and self._door.fields is not None
        self._server = Server(self._serve)

    async def __aenter__(self) -> Self:
        self.url = f"http://{await self._server.open()}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._server.close()

    async def _serve(self, line: Connection) -> None:
        try:
            while head := await line.request():
                await self._answer(line, head)
                if not line.goes_on():
                    return
        except (Gone, NotHttp):
            pass
        except h11.LocalProtocolError as error:
            self.faults.append(f"the function's answer is not HTTP: {error}")
        except Exception as error:
            self.faults.append(f"the front door itself failed: {error!r}")
            raise

    async def _answer(self, line: Connection, head: Head) -> None:
        body = b"".join([data async for data in line.body()])
        request = Request(head.method, head.target, head.raw_headers, body, HOST)
        stamp = Stamp(str(uuid.uuid4()), int(time.time() * 1000))
        event = json.dumps(self._door.event(request, stamp)).encode()
        if len(body) > self._door.largest_body or len(event) > doors.LARGEST_EVENT:
            await self._reply(line, head, self._door.too_large)
            return
        invocation = await self._api.invoke(event, seconds=self._seconds)
        if self._streams:
            await self._stream(line, head, invocation)
        else:
            await self._reply(line, head, self._whole(await invocation.finished()))

    def _whole(self, posted: Posted) -> Reply:
        """What the door makes of an answer that it has waited for."""
        if posted.how == "whole" and posted.mode == "streaming" and self._door.not_whole:
            self.faults.append("a stream came where a whole answer was waited for")
            return self._door.not_whole(posted)
        if posted.how != "whole":
            return self._door.failed
        try:
            return self._door.read(json.loads(posted.raw))
        except (doors.Malformed, ValueError) as error:
            self.faults.append(f"an answer that is none: {error}")
            return self._door.failed

    async def _stream(self, line: Connection, head: Head, invocation: Invocation) -> None:
        pieces = aiter(invocation)
        async for piece in pieces:
            if isinstance(piece, Prelude):
                await self._pass_on(line, head, piece, pieces)
                return
        posted = await invocation.finished()
        if posted.how == "whole" and posted.mode == "buffered" and self._door.not_streamed:
            self.faults.append("a whole answer came where a stream was waited for")
            await self._reply(line, head, self._door.not_streamed(posted))
        else:
            await self._reply(line, head, self._door.failed)

    async def _pass_on(
        self, line: Connection, head: Head, prelude: Prelude, pieces: AsyncIterator[Piece]
    ) -> None:
        """As it arrives. Where a stream fails its head is out: it just ends, without its end."""
        assert self._door.fields  # noqa: S101 - only such a door streams
        headers = self._own(self._door.fields(prelude))
        bodiless = prelude.status in NO_BODY or head.method == "HEAD"
        if not bodiless and not any(name.lower() == "content-length" for name, _ in headers):
            headers = [*headers, ("Transfer-Encoding", "chunked")]
        await line.start(prelude.status, headers)
        async for piece in pieces:
            if isinstance(piece, Body) and not bodiless:
                await line.send(piece.data)
            elif isinstance(piece, End) and piece.how != "whole":
                raise Gone(f"the answer ended: {piece.how}")
        await line.end()

    async def _reply(self, line: Connection, head: Head, reply: Reply) -> None:
        headers = [pair for pair in reply.headers if pair[0].lower() != "content-length"]
        bodiless = reply.status in NO_BODY or head.method == "HEAD"
        await line.reply(reply.status, self._own(headers), b"" if bodiless else reply.body)

    def _own(self, headers: Headers) -> Headers:
        return [("x-amzn-RequestId", str(uuid.uuid4())), *headers]
