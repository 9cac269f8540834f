"""What a call used, in the one way of counting that every dialect is read into."""

from dataclasses import dataclass


@dataclass(slots=True)
class Usage:
    """Token classes, disjoint but for reasoning, which is a part of output.

    What providers call prompt tokens is ``input + cache_read + cache_write``.
    ``cost``: US dollars, where the provider itself says what the call cost.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost: float | None = None

    @property
    def prompt_tokens(self) -> int:
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens
