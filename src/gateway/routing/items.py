"""An endpoint as a JSON item: what stores keep and what ``endpoints show`` prints.

Fields that hold their default are left out. Reading takes what any version wrote.
"""

from dataclasses import MISSING, fields
from typing import Any

from gateway.routing.endpoint import Endpoint, Price, Retries, Target, Timeouts
from gateway.wire.json import Json

VERSION = 1


def write_endpoint(endpoint: Endpoint) -> Json:
    item: Json = _written(endpoint)
    return item


def read_endpoint(item: Json) -> Endpoint:
    return Endpoint(
        **{
            **_known(Endpoint, item),
            "targets": tuple(_read_target(target) for target in item["targets"]),
            "fallbacks": tuple(_read_target(target) for target in item.get("fallbacks", ())),
            "retries": Retries(**_known(Retries, item.get("retries", {}))),
            "timeouts": Timeouts(**_known(Timeouts, item.get("timeouts", {}))),
        }
    )


def _read_target(item: Json) -> Target:
    price = item.get("price")
    return Target(
        **{**_known(Target, item), "price": Price(**_known(Price, price)) if price else None}
    )


def _known(kind: Any, item: Json) -> Json:
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in item.items() if name in names}


def _written(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_written(one) for one in value]
    if not hasattr(value, "__dataclass_fields__"):
        return value
    item = {}
    for field in fields(value):
        own = getattr(value, field.name)
        default = field.default
        if default is MISSING and field.default_factory is not MISSING:
            default = field.default_factory()
        if own != default:
            item[field.name] = _written(own)
    return item
