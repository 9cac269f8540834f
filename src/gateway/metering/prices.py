"""What usage costs."""

from gateway.routing.endpoint import Price
from gateway.usage import Usage

PER_TOKEN = 1e-6


def cost(usage: Usage, price: Price | None) -> float | None:
    """US dollars; what the provider itself says goes first. None when nobody knows: never 0."""
    if usage.cost is not None:
        return usage.cost
    if price is None:
        return None
    read = price.input if price.cache_read is None else price.cache_read
    written = price.input if price.cache_write is None else price.cache_write
    dollars = (
        usage.input_tokens * price.input
        + usage.cache_read_tokens * read
        + usage.cache_write_tokens * written
        + usage.output_tokens * price.output
    )
    return dollars * PER_TOKEN
