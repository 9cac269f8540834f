"""What goes before a streamed body: status and headers as JSON, then eight NULs."""

from collections.abc import Iterable

from gateway.errors import GatewayError
from gateway.wire.json import Json, dumps

DELIMITER = b"\0" * 8
LARGEST = 16_384  # bytes, the delimiter included: API Gateway looks no further
# Of one connection, and none of ours: Lambda frames what it sends to callers itself.
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)

RawHeaders = Iterable[tuple[bytes, bytes]]


class PreludeTooLarge(GatewayError):
    status = 502

    def __init__(self, size: int) -> None:
        problem = f"the answer's headers take {size} bytes, and Lambda takes {LARGEST}"
        super().__init__(problem, code="headers_too_large")


def prelude(status: int, headers: RawHeaders, *, several: bool, empty: bool = False) -> bytes:
    """``several``: a header may have several values (REST APIs); else they are joined by commas
    (function URLs). ``empty``: nothing but a filler follows, so no length that the app gave holds.

    Raises PreludeTooLarge.
    """
    single: dict[str, str] = {}
    multiple: dict[str, list[str]] = {}
    cookies: list[str] = []
    for raw, raw_value in headers:
        name, value = raw.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name in HOP_BY_HOP or name.startswith("proxy-") or (empty and name == "content-length"):
            continue
        if name == "set-cookie":
            cookies.append(value)
        elif name in single:
            multiple.setdefault(name, [single[name]]).append(value)
        else:
            single[name] = value
    told: Json = {"statusCode": status, "headers": single}
    if multiple and several:
        told["multiValueHeaders"] = multiple
        told["headers"] = {name: value for name, value in single.items() if name not in multiple}
    elif multiple:
        told["headers"] = single | {name: ",".join(values) for name, values in multiple.items()}
    if cookies and several:
        told.setdefault("multiValueHeaders", {})["set-cookie"] = cookies
    elif cookies:
        told["cookies"] = cookies
    text = dumps(told) + DELIMITER
    if len(text) > LARGEST:
        raise PreludeTooLarge(len(text))
    return text
