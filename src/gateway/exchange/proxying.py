"""The life of a raw call: whatever a provider offers beyond the APIs that the gateway knows."""

from dataclasses import replace

from gateway.errors import (
    BadRequest,
    EndpointNotFound,
    Forbidden,
    GatewayError,
    LoopDetected,
    OutOfTime,
    Unavailable,
    Unsupported,
    UpstreamBroke,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimedOut,
    UpstreamUnreachable,
)
from gateway.exchange.answer import Answer
from gateway.exchange.attempt import hide
from gateway.exchange.exchange import Call, told
from gateway.exchange.gateway import MOST_HOPS, Gateway
from gateway.exchange.proxied.call import PROXY, Coming, Place, Proxied, RawCall, Reached
from gateway.exchange.proxied.headers import EVENTS, returned, sent
from gateway.exchange.proxied.rejection import error_of
from gateway.exchange.proxied.stream import ProxiedStream
from gateway.exchange.proxied.url import (
    Reading,
    checked_path,
    kept_query,
    readings,
    root_of,
    terms_at,
    url_at,
    within_gateway,
)
from gateway.providers.origins import base_url_of, origin_of
from gateway.routing.endpoint import Endpoint, Target
from gateway.routing.plan import attempts

PATH = "/gateway/proxy"
# Of these the provider has heard nothing: another may be asked.
UNSENT = (UpstreamUnreachable, Unavailable, Unsupported)


