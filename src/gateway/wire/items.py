"""Dataclasses as JSON items: what stores keep. Fields that hold their default are left out.

Reading takes what any version wrote: a field that it does not know is passed over.
"""

from dataclasses import MISSING, fields
from typing import Any

from gateway.wire.json import Json


def written(value: Any) -> Any:
    """``value``: a dataclass, or what its fields hold: scalars, tuples, dataclasses."""
    if isinstance(value, tuple):
        return [written(one) for one in value]
    if not hasattr(value, "__dataclass_fields__"):
        return value
    item = {}
    for field in fields(value):
        own = getattr(value, field.name)
        default = field.default
        if default is MISSING and field.default_factory is not MISSING:
            default = field.default_factory()
        if own != default:
            item[field.name] = written(own)
    return item


def known(kind: type[Any], item: Json) -> Json:
    """The part of an item that this dataclass has fields for."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in item.items() if name in names}


def unknown(kind: type[Any], item: Json) -> Json:
    """The other part, of another version of the program: it is kept as it is."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in item.items() if name not in names}
