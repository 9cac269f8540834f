"""How many tokens a request would take.

``POST /responses/input_tokens``: https://platform.openai.com/docs/api-reference/responses/input-tokens
"""

from gateway.dialects.base import count
from gateway.dialects.openai_responses.check import check_counted
from gateway.wire.json import Json


def read_count(body: Json) -> int:
    """Raises UpstreamBroke for what is no count."""
    check_counted(body)
    return count(body, "input_tokens")


def write_count(tokens: int) -> Json:
    return {"object": "response.input_tokens", "input_tokens": tokens}
