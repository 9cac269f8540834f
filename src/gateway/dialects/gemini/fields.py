"""Google's JSON, read field by field.

It is protocol buffers' (https://protobuf.dev/programming-guides/json): a field has its name in
camelCase or in snake_case, and a whole number may stand as 40, 40.0 or "40". Google's servers also
take one value in the place of a list of one, and its documentation writes it so.
"""

import re
from functools import cache
from typing import Any

from gateway.dialects.base import Fields, Kinds
from gateway.errors import BadRequest
from gateway.wire.json import Json

NUMBER = (int, float)


@cache
def snake_case(name: str) -> str:
    return re.sub("[A-Z]", lambda found: "_" + found[0].lower(), name)


def camel_case(name: str) -> str:
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)


class ProtoFields(Fields):
    """Fields that are asked for in camelCase, however the caller spells them."""

    __slots__ = ()

    def own(self, name: str) -> str:
        """The name as it stands here."""
        snake = snake_case(name)
        return snake if name not in self.rest and snake in self.rest else name

    def need(self, name: str, kind: Kinds) -> Any:
        return super().need(self.own(name), kind)

    def may(self, name: str, kind: Kinds) -> Any:
        return super().may(self.own(name), kind)

    def each(self, name: str) -> list[tuple[Any, str]]:
        name = self.own(name)
        if isinstance(self.rest.get(name), dict):
            return [(self.rest.pop(name), self.path(name))]
        return super().each(name)

    def inner(self, name: str) -> "ProtoFields | None":
        """The object that this field holds, to be read on."""
        path = self.path(self.own(name))
        value = self.may(name, dict)
        return None if value is None else ProtoFields(value, path)

    def whole(self, name: str) -> int | None:
        path = self.path(self.own(name))
        value = self.may(name, (int, float, str))
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
            return int(value)
        if isinstance(value, str) or (isinstance(value, float) and not value.is_integer()):
            raise BadRequest(path, f"must be a whole number, not {value!r}")
        return None if value is None else int(value)

    def texts(self, name: str) -> list[str] | None:
        """A list of texts, or one text in its place."""
        path = self.path(self.own(name))
        value = self.may(name, (list, str))
        if isinstance(value, str):
            return [value]
        if value is not None and not all(isinstance(one, str) for one in value):
            raise BadRequest(path, "must be an array of strings")
        return value  # type: ignore[no-any-return]


def without_nulls(object_: Json) -> Json:
    return {name: value for name, value in object_.items() if value is not None}