class Proxying:
    """Asks the endpoint's first planned target, and the next ones only where that could not be
    reached: a raw call is for one provider's own API, and nobody can tell what it would do twice.

    ``gateway``: whose endpoints, secrets and ledger these calls share.
    """

    def __init__(self, gateway: Gateway) -> None:
        # Of one package and of one life: a raw call is admitted and settled as any other is.
        self._admission, self._endpoints = gateway.admission, gateway.endpoints
        self._outbound, self._settle = gateway.outbound, gateway.settle
        self._random, self._hours = gateway.random, gateway.hours
        self._background = gateway.background
        self.clock = gateway.clock

    async def answer(self, raw: RawCall) -> Answer:
        """Raises GatewayError. A stream in the answer must be closed by whoever sends it, and what
        its ``next`` raises must leave the answer unfinished."""
        call = Call(raw.request_id, raw.caller, PROXY, "", b"", {}, raw.headers, raw.deadline)
        if call.hops >= MOST_HOPS:
            raise LoopDetected(f"the call has come through {call.hops} gateways: is one its own?")
        reading, endpoint = await self._find(raw)
        call = replace(call, endpoint=endpoint.name)
        path, (query, dropped) = checked_path(reading.path), kept_query(raw.query)
        exchange = Proxied(call, endpoint, self.clock(), dropped=dropped)
        exchange.path, exchange.own = path, f"{PATH}/{reading.spelled}"
        try:
            return await self._answer(exchange, replace(raw, query=query))
        except BaseException as error:
            exchange.error = error
            if isinstance(error, GatewayError):
                error.headers |= _who(exchange)
            await self._settle(exchange)
            raise

    async def _find(self, raw: RawCall) -> tuple[Reading, Endpoint]:
        """The endpoint with the shortest name that the path begins with. Who may not call it is
        told that, whether or not there is one."""
        missing: EndpointNotFound | None = None
        for reading in readings(raw.behind):
            try:
                endpoint = await self._endpoints.find(reading.endpoint)
            except EndpointNotFound as error:
                missing = missing or error
                continue
            if not raw.caller.may_call(reading.endpoint):
                missing = missing or EndpointNotFound(reading.endpoint)
                continue
            self._admission.admit(raw.caller, reading.endpoint)
            if not endpoint.raw:
                raise Forbidden(
                    f"endpoint {endpoint.name!r} is not open to raw calls", code="raw_forbidden"
                )
            return reading, endpoint
        if missing is None:
            raise BadRequest(None, f"say what to ask for: {PATH}/ENDPOINT/PATH", code="bad_path")
        self._admission.admit(raw.caller, missing.name)
        raise missing

    async def _answer(self, exchange: Proxied, raw: RawCall) -> Answer:
        reached = await self._reach(exchange, raw)
        try:
            answer = await self._begun(exchange, reached, raw.method)
        except BaseException:
            await reached.upstream.close()
            raise
        if isinstance(answer.body, bytes):
            await reached.upstream.close()
            await self._settle(exchange)
        return answer

    async def _begun(self, exchange: Proxied, reached: Reached, method: str) -> Answer:
        status = exchange.answered = reached.upstream.status
        headers, start = _headers(exchange, reached), b""
        exchange.flowing = headers.get("content-type", "").lower().startswith(EVENTS)
        if status >= 400:
            exchange.error = UpstreamRejected(reached.place.target.provider, status, {}, b"")
            start, whole = await error_of(reached, method)
            if whole:
                headers.pop("content-length", None)
                return Answer(status, headers, start)
        stream = ProxiedStream(
            exchange,
            reached,
            start,
            settle=self._settle,
            background=self._background,
            clock=self.clock,
        )
        return Answer(status, headers, stream)

    async def _reach(self, exchange: Proxied, raw: RawCall) -> Reached:
        """Try the planned targets until one has been sent the call."""
        last: GatewayError = OutOfTime()
        hopeless: Target | None = None
        idle = exchange.endpoint.timeouts.idle
        body = raw.body if isinstance(raw.body, bytes) else Coming(raw.body, idle)
        for attempt in attempts(exchange.endpoint, self._random):
            if attempt.target is hopeless:
                continue
            if exchange.call.over(self.clock() + attempt.pause):
                break
            if attempt.pause:
                await self._hours.sleep(attempt.pause)
            exchange.tried.append(attempt)
            try:
                reached = await self._ask(exchange, replace(raw, body=body), attempt.target)
            except GatewayError as error:
                if isinstance(error, UpstreamTimedOut) and exchange.call.over(self.clock()):
                    raise OutOfTime from error
                exchange.failed.append((attempt, error))
                last, begun = error, isinstance(body, Coming) and body.begun
                if begun or not isinstance(error, UNSENT):
                    break
                hopeless = None if error.retryable else attempt.target
            else:
                exchange.serving, exchange.first_content = attempt, self.clock()
                return reached
        raise last

    async def _ask(self, exchange: Proxied, raw: RawCall, target: Target) -> Reached:
        place = Place(target, url_at(target, exchange.path, raw.query))
        if target.secret is None:
            if terms_at(target, place.url).signed:
                raise _not_signed(target)
            return await self._send(exchange, raw, place)
        vault, origin = self._outbound.vault, origin_of(base_url_of(target))
        key = await vault.secret(target.secret, origin)
        reached = await self._send(exchange, raw, replace(place, key=key))
        if reached.upstream.status != 401 or not isinstance(raw.body, bytes):
            return reached
        try:
            renewed = await vault.renewed(target.secret, origin, key)
        except BaseException:
            await reached.upstream.close()
            raise
        if renewed is None:
            return reached
        await reached.upstream.close()
        return await self._send(exchange, raw, replace(place, key=renewed))

    async def _send(self, exchange: Proxied, raw: RawCall, place: Place) -> Reached:
        call, now = exchange.call, self.clock()
        due = call.within(now + exchange.endpoint.timeouts.first_content)
        hops = None if place.target.base_url is None else call.hops
        headers = sent(raw.headers, terms_at(place.target, place.url), key=place.key, hops=hops)
        if not isinstance(raw.body, bytes) and (length := raw.headers.get("content-length")):
            headers["content-length"] = length
        try:
            upstream = await self._outbound.transport.open(
                place.url, headers, raw.body, patience=max(due - now, 0), method=raw.method
            )
        except UpstreamError as error:
            hide(error, place.key)
            raise
        if upstream.status > 599:
            await upstream.close()
            raise UpstreamBroke(f"{place.target} answered {upstream.status}, which is no status")
        return Reached(upstream, place)


def _headers(exchange: Proxied, reached: Reached) -> dict[str, str]:
    upstream, place = reached.upstream, reached.place
    headers = {
        **returned(upstream.headers, upstream.status, place.key),
        "x-gateway-request-id": exchange.call.request_id,
        **_who(exchange),
    }
    if location := upstream.headers.get("location"):
        inside = within_gateway(location, place.url, root_of(place.target), exchange.own)
        if inside is None or (place.key and place.key in inside):
            exchange.dropped |= {"location"}
        else:
            headers["location"] = inside
    if exchange.dropped:
        headers["x-gateway-dropped"] = ", ".join(told(exchange.dropped))
    return headers


def _who(exchange: Proxied) -> dict[str, str]:
    headers = {"x-gateway-endpoint": exchange.endpoint.name}
    if exchange.latest:
        headers["x-gateway-target"] = str(exchange.latest.target)
    if exchange.attempts > 1:
        headers["x-gateway-attempts"] = str(exchange.attempts)
    return headers


def _not_signed(target: Target) -> Unsupported:
    return Unsupported(
        f"{target} is called with the gateway's own AWS credentials, and those sign no raw call: "
        "give the target a key of its own",
        code="unsupported_api",
    )
