"""One try at one target: from the request that goes out to the first content that comes back."""

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.dialects import Dialect, overlong
from gateway.errors import (
    GatewayError,
    Unavailable,
    UpstreamBroke,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimedOut,
)
from gateway.exchange.bridge import Bridge
from gateway.exchange.crossing import beside_the_loop, cross
from gateway.exchange.exchange import HOPS, Call
from gateway.ports import Signer, Transport, Upstream, Vault
from gateway.providers.catalog import PROVIDERS, Provider, Terms
from gateway.providers.origins import base_url_of, origin_of
from gateway.routing.endpoint import Endpoint, Target
from gateway.wire.json import Unwritable, dumps, loads

USER_AGENT = "sluicegate"
# AWS quotes it back where a signature is not what it should be.
SESSION_HEADER = "x-amz-security-token"
LARGEST_ERROR = 256 * 1024
LONGEST_TEXT = 500  # bytes of an error that is plain text, in a message
ERROR_PATIENCE = 1.0  # seconds for the body of an error, whose status is known
LARGEST_START = 16 * 1024 * 1024
# A key with its middle starred out, as providers quote it back in their errors.
_MASKED_KEY = re.compile(r"(?<![A-Za-z0-9_\-])[A-Za-z0-9_\-]{2,}\*{3,}[A-Za-z0-9_\-]*")


@dataclass(slots=True)
class Opened:
    """A provider that has begun to answer: from here on there is no falling back.

    ``start``: the whole answer, or a stream's beginning up to its first content. ``key``: the
    provider's, or the token of our own session there, for hiding it in what the provider says.
    """

    upstream: Upstream
    bridge: Bridge
    start: bytes
    key: str | None


