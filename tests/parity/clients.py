"""What each client really sends: the recorded requests, and how to send them on."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from tests.live import LiveGateway
from tests.parity.wire import SHARED, Told, ask

FOLDER = SHARED / "clients"
CALLED = ("my-endpoint", "my-chat-endpoint")
Request = dict[str, Any]


def recorded(*paths: str) -> dict[str, Request]:
    """Each different request whose path holds one of these, by its file and SDK generation."""
    return dict(_recorded(paths))


def _recorded(paths: tuple[str, ...]) -> Iterator[tuple[str, Request]]:
    seen: set[str] = set()
    for file in sorted(FOLDER.glob("*.json")):
        for generation, told in json.loads(file.read_text()).items():
            for nth, request in enumerate(told["requests"]):
                once = json.dumps([request["path"], request["headers"], request["body"]])
                if any(path in request["path"] for path in paths) and once not in seen:
                    seen.add(once)
                    yield f"{file.stem}-{generation[0]}{nth}", request


def bodies_of(requests: dict[str, Request]) -> dict[str, Request]:
    """One request for each different body at a path, whatever its headers are."""
    told = {
        json.dumps([method_of(one), sorted((one["body"] or {}).items())], default=str): name
        for name, one in reversed(requests.items())
    }
    return {name: requests[name] for name in requests if name in told.values()}


def method_of(request: Request) -> str:
    """What a path asks for, without where: `chat/completions`, `messages`, `generateContent`."""
    path = urlsplit(request["path"]).path
    return path.rpartition(":")[2] if ":" in path else "/".join(path.split("/")[-2:])


def sent(request: Request, gateway: LiveGateway, endpoint: str | None = None) -> Told:
    """As it was recorded, header by header; to another endpoint where one is named."""
    path, body = request["path"], request["body"]
    if endpoint is not None:
        path, body = at(endpoint, request)
    content = None if body is None else json.dumps(body).encode()
    headers = [(n, v) for n, v in request["headers"] if n.lower() != "content-length"]
    return ask(gateway.url, request["method"], path, headers, content)


def at(endpoint: str, request: Request) -> tuple[str, Any]:
    """The path and the body, with the endpoint's name in the place of the recorded one."""
    path, body = request["path"], request["body"]
    for called in CALLED:
        path = path.replace(f"/{called}", f"/{endpoint}")
    return path, {**body, "model": endpoint} if "model" in body else body
