"""How long Lambda lets a call go on."""

from starlette.types import Scope

# Seconds for saying that the time is up, and for writing down what was used.
MARGIN = 2.0


def seconds_left(scope: Scope) -> float | None:
    """Until the answer must be complete; None where nobody stops us.

    Of a short time the margin takes a quarter at most.
    """
    context = scope.get("aws.context")
    if context is None:
        return None
    left: float = context.get_remaining_time_in_millis() / 1000
    return max(left - min(MARGIN, left / 4), 0.0)