@dataclass(frozen=True, slots=True)
class Outbound:
    """Makes attempts. ``clock`` reads seconds from any fixed start. ``signers``: by the service
    that they sign for."""

    transport: Transport
    vault: Vault
    clock: Callable[[], float]
    signers: Mapping[str, Signer] = field(default_factory=dict)

    async def open(self, call: Call, target: Target, endpoint: Endpoint) -> Opened:
        """Raises GatewayError; whether another target may do better, it says itself."""
        if target.secret is None:
            return await self._ask(call, target, endpoint, None)
        origin = origin_of(base_url_of(target))
        key = await self.vault.secret(target.secret, origin)
        try:
            return await self._ask(call, target, endpoint, key)
        except UpstreamRejected as refused:
            if refused.status != 401:
                raise
            renewed = await self.vault.renewed(target.secret, origin, key)
            if renewed is None:
                raise
        return await self._ask(call, target, endpoint, renewed)

    async def _ask(self, call: Call, target: Target, endpoint: Endpoint, key: str | None) -> Opened:
        base_url, provider = base_url_of(target), PROVIDERS[target.provider]
        crossed = await beside_the_loop(len(call.text), cross, call, target, endpoint)
        bridge, dialect, body = crossed.bridge, crossed.dialect, crossed.body
        now = self.clock()
        deadline = call.within(now + endpoint.timeouts.first_content)
        url = base_url + provider.path_to(dialect, target.model, stream=call.stream)
        terms = provider.terms_in(dialect)
        headers = _headers(call, target, terms, key)
        if key is None and terms.signed:
            headers = await self._signed(terms.signed, url, headers, body)
            key = headers.get(SESSION_HEADER)
        upstream = await self.transport.open(
            url, headers, body, patience=max(deadline - self.clock(), 0)
        )
        opened = Opened(upstream, bridge, b"", key)
        try:
            if upstream.status >= 300:
                raise await _rejection(opened, call.dialect, dialect, provider)
            opened.start = await self._start(opened, deadline, stream=call.stream)
        except BaseException as error:
            await upstream.close()
            if isinstance(error, UpstreamError):
                hide(error, key)
            raise
        return opened

    async def _signed(
        self, service: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> Mapping[str, str]:
        if service not in self.signers:
            raise Unavailable(
                f"this gateway signs nothing for {service}: give the target a secret",
                code="secret_missing",
            )
        return await self.signers[service].sign("POST", url, headers, body)

    async def _start(self, opened: Opened, deadline: float, *, stream: bool) -> bytes:
        if stream:
            return await self._first_content(opened.upstream, opened.bridge, deadline)
        answer = await self._whole(opened.upstream, deadline)
        return await beside_the_loop(len(answer), opened.bridge.reply, answer)

    async def _whole(self, upstream: Upstream, deadline: float) -> bytes:
        remaining = max(deadline - self.clock(), 0)
        try:
            async with asyncio.timeout(remaining):
                return await upstream.read(remaining)
        except TimeoutError as error:
            raise UpstreamTimedOut("the provider did not finish its answer in time") from error

    async def _first_content(self, upstream: Upstream, bridge: Bridge, deadline: float) -> bytes:
        kind = upstream.headers.get("content-type", "text/event-stream").lower()
        if not kind.startswith("text/event-stream"):
            bridge.reply(await self._whole(upstream, deadline))  # it may say what is wrong
            raise UpstreamBroke(f"the provider answered a streamed call with {kind!r}")
        start = bytearray()
        while not bridge.begun:
            if len(start) > LARGEST_START:
                raise UpstreamBroke("the provider's stream does not come to its content")
            chunk = await upstream.next(max(deadline - self.clock(), 0))
            if chunk is None or (chunk and self.clock() >= deadline):
                raise UpstreamTimedOut("the provider began no answer in time")
            start += bridge.feed(chunk) if chunk else bridge.finish()
            if bridge.failure and not bridge.begun:
                raise bridge.failure
            if not (chunk or bridge.ended):
                raise UpstreamBroke("the provider's stream ended before it began")
        return bytes(start)


async def _rejection(
    opened: Opened, caller: Dialect, dialect: Dialect, provider: Provider
) -> UpstreamError:
    """What the provider's status means, with as much of an error's body as soon came."""
    upstream, key = opened.upstream, opened.key
    if upstream.status < 400:
        return UpstreamBroke(
            f"provider {provider.name!r} answered {upstream.status}, a redirect, and those are not "
            "followed: check its base URL"
        )
    body = bytearray()
    with contextlib.suppress(TimeoutError, UpstreamError):
        async with asyncio.timeout(ERROR_PATIENCE):
            while len(body) <= LARGEST_ERROR and (chunk := await upstream.next(ERROR_PATIENCE)):
                body += chunk
    status = upstream.status if upstream.status < 600 else 502
    headers = {name: hidden(value, key) for name, value in upstream.headers.items()}
    error = UpstreamRejected(provider.name, status, headers, hidden_in(bytes(body), key))
    error.foreign = caller.is_error is not dialect.is_error
    _read(error, dialect)
    return error


def _headers(call: Call, target: Target, terms: Terms, key: str | None) -> Mapping[str, str]:
    headers = {
        "content-type": "application/json",
        "accept": "text/event-stream" if call.stream else "application/json",
        "accept-encoding": "identity",
        "user-agent": USER_AGENT,
        **terms.headers,
    }
    for name in terms.forwards:
        if name in call.headers:
            headers[name] = call.headers[name]
    if target.base_url is not None:  # it may lead to another gateway, or back to this one
        headers[HOPS] = str(call.hops + 1)
    if key is not None:
        headers[terms.key_header] = terms.key_format.format(key=key)
    return headers


def _read(error: UpstreamRejected, dialect: Dialect) -> None:
    """The provider's own words, or what there was in their place; and what they ask for."""
    try:
        body = loads(error.body)
    except ValueError:
        kind = error.upstream_headers.get("content-type", "").partition(";")[0]
        if kind == "text/plain" and error.body.strip():
            error.message += f": {error.body[:LONGEST_TEXT].decode('utf-8', 'replace').strip()}"
        elif kind and error.body:
            error.message += f" with a body of type {kind!r}"
        return
    error.message = dialect.read_error(body) or error.message
    overlong.mark(error)
    if wait := dialect.read_wait(body):
        error.upstream_headers = {"retry-after": wait, **error.upstream_headers}


def hide(error: GatewayError, key: str | None) -> None:
    error.message = hidden(error.message, key)
    error.args = (error.message,)


def hidden_in(body: bytes, key: str | None) -> bytes:
    """The same for an error's body, where JSON may spell the key with escapes."""
    if key and b"\\" in body:
        try:
            plain = dumps(loads(body))
        except (ValueError, Unwritable):
            plain = b""
        body = plain if key.encode() in plain else body
    return hidden(body.decode("latin-1"), key).encode("latin-1")


def hidden(text: str, key: str | None) -> str:
    """What a provider says with its key taken out, whole or as the provider masks it."""
    if key:
        text = text.replace(key, "***")
    return _MASKED_KEY.sub("***", text)
