"""Which headers cross the gateway with a raw call, there and back. No I/O."""

from collections.abc import Mapping

from gateway.exchange.attempt import USER_AGENT, hidden
from gateway.exchange.exchange import HOPS
from gateway.exchange.proxied.url import holds_gateway_key
from gateway.providers.provider import Terms

# Of a caller's; besides them what the provider's terms forward. Nothing that says who the caller
# is or where from, and no key: the provider gets the endpoint's own.
SENT = frozenset(
    {
        "accept",
        "accept-language",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-type",
        "idempotency-key",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "range",
    }
)
# Of a provider's: what the body is, and what a client goes by. No cookies, and nothing that would
# speak for the gateway's own host.
RETURNED = frozenset(
    {
        "accept-ranges",
        "allow",
        "cache-control",
        "content-disposition",
        "content-language",
        "content-length",
        "content-range",
        "content-type",
        "etag",
        "expires",
        "last-modified",
        "openai-processing-ms",
        "openai-version",
        "request-id",
        "vary",
        "x-request-id",
        "x-should-retry",
    }
)
RETURNED_IN_GROUPS = ("x-ratelimit-", "anthropic-ratelimit-", "retry-after")
EVENTS = "text/event-stream"
BODILESS = frozenset({204, 304})
# A page of a provider's must not act as one of the gateway's, should a browser open it.
HARMLESS = {"content-security-policy": "sandbox", "x-content-type-options": "nosniff"}


def sent(
    given: Mapping[str, str], terms: Terms, *, key: str | None, hops: int | None
) -> dict[str, str]:
    """``hops``: how many gateways it has come through; None where the target can be none."""
    headers = {
        "accept": "*/*",
        "accept-encoding": "identity",
        "user-agent": USER_AGENT,
        **terms.headers,
    }
    for name in SENT | terms.forwards:
        if name in given and not holds_gateway_key(given[name]):
            headers[name] = given[name]
    if hops is not None:
        headers[HOPS] = str(hops + 1)
    if key is not None:
        headers[terms.key_header] = terms.key_format.format(key=key)
    return headers


def returned(upstream: Mapping[str, str], status: int, key: str | None) -> dict[str, str]:
    headers = {
        name: hidden(value, key)
        for name, value in upstream.items()
        if name in RETURNED or name.startswith(RETURNED_IN_GROUPS)
    }
    length = headers.get("content-length", "")
    if status in BODILESS or not (length.isascii() and length.isdigit()):
        headers.pop("content-length", None)  # of what is not sent, or no length at all
    if headers.get("content-type", "").lower().startswith(EVENTS):
        headers["x-accel-buffering"] = "no"  # nginx would hold the events back
    return headers | HARMLESS
