"""One request of the control plane, and what answers it."""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from gateway.admission.admission import Caller
from gateway.dialects.openai_errors import write_error
from gateway.errors import BadRequest, GatewayError, Invalid
from gateway.exchange.answer import Answer
from gateway.wire.json import Json, dumps
from handler.bodies import CallerGone, read_body, read_object
from handler.door import CALLER
from handler.errors import answer_for
from handler.sending import send_answer

logger = logging.getLogger("sluicegate.control")

LARGEST_BODY = 4 * 1024 * 1024
PAGE, LARGEST_PAGE = 100, 1000
DEEPEST = 32
READ = {name.encode(): name for name in ("content-length", "content-encoding", "if-match")}
_COUNT = re.compile("[0-9]{1,4}")
_VERSION = re.compile(r'"?([0-9]{1,15})"?')


@dataclass(frozen=True, slots=True)
class Asked:
    """``path``: what the path's fields hold. ``version``: of If-Match, None where none is named."""

    caller: Caller
    path: Mapping[str, Any]
    query: Mapping[str, str]
    body: Json
    version: int | None

    @property
    def name(self) -> str:
        return str(self.path["name"])

    @property
    def limit(self) -> int:
        told = self.query.get("limit", str(PAGE))
        if not _COUNT.fullmatch(told) or not 1 <= int(told) <= LARGEST_PAGE:
            raise BadRequest("limit", f"must be 1 to {LARGEST_PAGE}")
        return int(told)

    @property
    def after(self) -> str | None:
        return self.query.get("after")


@dataclass(frozen=True, slots=True)
class Told:
    """``body``: None for nothing to tell. ``version`` goes out as ETag."""

    body: Json | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Work = Callable[[Asked], Awaitable[Told]]


class Control:
    """An ASGI endpoint that does one thing. What changes anything is logged with who did it."""

    def __init__(self, work: Work, *, writes: bool) -> None:
        self._work, self._writes = work, writes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except CallerGone:
            return
        await send_answer(answer, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        try:
            told = await self._work(await self._asked(scope, receive))
        except GatewayError as error:
            return answer_for(error, detail=False, write=write_faults)
        if self._writes:
            who, method, path = scope[CALLER].name, scope["method"], scope["path"]
            fields = {"caller": who, "method": method, "path": path, "status": told.status}
            logger.info("%s: %s %s, %d", who, method, path, told.status, extra=fields)
        if told.body is None:
            return Answer(told.status, {**NOT_KEPT, **told.headers}, b"")
        headers = {"content-type": "application/json", **NOT_KEPT, **told.headers}
        return Answer(told.status, headers, dumps(told.body))

    async def _asked(self, scope: Scope, receive: Receive) -> Asked:
        headers = {
            name: value.decode("latin-1")
            for raw, value in scope["headers"]
            if (name := READ.get(raw)) is not None
        }
        body: Json = {}
        if scope["method"] not in ("GET", "DELETE", "HEAD"):
            text = await read_body(receive, headers, LARGEST_BODY)
            body = read_object(text) if text else {}
            if _nests(body, DEEPEST):
                raise BadRequest(None, f"the body nests deeper than {DEEPEST}: nothing here does")
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        version = _version(headers.get("if-match"))
        return Asked(scope[CALLER], scope["path_params"], query, body, version)


# What a control plane tells, a new key among it, is for nobody's cache.
NOT_KEPT = {"cache-control": "no-store"}


def _nests(value: Any, left: int) -> bool:
    """Whether it nests deeper than so many times."""
    if not isinstance(value, dict | list):
        return False
    parts = value.values() if isinstance(value, dict) else value
    return left == 0 or any(_nests(part, left - 1) for part in parts)


def _version(header: str | None) -> int | None:
    if header is None or header.strip() == "*":
        return None
    told = _VERSION.fullmatch(header.strip())
    if told is None:
        raise BadRequest("if-match", 'must be a version, as the ETag tells it: "3"')
    return int(told[1])


def write_faults(error: GatewayError) -> Json:
    """OpenAI's shape, and every fault of what was sent besides."""
    body = write_error(error)
    if isinstance(error, Invalid):
        body["faults"] = [{"field": name, "problem": problem} for name, problem in error.faults]
    return body
