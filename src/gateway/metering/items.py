"""A record as a JSON item: what stores keep."""

from gateway.metering.records import Record
from gateway.usage import Usage
from gateway.wire.items import known, written
from gateway.wire.json import Json

VERSION = 1


def write_record(record: Record) -> Json:
    item: Json = written(record)
    return item


def read_record(item: Json) -> Record:
    usage = item.get("usage")
    return Record(
        **{
            **known(Record, item),
            "usage": None if usage is None else Usage(**known(Usage, usage)),
            "dropped": tuple(item.get("dropped", ())),
        }
    )
