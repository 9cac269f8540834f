"""The Lambda Runtime API on loopback, for one execution environment; stricter than AWS' own.

Every breach of the protocol is written down in `faults`, and answered as AWS would answer it. The
states, statuses and limits are those of AWS' emulator (RAPID), with the traps that it has.
"""

import asyncio
import json
import uuid
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from examples.local_lambda import rules
from examples.local_lambda.answers import (
    ACCEPTED,
    INVALID_ID,
    NOT_FOUND,
    TIMED_OUT,
    TOO_MANY,
    Verdict,
    conclude,
    hand_out,
)
from examples.local_lambda.connection import Connection, Gone, Head, Malformed
from examples.local_lambda.polls import Polls
from examples.local_lambda.posted import USUAL, End, Invocation, Terms
from examples.local_lambda.receiving import Receiving, Stuck
from examples.local_lambda.server import Server

PREFIX = "/2018-06-01/runtime/"


class Unavailable(Exception):
    """No poll waits for the invocation: `Runtime.Unavailable` on AWS."""


@dataclass(frozen=True, slots=True)
class ToldError:
    """An error of the start or of the restoring, as it was posted."""

    error_type: str | None
    error: Any


class RuntimeApi:
    """Give `address` to a runtime as AWS_LAMBDA_RUNTIME_API, and invoke it.

    ``concurrency``: the most polls at once, and whether several invocations may run (over 1).
    `polls` is how many wait now, `most_polls` how many have at once. `init_errors` and
    `restore_errors` have what was posted there. When `stuck`, all that it answers is 403.
    AWS gives the same event again to who polls without having answered; here that is a 403.
    """

    def __init__(self, *, concurrency: int = 1) -> None:
        self.concurrency = concurrency
        self.address = ""
        self.faults: list[str] = []
        self.init_errors: list[ToldError] = []
        self.restore_errors: list[ToldError] = []
        self.stuck = False
        self._invocations: list[Invocation] = []
        self._polls = Polls()
        self._over = False  # it has told of an error after which it must end
        self._ready = False  # it has asked for an invocation
        self._restoring = False  # it has asked to be restored
        self._restored = asyncio.Event()
        self._server = Server(self._serve)

    async def __aenter__(self) -> Self:
        self.address = await self._server.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for invocation in self._invocations:
            invocation.add(End("cut"))
        await self._server.close()

    @property
    def polls(self) -> int:
        return len(self._polls)

    @property
    def most_polls(self) -> int:
        return self._polls.most

    async def invoke(self, event: Any, *, seconds: float = 60, terms: Terms = USUAL) -> Invocation:
        """Hand the event (bytes as they are, anything else as JSON) to the poll that has waited
        longest, or to the next. The invocation ends after `seconds`, whatever the runtime does."""
        if terms.at_once and not self.polls:
            raise Unavailable("no idle runtimes")
        attempt = str(uuid.uuid4()) if terms.invocation_id else None
        text = event if isinstance(event, bytes) else json.dumps(event).encode()
        invocation = Invocation(str(uuid.uuid4()), attempt, text, terms, seconds)
        self._invocations.append(invocation)
        asyncio.get_running_loop().call_later(seconds, self._time_out, invocation)
        self._polls.offer(invocation)
        return invocation

    async def idle(self, count: int = 1) -> None:
        """Wait until so many polls wait: the runtime is through with what it was given."""
        await self._polls.wait(
            lambda: self.polls >= count, lambda: f"{count} polls; faults: {self.faults}"
        )

    async def started(self) -> None:
        """Wait until the runtime has polled, has asked to be restored or has told of an error."""
        await self._polls.wait(
            lambda: self._ready or self._restoring or bool(self.init_errors),
            lambda: f"a runtime; faults: {self.faults}",
        )

    def refuse(self, status: int = 500) -> None:
        """Answer the poll that waits, or the next, with this status."""
        self._polls.offer(status)

    async def snapshot(self) -> None:
        """Wait until the runtime asks to be restored: Lambda takes its snapshot then."""
        await self._polls.wait(
            lambda: self._restoring, lambda: f"/restore/next; faults: {self.faults}"
        )

    def restore(self) -> None:
        """Let the runtime go on, restored from its snapshot."""
        self._restored.set()

    def exited(self) -> None:
        """The runtime's process has ended: what it was given ends with it, and Lambda starts anew
        with the next."""
        self.stuck = self._over = self._ready = self._restoring = False
        self._restored.clear()
        for invocation in self._invocations:
            if invocation.running:
                invocation.add(End("cut", "Runtime.ExitError"))

    def _time_out(self, invocation: Invocation) -> None:
        invocation.add(End("timed out"))
        self._polls.withdraw(invocation)

    async def _serve(self, line: Connection) -> None:
        try:
            await self._talk(line)
        except Gone:
            pass
        except Malformed as error:
            self.faults.append(f"is not HTTP as it should be: {error}")
            line.abort()
        except Stuck:
            self.stuck = self.concurrency == 1
            line.abort()
        except Exception as error:
            self.faults.append(f"the Runtime API itself failed: {error!r}")
            line.abort()
            raise

    async def _talk(self, line: Connection) -> None:
        while head := await line.request():
            self.faults += rules.check_head(head, self.address)
            await self._answer(line, head)
            if not line.goes_on():
                return
            if rules.RESPONSE_MODE in head.headers and await line.request():
                self.faults.append("uses a connection again after it has streamed an answer")
                return

    async def _answer(self, line: Connection, head: Head) -> None:
        outside = not head.target.startswith(PREFIX)
        match (head.method, *head.target.removeprefix(PREFIX).split("/")):
            case ("GET", "invocation", "next") if not outside:
                await self._next(line)
            case ("POST", "invocation", id, "response" | "error" as what) if not outside:
                await conclude(line, await self._post(line, head, id, what))
            case ("POST", "init", "error") if not outside:
                told = self._told(line, head, self.init_errors, late=self._ready)
                await conclude(line, await told)
            case ("GET", "restore", "next") if not outside:
                await self._restore(line)
            case ("POST", "restore", "error") if not outside:
                late = self._ready or not self._restored.is_set()
                told = self._told(line, head, self.restore_errors, late=late)
                await conclude(line, await told)
            case _:
                self.faults.append(f"asks for {head.method} {head.target}")
                await conclude(line, NOT_FOUND)

    async def _next(self, line: Connection) -> None:
        if verdict := self._may_not_poll():
            await conclude(line, verdict)
            return
        async for _ in line.body():
            pass
        self._ready = True
        given = await self._polls.take(line)
        if isinstance(given, int):
            await conclude(line, Verdict(given, "InternalServerError", "Internal Server Error"))
        else:
            await hand_out(line, given)

    def _may_not_poll(self) -> Verdict | None:
        if self.stuck or self._over:
            return self._forbidden("polls when all is over")
        if self._restoring and not self._restored.is_set():
            return self._forbidden("polls while it waits to be restored")
        if self.concurrency == 1 and any(one.running for one in self._invocations):
            return self._forbidden("polls before it has answered")
        if self.polls >= self.concurrency:
            self.faults.append(f"polls more than {self.concurrency} times at once")
            return TOO_MANY
        return None

    async def _post(self, line: Connection, head: Head, id: str, what: str) -> Verdict:
        found = next((one for one in self._invocations if one.id == id), None)
        if self.stuck:
            return self._forbidden(f"posts to /{what} when all is over")
        if found is None or found.handed_at is None:
            self.faults.append(f"posts to /{what} of an invocation that it was not given: {id}")
            return INVALID_ID
        if found.ended == "timed out":
            return TIMED_OUT
        if found.began:
            return self._posts_again(found, what)
        receive = Receiving(line, found, self.faults.append)
        return await (receive.error if what == "error" else receive.response)(head.headers)

    def _posts_again(self, invocation: Invocation, what: str) -> Verdict:
        fault = f"posts to /{what} of an invocation that it has answered, or is answering"
        if self.concurrency == 1 and invocation is self._invocations[-1]:
            return self._forbidden(fault)
        self.faults.append(fault)
        return INVALID_ID

    async def _told(
        self, line: Connection, head: Head, errors: list[ToldError], *, late: bool
    ) -> Verdict:
        if late:
            return self._forbidden(f"posts to {head.target} when it is too late, or too early")
        body = b"".join([data async for data in line.body()])
        self.faults += rules.check_error(head.headers, body)
        errors.append(ToldError(head.headers.get(rules.ERROR_TYPE), rules.json_or_none(body)))
        self._over = True
        self._polls.look()
        return ACCEPTED

    async def _restore(self, line: Connection) -> None:
        if self._ready or self._restoring:
            await conclude(line, self._forbidden("asks to be restored when it is too late"))
            return
        async for _ in line.body():
            pass
        self._restoring = True
        self._polls.look()
        await self._restored.wait()
        await line.reply(200, (), b"")

    def _forbidden(self, fault: str) -> Verdict:
        if not self.stuck:  # who is stuck can do nothing right any more
            self.faults.append(fault)
        message = "Transition failed for runtime. Error: State transition is not allowed"
        return Verdict(403, "InvalidStateTransition", message)
