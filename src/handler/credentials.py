"""What a request brings to say who it is from: a gateway key, wherever SDKs put it, or AWS' word.

``Authorization: Bearer`` is OpenAI's, ``x-api-key`` Anthropic's, ``api-key`` Azure's,
``x-goog-api-key`` and ``?key=`` Gemini's; Basic (the password) is what curl and browsers have.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

from starlette.types import Scope

from gateway.admission.admission import Presented

KEY_HEADERS = frozenset({b"x-api-key", b"api-key", b"x-goog-api-key"})
# A key in an address gets into logs and histories; only where an SDK can do no other is it read.
KEY_IN_QUERY = ("/gateway/gemini/v1", "/gateway/gemini/models")
LONGEST = 1024  # bytes of a header that may hold a key
NOBODYS = Presented(key="")


def presented(scope: Scope) -> Presented:
    """Two different keys are nobody's: which of them should be believed?"""
    keys = set(_keys(scope))
    if len(keys) > 1:
        return NOBODYS
    return Presented(keys.pop()) if keys else Presented(principal=_principal(scope))


def _keys(scope: Scope) -> Iterator[str]:
    for name, value in scope["headers"]:
        if name == b"authorization":
            if (key := _authorized(value)) is not None:
                yield key
        elif name in KEY_HEADERS and value.strip():  # an SDK whose variable is empty sends it so
            yield _text(value)
    if scope["path"].startswith(KEY_IN_QUERY):
        query = scope["query_string"][:LONGEST].decode("latin-1")
        yield from parse_qs(query).get("key", ())


def _authorized(value: bytes) -> str | None:
    """The key of an Authorization header; None for a scheme that holds none, such as AWS' own."""
    scheme, _, rest = value.strip().partition(b" ")
    match scheme.lower():
        case b"bearer":
            return _text(rest)
        case b"basic":
            return _password(rest)
    return None


def _password(encoded: bytes) -> str:
    try:
        if len(encoded) > LONGEST:
            return ""
        return _text(base64.b64decode(encoded.strip(), validate=True).partition(b":")[2])
    except binascii.Error:
        return ""


def _text(value: bytes) -> str:
    return value.decode("latin-1").strip() if len(value) <= LONGEST else ""


def _principal(scope: Scope) -> str | None:
    """The ARN that AWS has authenticated, from the event. No HTTP caller can put one there; whoever
    may invoke the function without a front door (lambda:InvokeFunction) is trusted with that."""
    context = _inside(scope.get("aws.event"), "requestContext")
    arn = _inside(_inside(context, "authorizer"), "iam").get("userArn") or _inside(
        context, "identity"
    ).get("userArn")
    return arn if isinstance(arn, str) else None


def _inside(value: Any, name: str) -> Mapping[str, Any]:
    inner = value.get(name) if isinstance(value, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}
