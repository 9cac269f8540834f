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
HEADER = re.compile(
    # Where the request ends is said by its content-length alone.
    r"(?!(?i:transfer-encoding):)"
    # RFC 9110 5.1 and 5.5: a token, then visible characters, blanks and latin-1.
    r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*\r\n"
)
HEADERS = re.compile(f"(?:{HEADER.pattern})*")
URL = re.compile(r"[\x21-\x7e]+")


class Destination(NamedTuple):
    origin: Origin
    authority: str
    start: str


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
    return Destination(origin, authority, f"POST {target} HTTP/1.1\r\n")


def request_head(place: Destination, headers: Mapping[str, str], length: int) -> bytes:
    """Raises UpstreamUnreachable when a header could not be sent as it is."""
    block = header_block(place.origin.host, headers)
    given = {name.lower(): value for name, value in headers.items()}
    if given.get("content-length", str(length)) != str(length):
        problem = f"content-length is {given['content-length']}, the body has {length} bytes"
        raise UpstreamUnreachable(f"{place.origin.host}: {problem}")
    host = "" if "host" in given else f"host: {place.authority}\r\n"
    agent = "" if "user-agent" in given else f"user-agent: {USER_AGENT}\r\n"
    size = "" if "content-length" in given else f"content-length: {length}\r\n"
    head = f"{place.start}{host}{block}{agent}{size}\r\n"
    return head.encode("latin-1")


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
