"""The order of attempts for one call."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from gateway.routing.endpoint import Endpoint, Retries, Target


@dataclass(frozen=True, slots=True)
class Attempt:
    target: Target
    pause: float  # seconds to wait first


def attempts(endpoint: Endpoint, random: Random) -> Iterator[Attempt]:
    """Yield a weighted primary with its retries, then each fallback with its own."""
    for target in (_primary(endpoint, random), *endpoint.fallbacks):
        yield Attempt(target, pause=0)
        for pause in pauses(endpoint.retries, random):
            yield Attempt(target, pause)


def _primary(endpoint: Endpoint, random: Random) -> Target:
    if len(endpoint.targets) == 1:
        return endpoint.targets[0]
    weights = [target.weight for target in endpoint.targets]
    return random.choices(endpoint.targets, weights)[0]


def pauses(retries: Retries, random: Random) -> Iterator[float]:
    """Exponential backoff with full jitter."""
    for nth in range(retries.times):
        ceiling = min(retries.first_pause * 2**nth, retries.longest_pause)
        yield random.uniform(0, ceiling)
