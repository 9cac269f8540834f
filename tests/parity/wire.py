"""A plain HTTP client that sends what it is told to, header by header, and reads what comes."""

import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SHARED = Path(__file__).parents[3] / "shared"


@dataclass(frozen=True)
class Told:
    """An answer. Header names are lower-case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[str]:
        return data_of(self.body.decode())


KEYS = ("authorization", "x-api-key", "api-key", "x-goog-api-key")


def key_in(headers: Mapping[str, str]) -> str:
    """The one key of a request, and where it stands."""
    (found,) = [f"{name}: {headers[name]}" for name in KEYS if name in headers]
    return found


def data_of(text: str) -> list[str]:
    """The data of every event of a stream; comments are none."""
    lines = (event.splitlines() for event in text.replace("\r\n", "\n").split("\n\n"))
    told = ("\n".join(line[6:] for line in event if line.startswith("data: ")) for event in lines)
    return [data for data in told if data]


def ask(
    url: str, method: str, path: str, headers: Iterable[tuple[str, str]], body: bytes | None
) -> Told:
    """Sends these headers, in this order, and besides them only the length of the body."""
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=10)) as connection:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("content-length", str(len(body)))
        connection.endheaders(body)
        reply = connection.getresponse()
        told = {name.lower(): value for name, value in reply.getheaders()}
        return Told(reply.status, told, reply.read())


def post(url: str, path: str, body: bytes) -> Told:
    headers = [("host", "localhost"), ("content-type", "application/json")]
    return ask(url, "POST", path, headers, body)
