"""Which store a function stands on, and what of it outlives a snapshot."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from gateway.bootstrap.wiring import Wired
from gateway.settings import Settings


async def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Chosen:
    """``wired`` makes a gateway of it, at any time and anew. ``prepare``: do what is slow, ahead.
    ``refresh``: let go of every connection."""

    wired: Callable[[], Wired]
    prepare: Callable[[], Awaitable[None]] = _nothing
    refresh: Callable[[], None] = lambda: None


def choose(settings: Settings, environment: Mapping[str, str]) -> Chosen:
    if settings.store == "local":
        from gateway.bootstrap.local import local

        return Chosen(lambda: local(settings, environment=environment))
    from gateway.adapters.aws.clients import Clients
    from gateway.bootstrap.aws import aws

    clients = Clients()
    return Chosen(
        lambda: aws(settings, environment=environment, clients=clients),
        clients.prepare,
        clients.refresh,
    )
