"""How a call crosses to a target: in which of its provider's dialects, and what it is told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from gateway.dialects import Dialect
from gateway.errors import BadRequest, Unsupported
from gateway.exchange.bridge import Bridge, bridge_for
from gateway.exchange.exchange import Call, told
from gateway.exchange.manners import keep_manners
from gateway.providers.catalog import PROVIDERS, Provider
from gateway.routing.endpoint import Endpoint, Target
from gateway.wire.json import Unwritable

# Losses that a strict endpoint bears. OpenAI demands a name of every schema, and it means nothing;
# what another model sealed in an earlier turn is nothing that is asked for in this one; and what a
# client tells its maker's servers is nothing for others.
BORNE = frozenset(
    {"response_format.name", "signature", "system[].x-anthropic-billing-header", "thinking"}
)
# Bytes of JSON that may take 10 ms and more to translate: other calls wait for no such one.
LARGE = 256 * 1024

Given = ParamSpec("Given")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Crossed:
    """``dialect``: the provider's. ``body``: the request in it."""

    bridge: Bridge
    dialect: Dialect
    body: bytes


async def beside_the_loop(
    size: int, work: Callable[Given, Made], *args: Given.args, **kwargs: Given.kwargs
) -> Made:
    """Does the work on a thread where there is much: ``size`` in bytes."""
    if size < LARGE:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)


def cross(call: Call, target: Target, endpoint: Endpoint) -> Crossed:
    """Raises BadRequest for what cannot be said, Unsupported for what this provider does not offer,
    and for what a strict endpoint would lose."""
    provider = PROVIDERS[target.provider]
    try:
        bridge, dialect = _bridge(call, provider, target)
        body = bridge.request(target.model, provider.quirks_in(dialect))
    except (RecursionError, Unwritable) as error:
        problem = "the body nests too deep to be sent on"
        raise BadRequest(None, problem, code="nested_too_deep") from error
    if endpoint.strict and (lost := bridge.dropped - BORNE):
        raise _not_whole(endpoint, target, lost)
    return Crossed(bridge, dialect, body)


def _bridge(call: Call, provider: Provider, target: Target) -> tuple[Bridge, Dialect]:
    """A relay where the provider speaks as the caller does, else into the first that will do."""
    for dialect in _spoken(call, provider, target):
        if bridge := bridge_for(call, dialect, provider.forms.get(dialect)):
            keep_manners(call, dialect)
            return bridge, dialect
    offered = ", ".join(dialect.name for dialect in provider.speaks)
    raise Unsupported(
        f"endpoint {call.endpoint!r} is served by {provider.name!r}, which does not offer "
        f"{call.dialect.name} (it offers {offered})",
        code="unsupported_api",
    )


def _spoken(call: Call, provider: Provider, target: Target) -> list[Dialect]:
    """What to try, best first."""
    if call.dialect.chat and target.dialect:
        return [dialect for dialect in provider.speaks if dialect.name == target.dialect]
    if call.dialect in provider.speaks:
        return [call.dialect]
    better = provider.better_in(target.model)
    return sorted(provider.speaks, key=lambda dialect: dialect is not better)


def _not_whole(endpoint: Endpoint, target: Target, dropped: set[str]) -> Unsupported:
    lost = told(dropped)
    return Unsupported(
        f"endpoint {endpoint.name!r} is strict, and {target} cannot be told: {', '.join(lost)}; "
        "leave that out, or make the endpoint not strict",
        field=lost[0],
        code="cannot_be_said",
    )
