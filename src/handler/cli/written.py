"""Configuration as YAML, the way people write it, or as JSON."""

import json
from typing import Any

import yaml

from gateway.wire.json import Json


def as_yaml(value: Json) -> str:
    text: str = yaml.dump(value, Dumper=_Indented, sort_keys=False, allow_unicode=True, width=1000)
    return text


def as_json(value: Json) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def plainly(value: Any) -> Any:
    """3 for 3.0."""
    match value:
        case dict():
            return {key: plainly(one) for key, one in value.items()}
        case list():
            return [plainly(one) for one in value]
        case float() if value.is_integer():
            return int(value)
    return value


class _Indented(yaml.SafeDumper):
    """Lists one step in; and each thing in full, however often it is said."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        del indentless
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True
