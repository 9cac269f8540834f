"""The one place that chooses a JSON library."""

from typing import Any

import orjson

Json = dict[str, Any]

# Raises ValueError for anything that is not JSON, or nests deeper than 1,024.
loads = orjson.loads
dumps = orjson.dumps
Fragment = orjson.Fragment  # JSON text, to stand in a body as it is
# What dumps raises: for what nests deeper than 254, or is no JSON at all.
Unwritable = orjson.JSONEncodeError
