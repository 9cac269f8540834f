"""A chat asked of a gateway: one that lives within this process, or one that runs elsewhere."""

import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from gateway.adapters.memory import MemoryLedger
from gateway.admission.admission import Presented
from gateway.bootstrap.local import local
from gateway.bootstrap.wiring import Wired
from gateway.dialects import OPENAI_CHAT
from gateway.errors import EndpointNotFound, GatewayError, UpstreamRejected
from gateway.exchange.exchange import Call
from gateway.wire.json import Json, dumps, loads
from handler.cli.endpoints_shown import not_found
from handler.cli.listing import Surroundings
from handler.cli.trouble import Trouble


@dataclass(frozen=True, slots=True)
class Question:
    endpoint: str
    prompt: str
    system: str | None
    max_tokens: int | None
    stream: bool

    def body(self) -> Json:
        messages = [{"role": "user", "content": self.prompt}]
        if self.system is not None:
            messages.insert(0, {"role": "system", "content": self.system})
        body: Json = {"model": self.endpoint, "messages": messages}
        if self.max_tokens is not None:
            body["max_tokens"] = self.max_tokens
        if self.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return body


@dataclass(frozen=True, slots=True)
class Served:
    """What only the gateway knows of an answer; None where it did not say."""

    target: str | None = None
    cost: float | None = None
    attempts: int = 1


class Asked(Protocol):
    def ask(self, question: Question) -> AsyncGenerator[bytes, None]:
        """The answer's body as it comes. Raises Trouble or GatewayError."""
        ...

    def served(self) -> Served:
        """Once the answer is over."""
        ...


class InProcess:
    def __init__(self, here: Surroundings) -> None:
        self._here, self._ledger = here, MemoryLedger()

    async def ask(self, question: Question) -> AsyncGenerator[bytes, None]:
        wired = self._wired()
        try:
            async with aclosing(_parts(wired, question)) as parts:
                async for part in parts:
                    yield part
        except EndpointNotFound as error:
            known = [endpoint.name for endpoint in await wired.endpoints.list()]
            raise not_found(error.name, known) from None
        except GatewayError as error:
            raise Trouble(_told(error)) from error
        finally:
            await wired.close()

    def _wired(self) -> Wired:
        """Whoever has the files, or AWS' permission, needs no gateway key besides."""
        settings = self._here.settings
        if settings.store == "aws":
            from gateway.bootstrap.aws import aws_control

            return aws_control(settings, ledger=self._ledger)
        return local(
            settings.model_copy(update={"require_keys": False}),
            environment=self._here.environment,
            configured=self._here.configured,
            ledger=self._ledger,
        )

    def served(self) -> Served:
        record = self._ledger.records[-1]
        target = f"{record.provider}/{record.model}" if record.provider else None
        return Served(target, record.cost, record.attempts)


async def _parts(wired: Wired, question: Question) -> AsyncGenerator[bytes, None]:
    body = question.body()
    caller = await wired.admission.identify(Presented())
    call = Call(uuid.uuid4().hex, caller, OPENAI_CHAT, question.endpoint, dumps(body), body)
    answer = await wired.gateway.answer(call)
    if isinstance(answer.body, bytes):
        yield answer.body
        return
    try:
        while part := await answer.body.next():
            yield part
    finally:
        await answer.body.close()


def _told(error: GatewayError) -> str:
    """Who said no, where it was not the gateway."""
    if not isinstance(error, UpstreamRejected):
        return error.message
    blamed = f"provider {error.provider!r} answered {error.status}"
    return error.message if error.message.startswith(blamed) else f"{blamed}: {error.message}"


def said_in(body: bytes) -> str | None:
    """What an error body says, where it can be read."""
    try:
        return OPENAI_CHAT.read_error(loads(body))
    except ValueError:
        return None
