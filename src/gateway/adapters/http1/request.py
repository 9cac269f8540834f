"""The bytes of a request: its URL taken apart, its headers checked before a byte is written."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from gateway.adapters.http1.dialing import Origin
from gateway.errors import UpstreamUnreachable

USER_AGENT = "sluicegate"
PORTS = {"http": 80, "https": 443}
METHOD = re.compile(r"[A-Z]+")
# Their requests usually hold something: that there is nothing has to be said (RFC 9110, 8.6).
ENCLOSING = frozenset({"POST", "PUT", "PATCH"})
HEADER = re.compile(
    # Where the request ends is for us to say.
    r"(?!(?i:transfer-encoding):)"
    # RFC 9110 5.1 and 5.5: a token, then visible characters, blanks and latin-1.
    r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*\r\n"
)
HEADERS = re.compile(f"(?:{HEADER.pattern})*")
URL = re.compile(r"[\x21-\x7e]+")
LENGTH = re.compile(r"[0-9]{1,18}")


class Destination(NamedTuple):
    origin: Origin
    authority: str
    target: str  # path and query


@lru_cache(maxsize=1024)
def destination(url: str) -> Destination:
    """Raises UpstreamUnreachable; the message holds no query and no password."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UpstreamUnreachable(f"the provider's URL is malformed: {error}") from error
    if not (host and parts.scheme in PORTS and URL.fullmatch(url)):
        raise UpstreamUnreachable(
            "the provider's URL must be http:// or https:// with a host, in ASCII without blanks"
        )
    if "@" in parts.netloc:
        raise UpstreamUnreachable("the provider's URL may hold no user name or password")
    authority = f"[{host}]" if ":" in host else host
    if port is not None and port != PORTS[parts.scheme]:
        authority = f"{authority}:{port}"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    origin = Origin(parts.scheme, host, port or PORTS[parts.scheme])
    return Destination(origin, authority, target)


def request_head(
    method: str, place: Destination, headers: Mapping[str, str], length: int | None
) -> bytes:
    """``length``: of the body; None where only its end will tell, so that it goes in chunks.

    Raises UpstreamUnreachable when a header could not be sent as it is.
    """
    host = place.origin.host
    if not METHOD.fullmatch(method):
        raise UpstreamUnreachable(f"{host}: {method!r} is no method of HTTP")
    block = header_block(host, headers)
    given = {name.lower(): value for name, value in headers.items()}
    said = given.get("content-length")
    if said is not None and said != str(length):
        problem = f"content-length is {said}, the body has {length} bytes"
        raise UpstreamUnreachable(f"{host}: {problem}")
    named = "" if "host" in given else f"host: {place.authority}\r\n"
    agent = "" if "user-agent" in given else f"user-agent: {USER_AGENT}\r\n"
    size = "" if said is not None else _framing(method, length)
    return f"{method} {place.target} HTTP/1.1\r\n{named}{block}{agent}{size}\r\n".encode("latin-1")


def _framing(method: str, length: int | None) -> str:
    if length is None:
        return "transfer-encoding: chunked\r\n"
    return f"content-length: {length}\r\n" if length or method in ENCLOSING else ""


def announced_length(host: str, headers: Mapping[str, str]) -> int | None:
    """What the headers say of a body that is not here yet. Raises UpstreamUnreachable."""
    for name, value in headers.items():
        if name.lower() == "content-length":
            if not LENGTH.fullmatch(value):
                raise UpstreamUnreachable(f"{host}: content-length is no number")
            return int(value)
    return None


def header_block(host: str, headers: Mapping[str, str]) -> str:
    """Raises UpstreamUnreachable, naming the header and never its value, which may be a key."""
    block = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    # A line break in a value would add a header, well formed by itself: hence the count.
    if block.count("\n") == len(headers) and HEADERS.fullmatch(block):
        return block
    wrong = [
        name for name, value in headers.items() if not HEADER.fullmatch(f"{name}: {value}\r\n")
    ]
    raise UpstreamUnreachable(
        f"{host}: the header {wrong[0]!r} cannot be sent: HTTP forbids a character in it, "
        "or it is the transport's own"
    )
