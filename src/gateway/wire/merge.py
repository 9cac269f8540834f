"""JSON Merge Patch, RFC 7396."""

from typing import Any

from gateway.wire.json import Json


def merged(value: Any, patch: Any) -> Any:
    """Objects merge, null takes a member away, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    result: Json = dict(value) if isinstance(value, dict) else {}
    for key, part in patch.items():
        if part is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), part)
    return result
