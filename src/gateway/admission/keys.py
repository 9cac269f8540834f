"""Gateway keys: how they are made, told from other text, and kept.

A key is ``sgk_``, 43 characters for 256 random bits, and 6 for a checksum; all digits and letters.
Only its SHA-256 is kept: a random key needs no salt and no slow hash. The checksum tells a mistyped
or made-up key without asking any store.
"""

import hashlib
import re
import zlib
from dataclasses import dataclass
from typing import Literal

from gateway.wire.items import known, written
from gateway.wire.json import Json

PREFIX = "sgk_"
ENTROPY = 32  # bytes
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHAPE = re.compile(r"sgk_[0-9A-Za-z]{49}")
_RANDOM = slice(len(PREFIX), len(PREFIX) + 43)
TAIL = 4  # characters of a key that may be shown

Role = Literal["caller", "admin"]


@dataclass(frozen=True, slots=True)
class Credential:
    """One secret of a key: two are good while a rotation overlaps. Times in seconds since 1970."""

    hash: str
    tail: str
    created: int
    expires: int | None = None


@dataclass(frozen=True, slots=True)
class GatewayKey:
    """Who may call. ``role``: a caller may query, an admin may configure; neither may both.

    ``endpoints``: the names that may be called; None for all. ``principal``: an IAM role or user
    that needs no key, by ARN. ``expires``: seconds since 1970.
    """

    name: str
    role: Role = "caller"
    owner: str | None = None
    tags: tuple[str, ...] = ()
    endpoints: tuple[str, ...] | None = None
    expires: int | None = None
    disabled: bool = False
    created: int = 0
    principal: str | None = None
    credentials: tuple[Credential, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """What one credential gives: all that admission asks, found by one reading."""

    key: str
    role: Role = "caller"
    endpoints: tuple[str, ...] | None = None
    expires: int | None = None
    disabled: bool = False


def new_key(entropy: bytes) -> str:
    """``entropy``: 32 random bytes."""
    if len(entropy) != ENTROPY:
        raise ValueError(f"a key is made of {ENTROPY} bytes")
    random = _in_digits(int.from_bytes(entropy), 43)
    return PREFIX + random + _checksum(random)


def credential_id(presented: str) -> str | None:
    """What a key is found by; None for what is no key of ours."""
    if not _SHAPE.fullmatch(presented) or _checksum(presented[_RANDOM]) != presented[-6:]:
        return None
    return hash_of(presented)


def hash_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def principal_id(arn: str) -> str:
    """What an IAM principal is found by. A session of a role counts as the role:
    ``arn:aws:sts::1:assumed-role/R/session`` as ``arn:aws:iam::1:role/R``."""
    head, assumed, rest = arn.partition(":assumed-role/")
    if assumed:
        head = head.replace(":sts:", ":iam:", 1)
        return f"iam:{head}:role/{rest.partition('/')[0]}"
    head, role, path = arn.partition(":role/")
    if role:
        return f"iam:{head}:role/{path.rpartition('/')[2]}"
    return f"iam:{arn}"


def grants(key: GatewayKey) -> dict[str, Grant]:
    """What each way to present this key gives: credential id -> grant."""
    found = {one.hash: _grant(key, one.expires) for one in key.credentials}
    if key.principal is not None:
        found[principal_id(key.principal)] = _grant(key, None)
    return found


def _grant(key: GatewayKey, until: int | None) -> Grant:
    ends = [one for one in (key.expires, until) if one is not None]
    return Grant(key.name, key.role, key.endpoints, min(ends, default=None), key.disabled)


def write_key(key: GatewayKey) -> Json:
    item: Json = written(key)
    return item


def read_key(item: Json) -> GatewayKey:
    credentials = item.get("credentials", ())
    return GatewayKey(
        **{
            **known(GatewayKey, item),
            "tags": tuple(item.get("tags", ())),
            "endpoints": _names(item),
            "credentials": tuple(Credential(**known(Credential, one)) for one in credentials),
        }
    )


def write_grant(grant: Grant) -> Json:
    item: Json = written(grant)
    return item


def read_grant(item: Json) -> Grant:
    return Grant(**{**known(Grant, item), "endpoints": _names(item)})


def _names(item: Json) -> tuple[str, ...] | None:
    names = item.get("endpoints")
    return None if names is None else tuple(names)


def _checksum(text: str) -> str:
    return _in_digits(zlib.crc32(text.encode()), 6)


def _in_digits(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits
