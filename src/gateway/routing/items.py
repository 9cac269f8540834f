"""An endpoint as a JSON item: what stores keep and what ``endpoints show`` prints."""

from gateway.routing.endpoint import Endpoint, Price, Retries, Target, Timeouts
from gateway.wire.items import known, written
from gateway.wire.json import Json


def write_endpoint(endpoint: Endpoint) -> Json:
    item: Json = written(endpoint)
    return item


def read_endpoint(item: Json) -> Endpoint:
    return Endpoint(
        **{
            **known(Endpoint, item),
            "targets": tuple(_read_target(target) for target in item["targets"]),
            "fallbacks": tuple(_read_target(target) for target in item.get("fallbacks", ())),
            "retries": Retries(**known(Retries, item.get("retries", {}))),
            "timeouts": Timeouts(**known(Timeouts, item.get("timeouts", {}))),
        }
    )


def _read_target(item: Json) -> Target:
    price = item.get("price")
    return Target(
        **{**known(Target, item), "price": Price(**known(Price, price)) if price else None}
    )
