"""The door every call passes before anything is spent on it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gateway.admission.keys import Grant, Role, credential_id, principal_id
from gateway.errors import Forbidden, Unauthenticated, shortened


@dataclass(frozen=True, slots=True)
class Caller:
    """``roles``: what the caller may do. ``endpoints``: those it may call; None for all."""

    name: str
    roles: frozenset[Role] = frozenset({"caller"})
    endpoints: frozenset[str] | None = None

    def may_call(self, endpoint: str) -> bool:
        return self.endpoints is None or endpoint in self.endpoints


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request brings to say who it is from.

    ``key``: as it was sent, whatever it is. ``principal``: an ARN that AWS has vouched for.
    """

    key: str | None = None
    principal: str | None = None


class Grants(Protocol):
    async def find(self, credential: str) -> Grant | None:
        """None for a credential that nobody was given. Raises Unavailable."""
        ...


class Admission(Protocol):
    async def identify(self, presented: Presented) -> Caller:
        """Raises Unauthenticated; Unavailable when that cannot be looked up now."""
        ...

    def admit(self, caller: Caller, endpoint: str) -> None:
        """Raises Forbidden: not this endpoint."""
        ...


class OpenAdmission:
    """Lets everyone in, as one caller. Only for a gateway that listens on loopback alone."""

    def __init__(self) -> None:
        self._local = Caller("local", frozenset({"caller", "admin"}))

    async def identify(self, presented: Presented) -> Caller:
        del presented
        return self._local

    def admit(self, caller: Caller, endpoint: str) -> None:
        del caller, endpoint


class KeyAdmission:
    """Lets in who holds a gateway key. ``clock`` reads seconds since 1970.

    ``seen`` is told each key that was let in, and when.
    """

    def __init__(
        self, grants: Grants, *, clock: Callable[[], float], seen: Callable[[str, float], None]
    ) -> None:
        self._grants, self._clock, self._seen = grants, clock, seen

    async def identify(self, presented: Presented) -> Caller:
        credential = _credential(presented)
        grant = await self._grants.find(credential) if credential else None
        now = self._clock()
        if grant is None or grant.disabled or _is_over(grant, now):
            raise Unauthenticated
        self._seen(grant.key, now)
        endpoints = None if grant.endpoints is None else frozenset(grant.endpoints)
        return Caller(grant.key, frozenset({grant.role}), endpoints)

    def admit(self, caller: Caller, endpoint: str) -> None:
        if not caller.may_call(endpoint):
            raise Forbidden(
                f"this gateway key may not call endpoint {shortened(endpoint)!r}; "
                "the models listed are those it may",
                field="model",
                code="endpoint_not_allowed",
            )


def _credential(presented: Presented) -> str | None:
    if presented.key is not None:
        return credential_id(presented.key)
    return principal_id(presented.principal) if presented.principal else None


def _is_over(grant: Grant, now: float) -> bool:
    return grant.expires is not None and grant.expires <= now
