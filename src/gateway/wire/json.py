"""The one place that chooses a JSON library."""

from typing import Any

import orjson

Json = dict[str, Any]


def loads(data: bytes | str) -> Any:
    """Raises ValueError for anything that is not JSON, or nests deeper than 1,024."""
    return orjson.loads(data)


def dumps(value: Any) -> bytes:
    return orjson.dumps(value)
